from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.datasets.tracks import load_track
from facetrack.errors import FormatError

CONSENSUS: dict[str, Any] = {
    "points": np.arange(5 * 136, dtype=np.float32).reshape(5, 68, 2),
    "points_pfld": np.ones((5, 68, 2), np.float32),
    "agreement": np.full(5, 0.03, np.float32),
    "box": np.full((5, 4), 7, np.float32),
    "score": np.array([1, 1, 0, 1, 1], np.float32),
    "timestamps": np.arange(5) / 25,
    "fps": np.array(25.0),
}
POINTS = CONSENSUS["points"]


def save(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def test_a_consensus_track_is_read_whole(tmp_path: Path) -> None:
    track = load_track(save(tmp_path, **CONSENSUS))
    assert len(track) == 5
    assert track.fps == 25
    for name, values in CONSENSUS.items():
        assert_allclose(getattr(track, name), values)
    assert track.points.dtype == np.float64


def test_points_and_times_suffice(tmp_path: Path) -> None:
    track = load_track(save(tmp_path, points=POINTS, timestamps=[0, 0.1, 0.2, 0.3, 0.5]))
    assert track.fps == pytest.approx(10)
    assert track.score is None


def test_points_and_a_rate_suffice(tmp_path: Path) -> None:
    track = load_track(save(tmp_path, points=POINTS, fps=[20]))
    assert_allclose(track.timestamps, np.arange(5) / 20)


def test_frames_without_a_face_stay_nan(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[2] = np.nan
    track = load_track(save(tmp_path, points=points, fps=25))
    assert_array_equal(np.isnan(track.points).all(axis=(1, 2)), np.arange(5) == 2)


WRONG = {
    "no points": ({"fps": 25}, "'points' is missing"),
    "no time": ({"points": POINTS}, "neither 'timestamps' nor 'fps'"),
    "51 points": ({"points": POINTS[:, :51], "fps": 25}, r"shape \(5, 68, 2\), has \(5, 51, 2\)"),
    "a number": ({"points": 3.0, "fps": 25}, r"'points' must have shape"),
    "words": ({"points": POINTS.astype("U8"), "fps": 25}, "must hold numbers"),
    "infinite": ({"points": np.full((5, 68, 2), np.inf), "fps": 25}, "infinite"),
    "lengths": ({"points": POINTS, "timestamps": np.arange(4)}, r"shape \(5,\), has \(4,\)"),
    "backwards": ({"points": POINTS, "timestamps": [0, 2, 1, 3, 4]}, "must be finite and grow"),
    "NaN time": ({"points": POINTS, "timestamps": [0, 1, np.nan, 3, 4]}, "must be finite"),
    "two rates": ({"points": POINTS, "fps": [25, 30]}, "'fps' must be one number"),
    "no rate": ({"points": POINTS, "fps": 0}, "fps is 0.0"),
    "NaN rate": ({"points": POINTS, "fps": np.nan}, "fps is nan"),
    "objects": ({"points": np.array([{}], dtype=object), "fps": 25}, "objects"),
}


@pytest.mark.parametrize(("arrays", "message"), WRONG.values(), ids=WRONG)
def test_wrong_tracks_are_named(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        load_track(save(tmp_path, **arrays))
    assert "a.npz" in str(caught.value)


def test_real_tracks_are_read(shared: Path) -> None:
    track = load_track(shared / "data" / "videos" / "stage_cuts_consensus.npz")
    assert track.score is not None
    assert len(track) == 300
    assert_array_equal(np.isnan(track.points).any(axis=(1, 2)), track.score == 0)
    assert (track.score > 0).sum() == 250
