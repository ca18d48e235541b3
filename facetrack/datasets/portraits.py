"""Near-neutral portraits that are set aside for good: synthetic people are made of them."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


def portraits() -> tuple[str, ...]:
    """Name the portraits of which synthetic people are made.

    Returns
    -------
    tuple of str
        60 pictures as "FOLDER/NAME", sorted.
    """
    return tuple(_lists()["portraits"])


def set_aside() -> frozenset[str]:
    """Name the pictures that no network may be trained on.

    Returns
    -------
    frozenset of str
        The `portraits`, and other pictures of the same people, as "FOLDER/NAME".
    """
    return frozenset([*_lists()["portraits"], *_lists()["same_people"]])


@cache
def _lists() -> Any:
    text = resources.files("facetrack.datasets").joinpath("portraits.json").read_text("utf-8")
    return json.loads(text)
