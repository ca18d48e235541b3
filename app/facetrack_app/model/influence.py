# SPDX-License-Identifier: GPL-3.0-or-later
"""What raises and lowers a value: the other values of its estimator that are parts of it."""

from __future__ import annotations

from facetrack.reading import Spec
from facetrack.signals.registry import owner


def parts_of(spec: Spec) -> tuple[Spec, ...]:
    """Give the values that say what raises and lowers another one; of most there are none."""
    return tuple(part for part in owner(spec.name).specs if part.part_of == spec.name)


def influence_in_words(part: Spec, value: float) -> str:
    """Say by how much a part raises or lowers the whole."""
    return f"{region(part)} {value:+.2g}"


def region(part: Spec) -> str:
    """Name a part without the whole, as `brows` of `pain_brows`."""
    return part.name.removeprefix(f"{part.part_of}_").replace("_", " ")
