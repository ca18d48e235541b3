"""A painted head."""

from tests.painted import head

__all__ = ["head"]
