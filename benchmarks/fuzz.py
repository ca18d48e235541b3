"""Damage files at random and read them, for a given time, with bounds on time and memory.

    python -m benchmarks fuzz --minutes 60 --json fuzz.json jpeg

Each file is one of the reader's own, damaged as its number says: the same number and reader give
the same file. A process of its own reads them, so that a crash or a hang is found, too. What a
reader must give is a result or an error of Facetrack's in one line, in less than SECONDS of CPU,
while the process stays below MEGABYTES more than it had. Files that break that are kept in --keep.

With --json the minutes add up: what the file says was done is done, the next run begins with the
files that were faults and goes on behind the last one, until each reader has its --minutes.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as pillow

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets import dlib_xml
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
from facetrack.reporting.tables import Table

SECONDS: Final = 3.0  # of CPU for one file
MEGABYTES: Final = 1500
_PATIENCE: Final = 60.0  # seconds without a word: it hangs
_STEP: Final = 2.0  # CPU minutes after which a run may be stopped without loss
_FINE: Final = ("read", "refused")
_DIED, _HANGS = "the process died", "it hangs"
_CODECS: Final = {
    ".webm": "libvpx", ".avi": "mpeg4", ".mpg": "mpeg2video", ".mjpeg": "mjpeg", ".gif": "gif",
}  # fmt: skip
_CONTAINERS: Final = ("mp4", "mov", "mkv", "webm", "avi", "ts", "mpg", "h264", "gif")
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
    """Write 40 frames; in fragments where the format knows them, as programs that record do."""
    codec = _CODECS.get(path.suffix, "libx264")
    options = {"movflags": "frag_keyframe+empty_moov"} if path.suffix == ".mov" else {}
    with av.open(str(path), "w", options=options) as out:
        stream: Any = out.add_stream(codec, rate=25, options={"g": "10"})
        stream.width, stream.height = 64, 48
        stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
        for number, image in enumerate(_pictures() * 10):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _turned(kind: str) -> Callable[[Path], object]:
    """Write pictures with EXIF, as telephones do: one, or as many as Motion JPEG has."""

    def write(path: Path) -> None:
        exif, content = pillow.Exif(), io.BytesIO()
        exif[0x0112], exif[0x010F] = 7, "Maker"
        pillow.fromarray(_pictures()[0]).save(content, kind, exif=exif)
        path.write_bytes(content.getvalue() * (5 if path.suffix == ".mjpeg" else 1))

    return write


def _spreadsheet(path: Path) -> None:
    """Write a table as spreadsheets of many countries do, with decimal commas, in UTF-16."""
    write_openface(path, _table())
    path.write_text(path.read_text().replace(",", ";").replace(".", ","), encoding="utf-16")


def _other_coco(path: Path) -> None:
    """Write key points with tracks, as CVAT does, and of whole bodies."""
    write_coco(path, _table(), size=(640, 480))
    content = json.loads(path.read_text())
    for number, annotation in enumerate(content["annotations"]):
        annotation["attributes"] = {"track_id": number % 2, "occluded": False}
        annotation["face_kpts"] = annotation["keypoints"]
    path.write_text(json.dumps(content))


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
    "spreadsheet": Reader(".csv", _spreadsheet, read_openface),
    "other coco": Reader(".json", _other_coco, read_coco),
    "dlib": Reader(
        ".xml",
        _text(["<dataset><images><image file='a.jpg'><box top='1' left='2' width='9' height='8'>"]
              + [f"<part name='{i:02}' x='{i}' y='{2 * i}'/>" for i in range(68)]
              + ["</box></image></images></dataset>"]),
        dlib_xml.read,
    ),
    "jpeg": Reader(".jpg", _turned("jpeg"), lambda p: (read_bgr(p), read_bgr(p, upright=True))),
    "png": Reader(".png", _encoded(".png"), lambda p: (pages_of(p), read_bgr(p))),
    "bmp": Reader(".bmp", _encoded(".bmp"), read_bgr),
    "apng": Reader(".png", _animation, _watch),
    "webp": Reader(".webp", _animation, _watch),
    "tiff": Reader(".tif", lambda p: cv2.imwritemulti(str(p), _pictures()), _watch),
    "avif": Reader(".avif", _turned("avif"), _watch),
    "mjpeg": Reader(".mjpeg", _turned("jpeg"), _watch),
    **{kind: Reader(f".{kind}", _video, _watch) for kind in _CONTAINERS},
}  # fmt: skip


@dataclass(slots=True)
class Done:
    """What was done with a reader: CPU minutes, the next file's number, how files went."""

    minutes: float = 0.0
    next: int = 0
    read: int = 0
    refused: int = 0
    faults: dict[str, str] = field(default_factory=dict)  # by number, as JSON has it

    def take(self, number: int, came: str) -> None:
        """Note how a file went."""
        self.next = max(self.next, number + 1)
        self.faults.pop(str(number), None)
        if came in _FINE:
            setattr(self, came, getattr(self, came) + 1)
        else:
            self.faults[str(number)] = came


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


