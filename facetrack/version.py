"""The version of this installation."""

from __future__ import annotations


def installed_version() -> str:
    """Return the version as the package manager knows it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("facetrack")
    except PackageNotFoundError:
        return "0+not.installed"
