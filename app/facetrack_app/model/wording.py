# SPDX-License-Identifier: GPL-3.0-or-later
"""Words with their numbers."""

from __future__ import annotations


def counted(number: int, word: str, words: str = "") -> str:
    """Write a number with its word: 1 frame, 2 frames; `words` where an s does not make it."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"
