# SPDX-License-Identifier: GPL-3.0-or-later
"""The names that a person gives to events and marks, kept from video to video."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from facetrack.reading import Kind
from facetrack.signals.registry import signals

MOST: Final = 200


class Vocabulary:
    """Names of events; what is used is added."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def offered(self, old: str = "") -> list[str]:
        """Give all names to choose from: the present one, the person's own, the estimators'."""
        found = [name for name, spec in signals().items() if spec.kind == Kind.EVENT]
        return list(dict.fromkeys([*([old] if old else []), *self.names, *found]))

    def add(self, name: str) -> None:
        """Keep a name that was used; of too many, the oldest goes."""
        if name not in self.offered():
            self.names[:] = [*self.names, name][-MOST:]

    def replace(self, names: Iterable[str]) -> None:
        """Keep these names."""
        tidy = dict.fromkeys(name.strip() for name in names)
        self.names[:] = [name for name in tidy if name][:MOST]
