"""Pictures with classes, in the layouts as published, half unpacked and wrong ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.datasets.image_classes import PictureFiles, read_pictures
from facetrack.errors import FormatError, InputError


def record(label: int, *, coarse: int | None = None) -> np.ndarray:
    """Make a record whose planes are red 10, green 20, blue 30, the top left pixel 1, 2, 3."""
    planes = np.repeat(np.array([10, 20, 30], np.uint8), 1024).reshape(3, 1024)
    planes[:, 0] = (1, 2, 3)
    labels = [label] if coarse is None else [coarse, label]
    return np.concatenate([np.array(labels, np.uint8), planes.ravel()])


def test_cifar_records_are_planes_behind_their_labels(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in ("data_batch_1.bin", "data_batch_3.bin"):
        (folder / name).write_bytes(np.stack([record(4), record(9)]).tobytes())
    (folder / "batches.meta.txt").write_text("\n".join("abcdefghij") + "\n\n", "utf-8")
    for root in (tmp_path, folder):
        found = read_pictures(root, "cifar10", "train")
        assert found.classes == tuple("abcdefghij")
        assert found.labels.tolist() == [4, 9, 4, 9]
        assert found.pictures[1][0, 0].tolist() == [1, 2, 3]
        assert found.pictures[1][31, 31].tolist() == [10, 20, 30]
        assert "data_batch_2.bin" in found.missing
        assert "9998 pictures of data_batch_1.bin" in found.missing
    with pytest.raises(InputError, match=r"none of test_batch.bin"):
        read_pictures(folder, "cifar10", "test")


def test_the_fine_label_of_cifar_100_counts(tmp_path: Path) -> None:
    (tmp_path / "test.bin").write_bytes(record(77, coarse=12).tobytes())
    found = read_pictures(tmp_path, "cifar100", "test")
    assert found.labels.tolist() == [77]
    assert found.classes[77] == "77"  # without a list of names
    assert found.pictures[0][0, 1].tolist() == [10, 20, 30]
    (tmp_path / "test.bin").write_bytes(record(100, coarse=12).tobytes())
    with pytest.raises(FormatError, match="a label of 100 or more"):
        read_pictures(tmp_path, "cifar100", "test")
    (tmp_path / "test.bin").write_bytes(record(7).tobytes())
    with pytest.raises(FormatError, match="no whole number of records of 3074"):
        read_pictures(tmp_path, "cifar100", "test")
    (tmp_path / "fine_label_names.txt").write_text("one\ntwo\n", "utf-8")
    (tmp_path / "test.bin").write_bytes(record(7, coarse=1).tobytes())
    with pytest.raises(FormatError, match="has 2 names, and not 100"):
        read_pictures(tmp_path, "cifar100", "test")


def test_other_layouts_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no data_batch_1.bin"):
        read_pictures(tmp_path, "cifar10", "train")
    (tmp_path / "train").write_bytes(b"pickle")
    with pytest.raises(InputError, match="unpack the binary version"):
        read_pictures(tmp_path, "cifar100", "train")
    with pytest.raises(InputError, match="pictures are cifar10, cifar100, imagenet, arrays"):
        read_pictures(tmp_path, "films", "train")


def picture(path: Path, level: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 9, 3), (level, 0, 0), np.uint8))


def test_imagenet_is_a_folder_a_class(tmp_path: Path) -> None:
    for name in ("n1", "n2", "n3"):
        picture(tmp_path / "train" / name / "a.JPEG")
    picture(tmp_path / "val" / "n3" / "b.png", 200)
    picture(tmp_path / "val" / "n2" / "c.jpg")
    (tmp_path / "val" / "n2" / "notes.txt").write_text("no picture")
    found = read_pictures(tmp_path, "imagenet", "test")
    assert found.classes == ("n1", "n2", "n3")
    assert found.labels.tolist() == [1, 2]
    assert found.missing == ("997 classes of train", "val/n1")
    assert isinstance(found.pictures, PictureFiles)
    assert len(found.pictures) == 2
    assert found.pictures[1][0, 0].tolist() == [0, 0, 200]  # red, green, blue
    (tmp_path / "val" / "n2" / "c.jpg").write_bytes(b"")
    with pytest.raises(FormatError, match=r"c.jpg: not a readable picture"):
        found.pictures[0]
    picture(tmp_path / "val" / "n4" / "d.jpg")
    with pytest.raises(InputError, match="the class 'n4' is not one of train"):
        read_pictures(tmp_path, "imagenet", "test")


def test_half_unpacked_imagenet_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no folder 'train'"):
        read_pictures(tmp_path, "imagenet", "train")
    picture(tmp_path / "train" / "n1" / "a.JPEG")
    picture(tmp_path / "val" / "ILSVRC2012_val_00000001.JPEG")
    with pytest.raises(InputError, match=r"ILSVRC2012_val_00000001.JPEG, not sorted into a folder"):
        read_pictures(tmp_path, "imagenet", "test")
    (tmp_path / "train" / "n1" / "a.JPEG").unlink()
    with pytest.raises(InputError, match="holds no pictures in its folders"):
        read_pictures(tmp_path, "imagenet", "train")


def test_arrays_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    x, y = np.zeros((3, 4, 5, 3), np.uint8), np.array([0, 1, 1], np.uint8)
    np.savez(path, x_train=x, y_train=y, names=["a", "b"])
    found = read_pictures(path, "arrays", "train")
    assert (found.classes, found.labels.tolist()) == (("a", "b"), [0, 1, 1])
    np.savez(path, x_train=x[..., :2], y_train=y, names=["a", "b"])
    with pytest.raises(FormatError, match=r"x_train is uint8 of shape \(3, 4, 5, 2\)"):
        read_pictures(path, "arrays", "train")
    np.savez(path, x_train=x, y_train=y, names=["a"])
    with pytest.raises(FormatError, match="none of 1 classes"):
        read_pictures(path, "arrays", "train")
    with pytest.raises(InputError, match="not a file"):
        read_pictures(tmp_path, "arrays", "train")
