"""Head pose, how fast it changes, turns, nods and shakes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import degrees, nan, sqrt
from typing import Final, NamedTuple

from facetrack.face import Face
from facetrack.formats.encoding import Stateful
from facetrack.reading import Event, Kind, Reading, Readings, Spec
from facetrack.signals.estimator import Result, lost, nothing
from facetrack.signals.observation import Observation
from facetrack.signals.swings import Swing, Swings

_PITCH, _YAW = 1, 2  # places in a `_Pose`
_NOD: Final = 5.0  # degrees of pitch, down and up
_SHAKE: Final = 6.0  # degrees of yaw, to and fro and to
_TURN: Final = 15.0  # degrees of yaw
_QUICK: Final = 0.4  # seconds in which a nod or shake goes on, and after which it rests
_SLOW: Final = 1.0  # the same of a turn
_OTHER: Final = 0.8  # how far the other angle may go, of the one that nods or shakes
_SWING: Final = 0.7  # seconds that one swing of a nod or shake lasts at most
_SPAN: Final = 0.2  # seconds over which speed is measured
_LONGEST: Final = 4.0  # seconds after which nods that do not end count as one event
_KEEP: Final = 6.0  # seconds of poses that are remembered: longer than any nod
_GAP: Final = 0.5  # seconds without a pose that end what is going on
_EPS: Final = 1e-6

SPECS: Final = (
    Spec("pose_pitch", "pitch of the head; negative when it looks up", "deg", (-90.0, 90.0)),
    Spec("pose_yaw", "yaw of the head; positive for a turn to the person's right", "deg",
         (-90.0, 90.0)),
    Spec("pose_roll", "roll of the head", "deg", (-180.0, 180.0)),
    Spec("head_speed", "how fast the head turns, about all axes, over the last 0.2 s", "deg/s",
         (0.0, 200.0), level=10.0),
    Spec("turn", "the head turns by 15 degrees or more; score: degrees, positive to the person's "
         "right", "deg", (-90.0, 90.0), Kind.EVENT),
    Spec("nod", "the head goes down and up, or up and down, once or several times; score: mean "
         "size in degrees", "deg", (0.0, 60.0), Kind.EVENT),
    Spec("shake", "the head goes to and fro and to, at least; score: mean size in degrees", "deg",
         (0.0, 60.0), Kind.EVENT),
)  # fmt: skip


def head_angles(face: Face) -> tuple[float, float, float]:
    """Return pitch, yaw and roll in degrees with the signs of `Pose`; NaN without a pose."""
    if face.pose is None:
        return nan, nan, nan
    pitch, yaw, roll = face.pose.rotation
    return degrees(pitch), degrees(yaw), degrees(roll)


class _Pose(NamedTuple):
    time: float
    pitch: float
    yaw: float
    roll: float


@dataclass(frozen=True, slots=True)
class Head:
    """The estimator of head movements; see the constants of this module for its rules."""

    name: str = "head"
    version: str = "1"
    specs: tuple[Spec, ...] = SPECS
    delay: float = _LONGEST + _SLOW
    needs_pixels: bool = False
    frame_rate: float | None = None

    def start(self) -> _HeadRun:
        """Begin with a face."""
        return _HeadRun()


HEAD: Final = Head()


@dataclass(slots=True)
class _Gesture:
    """Swings of one angle that follow each other: nods or shakes."""

    name: str
    axis: int
    fewest: int
    swings: Swings
    chain: list[Swing] = field(default_factory=list)

    def update(self, recent: deque[_Pose]) -> Event | None:
        now = recent[-1]
        swing, rests = self.swings.update(now.time, now[self.axis])
        slow = swing is not None and swing.stop - swing.start > _SWING
        if swing is not None and not slow:
            self.chain.append(swing)
        if self.chain and (rests or slow or now.time - self.chain[0].start > _LONGEST):
            return self._judge(recent)
        return None

    def end(self, recent: deque[_Pose]) -> Event | None:
        swing = self.swings.end()
        if swing is not None and swing.stop - swing.start <= _SWING:
            self.chain.append(swing)
        return self._judge(recent) if self.chain else None

    def _judge(self, recent: deque[_Pose]) -> Event | None:
        chain, self.chain = self.chain, []
        if len(chain) < self.fewest:
            return None
        start, stop = chain[0].start, chain[-1].stop
        other = [p[_YAW if self.axis == _PITCH else _PITCH] for p in recent
                 if start - _EPS <= p.time <= stop + _EPS]  # fmt: skip
        size = sum(swing.size for swing in chain) / len(chain)
        if other and max(other) - min(other) > _OTHER * size:
            return None
        detail = {"swings": len(chain), "largest": round(max(s.size for s in chain), 2)}
        return Event(self.name, start, chain[0].stop, stop, round(size, 2), detail=detail)


def _gestures() -> list[_Gesture]:
    return [
        _Gesture("nod", _PITCH, 2, Swings(_NOD, _QUICK)),
        _Gesture("shake", _YAW, 3, Swings(_SHAKE, _QUICK)),
    ]


@dataclass(slots=True)
class _HeadRun(Stateful):
    """The head of one face."""

    _recent: deque[_Pose] = field(default_factory=deque)
    _turns: Swings = field(default_factory=lambda: Swings(_TURN, _SLOW))
    _gestures: list[_Gesture] = field(default_factory=_gestures)

    def update(self, seen: Observation) -> Sequence[Result]:
        found: list[Result] = []
        if self._recent and seen.timestamp - self._recent[-1].time > _GAP:
            found += self.finish()
        if not seen.face.tracked or seen.face.pose is None:
            why = "the head has no pose" if seen.face.tracked else lost(seen.face)
            return [Readings(seen.index, nothing(SPECS, why)), *found]
        pose = _Pose(seen.timestamp, *head_angles(seen.face))
        while self._recent and self._recent[0].time < pose.time - _KEEP:
            self._recent.popleft()
        readings = {f"pose_{n}": Reading(getattr(pose, n)) for n in ("pitch", "yaw", "roll")}
        found.append(Readings(seen.index, {**readings, "head_speed": self._speed(pose)}))
        self._recent.append(pose)
        turn, _ = self._turns.update(pose.time, pose.yaw)
        found += [_turn(turn)] if turn is not None else []
        events = (gesture.update(self._recent) for gesture in self._gestures)
        return [*found, *(event for event in events if event is not None)]

    def _speed(self, pose: _Pose) -> Reading:
        """Compare with the pose 0.2 s ago."""
        past = next((p for p in reversed(self._recent) if p.time <= pose.time - _SPAN + _EPS), None)
        if past is None:
            return Reading(nan, reason="seen for less than 0.2 s")
        squares = sum((now - then) ** 2 for now, then in zip(pose[1:], past[1:], strict=True))
        return Reading(sqrt(squares) / (pose.time - past.time))

    def finish(self) -> Sequence[Result]:
        turn = self._turns.end()
        ended = [gesture.end(self._recent) for gesture in self._gestures]
        self._recent.clear()
        found = [_turn(turn)] if turn is not None else []
        return [*found, *(event for event in ended if event is not None)]


def _turn(swing: Swing) -> Event:
    angle = swing.after - swing.before
    middle = (swing.start + swing.stop) / 2
    detail = {"from": round(swing.before, 2), "to": round(swing.after, 2)}
    return Event("turn", swing.start, middle, swing.stop, round(angle, 2), detail=detail)
