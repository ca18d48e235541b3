"""Where recipes lie: TOML files in the folder `recipes` of a package that trains."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from facetrack.errors import InputError


def recipes_of(package: str) -> dict[str, Path]:
    """Return the files of the recipes that come with a package, by name."""
    folder = Path(str(resources.files(package))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_recipe(package: str, name: str) -> Path:
    """Find a recipe by its name, or a file.

    Raises
    ------
    InputError
        If there is no such recipe.
    """
    known = recipes_of(package)
    path = known.get(name, Path(name))
    if not path.is_file():
        raise InputError(f"there is no recipe {name!r}; choose from {', '.join(known)}, or a file")
    return path
