# SPDX-License-Identifier: GPL-3.0-or-later
"""Words with their numbers, and names with what has to be said of them."""

from __future__ import annotations


def counted(number: int, word: str, words: str = "") -> str:
    """Write a number with its word: 1 frame, 2 frames; `words` where an s does not make it."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"


def named_with(name: str, model: str) -> str:
    """Give a name with what has to be said of the model behind it, if anything."""
    return f"{name} ({model})" if model else name
