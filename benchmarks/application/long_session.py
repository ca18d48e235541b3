"""A video of any length with a session that is annotated from end to end, made by code."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np

from facetrack.face import Source
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.video import SyntheticVideo
from facetrack_app.model.rows import Kind, TrackRow, pack_points
from facetrack_app.model.session import Session

ANN: Final = 0
BOB: Final = 1
BOBS: Final = (100_000, 110_000)  # frames in which Bob is there instead of Ann
_LOOP: Final = 300  # frames that are rendered; the video repeats them
_TRACKLET: Final = 600  # frames after which the tracker counts a face anew
_CORRECTED: Final = 10  # Ann is corrected in each tenth frame
_DOUBTFUL: Final = 997  # frames between two doubtful stretches
_STRANGERS: Final = range(-20, 0)  # people of one tracklet each, to be merged


def loop_of(shape_model: ShapeModel) -> SyntheticVideo:
    """Make the head that the video shows again and again, 1280 x 720 at 30 frames/s."""
    return SyntheticVideo(shape_model, n_frames=_LOOP, size=(1280, 720), seed=1)


def write_video(path: Path, loop: SyntheticVideo, count: int) -> None:
    """Write the loop's frames over and over: encoded once, the packets repeated.

    Parameters
    ----------
    path : Path
        An .mp4 file.
    loop : SyntheticVideo
    count : int
        Frames of the file.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height = loop.size
        stream.time_base = Fraction(1, 30)
        stream.gop_size = 30
        stream.options = {"preset": "veryfast", "crf": "40", "bf": "0", "sc_threshold": "0"}
        pictures = (av.VideoFrame.from_ndarray(frame.image, "bgr24") for frame in loop)
        packets = [p for picture in pictures for p in stream.encode(picture)] + stream.encode()
        contents = [(bytes(packet), packet.is_keyframe) for packet in packets]
        for number in range(count):
            content, key = contents[number % len(contents)]
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = number
            packet.is_keyframe = key
            container.mux(packet)


def write_session(folder: Path, loop: SyntheticVideo, count: int) -> None:
    """Write a session: every frame is tracked, each tenth is corrected.

    Parameters
    ----------
    folder : Path
    loop : SyntheticVideo
        Whose truth stands for tracks and corrections.
    count : int
        Frames of the video.
    """
    session = Session(folder, count)
    store, points = session.store, [loop.truth(i) for i in range(_LOOP)]
    tracklets = range(count // _TRACKLET + 1)
    owners = {s: BOB if BOBS[0] <= s * _TRACKLET < BOBS[1] else ANN for s in tracklets}
    said = np.full(68, Source.CORRECTED, dtype=np.uint8).tobytes()
    packed = [pack_points(p) for p in points]
    with store.transaction():
        names = {ANN: "Ann", BOB: "Bob"} | {s: f"Stranger {-s}" for s in _STRANGERS}
        store.put("person", [((person,), (name,)) for person, name in names.items()])
        assignments = owners | {s: s for s in _STRANGERS}
        store.put(
            "assignment", [((tracklet, 0), (person,)) for tracklet, person in assignments.items()]
        )
        store.put("track", ((row.key(), row.values()) for row in _rows(points, count)))
        corrected = (f for f in range(0, count, _CORRECTED) if _is_corrected(f, owners))
        store.put(
            "correction",
            (((f // _TRACKLET, f), (packed[f % _LOOP], said, "person")) for f in corrected),
        )
        times = np.arange(count) / 30
        store.put("ledger", [((0,), (times.astype("<f8").tobytes(),))])
    session.close()


def _is_corrected(frame: int, owners: dict[int, int]) -> bool:
    """Bob is corrected now and then: what a person of some corrections costs is seen as well."""
    return owners[frame // _TRACKLET] == ANN or frame % 2500 == 0


def _rows(points: list[np.ndarray], count: int) -> Iterator[TrackRow]:
    source = np.full(68, Source.TRACKED, dtype=np.uint8)
    sure, unsure = np.full(68, 0.9), np.full(68, 0.1)
    for frame in range(count):
        doubtful = frame % _DOUBTFUL in range(1, 6)
        said = unsure if doubtful else sure
        yield TrackRow(
            frame // _TRACKLET, frame, Kind.PLAIN, float(said[0]), float(said[0]), "",
            points[frame % _LOOP], said, source,
        )  # fmt: skip
    for stranger in _STRANGERS:
        for frame in range(-stranger * 5000, -stranger * 5000 + 500):
            yield TrackRow(
                stranger, frame, Kind.PLAIN, 0.9, 0.9, "", points[frame % _LOOP] + 300, sure, source
            )
