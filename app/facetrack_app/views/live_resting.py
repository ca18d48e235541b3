# SPDX-License-Identifier: GPL-3.0-or-later
"""The face at rest while live: ten seconds, counted down, from which values are measured then."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from facetrack.errors import FacetrackError
from facetrack.signals.rest import Rest
from facetrack_app.model.live import Heard
from facetrack_app.model.resting import SECONDS, Resting, can_rest
from facetrack_app.services.watch import Watch
from facetrack_app.views.charts import StripCharts


class LiveResting:
    """Methods named as in the table of actions, for the live view."""

    def __init__(self, watch: Watch, charts: StripCharts) -> None:
        self._watch, self._charts = watch, charts
        self._resting: Resting | None = None

    @property
    def sentence(self) -> str:
        """What the person is asked for; empty where it is nothing."""
        if self._resting is None:
            return ""
        return f"keep your face at rest: {ceil(self._resting.left)} s"

    def measure_rest(self) -> None:
        """Begin to measure; values are as they are meanwhile."""
        session = self._watch.session
        if session is None:
            return
        if not can_rest(session.tracking.choice):
            self._say("no signal in the charts is measured from a face at rest: draw one of pain "
                      "or of an expression", trouble=True)  # fmt: skip
        elif self._set(None):
            self._resting = Resting()
            self._say(f"keep your face at rest for {SECONDS:.0f} s")

    def clear_rest(self) -> None:
        """Measure from no rest any more."""
        if self._set(None):
            self._say("values are measured from no rest")

    def stop(self) -> None:
        """Forget what is being measured: no camera runs any more."""
        self._resting = None
        self._charts.measure_from_rest(False)

    def hear(self, heard: Iterable[Heard]) -> None:
        """Take what the signals said; measure from it once the time is over."""
        for one in heard:
            if self._resting is None:
                return
            self._resting.add(one)
            if self._resting.left <= 0:
                resting, self._resting = self._resting, None
                self._finish(resting)

    def _finish(self, resting: Resting) -> None:
        try:
            rest = resting.rest()
        except FacetrackError as error:
            self._say(str(error), trouble=True)
        else:
            if self._set(rest):
                self._say("values are measured from the face at rest")

    def _set(self, rest: Rest | None) -> bool:
        """Measure from a rest, or from none; returns whether that can be."""
        session = self._watch.session
        if session is None:
            return False
        self._resting = None
        try:
            session.set_rest(rest)
        except FacetrackError as error:
            self._say(str(error), trouble=True)
            return False
        self._charts.measure_from_rest(rest is not None)
        self._watch.changed()
        return True

    def _say(self, words: str, trouble: bool = False) -> None:
        self._watch.said(words, trouble, "rest")
