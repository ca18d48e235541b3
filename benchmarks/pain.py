"""What the score of pain says of faces that show none, and which encoder it needs.

    python -m benchmarks pain confounders --portraits DATA/lfpw_train ... --after 20
    python -m benchmarks pain encoders CORPUS CORPUS CORPUS --work WORK

`confounders`: synthetic people whom no training saw talk, smile, yawn, blink; episodes (score 2 or
more) per minute, and a picture of the highest scores that are false. `encoders`: the same folds on
features of the float and of the binary encoder; the difference of their correlations, resampled by
subjects.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets.portraits import load_portraits
from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.features.crops import Crop
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model
from facetrack.networks.expression import load_encoder
from facetrack.pain.archive import read_archive
from facetrack.pain.fitting import Options
from facetrack.pain.gather import RATE, stored_looks
from facetrack.pain.geometry import unit_shape
from facetrack.pain.model import DEFAULT, load_pain_model
from facetrack.pain.protocol import run_folds, subject_folds
from facetrack.pain.pspi import pspi
from facetrack.pain.report import difference, pool
from facetrack.pain.script import labels, write_only
from facetrack.pain.signal import SCORE, Pain
from facetrack.reading import Event, Readings
from facetrack.reporting.plots import new_figure, save_figure
from facetrack.reporting.tables import Quantity, Table
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import Choice
from facetrack.signals.resting import measure_rest
from facetrack.synthetic.actor import Actor, Shot
from facetrack.synthetic.dynamics import Move
from facetrack.synthetic.portrait import Portrait, astronaut
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame, frame_of

KINDS: Final = {
    "": "blinks alone", "talk": "talking", "smile": "smiles without AU6", "yawn": "yawns",
    "brows": "raised brows", "turn": "turns", "lips": "pressed and pursed lips",
    "glad": "smiles with AU6", "rest": "eyes closed",
}  # fmt: skip
FPS: Final = 15.0
FACE: Final = Crop("face", (112, 112), colour=True)


def choice_of(pain: str) -> Choice:
    """Score and episodes alone."""
    estimator = Pain(pain)
    return Choice((estimator,), frozenset(s.name for s in estimator.specs))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame of a film: the face, its label, and what the score says."""

    about: str
    face: npt.NDArray[np.uint8]
    label: float
    score: float


def people_of(args: argparse.Namespace, model: FaceModel) -> list[Portrait]:
    """Draw the people that are filmed."""
    if not args.portraits:
        return [astronaut()] * args.people
    portraits = load_portraits(args.portraits, model.shape_model.mean_3d)
    order = np.random.default_rng(args.seed).permutation(len(portraits)).tolist()
    pictures = [portraits[k] for k in order[args.after : args.after + args.people]]
    if not pictures:
        raise InputError(f"{len(portraits)} portraits, and --after {args.after} leaves none")
    return [Portrait(picture.read_bgr(), picture.points) for picture in pictures]


def tracked(
    actor: Actor, moves: Sequence[Move], seconds: float, rng: np.random.Generator, model: FaceModel
) -> Iterator[tuple[Frame, list[Face], Shot]]:
    """Film a person and track the film."""
    tracker, times = Tracker(model, max_faces=1), np.arange(round(seconds * FPS)) / FPS
    for i, shot in enumerate(actor.film(moves, times, rng)):
        frame = frame_of(shot.image, index=i, timestamp=float(times[i]))
        yield frame, tracker.update(frame), shot


def filmed(args: argparse.Namespace, kind: str, number: int, portrait: Portrait,
           model: FaceModel) -> tuple[list[Seen], int]:  # fmt: skip
    """Film a person who does one thing, and score it; returns the frames and the episodes."""
    rng = np.random.default_rng([args.seed, number, len(kind)])
    actor = Actor.drawn(rng, portrait, model.shape_model)
    choice = choice_of(args.model)
    if args.rest:
        resting = tracked(actor, write_only(rng, args.rest, ""), args.rest, rng, model)
        choice = choice.with_rest(
            measure_rest(((frame, found) for frame, found, _ in resting), choice, (0.0, args.rest))
        )
    moves = write_only(rng, args.seconds, kind)
    times = np.arange(round(args.seconds * FPS)) / FPS
    pipeline, results, faces = Pipeline(choice), [], []
    for frame, found, shot in tracked(actor, moves, args.seconds, rng, model):
        results += pipeline.update(frame, found)
        faces.append(FACE.cut(shot.image, shot.points, model.shape_model.mean).pixels)
    results += pipeline.finish()
    scores = [f.result.values[SCORE].value for f in results if isinstance(f.result, Readings)]
    said = [float(pspi(units)) for units in labels(moves, times)]
    seen = [Seen(KINDS[kind], *one) for one in zip(faces, said, scores, strict=True)]
    return seen, sum(isinstance(f.result, Event) for f in results)


