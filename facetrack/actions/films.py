"""Looks of synthetic people who act, with the truth: what the recogniser learns from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.actions.looks import LOOK, RATE, look
from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import FormatError, InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.archive import checksum, read_archive, write_archive
from facetrack.networks.expression import ExpressionEncoder
from facetrack.signals.observation import Observation
from facetrack.synthetic.actions import ACTIONS, NOTHING, SIDED, film_action
from facetrack.synthetic.actor import Actor
from facetrack.synthetic.portrait import Portrait
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import ArrayPicture, Frame

KIND: Final = "facetrack acted looks"
FRAMES: Final = 96  # the longest yawn lasts 65
_NUMBERS: Final = ("person", "start", "stop")
_HELD_OUT: Final = 4  # every fourth portrait is tested


@dataclass(frozen=True, slots=True)
class Part:
    """One film to make."""

    action: str  # of `synthetic.actions.ACTIONS`
    side: str  # of a wink; else empty
    portrait: int  # its number
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Acted:
    """Looks of one film."""

    name: str  # of the action as `classes.CLASSES` has it; empty where nothing happens
    person: int  # number of the portrait
    values: npt.NDArray[np.float64]  # (frames, 47), see `looks.Looks`, at 25 frames per second
    start: int  # first frame of the action, from 0; -1 where there is none
    stop: int  # its last frame, or -1


def parts(rounds: int, portraits: int, *, tested: bool, seed: int = 0) -> list[Part]:
    """Plan films: in each round every action once, winks on both sides.

    `tested` are of the people who are tested, every fourth portrait, and not of the others.
    """
    rng = np.random.default_rng([seed, tested])
    people = [p for p in range(portraits) if (p % _HELD_OUT == _HELD_OUT - 1) == tested]
    kinds = [(a, s) for a in ACTIONS for s in (("right", "left") if a == SIDED else ("",))]
    return [
        Part(action, side, int(rng.choice(people)), int(rng.integers(1 << 31)))
        for _ in range(rounds)
        for action, side in kinds
    ]


def act(
    part: Part, portraits: Sequence[LabelledImage], model: FaceModel, encoder: ExpressionEncoder
) -> Acted:
    """Make one film, track it as a video and look at each frame; see `portraits.load_portraits`."""
    rng = np.random.default_rng(part.seed)
    picture = portraits[part.portrait]
    actor = Actor.drawn(rng, Portrait(picture.read_bgr(), picture.points), model.shape_model)
    film = film_action(
        actor, part.action, rng, n_frames=FRAMES, frame_rate=RATE, side=part.side or None
    )
    tracker = Tracker(model, max_faces=1)
    values = np.full((FRAMES, len(LOOK)), np.nan)
    for i, (image, time) in enumerate(zip(film.images, film.times.tolist(), strict=True)):
        frame = Frame(i, time, ArrayPicture(image))
        for face in tracker.update(frame):
            found, _ = look(Observation(i, time, face, frame), encoder)
            if found is not None:
                values[i] = found
    name = "" if film.action == NOTHING else film.action.replace(" ", "_")
    if film.side:
        name = f"{name}_{film.side}"
    return Acted(name, part.portrait, values, film.start, film.stop)


def write_acted(path: str | os.PathLike[str], acted: Sequence[Acted]) -> None:
    """Write looks of films of equal length: beside, then renamed."""
    arrays = {
        "values": np.stack([one.values for one in acted]),
        **{name: np.array([getattr(one, name) for one in acted]) for name in _NUMBERS},
    }
    description = {"names": [one.name for one in acted], "look": list(LOOK)}
    write_archive(path, arrays, description, kind=KIND, schema=1)


def read_films(folder: Path, split: str) -> list[Acted]:
    """Read the films of `train` or `test` that `facetrack actions film` wrote to a folder."""
    paths = sorted(folder.glob(f"{split}.*.npz"))
    if not paths:
        raise InputError(f"{folder}: holds no {split}.*.npz; make them with `actions film`")
    return [acted for path in paths for acted in read_acted(path)]


def read_acted(path: str | os.PathLike[str]) -> list[Acted]:
    """Read what `write_acted` wrote; values must be those that this version sees."""
    arrays, meta = read_archive(path, kind=KIND, schema=1)
    if meta["checksum"] != checksum(arrays):
        raise FormatError(path, "the checksum does not match", remedy="film it again")
    if meta.get("look") != list(LOOK):
        raise FormatError(path, "of other values than this version sees", remedy="film it again")
    columns = (arrays[name].tolist() for name in _NUMBERS)
    return [
        Acted(name, person, values, start, stop)
        for name, values, person, start, stop in zip(
            meta["names"], arrays["values"], *columns, strict=True
        )
    ]
