"""Expression channels of another program: files, and what mirroring does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facetrack.datasets.channels import (
    mirrored_channels,
    read_clip_channels,
    read_picture_channels,
)
from facetrack.datasets.portraits import portraits, set_aside
from facetrack.errors import FormatError, InputError


def test_channels_of_clips_are_read_and_wrong_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "peer.npz"
    np.savez(path, categories=["left", "right", "jaw"], clip=np.eye(3))
    assert read_clip_channels(path, ["jaw", "left"])["clip"].tolist() == [[0, 1], [0, 0], [1, 0]]
    with pytest.raises(InputError, match="has no channel 'mouth'; it has left, right, jaw"):
        read_clip_channels(path, ["mouth"])
    np.savez(path, categories=["left"], clip=np.eye(3))
    with pytest.raises(FormatError, match="'clip' has no 1 channels a frame"):
        read_clip_channels(path, ["left"])
    np.savez(path, clip=np.eye(3))
    with pytest.raises(FormatError, match="the channels' names is missing"):
        read_clip_channels(path, ["left"])


def test_channels_of_pictures_are_read_and_wrong_files_named(tmp_path: Path) -> None:
    path = tmp_path / "peer.npz"
    scores = np.array([[0.5, 0.25], [np.nan, np.nan]], dtype=np.float16)
    np.savez(path, categories=["left", "right"], names=["a", "b"], scores=scores)
    found = read_picture_channels(path, ["right"])
    assert found["a"].tolist() == [0.25]
    assert np.isnan(found["b"]).all()
    np.savez(path, categories=["left", "right"], names=["a"], scores=scores)
    with pytest.raises(FormatError, match="not of n and n x 2 entries"):
        read_picture_channels(path, ["right"])


def test_mirroring_exchanges_sides() -> None:
    assert mirrored_channels(["eyeLookInLeft", "jawOpen", "mouthRight"]) == [
        "eyeLookInRight",
        "jawOpen",
        "mouthLeft",
    ]


def test_sixty_portraits_of_different_people_are_set_aside(shared: Path) -> None:
    names = portraits()
    assert len(set(names)) == 60
    assert set(names) < set_aside()
    for name in set_aside():
        assert (shared / "data" / "landmarks" / f"{name}.jpg").is_file()
        assert "test" not in name
