"""The entry point: dispatch, exit statuses, errors in one line."""

from __future__ import annotations

import argparse
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

import facetrack
from facetrack.cli import main as entry
from facetrack.errors import FormatError
from facetrack_app import qt_guard

ADDED = ("app", "replay")  # entry points of the application
EVERY = (*entry.COMMANDS, *ADDED)


def _use(monkeypatch: pytest.MonkeyPatch, run: object) -> None:
    """Make every subcommand one that takes a path and does `run`."""
    command = SimpleNamespace(
        HELP="Does something.",
        EXAMPLES="\nfacetrack demo one\nfacetrack demo two\n",
        add_arguments=lambda parser: parser.add_argument("path", type=Path),
        run=run,
    )
    monkeypatch.setattr(entry, "_load", lambda name: command)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--version"]) == 0
    assert capsys.readouterr().out == f"facetrack {facetrack.__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in EVERY)


@pytest.mark.parametrize("arguments", [[], ["trakc"], ["--trakc"]])
def test_wrong_usage_exits_2_and_names_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main(arguments) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("name", EVERY)
def test_every_command_keeps_the_contract(name: str) -> None:
    command = entry._load(name)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.HELP.strip()
    assert all(line.split()[0] == "facetrack" for line in command.EXAMPLES.strip().splitlines())
    assert callable(command.run)


def test_a_command_gets_its_arguments_and_gives_the_exit_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _use(monkeypatch, lambda args: 7 if args.path == Path("clip.mp4") else 0)
    assert entry.main(["demo", "clip.mp4"]) == 7


def test_help_of_a_command_shows_examples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(monkeypatch, lambda args: 0)
    assert entry.main(["demo", "--help"]) == 0
    assert capsys.readouterr().out.endswith(
        "examples:\n  facetrack demo one\n  facetrack demo two\n"
    )


def test_an_error_is_one_line_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> int:
        raise FormatError(args.path, "not\na table", remedy="export it again", line=3)

    _use(monkeypatch, run)
    assert entry.main(["demo", "a.csv"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "facetrack: a.csv, line 3: not a table; export it again\n"


def test_ctrl_c_exits_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    _use(monkeypatch, run)
    assert entry.main(["demo", "a.csv"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_missing_package_points_at_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(name: str) -> None:
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(entry, "import_module", broken)
    assert entry.main(["demo"]) == 1
    assert capsys.readouterr().err == (
        "facetrack: libGL.so.1: cannot open shared object file; "
        "`facetrack doctor` prints the repair\n"
    )


@pytest.mark.parametrize(
    ("value", "cause"),
    [("no_such_package.cli", "No module named 'no_such_package'"), ("json:nothing", "'nothing'")],
)
def test_a_command_that_another_package_broke_is_one_line_and_leaves_help(
    value: str, cause: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = EntryPoint("ghost", value, entry.GROUP)
    monkeypatch.setattr(entry, "entry_points", lambda group: [broken])
    assert entry.main(["ghost"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"facetrack: {value} cannot be loaded: ")
    assert cause in line
    assert entry.main(["--help"]) == 0
    assert "  ghost " in capsys.readouterr().out


def test_without_pyqt_the_application_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(qt_guard, "find_spec", lambda name: None)
    assert entry.main(["app"]) == 1
    assert capsys.readouterr().err == (
        "facetrack: PyQt5 is not installed; run: pip install 'facetrack[app]'\n"
    )
