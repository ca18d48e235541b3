"""`facetrack models`: list the models that are installed or lie in a folder."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

import facetrack
from facetrack.model import ModelInfo, list_models

HELP = "List models: size, schema, checksum, and what their cards say of them."
EXAMPLES = """
facetrack models
facetrack models my_models/ --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments.

    Parameters
    ----------
    parser : ArgumentParser
        The subcommand's parser.
    """
    parser.add_argument(
        "folder", nargs="*", type=Path, help="folders to list besides the models that ship"
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
        0 if every model's checksum is right, else 1.
    """
    models = list_models()
    for folder in args.folder:
        models += list_models(folder)
    print(as_json(models) if args.json else as_text(models))
    return int(not all(model.checksum_ok for model in models))


def as_json(models: Sequence[ModelInfo]) -> str:
    """Format the list for programs.

    Parameters
    ----------
    models : sequence of ModelInfo
        The models.

    Returns
    -------
    str
    """
    entries = [
        {
            "name": model.name,
            "path": str(model.path),
            "bytes": model.bytes,
            "schema": model.schema,
            "checksum_ok": model.checksum_ok,
            "about": card_section(model.card),
            "terms": card_section(model.card, "Terms"),
        }
        for model in models
    ]
    report = {
        "command": "models",
        "version": facetrack.__version__,
        "n": len(entries),
        "models": entries,
    }
    return json.dumps(report, indent=2, allow_nan=False)


def as_text(models: Sequence[ModelInfo]) -> str:
    """Format the list for people.

    Parameters
    ----------
    models : sequence of ModelInfo
        The models.

    Returns
    -------
    str
    """
    return "\n\n".join(map(_describe, models)) or "no models found"


def _describe(model: ModelInfo) -> str:
    checksum = "checksum right" if model.checksum_ok else "CHECKSUM WRONG: install it again"
    lines = [
        f"{model.name}  {model.bytes / 1e6:.1f} MB, schema {model.schema}, {checksum}",
        f"  {model.path}",
    ]
    about = card_section(model.card) or "no model card lies beside it"
    terms = card_section(model.card, "Terms")
    for text in (about, f"Terms: {terms}" if terms else ""):
        lines += textwrap.wrap(text, 96, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)


def card_section(card: str, heading: str | None = None) -> str:
    """Read the first paragraph of a model card or of one of its sections.

    Parameters
    ----------
    card : str
        The card, Markdown.
    heading : str, optional
        The section's heading, in any case; by default the card's title, whatever it is.

    Returns
    -------
    str
        The paragraph in one line; empty where there is none.
    """
    lines = iter(card.splitlines())
    for line in lines:
        title = line.lstrip("#").strip().lower()
        if line.startswith("#") and (heading is None or title == heading.lower()):
            break
    paragraph: list[str] = []
    for line in lines:
        if line.startswith("#") or (not line.strip() and paragraph):
            break
        paragraph += line.split()
    return " ".join(paragraph)
