"""A corpus of synthetic people in the layout of the UNBC-McMaster archive, sequence by sequence."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import FormatError, InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.atomic import output_error, write_text
from facetrack.formats.textfile import read_text
from facetrack.pain.archive import DESCRIPTION
from facetrack.pain.archive_folders import KINDS
from facetrack.pain.filming import Film, shoot
from facetrack.parallel import Map
from facetrack.synthetic.portrait import Portrait, astronaut, stranger
from facetrack.version import installed_version

GENERATOR: Final = 2  # the version of what is drawn: folders of another one are not gone on with
MOST_SUBJECTS: Final = 99
_CURVES: Final = "Latent_curves"
_STAGING: Final = "unfinished"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a corpus consists of."""

    subjects: int
    sequences: int  # films of each person
    frames: int  # of each film
    seed: int = 0
    frame_rate: float = 15.0
    size: tuple[int, int] = (320, 240)  # width, height in pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    """One subject: the portrait's name, and the portrait as a file or one that ships."""

    number: int
    subject: str
    portrait: str
    picture: LabelledImage | None


def synthesize(
    root: str | os.PathLike[str],
    plan: Plan,
    portraits: Sequence[LabelledImage],
    model: FaceModel,
    map_: Map = map,
) -> Path:
    """Make a corpus, or go on with one that was interrupted; return its description's path."""
    # Sequences that are there already stay. Without portraits, all subjects are made of those that
    # ship. Every second sequence has the landmarks that the tracker finds, the others jittered
    # ones.
    if min(plan.subjects, plan.sequences, plan.frames) < 1 or not plan.frame_rate > 0:
        raise InputError(f"subjects, sequences, frames and rate must be above 0, got {plan}")
    people = _cast(plan, portraits)
    description = Path(root) / DESCRIPTION
    header = _header(plan, people)
    _check_same(description, header)
    try:
        description.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(description, error) from error
    if not description.is_file():  # from the first moment on it is said that people are synthetic
        write_text(description, json.dumps(header | {"sequences": {}}, indent=1))
    films = [(person, number) for number in range(plan.sequences) for person in people]
    make = partial(_film, root=Path(root), plan=plan, model=model)
    made = dict(sorted(map_(make, films)))
    shutil.rmtree(Path(root) / _STAGING, ignore_errors=True)
    write_text(description, json.dumps(header | {"sequences": made}))
    return description


def _cast(plan: Plan, portraits: Sequence[LabelledImage]) -> list[_Person]:
    if plan.subjects > (len(portraits) if portraits else MOST_SUBJECTS):
        many = len(portraits) or MOST_SUBJECTS
        raise InputError(f"{plan.subjects} subjects are wanted, {many} are possible")
    subjects = [f"9{k:02}-sy{k:03}" for k in range(1, plan.subjects + 1)]
    if not portraits:
        names = (astronaut.__name__, stranger.__name__)
        return [_Person(k, s, names[k % 2], None) for k, s in enumerate(subjects)]
    order = np.random.default_rng(plan.seed).permutation(len(portraits)).tolist()
    chosen = [portraits[k] for k in order[: plan.subjects]]
    return [
        _Person(k, s, f"{p.path.parent.name}/{p.name}", p)
        for k, (s, p) in enumerate(zip(subjects, chosen, strict=True))
    ]


def _header(plan: Plan, people: Sequence[_Person]) -> dict[str, Any]:
    return {
        "about": "Synthetic people, made by `facetrack pain synthesize`; not the archive.",
        "generator": GENERATOR,
        "facetrack": installed_version(),
        "frames": plan.frames,
        "seed": plan.seed,
        "frame_rate": plan.frame_rate,
        "size": list(plan.size),
        "portraits": {person.subject: person.portrait for person in people},
    }


def _check_same(description: Path, header: Mapping[str, Any]) -> None:
    """Refuse a folder in which something else lies."""
    if not description.is_file():
        if any((description.parent / kind.folder).exists() for kind in KINDS.values()):
            raise InputError(f"{description.parent}: holds an archive that is not synthetic")
        return
    try:
        old = json.loads(read_text(description, limit=1 << 28))
        differ = [
            k for k in ("generator", "seed", "frames", "frame_rate", "size") if old[k] != header[k]
        ]
        shared = old["portraits"].keys() & header["portraits"].keys()
        differ += [s for s in sorted(shared) if old["portraits"][s] != header["portraits"][s]]
    except (ValueError, LookupError, AttributeError) as error:
        raise FormatError(description, f"no description of a corpus ({error})") from error
    if differ:
        raise InputError(
            f"{description.parent}: holds a corpus with another {differ[0]}; choose another folder"
        )


def _film(
    item: tuple[_Person, int], *, root: Path, plan: Plan, model: FaceModel
) -> tuple[str, dict[str, Any]]:
    """Make one sequence unless it is there; return its key and description."""
    person, number = item
    name = f"{person.subject[4:]}t{number + 1}aaaff"
    done = root / _CURVES / person.subject / f"{name}.json"
    if not done.is_file():
        film = Film(
            name,
            plan.frames,
            plan.frame_rate,
            plan.size,
            person=(plan.seed, person.number),
            script=(plan.seed, person.number, number),
            tracked=(person.number + number) % 2 == 1,
        )
        staging = root / _STAGING / name
        shutil.rmtree(staging, ignore_errors=True)
        try:
            said = shoot(film, _portrait(person), model, staging)
            for kind in KINDS:
                target = root / KINDS[kind].folder / person.subject / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(target, ignore_errors=True)
                os.replace(staging / kind, target)
            done.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(staging, error) from error
        write_text(done, json.dumps(said))
    return f"{person.subject}/{name}", json.loads(read_text(done, limit=1 << 24))


def _portrait(person: _Person) -> Portrait:
    if person.picture is not None:
        return Portrait(person.picture.read_bgr(), person.picture.points)
    return astronaut() if person.portrait == astronaut.__name__ else stranger()