def _work(name: str, whole: bytes, again: list[int], first: int, seconds: float, told: Any) -> None:
    """Read damaged files, one after the other, and tell of each before and after."""
    warnings.simplefilter("ignore")
    begun = time.process_time()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limit = (used << 10) + (4 << 30)  # of addresses: what is far beyond is a MemoryError
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        path, spent = Path(folder) / f"a{READERS[name].suffix}", 0.0
        for place, number in enumerate(chain(again, count(first))):
            if place >= len(again) and spent >= seconds:
                break
            path.write_bytes(damaged(whole, number))
            told.send((number, "", spent))
            came = _try(READERS[name], path)
            now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if now - used > MEGABYTES << 10:
                came, used = f"took {(now - used) >> 10} MB", now
            spent = time.process_time() - begun
            told.send((number, came, spent))
    told.send((None, "", spent))


def fuzz(name: str, minutes: float, done: Done, again: list[int], keep: Path) -> None:
    """Read some files again, then new ones until so many minutes of CPU are done in all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{READERS[name].suffix}"
        READERS[name].write(path)
        READERS[name].read(path)  # undamaged it is read
        whole = path.read_bytes()
    while again or done.minutes < minutes:
        before, left = done.minutes, list(again)
        for number, came, spent in _heard(name, whole, left, done.next, 60 * (minutes - before)):
            done.minutes = before + spent / 60
            if number in again:
                again.remove(number)
            done.take(number, came)
            if came not in _FINE:
                keep.mkdir(parents=True, exist_ok=True)
                file = keep / f"{name}-{number}{READERS[name].suffix}"
                file.write_bytes(damaged(whole, number))


def _heard(
    name: str, whole: bytes, again: list[int], first: int, seconds: float
) -> Iterator[tuple[int, str, float]]:
    """Let a process read; give what it tells of each file and its CPU seconds; it may end early."""
    hears, told = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(name, whole, again, first, seconds, told)
    )
    process.start()
    told.close()
    number, spent = 0, 0.0
    try:
        while number is not None:
            # Twice: this process may have been stopped meanwhile, too.
            if not hears.poll(_PATIENCE) and not hears.poll(_PATIENCE):
                yield number, _HANGS, spent + _PATIENCE
                return
            number, came, spent = hears.recv()
            if came:
                yield number, came, spent
    except EOFError:
        yield number, _DIED, spent
    finally:
        process.kill()
        process.join()


def _table_of(all_done: Mapping[str, Done]) -> Table:
    rows: list[list[object]] = [
        [name, f"{d.minutes:.1f}", d.read + d.refused + len(d.faults), d.read, d.refused,
         len(d.faults)]
        for name, d in all_done.items()
    ]  # fmt: skip
    return Table(["reader", "CPU minutes", "files", "read", "refused", "faults"], rows)


def main(arguments: list[str] | None = None) -> int:
    """Fuzz some readers and print what came of it; 1 if there are faults."""
    parser = make_parser(__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER")
    parser.add_argument("--minutes", type=float, default=1.0, help="of CPU for each reader")
    parser.add_argument("--keep", type=Path, default=Path("fuzz"), help="where faulty files go")
    parser.add_argument("--json", type=Path, metavar="FILE", help="report; a run continues from it")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.readers) - set(READERS):
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    known = {}
    if chosen.json is not None and chosen.json.is_file():
        known = json.loads(chosen.json.read_text())["details"]["readers"]
    all_done = {name: Done(**known.get(name, {})) for name in READERS}
    for name in chosen.readers or READERS:
        done = all_done[name]
        again = [int(number) for number in done.faults]
        while again or done.minutes < chosen.minutes:
            fuzz(name, min(done.minutes + _STEP, chosen.minutes), done, again, chosen.keep)
            again = []
            said = {n: d for n, d in all_done.items() if d.next}
            show([_table_of(said)], chosen.json, n=sum(d.next for d in said.values()),
                 details={"readers": {n: asdict(d) for n, d in said.items()}})  # fmt: skip
        for number, came in done.faults.items():
            sys.stdout.write(f"  {name} {number}: {came}\n")
    return int(any(all_done[name].faults for name in chosen.readers or READERS))
