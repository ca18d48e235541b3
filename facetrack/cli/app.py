"""`facetrack app`: opens the desktop application, where it is installed."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from facetrack.errors import MissingDependencyError

HELP = "Open the desktop application: watch a camera, annotate a video, teach the tracker."
EXAMPLES = """\
facetrack app
facetrack app clip.mp4
facetrack app --install-desktop
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments.

    Parameters
    ----------
    parser : ArgumentParser
        The subcommand's parser.
    """
    application().add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Open the window and wait until it is closed.

    Parameters
    ----------
    args : Namespace
        The parsed arguments.

    Returns
    -------
    int
        The exit status.
    """
    return int(application().run(args))


def application() -> Any:
    """Give the application's entry module.

    Returns
    -------
    module

    Raises
    ------
    MissingDependencyError
        If the application is not installed.
    """
    # By name: nothing in the library depends on the application, which is GPL and needs Qt.
    if find_spec("facetrack_app") is None:
        raise MissingDependencyError("the application is not installed; install facetrack[app]")
    return import_module("facetrack_app.main")
