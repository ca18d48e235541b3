"""Decoding in a thread: the same frames, the same errors, no thread left."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from facetrack.corpus.ahead import DEPTH, decode_ahead
from facetrack.errors import VideoError
from facetrack.video.frame import frame_of


class Frames:
    """A source of grey frames that may fail and counts what it gave."""

    def __init__(self, n_frames, *, error=None):
        self.n_frames, self.error, self.given, self.closed = n_frames, error, 0, False

    def __iter__(self):
        try:
            for i in range(self.n_frames):
                self.given += 1
                yield frame_of(np.full((4, 4), i % 256, np.uint8), index=i, timestamp=i / 30)
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def decoders():
    return [thread for thread in threading.enumerate() if thread.name == "decoder"]


def test_frames_come_in_order():
    assert [frame.index for frame in decode_ahead(Frames(100))] == list(range(100))


def test_an_error_comes_after_the_frames_before_it():
    frames = decode_ahead(Frames(20, error=VideoError("clip.mp4", "is gone")))
    seen = [next(frames).index for _ in range(20)]
    with pytest.raises(VideoError, match="is gone"):
        next(frames)
    assert seen == list(range(20))


def test_a_consumer_that_leaves_ends_the_thread_and_the_source():
    source = Frames(10**9)
    frames = decode_ahead(source)
    next(frames)
    frames.close()
    assert source.closed
    assert not decoders()


def test_only_a_few_frames_are_decoded_ahead():
    source = Frames(10**9)
    frames = decode_ahead(source)
    next(frames)
    deadline = time.monotonic() + 5
    while source.given < DEPTH + 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert source.given == DEPTH + 2  # one taken, the queue, one waiting for a place
    frames.close()


def test_grey_is_converted_only_where_it_is_needed():
    frames = list(decode_ahead(Frames(6), first=4))
    assert ["grey" in frame._converted for frame in frames] == [False] * 4 + [True] * 2
    assert all("bgr" in f._converted for f in decode_ahead(Frames(3), colour=True))
