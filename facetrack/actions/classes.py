"""The actions of a face that have a name here."""

from __future__ import annotations

from typing import Final

# Names of events; what a face does when it does none of them has no name.
CLASSES: Final = (
    "blink", "wink_left", "wink_right", "brow_raise", "frown", "smile", "nose_wrinkle",
    "lip_press", "mouth_open", "yawn", "nod", "shake",
)  # fmt: skip
# Of these no real clip was ever tested.
SYNTHETIC_ONLY: Final = frozenset({"wink_left", "wink_right", "nose_wrinkle", "lip_press", "yawn"})
_SWAP: Final = {"wink_left": "wink_right", "wink_right": "wink_left"}


def mirrored_class(name: str) -> str:
    """Name the action that the mirrored face shows; sides are the person's own."""
    return _SWAP.get(name, name)
