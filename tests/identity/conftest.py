"""Painted people, and a model and a detector that know the truth about them."""

from tests.painted import head, puppet, shape_model, stage

__all__ = ["head", "puppet", "shape_model", "stage"]
