"""`facetrack replay`: does a session of the application over again and compares the bytes."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from facetrack.cli.app import application

HELP = (
    "Do a session of the application over again - the same video, model and gestures - and compare "
    "every row with what is stored. Exit status 1 if anything differs."
)
EXAMPLES = """\
facetrack replay clip.mp4.facetrack
facetrack replay session --video moved/clip.mp4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments.

    Parameters
    ----------
    parser : ArgumentParser
        The subcommand's parser.
    """
    parser.add_argument("session", type=Path, metavar="SESSION", help="the session's folder")
    parser.add_argument("--video", type=Path, help="where the video lies, if it was moved away")
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")


def run(args: argparse.Namespace) -> int:
    """Replay and say what differs.

    Parameters
    ----------
    args : Namespace
        The parsed arguments.

    Returns
    -------
    int
        0 if all bytes are the same, else 1.
    """
    from tqdm import tqdm

    from facetrack.model import load_model

    application()
    replay = import_module("facetrack_app.services.replay").replay
    with tqdm(bar_format="{desc}", leave=False, disable=None) as line:
        say = line.set_description_str
        done = replay(args.session, load_model(args.model), video=args.video, progress=say)
    if done.different:
        print(f"differs: {'; '.join(done.different)}")
        return 1
    print(f"{done.steps} steps on {done.frames} frames: the same bytes")
    return 0
