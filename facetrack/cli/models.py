"""`facetrack models`: list the models that are installed or lie somewhere else."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from facetrack.errors import InputError
from facetrack.model import ModelInfo, describe, list_models
from facetrack.version import installed_version

HELP = "List models: size, schema, checksum, and what their cards say of data and terms."
EXAMPLES = """
facetrack models
facetrack models my_models/ other.npz
facetrack models --json
"""
WIDTH = 100  # columns of the printed list


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments.

    Parameters
    ----------
    parser : ArgumentParser
        The subcommand's parser.
    """
    parser.add_argument(
        "path",
        nargs="*",
        type=Path,
        help="model files, or folders of them (default: the models that came with Facetrack)",
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the list.

    Parameters
    ----------
    args : Namespace
        The parsed arguments.

    Returns
    -------
    int
        0 if every file is a model with the right checksum, else 1.

    Raises
    ------
    InputError
        If a path does not exist.
    ModelError
        If a file that was named is no model.
    """
    models: list[ModelInfo] = []
    strangers: list[Path] = []
    for path in args.path or [Path(str(resources.files("facetrack.models")))]:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        found = list_models(path) if path.is_dir() else [describe(path)]
        strangers += sorted(set(path.glob("*.npz")) - {model.path for model in found})
        models += found
    print(as_json(models, strangers) if args.json else as_text(models, strangers))
    return int(bool(strangers) or not all(model.checksum_ok for model in models))


def as_json(models: Sequence[ModelInfo], strangers: Sequence[Path] = ()) -> str:
    """Format the list for programs.

    Parameters
    ----------
    models : sequence of ModelInfo
        The models.
    strangers : sequence of Path
        Files that look like models and are none.

    Returns
    -------
    str
    """
    report = {
        "command": "models",
        "version": installed_version(),
        "n": len(models),
        "models": [
            {
                "name": model.name,
                "path": str(model.path),
                "bytes": model.bytes,
                "schema": model.schema,
                "checksum_ok": model.checksum_ok,
                "card": model.card,
            }
            for model in models
        ],
        "unreadable": [str(path) for path in strangers],
    }
    return json.dumps(report, indent=2, allow_nan=False)


def as_text(models: Sequence[ModelInfo], strangers: Sequence[Path] = ()) -> str:
    """Format the list for people.

    Parameters
    ----------
    models : sequence of ModelInfo
        The models.
    strangers : sequence of Path
        Files that look like models and are none.

    Returns
    -------
    str
    """
    parts = [_describe(model) for model in models]
    parts += [f"{path}\n  is damaged, or no model of Facetrack" for path in strangers]
    return "\n\n".join(parts) or "no models found"


def _describe(model: ModelInfo) -> str:
    checksum = "checksum right" if model.checksum_ok else "CHECKSUM WRONG: copy it again"
    lines = [
        f"{model.name}: {model.bytes / 1e6:.1f} MB, schema {model.schema}, {checksum}",
        f"  {model.path}",
        *_excerpt(model.card),
    ]
    page = model.path.with_suffix(".md")
    if page.is_file():
        lines.append(f"  card: {page}")
    return "\n".join(lines)


def _excerpt(card: Mapping[str, Any]) -> list[str]:
    """Give the sentences of a card, wrapped; tables of measures stay in the card's file."""
    lines: list[str] = []
    for key, value in card.items():
        if isinstance(value, str):
            lines += textwrap.wrap(
                f"{key}: {value}", WIDTH, initial_indent="  ", subsequent_indent="    "
            )
    return lines
