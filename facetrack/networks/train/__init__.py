"""Training of networks; the only folder here that imports torch."""
