"""The entry point `facetrack`: chooses the subcommand and turns errors into one line."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from facetrack.errors import FacetrackError, MissingDependencyError
from facetrack.version import installed_version

# Each is a module of this package. Only the chosen one is imported, so that `facetrack doctor`
# runs where half of the dependencies are broken. The line is what `facetrack --help` prints.
COMMANDS = {
    "track": "track the faces of videos, pictures or a camera and write tables",
    "report": "numbers per minute of tracked videos: a page for people, CSV and JSON",
    "gaze": "gaze in degrees, after a person has looked at known places",
    "demo": "track a synthetic clip with exact truth and show what comes out",
    "train": "train a model from labelled pictures and video tracks",
    "actions": "train, evaluate and use the filter banks that name actions",
    "networks": "train, distil, export and evaluate the networks that read a tracked face",
    "pain": "make synthetic people, train and test scores of the facial expression of pain",
    "evaluate": "measure a model on labelled pictures or videos, beside its peers",
    "score": "compare predicted landmarks with the truth",
    "results": "make pages of the JSON reports of measurements",
    "lips": "read words from lips: train, evaluate, predict, enrol words of one's own",
    "models": "list the models that are installed or lie in a folder",
    "doctor": "check the installation and print how to repair it",
}
# The group of entry points by which other packages add commands; the application does.
GROUP = "facetrack.commands"
EXAMPLES = """\
examples:
  facetrack demo
  facetrack track clip.mp4 -o results --overlay
  facetrack doctor
"""
INTERRUPTED = 130  # what shells give for a program ended by Ctrl-C


class Command(Protocol):
    """What every module of a subcommand has."""

    HELP: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the subcommand's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit status."""


class AddedCommand(Command, Protocol):
    """What the module of an entry point has; importing it must be cheap, for `facetrack --help`."""

    SUMMARY: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except FacetrackError as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("the memory is exhausted; close other programs or choose smaller input")
    except KeyboardInterrupt:
        print("\nfacetrack: interrupted; what was written so far is kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _fail(message: str) -> int:
    print(f"facetrack: {' '.join(message.split())}", file=sys.stderr)
    return 1


def _dispatch(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    try:
        if name not in COMMANDS and name not in _added():
            _parser().parse_args(arguments[:1])  # prints help, version or usage, and exits
        command = _load(name)
        parser = argparse.ArgumentParser(
            prog=f"facetrack {name}",
            description=command.HELP,
            epilog=f"examples:\n{_indent(command.EXAMPLES)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(parser)
        args = parser.parse_args(arguments[1:])
        args.command_line = shlex.join(["facetrack", *arguments])  # what reports call `command`
    except SystemExit as stop:  # argparse has printed help, version or usage
        return int(stop.code or 0)
    return command.run(args)


def _indent(examples: str) -> str:
    return "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines())


def _added() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(name: str) -> Command:
    if name not in COMMANDS:
        return _load_added(_added()[name])
    try:
        return cast(Command, import_module(f"facetrack.cli.{name}"))
    except ImportError as error:  # a package is missing, or a library that it needs
        raise MissingDependencyError(f"{error}; `facetrack doctor` prints the repair") from error


def _load_added(point: EntryPoint) -> AddedCommand:
    try:
        return cast(AddedCommand, point.load())
    except Exception as error:  # another package's module may raise anything
        raise MissingDependencyError(
            f"{point.value} cannot be loaded: {error}; install again what brings it"
        ) from error


def _summary(point: EntryPoint) -> str:
    try:
        return _load_added(point).SUMMARY
    except (MissingDependencyError, AttributeError) as error:
        return str(error)


def _parser() -> argparse.ArgumentParser:
    lines = COMMANDS | {name: _summary(point) for name, point in _added().items()}
    listing = "\n".join(f"  {name:<11}{line}" for name, line in lines.items())
    parser = argparse.ArgumentParser(
        prog="facetrack",
        usage="facetrack [-h] [--version] COMMAND ...",
        description=(
            "Track 68 landmarks of faces in video.\n\n"
            f"commands:\n{listing}\n\n"
            "`facetrack COMMAND --help` explains each."
        ),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"facetrack {installed_version()}")
    parser.add_argument("command", metavar="COMMAND", choices=lines, help=argparse.SUPPRESS)
    return parser
