"""What benchmarks have in common on the command line."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path


def program() -> str:
    """Return how the benchmark that runs is called."""
    return f"python -m benchmarks {Path(sys.argv[0]).stem}"


def command_line() -> str:
    """Return the whole command, as reports and pages state it."""
    return " ".join([program(), *map(shlex.quote, sys.argv[1:])])


def make_parser(docstring: str | None) -> argparse.ArgumentParser:
    """Make a parser whose help begins with a module's docstring."""
    return argparse.ArgumentParser(
        prog=program(),
        description=docstring,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
