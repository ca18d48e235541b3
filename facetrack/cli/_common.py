"""What several commands have in common: options, checks, messages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from facetrack.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from facetrack.fitting.face_model import FaceModel

A_MODEL: Final = "a model's name or file"
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "--channels": {"type": Path, "metavar": "DIR"},
    "--json": {"type": Path, "metavar": "FILE", "help": "write all numbers here"},
    "--model": {"metavar": "NAME", "help": "the tracker's model: a name or file"},
    "--name": {"help": "the model's name (default: the file's)"},
    "--output": {"type": Path, "required": True, "metavar": "FILE.npz"},
    "--pictures": {"nargs": "+", "type": Path, "default": [], "metavar": "DIR"},
    "--plot": {"type": Path, "metavar": "FILE", "help": "cumulative error curves"},
    "--portraits": {"nargs": "+", "type": Path, "metavar": "DIR"},
    "--seed": {"type": int, "default": 0},
    "--seeds": {"type": int, "default": 5, "help": "starts per picture (default: 5)"},
    "--skip": {"nargs": "+", "default": [], "metavar": "CLIP"},
    "--terms": {"default": "", "help": "terms of use, stored in the model's card"},
    "--threads": {"type": int, "default": 1},
    "--videos": {"type": Path, "metavar": "DIR", "help": "clips of one person each"},
    "--work": {"type": Path, "metavar": "DIR"},
}


def add_options(parser: argparse.ArgumentParser, *names: str, **changes: Any) -> None:
    """Declare options that several commands have, as those have them but for the changes."""
    for name in names:
        flags = ("-o", name) if name == "--output" else (name,)
        parser.add_argument(*flags, **(_OPTIONS[name] | changes))


@contextmanager
def needing_torch(what: str = "training needs") -> Iterator[None]:
    """Say what is missing where the imports of the block fail."""
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} torch ({error}); install it with: pip install 'facetrack[train]'"
        ) from error


def check_npz(path: Path, what: str = "a model file") -> None:
    """Refuse names that numpy would change."""
    if path.suffix != ".npz":
        raise InputError(f"{what} ends in .npz, got {path.name}")


def written(path: Path) -> str:
    """Say that a model is written."""
    return f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)"


def complain(message: str) -> None:
    """Print a line for people on stderr, above progress bars."""
    tqdm.write(f"facetrack: {' '.join(message.split())}", file=sys.stderr)


def clips_of(folder: Path, names: Iterable[str], what: str) -> dict[str, Path]:
    """Find those of the clips NAME.mp4 that are there; at least one must be."""
    paths = {name: folder / f"{name}.mp4" for name in names}
    there = {name: path for name, path in paths.items() if path.is_file()}
    if not there:
        raise InputError(f"{folder}: holds none of the {len(paths)} {what}")
    return there


def model_of(args: argparse.Namespace) -> FaceModel:
    """Load the model that --model names."""
    from facetrack.model import load_model

    return load_model(args.model)
