# SPDX-License-Identifier: GPL-3.0-or-later
"""The curves of signals over the part of the video that the timeline shows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facetrack.signals.registry import owner, signals
from facetrack_app.model.curves import Curve, curve_of
from facetrack_app.model.influence import parts_of
from facetrack_app.model.readings import read_values
from facetrack_app.model.store import Store
from facetrack_app.services.latest import Latest
from facetrack_app.services.posting import Post


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drawn: signals of a person, frames up to but without `stop`."""

    names: tuple[str, ...]
    person: int
    first: int
    stop: int
    width: int  # columns of pixels


class SignalCurves:
    """Reads curves beside the window; of several wishes the last is fulfilled."""

    def __init__(self, database: Path, post: Post, ready: Callable[[], None]) -> None:
        self.curves: list[Curve] = []
        self._ready = ready
        self._latest: Latest[Wish, list[Curve]] = Latest(
            lambda wish: partial(read_curves, database, wish),
            post, self._show, lambda message: self._show([]),
        )  # fmt: skip

    def ask(self, wish: Wish | None) -> None:
        """Ask for curves; None: for none."""
        self._latest.ask(wish)
        if wish is None:
            self._show([])

    def _show(self, curves: list[Curve]) -> None:
        self.curves = curves
        self._ready()


def read_curves(database: Path, wish: Wish) -> list[Curve]:
    """Read what is stored; raises FormatError if the session's file is damaged."""
    known, found = signals(), []
    with closing(Store(database)) as store:
        for spec in (known[name] for name in wish.names):
            values, *parts = (
                read_values(store, wish.person, owner(one.name), one.name, wish.first, wish.stop)
                for one in (spec, *parts_of(spec))
            )
            beside = {one: part.value for one, part in zip(parts_of(spec), parts, strict=True)}
            found.append(curve_of(spec, values, wish.first, wish.width, beside))
    return found