def sheet(path: Path, films: Sequence[Sequence[Seen]], said: str) -> None:
    """Draw the ten highest scores of frames whose label is lower, half a second apart at least."""
    apart = round(FPS / 2)
    highest = [
        max(piece, key=lambda one: one.score)
        for film in films
        for piece in (film[i : i + apart] for i in range(0, len(film), apart))
    ]
    wrong = [one for one in highest if one.score > one.label]
    figure = new_figure(8, 4)
    figure.suptitle(said, fontsize=9)
    for axis in (grid := figure.subplots(2, 5).ravel()):
        axis.set_axis_off()
    shown = sorted(wrong, key=lambda one: -one.score)[: len(grid)]
    for axis, one in zip(grid, shown, strict=False):
        axis.imshow(one.face[..., ::-1])
        axis.set_title(f"{one.about}\nscore {one.score:.1f}, label {one.label:.1f}", fontsize=7)
    save_figure(figure, path)


def confounders(args: argparse.Namespace) -> tuple[dict[str, Any], Table]:
    """Count episodes in films of one thing each."""
    model, pain = load_model(), load_pain_model(args.model)
    people = people_of(args, model)
    found: dict[str, Any] = {}
    films: list[list[Seen]] = []
    for kind, about in tqdm(KINDS.items(), disable=None):
        episodes, mine = 0, []
        for number, portrait in enumerate(people):
            seen, events = filmed(args, kind, number, portrait, model)
            episodes += events
            mine.append(seen)
        said = np.array([one.label for seen in mine for one in seen])
        scores = [[one.score for one in seen] for seen in mine]
        found[about] = {
            "episodes_per_minute": episodes / (len(said) / FPS / 60),
            "label": float(said.mean()),
            "label_present": float((said >= 2).mean()),
            "highest": float(np.median([np.nanmax(s, initial=0.0) for s in scores])),
            "assessed": float(np.isfinite(scores).mean()),
        }
        films += mine
    if args.sheet is not None:
        sheet(args.sheet, films, f"{pain.name}: {pain.caution}")
    rows = [
        [about, Quantity(f["episodes_per_minute"], 2), Quantity(f["highest"], 1),
         Quantity(f["label"], 2), Quantity(100 * f["label_present"], 0, " %"),
         Quantity(100 * f["assessed"], 0, " %")]
        for about, f in found.items()
    ]  # fmt: skip
    heads = [
        "what is seen",
        "episodes/min",
        "highest, median",
        "mean label",
        "label 2+",
        "assessed",
    ]
    details = {"kinds": found, "people": len(people), "seconds": args.seconds}
    return details, Table(heads, rows)


def encoders(args: argparse.Namespace) -> tuple[dict[str, Any], Table]:
    """Compare float and binary features on the same folds."""
    rows: list[list[object]] = []
    details: dict[str, Any] = {}
    for corpus in args.corpora:
        archive = read_archive(corpus)
        step = 1 / (archive.frame_rate or RATE)
        pooled = []
        for name in ("expression", "expression_binary"):
            work = args.work / corpus.name / name
            work.mkdir(parents=True, exist_ok=True)
            found = stored_looks(work / "looks.npz", archive, name)
            mean = unit_shape(load_encoder(name).mean_shape)
            folds = subject_folds(found.frames, count=args.folds, seed=args.seed)
            run = partial(run_folds, step=step, mean=mean, options=Options(rows=args.rows))
            done = run(folds, work / "looks.npz", work / "folds", forms=False, seed=args.seed)
            pooled.append(pool(tqdm(done, total=len(folds), disable=None), len(found.frames)))
        details[corpus.name] = {
            arm: difference(found.frames, pooled[0][arm], pooled[1][arm], seed=args.seed)
            for arm in ("deep (usual)", "all that is used", "score")
        }
        rows += [
            [corpus.name, arm, d["pcc"], d["low"], d["high"], d["rmse"]]
            for arm, d in details[corpus.name].items()
        ]
    return details, Table(["corpus", "", "PCC, binary - float", "low", "high", "RMSE"], rows)


def main() -> int:
    """Measure what was asked for."""
    parser = make_parser(__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    kinds = parser.add_subparsers(dest="kind", required=True)
    seen = kinds.add_parser("confounders")
    seen.add_argument("--portraits", nargs="+", type=Path, default=[], metavar="DIR",
                      help="(default: the one portrait that ships)")  # fmt: skip
    seen.add_argument("--after", type=int, default=0, help="portraits that a corpus has taken")
    seen.add_argument("--people", type=int, default=6)
    seen.add_argument("--seconds", type=float, default=20.0)
    seen.add_argument(
        "--rest",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="blinks alone, filmed first, that the score is measured from",
    )
    seen.add_argument("--sheet", type=Path, metavar="FILE.webp",
                      help="the ten highest scores of frames whose label is lower")  # fmt: skip
    seen.add_argument("--model", default=DEFAULT)
    both = kinds.add_parser("encoders")
    both.add_argument("corpora", nargs="+", type=Path)
    both.add_argument("--work", type=Path, required=True)
    both.add_argument("--folds", type=int)
    both.add_argument("--rows", type=int, default=1000)
    args = parser.parse_args()
    doing = {"confounders": confounders, "encoders": encoders}[args.kind]
    details, table = doing(args)
    show([table], args.json, n=len(table.rows), details=details)
    return 0
