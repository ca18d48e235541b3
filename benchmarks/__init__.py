"""What proves the claims of `docs/results`: `python -m benchmarks`, from a clone, lists it."""
