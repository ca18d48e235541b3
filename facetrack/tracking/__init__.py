"""Face detection, fit quality, identity, the tracker and smoothing."""
