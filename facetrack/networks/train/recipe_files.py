"""Recipes: TOML files in the folder `recipes` of a package that trains."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from facetrack.errors import FormatError, InputError


def recipes_of(package: str) -> dict[str, Path]:
    """Return the files of the recipes that come with a package, by name."""
    folder = Path(str(resources.files(package))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_recipe(package: str, name: str) -> Path:
    """Find a recipe by its name, or a file."""
    known = recipes_of(package)
    path = known.get(name, Path(name))
    if not path.is_file():
        raise InputError(f"there is no recipe {name!r}; choose from {', '.join(known)}, or a file")
    return path


def tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the lists of an entry into tuples."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}


@contextmanager
def recipe_content(path: Path) -> Iterator[dict[str, Any]]:
    """Parse a recipe's file; what is wrong with its entries inside is an error of the file."""
    try:
        yield tomllib.loads(path.read_text("utf-8"))
    except KeyError as error:
        raise FormatError(path, f"the entry {error} is missing") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise FormatError(path, str(error)) from error
