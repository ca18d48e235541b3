"""The rows of videos before and after a change that must not change them, byte by byte.

    python -m benchmarks rows keep before demo videos/*.mp4
    python -m benchmarks rows compare before demo videos/*.mp4

`keep` tracks the videos into a folder; `compare` tracks them again and names the first line of
every table that differs. Exit status 1 if one does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tqdm import tqdm

from benchmarks.command import make_parser
from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.recording import record
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model


def track(spec: str, folder: Path, model: FaceModel) -> Path:
    """Track a video as `facetrack track` does; returns its table."""
    source = spec if spec == "demo" else Path(spec)
    outputs = Outputs(folder / Path(spec).stem)
    record(Task(source, outputs, Settings(), ModelId(model.name, fingerprint(model))), model)
    return outputs.path("csv")


def first_difference(kept: Path, again: Path) -> str:
    """Name the first line in which two tables differ; empty if their bytes are the same."""
    before, after = kept.read_bytes(), again.read_bytes()
    if before == after:
        return ""
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    place = next((n for n, (a, b) in enumerate(lines, start=1) if a != b), "the last")
    return f"{kept}: differs from line {place} on"


def main() -> int:
    """Keep or compare; returns the exit status."""
    parser = make_parser(__doc__)
    parser.add_argument("what", choices=["keep", "compare"])
    parser.add_argument("folder", type=Path, help="where the tables before lie")
    parser.add_argument("videos", nargs="+", metavar="VIDEO", help="files, or demo")
    parser.add_argument("--model", help="a model's name or file")
    args = parser.parse_args()
    model, different = load_model(args.model), 0
    with tempfile.TemporaryDirectory() as place:
        for spec in tqdm(args.videos, disable=None, leave=False):
            table = track(spec, args.folder if args.what == "keep" else Path(place), model)
            wrong = "" if args.what == "keep" else first_difference(args.folder / table.name, table)
            print(wrong or f"{spec}: {'kept' if args.what == 'keep' else 'the same bytes'}")
            different += bool(wrong)
    return int(different > 0)
