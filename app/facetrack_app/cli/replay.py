# SPDX-License-Identifier: GPL-3.0-or-later
"""`facetrack replay`: does a session of the application over again and compares the bytes."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "do a session of the application over again and compare the bytes"
HELP = (
    "Do a session of the application over again - the same video, model and gestures - and compare "
    "every row with what is stored. Exit status 1 if anything differs."
)
EXAMPLES = """\
facetrack replay clip.mp4.facetrack
facetrack replay session --video moved/clip.mp4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("session", type=Path, metavar="SESSION", help="the session's folder")
    parser.add_argument("--video", type=Path, help="where the video lies, if it was moved away")
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")


def run(args: argparse.Namespace) -> int:
    """Replay, print what differs and return whether anything does, as the exit status."""
    from tqdm import tqdm

    from facetrack.model import load_model
    from facetrack_app.model.wording import counted
    from facetrack_app.services.replay import replay

    with tqdm(bar_format="{desc}", leave=False, disable=None) as line:
        say = line.set_description_str
        done = replay(args.session, load_model(args.model), video=args.video, progress=say)
    if done.different:
        print(f"differs: {'; '.join(done.different)}")
        return 1
    steps, frames = counted(done.steps, "step"), counted(done.frames, "frame")
    print(f"{steps} on {frames}: the same bytes")
    return 0
