# SPDX-License-Identifier: GPL-3.0-or-later
"""`facetrack app`, `facetrack-app`: opens the desktop application."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from facetrack.errors import FacetrackError

SUMMARY = "open the desktop application: live, annotate, evaluate"
HELP = "Open the desktop application: watch a camera, annotate a video, teach the tracker."
EXAMPLES = """\
facetrack app
facetrack app clip.mp4
facetrack app --install-desktop
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "video", nargs="?", metavar="VIDEO", help="annotate it: a file, a folder, or demo"
    )
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")
    parser.add_argument(
        "--install-desktop",
        action="store_true",
        help="put Facetrack into this user's menu of programs, then end",
    )


def run(args: argparse.Namespace) -> int:
    """Open the window, wait until it is closed and return the exit status."""
    if args.install_desktop:
        from facetrack_app.desktop import install

        print(*install(), sep="\n")
        return 0
    from facetrack_app.qt_guard import check_qt
    from facetrack_app.services.interpreter import collect_nothing_yet

    collect_nothing_yet()
    check_qt()
    from facetrack_app.start import open_window

    return open_window(args.video, args.model)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `facetrack-app`: like `facetrack app`, where programs are started from a menu."""
    parser = argparse.ArgumentParser(prog="facetrack-app", description=HELP)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except FacetrackError as error:
        print(f"facetrack: {error}", file=sys.stderr)
        return 1
