"""Damage files at random and read them, for a given time, with bounds on time and memory.

    python benchmarks/fuzz.py --minutes 60 jpeg

Each file is one of the reader's own, damaged as its number says: the same number and reader give
the same file. A process of its own reads them, so that a crash or a hang is found, too. What a
reader must give is a result or an error of Facetrack's in one line, in less than SECONDS of CPU,
while the process stays below MEGABYTES more than it had. Files that break that are kept in --keep.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as pillow

from facetrack.errors import FacetrackError
from facetrack.face import Source
from facetrack.formats.annotation import track_annotations
from facetrack.formats.coco import read_coco, write_coco
from facetrack.formats.elan import read_elan, write_elan_annotations
from facetrack.formats.events_csv import read_events
from facetrack.formats.npz import read_npz
from facetrack.formats.openface import read_openface, write_openface
from facetrack.formats.picture import pages_of, read_bgr
from facetrack.formats.pts import read_pts, write_pts
from facetrack.formats.signals_csv import read_signals
from facetrack.formats.table import TrackTable, make_table
from facetrack.formats.webvtt import read_webvtt, write_webvtt_annotations
from facetrack.opening import open_seekable, open_source
from facetrack.video.sink import VideoWriter

SECONDS: Final = 3.0  # of CPU for one file
MEGABYTES: Final = 1500
_PATIENCE: Final = 60.0  # seconds without a word: it hangs
_FINE: Final = ("read", "refused")
_DIED, _HANGS = "the process died", "it hangs"
_TOKENS: Final = (b"\n", b",", b";", b"{", b"<", b"-->", b"\0", b"nan", b"9" * 400, b"1e999")


class Reader(NamedTuple):
    """A way to read, and how a whole file of the kind is written."""

    suffix: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]


def _table() -> TrackTable:
    rng = np.random.default_rng(7)
    table = make_table(np.array([0, 0, 1, 2]), rng.uniform(0, 600, (4, 68, 2)),
                       face_id=np.array([0, 1, 0, 1]), timestamp=np.array([0, 0, 0.04, 0.08]),
                       confidence=np.full(4, 0.9))  # fmt: skip
    assert (table.source == Source.TRACKED).all()
    return table


def _pictures() -> list[npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)
    return [np.asarray(cv2.resize(image, (64, 48)), dtype=np.uint8) for image in small]


def _animation(path: Path) -> None:
    first, *others = (pillow.fromarray(image) for image in _pictures())
    first.save(path, save_all=True, append_images=others, duration=[100, 50, 100, 200])


def _video(path: Path) -> None:
    with VideoWriter(path, (64, 48)) as writer:
        for number, image in enumerate(_pictures() * 10):
            writer.write(image, 0.5 + number / 30)


def _text(lines: Iterable[str]) -> Callable[[Path], object]:
    return lambda path: path.write_text("\n".join(lines) + "\n")


def _watch(path: Path) -> None:
    """Decode from the first frame to the last, then look at two frames again."""
    with open_source(path) as source:
        for frame in source:
            frame.grey  # noqa: B018  (converted)
    video = open_seekable(path)
    try:
        for index in (video.n_frames - 1, 0):
            video.frame(index)
    finally:
        video.close()


def _encoded(kind: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(cv2.imencode(kind, _pictures()[0])[1].tobytes())


READERS: Final[dict[str, Reader]] = {
    "openface": Reader(".csv", lambda p: write_openface(p, _table()), read_openface),
    "coco": Reader(".json", lambda p: write_coco(p, _table(), size=(640, 480)), read_coco),
    "pts": Reader(".pts", lambda p: write_pts(p, _table().points[0]), read_pts),
    "elan": Reader(
        ".eaf", lambda p: write_elan_annotations(p, track_annotations(_table())), read_elan
    ),
    "webvtt": Reader(
        ".vtt", lambda p: write_webvtt_annotations(p, track_annotations(_table())), read_webvtt
    ),
    "signals": Reader(
        ".csv",
        _text(["frame,timestamp,face_id,pose_yaw"]
              + [f"{i + 1},{i / 25:.3f},0,{i}.5" for i in range(20)]),
        read_signals,
    ),
    "events": Reader(
        ".csv",
        _text(["face_id,name,start,peak,stop,score,text,detail,estimator,source"]
              + [f"0,blink,{i}.0,{i}.1,{i}.2,0.5,,,blinks,machine" for i in range(9)]),
        read_events,
    ),
    "npz": Reader(
        ".npz", lambda p: np.savez_compressed(p, x=_table().points),
        lambda p: read_npz(p, required=["x"]),
    ),
    "jpeg": Reader(".jpg", _encoded(".jpg"), read_bgr),
    "png": Reader(".png", _encoded(".png"), lambda p: (pages_of(p), read_bgr(p))),
    "bmp": Reader(".bmp", _encoded(".bmp"), read_bgr),
    "apng": Reader(".png", _animation, _watch),
    "webp": Reader(".webp", _animation, _watch),
    "tiff": Reader(".tif", lambda p: cv2.imwritemulti(str(p), _pictures()), _watch),
    "mp4": Reader(".mp4", _video, _watch),
    "mkv": Reader(".mkv", _video, _watch),
}  # fmt: skip


def damaged(whole: bytes, number: int) -> bytes:
    """Damage a file as its number says."""
    rng = np.random.default_rng(number)
    content = bytearray(whole)
    for _ in range(int(rng.integers(1, 12))):
        # Half of the hits lie in the header.
        place = int(rng.integers(0, max(len(content) if rng.random() < 0.5 else 400, 1)))
        kind = rng.integers(6)
        piece = rng.bytes(int(rng.integers(1, 5)))
        if kind == 0 and rng.random() < 0.3:
            del content[place:]
        elif kind == 1:
            content[place:place] = _TOKENS[int(rng.integers(len(_TOKENS)))]
        elif kind == 2:
            del content[place : place + len(piece)]
        elif kind == 3:
            content[place:place] = content[: int(rng.integers(1, 200))]
        else:
            content[place : place + len(piece)] = piece
    return bytes(content)


def _try(reader: Reader, path: Path) -> str:
    """Read a file; say what is wrong with that, or how it went."""
    begun = time.process_time()
    try:
        reader.read(path)
        came = "read"
    except FacetrackError as error:
        text = str(error)
        plain = "\n" not in text and len(text) < 500 and path.name in text
        came = "refused" if plain else f"unclear words: {text[:200]!r}"
    except MemoryError:
        came = "too much memory"
    except Exception as error:
        came = f"{type(error).__name__}: {error}"[:200]
    took = time.process_time() - begun
    return came if took <= SECONDS else f"took {took:.1f} s"


def _work(name: str, whole: bytes, first: int, seconds: float, told: Any) -> None:
    """Read damaged files, one after the other, and tell of each before and after."""
    warnings.simplefilter("ignore")
    end = time.process_time() + seconds
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limit = (used << 10) + (4 << 30)  # of addresses: what is far beyond is a MemoryError
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        path, number = Path(folder) / f"a{READERS[name].suffix}", first
        while time.process_time() < end:
            path.write_bytes(damaged(whole, number))
            told.send((number, ""))
            came = _try(READERS[name], path)
            now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if now - used > MEGABYTES << 10:
                came, used = f"took {(now - used) >> 10} MB", now
            told.send((number, came))
            number += 1
    told.send((-1, ""))


def fuzz(name: str, minutes: float, first: int, keep: Path) -> tuple[Counter[str], list[str]]:
    """Read damaged files for so many minutes of CPU; give how it went, and the faults."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{READERS[name].suffix}"
        READERS[name].write(path)
        READERS[name].read(path)  # undamaged it is read
        whole = path.read_bytes()
    counts, faults, number = Counter[str](), list[str](), first
    while minutes > 0:
        begun = time.monotonic()
        for place, came in _heard(name, whole, number, 60 * minutes):
            number = place + 1
            counts[came if came in _FINE else "faults"] += 1
            if came not in _FINE:
                faults.append(f"{name} {place}: {came}")
                keep.mkdir(parents=True, exist_ok=True)
                file = keep / f"{name}-{place}{READERS[name].suffix}"
                file.write_bytes(damaged(whole, place))
            if came in (_DIED, _HANGS):  # another process goes on behind that file
                minutes -= (time.monotonic() - begun) / 60
                break
        else:
            break
    return counts, faults


def _heard(name: str, whole: bytes, first: int, seconds: float) -> Iterator[tuple[int, str]]:
    """Let a process read; give what it tells of each file."""
    hears, told = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(name, whole, first, seconds, told)
    )
    process.start()
    told.close()
    number = first
    try:
        while number >= 0:
            if not hears.poll(_PATIENCE):
                yield number, _HANGS
                return
            number, came = hears.recv()
            if came:
                yield number, came
    except EOFError:
        yield number, _DIED
    finally:
        process.kill()
        process.join()


def main(arguments: list[str] | None = None) -> int:
    """Fuzz some readers and print what came of it; 1 if there are faults."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("readers", nargs="*", metavar="READER")
    parser.add_argument("--minutes", type=float, default=1.0, help="of CPU for each reader")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--keep", type=Path, default=Path("fuzz"), help="where faulty files go")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.readers) - set(READERS):
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    bad = False
    for name in chosen.readers or READERS:
        counts, faults = fuzz(name, chosen.minutes, chosen.first, chosen.keep)
        words = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        print(f"{name}: {sum(counts.values())} files: {words}", flush=True)
        for fault in faults[:20]:
            print(f"  {fault}", flush=True)
        bad |= bool(faults)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
