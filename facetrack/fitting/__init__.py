"""Fitting a face with a trained model, and judging how well: quality, confidence of points."""
