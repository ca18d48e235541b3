"""Continuous regression (closed form), sampled regression (SDM) and the cascade of levels."""
