"""Unpacks a bundle elsewhere, runs it, and prints sizes and times.

python .ci/bundle/measure.py dist/facetrack-*.tar.xz
python .ci/bundle/measure.py dist/facetrack-*.tar.xz --root DEBIAN   # as root: in that system

DEBIAN is what `debootstrap --variant=minbase bookworm DEBIAN` makes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

BENCHMARKS: Final = Path(__file__).resolve().parents[2] / "benchmarks"
RUN_LAUNCH: Final = """
import runpy, sys
sys.stdout.reconfigure(line_buffering=True)
sys.path.insert(0, "")
sys.argv = ["benchmarks", "application", "launch"]
runpy.run_module("benchmarks", run_name="__main__")
"""
BESIDE: Final = "unshare --mount --fork --pid --mount-proc={root}/proc chroot {root}"


class Place:
    """A folder to run the bundle in, its own home, maybe inside another system."""

    def __init__(self, folder: Path, root: Path | None) -> None:
        self.folder = folder
        inside = folder if root is None else Path("/", folder.relative_to(root))
        into = [] if root is None else BESIDE.format(root=root).split()
        home = ["env", "-i", f"HOME={inside}", "LANG=C.UTF-8", "PATH=/usr/bin:/bin"]
        self._before = [*into, *home, "sh", "-c", f'cd {inside} && exec "$@"', "sh"]

    def begin(self, *command: str) -> subprocess.Popen[str]:
        """Start a command of the bundle's folder."""
        line = [*self._before, *command]
        return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)

    def timed(self, *command: str) -> tuple[float, str]:
        """Run a command; return its seconds and what it printed."""
        begin = time.perf_counter()
        with self.begin(*command) as child:
            said = child.communicate()[0]
        if child.returncode:
            raise SystemExit(f"{' '.join(command)}: exit status {child.returncode}\n{said}")
        return time.perf_counter() - begin, said.strip()

    def launched(self, program: str) -> dict[str, float]:
        """Open the window on the demo clip; return the seconds from the command to each stage."""
        shutil.copytree(BENCHMARKS, self.folder / BENCHMARKS.name, dirs_exist_ok=True)
        begin, stages = time.perf_counter(), {}
        with self.begin(program, "-c", RUN_LAUNCH) as child:
            assert child.stdout is not None
            for line in child.stdout:
                stages[line.split()[0]] = time.perf_counter() - begin
        if child.returncode:
            raise SystemExit(f"the window did not open: exit status {child.returncode}")
        return stages


def size_of(folder: Path) -> float:
    """Sum the sizes of a folder's files, MB."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def measure(packed: Path, place: Place) -> None:
    """Print all there is to say of one bundle."""
    begin = time.perf_counter()
    subprocess.run(["tar", "-xJf", packed, "-C", place.folder], check=True)
    print(f"packed         {packed.stat().st_size / 1e6:.0f} MB  {packed.name}")
    seconds = time.perf_counter() - begin
    print(f"unpacked       {size_of(place.folder):.0f} MB in {seconds:.1f} s")
    program = "./facetrack/facetrack"
    for name in ("--version", "demo"):
        first, _ = place.timed(program, name)
        again, said = place.timed(program, name)
        print(f"{name:14} {first:.1f} s at first, {again:.1f} s again")
    print(said)
    stages = place.launched(program)
    print(f"window         {stages['window']:.1f} s; first picture {stages['picture']:.1f} s, "
          f"first tracked frame {stages['launch']:.1f} s")  # fmt: skip
    print(place.timed(program, "doctor")[1])


def main() -> None:
    """Measure a bundle here or in another system."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path)
    parser.add_argument("--root", type=Path, help="the folder of another system")
    args = parser.parse_args()
    root = args.root.resolve() if args.root else None
    with tempfile.TemporaryDirectory(dir=root / "tmp" if root else None) as folder:
        measure(args.packed, Place(Path(folder), root))


if __name__ == "__main__":
    main()
