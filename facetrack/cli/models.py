"""`facetrack models`: list the models that are installed or lie somewhere else."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from facetrack.errors import InputError
from facetrack.formats.modelfile import ModelInfo, describe, find_kind, list_models
from facetrack.version import installed_version

HELP = "List models: kind, size, schema, checksum, and what their cards say of data and terms."
EXAMPLES = """
facetrack models
facetrack models my_models/ other.npz
facetrack models --json
"""
WIDTH = 100  # columns of the printed list


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "path",
        nargs="*",
        type=Path,
        help="model files, or folders of them (default: the models that came with Facetrack)",
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    models: list[ModelInfo] = []
    for path in args.path or [Path(str(resources.files("facetrack.models")))]:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        models += list_models(path) if path.is_dir() else [describe(path)]
    print(as_json(models) if args.json else as_text(models))
    return int(any(model.problem for model in models))


def as_json(models: Sequence[ModelInfo]) -> str:
    """Format the list for programs."""
    known = [model for model in models if model.kind]
    report = {
        "command": "models",
        "version": installed_version(),
        "n": len(known),
        "models": [{**asdict(model), "path": str(model.path)} for model in known],
        "unreadable": [str(model.path) for model in models if not model.kind],
    }
    return json.dumps(report, indent=2, allow_nan=False)


def as_text(models: Sequence[ModelInfo]) -> str:
    """Format the list for people."""
    return "\n\n".join(map(_describe, models)) or "no models found"


def _describe(model: ModelInfo) -> str:
    if not model.kind:
        return f"{model.path}\n  {model.problem}"
    checksum = "checksum right" if model.checksum_ok else "CHECKSUM WRONG: copy it again"
    size = f"{model.bytes / 1e6:.1f} MB, schema {model.schema}"
    lines = [f"{model.name}: {_title(model.kind)}, {size}, {checksum}", f"  {model.path}"]
    if model.problem:
        lines.append(f"  CANNOT BE LOADED: {model.problem}")
    lines += _excerpt(model.card)
    page = model.path.with_suffix(".md")
    if page.is_file():
        lines.append(f"  card: {page}")
    return "\n".join(lines)


def _title(kind: str) -> str:
    """Say of which kind a model is, in quotes where that is all that is known."""
    try:
        return find_kind(kind).title
    except InputError:
        return f"kind {kind!r}"


def _excerpt(card: Mapping[str, Any]) -> list[str]:
    """Give the sentences of a card, wrapped; tables of measures stay in the card's file."""
    lines: list[str] = []
    for key, value in card.items():
        if isinstance(value, str):
            lines += textwrap.wrap(
                f"{key}: {value}", WIDTH, initial_indent="  ", subsequent_indent="    "
            )
    return lines
