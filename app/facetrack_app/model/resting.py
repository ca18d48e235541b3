# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten seconds in which live faces are at rest."""

from __future__ import annotations

from math import nan
from typing import Final

from facetrack.reading import Readings
from facetrack.signals.registry import Choice, estimators
from facetrack.signals.rest import Rest, Restable
from facetrack.signals.resting import RestMeter
from facetrack_app.model.live import Heard

SECONDS: Final = 10.0
_AWAY: Final = 1.0  # seconds without a frame, after which it begins anew


def can_rest(choice: Choice) -> bool:
    """Return whether any of these signals can be measured from a face at rest."""
    return any(isinstance(estimator, Restable) for estimator in choice.estimators)


class Resting:
    """Collects what is said of the faces; begins anew where the camera was away."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self, frame: int = 0, now: float = nan) -> None:
        self._meter = RestMeter()
        self._first, self._start, self._now = frame, now, now

    @property
    def left(self) -> float:
        """Seconds that are left."""
        gone = self._now - self._start
        return SECONDS - (gone if gone > 0 else 0.0)

    def add(self, heard: Heard) -> None:
        """Take what was said with a frame."""
        if not heard.timestamp - self._now < _AWAY:
            self._begin(heard.frame, heard.timestamp)
        self._now = heard.timestamp
        known = estimators()
        self._meter.add(
            found for found in heard.findings
            if isinstance(known.get(found.estimator), Restable)
            and isinstance(found.result, Readings) and found.result.frame >= self._first
        )  # fmt: skip

    def rest(self) -> Rest:
        """Give the rest of each face; raises InputError if none was seen well enough."""
        return self._meter.rest(self._start, self._now)
