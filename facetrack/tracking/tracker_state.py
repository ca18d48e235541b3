"""Where a tracker stands between two frames, and how that is kept in a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from facetrack.detection.scene import CutDetector
from facetrack.errors import InputError
from facetrack.formats.encoding import decode
from facetrack.identity.people import Missing, People
from facetrack.identity.person import UNKNOWN, person_makers
from facetrack.tracking.smoothing import PointSmoother
from facetrack.tracking.track import Track

_JUST_TOUCHED: Final = 3  # frames


@dataclass(slots=True)
class TrackerState:
    """All that a tracker knows of the frames so far."""

    cuts: CutDetector = field(default_factory=CutDetector)
    people: People = field(default_factory=People)
    tracks: list[Track] = field(default_factory=list)
    frame: int = -1  # number of the last frame; -1 before the first
    idle: int = 0  # frames since a thorough search was due
    time: float | None = None  # of the last frame, seconds
    aspect: float = 1.0  # width of its pixels by their height; all else is in square pixels
    claimed: int = UNKNOWN  # id of the person that a profile from elsewhere turned out to be of

    def lose(self, track: Track, reason: str) -> None:
        """End a track; whose face it was is missing from now on, for a reason in words."""
        self.tracks.remove(track)
        self.idle = 0 if not self.tracks else self.idle
        if track.decided:
            now = self.frame, self.time or 0.0
            behind = track.apart <= _JUST_TOUCHED
            self.people.lose(
                Missing(track.person, track.points, track.velocity, *now, reason, behind)
            )

    def lose_all(self, reason: str) -> None:
        """End all tracks for one reason; see `lose`."""
        for track in list(self.tracks):
            self.lose(track, reason)

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Any],
        options: Mapping[str, Any],
        model: object,
        make_smoother: Callable[[], PointSmoother | None],
    ) -> TrackerState:
        """Make the state anew from what `encode` gave, also after a way through JSON.

        `options` are those of the tracker that continues: they must be the same as the state's;
        `model` learns anew what was taught of people; `make_smoother` serves one track. InputError
        if the state is broken, of another version, or of a tracker with other options.
        """
        for name, value in options.items():
            if state.get(name) != value:
                raise InputError(f"saved state has {name} {state.get(name)}, this one {value}")

        def smoother(part: dict[str, Any]) -> PointSmoother | None:
            made = make_smoother()
            if made is not None:
                made.restore(part)
            return made

        own = {name: part for name, part in state.items() if name not in options}
        return decode(cls, own, {PointSmoother: smoother, **person_makers(model)})
