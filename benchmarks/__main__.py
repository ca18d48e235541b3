"""Run a benchmark: `python -m benchmarks NAME [options]`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from facetrack.errors import FacetrackError

FOLDER: Final = Path(__file__).resolve().parent
USAGE: Final = "usage: python -m benchmarks NAME [options], or NAME --help"


def main(argv: Sequence[str] | None = None) -> int:
    """List the benchmarks, or run one; returns its exit status."""
    name, *options = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    found = benchmarks()
    if name in ("-h", "--help"):
        width = max(map(len, found))
        lines = [f"  {one:<{width}}  {summary(path)}" for one, path in found.items()]
        print(USAGE, "", *lines, sep="\n")
        return 0
    if name not in found:
        print(f"benchmarks: no {name!r}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    module = ".".join(found[name].relative_to(FOLDER.parent).with_suffix("").parts)
    before, sys.argv = sys.argv, [str(found[name]), *options]  # what `command.py` reads
    try:
        return import_module(module).main() or 0
    except (FacetrackError, ModuleNotFoundError) as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    finally:
        sys.argv = before


def benchmarks() -> dict[str, Path]:
    """Find the modules that have a `main`, by their names."""
    return {
        path.stem: path
        for path in sorted(FOLDER.rglob("*.py"))
        if not path.stem.startswith("_")
        and re.search(r"^def main\(", path.read_text("utf-8"), re.MULTILINE)
    }


def summary(path: Path) -> str:
    """Return the first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
