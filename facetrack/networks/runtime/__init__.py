"""Binary networks as they run: packed bits, numpy and numba, no torch."""
