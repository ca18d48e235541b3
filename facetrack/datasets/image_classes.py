"""Pictures with a class each: CIFAR-10 and CIFAR-100 as binary files, ImageNet, arrays in a .npz.

Krizhevsky, "Learning multiple layers of features from tiny images", 2009; Russakovsky et al.,
"ImageNet large scale visual recognition challenge", IJCV 2015.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.npz import read_npz
from facetrack.formats.textfile import read_text

Bytes = npt.NDArray[np.uint8]

_SIDE: Final = 32  # px, of CIFAR
_IMAGENET_CLASSES: Final = 1000
_SUFFIXES: Final = (".jpeg", ".jpg", ".png")
_LIMIT: Final = 1 << 20  # bytes of a list of names
_CIFAR10: Final = {
    "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("test_batch.bin",),
}
_CIFAR100: Final = {"train": ("train.bin",), "test": ("test.bin",)}
_WHOLE: Final = {"train.bin": 50_000}  # pictures of a file; all others have 10,000


class PictureFiles(Sequence[Bytes]):
    """Files of pictures, decoded when they are looked at."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._paths)

    def __getitem__(self, number: Any) -> Any:
        """Return one picture, (height, width, 3) RGB; a `FormatError` names a broken file."""
        path = self._paths[number]
        content = np.frombuffer(path.read_bytes(), np.uint8)
        decoded = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
        if decoded is None:
            raise FormatError(path, "not a readable picture", remedy="copy it again")
        return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """The pictures of one split."""

    classes: tuple[str, ...]  # in the order of the labels
    labels: npt.NDArray[np.int64]
    pictures: Bytes | PictureFiles  # (n, height, width, 3) RGB
    missing: tuple[str, ...] = ()  # what the split ought to hold and does not


def read_pictures(root: Path, form: str, split: str) -> Pictures:
    """Read the pictures of one split, train or test, in one of `FORMS`.

    Of `cifar10` and `cifar100` (fine labels): the unpacked "binary version" as published, or the
    folder that holds it. Of `imagenet`: `train` and `val`, in each a folder a class. Of `arrays`: a
    file .npz with `x_train`, `y_train`, `x_test`, `y_test`, `names`.
    """
    if form not in FORMS or split not in _CIFAR10:
        known = ", ".join(FORMS)
        raise InputError(f"pictures are {known}, of train or test; got {form!r}, {split!r}")
    return FORMS[form](root, split)


def _cifar10(root: Path, split: str) -> Pictures:
    folder = _folder(root, _CIFAR10[split][0], "cifar-10-batches-bin")
    return _records(folder, _CIFAR10[split], "batches.meta.txt", 10, 1)


def _cifar100(root: Path, split: str) -> Pictures:
    folder = _folder(root, _CIFAR100[split][0], "cifar-100-binary")
    return _records(folder, _CIFAR100[split], "fine_label_names.txt", 100, 2)


def _folder(root: Path, name: str, published: str) -> Path:
    """Find where the files lie: in the folder, or in the published one inside."""
    for folder in (root / published, root):
        if folder.is_dir() and any(folder.glob("*.bin")):
            return folder
    if any((root / published).glob("*batch*")) or (root / "train").is_file():
        raise InputError(f"{root}: has pickled files; unpack the binary version of the data")
    raise InputError(f"{root}: holds no {name}, neither there nor in {published}")


def _records(
    folder: Path, files: Sequence[str], names: str, classes: int, label_bytes: int
) -> Pictures:
    """Read files of records: label bytes, the last of which counts, then planes of R, G, B."""
    size = label_bytes + 3 * _SIDE * _SIDE
    found, missing = [], []
    for name in files:
        path = folder / name
        if not path.is_file():
            missing.append(name)
            continue
        content = np.fromfile(path, np.uint8)
        if not content.size or content.size % size:
            cause = f"{content.size} bytes are no whole number of records of {size}: cut short?"
            raise FormatError(path, cause, remedy="unpack it again")
        lacking = _WHOLE.get(name, 10_000) - content.size // size
        if lacking > 0:
            missing.append(f"{lacking} pictures of {name}")
        found.append(content.reshape(-1, size))
        if found[-1][:, label_bytes - 1].max() >= classes:
            raise FormatError(path, f"has a label of {classes} or more", remedy="unpack it again")
    if not found:
        raise InputError(f"{folder}: none of {', '.join(files)} is there")
    records = np.concatenate(found)
    planes = records[:, label_bytes:].reshape(-1, 3, _SIDE, _SIDE)
    pictures = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    labels = records[:, label_bytes - 1].astype(np.int64)
    return Pictures(_names(folder / names, classes), labels, pictures, tuple(missing))


def _names(path: Path, classes: int) -> tuple[str, ...]:
    """Read the names of classes; numbers, where the list is missing."""
    if not path.is_file():
        return tuple(map(str, range(classes)))
    names = tuple(line for line in read_text(path, limit=_LIMIT).splitlines() if line.strip())
    if len(names) != classes:
        raise FormatError(path, f"has {len(names)} names, and not {classes}")
    return names


def _imagenet(root: Path, split: str) -> Pictures:
    classes = tuple(path.name for path in _class_folders(root / "train"))
    missing = []
    if len(classes) < _IMAGENET_CLASSES:
        missing.append(f"{_IMAGENET_CLASSES - len(classes)} classes of train")
    paths: list[Path] = []
    labels: list[int] = []
    folder = root / ("train" if split == "train" else "val")
    theirs = {path.name: path for path in _class_folders(folder)}
    if unknown := sorted(theirs.keys() - set(classes)):
        raise InputError(f"{folder}: the class {unknown[0]!r} is not one of train")
    for label, name in enumerate(classes):
        inside = list(_files(theirs[name])) if name in theirs else []
        if not inside:
            missing.append(f"{folder.name}/{name}")
        paths += inside
        labels += [label] * len(inside)
    if not paths:
        raise InputError(f"{folder}: holds no pictures in its folders of classes")
    return Pictures(classes, np.array(labels, np.int64), PictureFiles(paths), tuple(missing))


def _class_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder.parent}: has no folder {folder.name!r} with a folder a class")
    found = sorted(path for path in folder.iterdir() if path.is_dir())
    if not found:
        flat = next(_files(folder), None)
        what = f"pictures such as {flat.name}, not sorted" if flat else "nothing sorted"
        raise InputError(f"{folder}: holds {what} into a folder a class")
    return found


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES)


def _arrays(root: Path, split: str) -> Pictures:
    if not root.is_file():
        raise InputError(f"{root}: not a file .npz of pictures")
    names = (f"x_{split}", f"y_{split}", "names")
    arrays = read_npz(root, required=names)
    x, y, classes = (arrays[name] for name in names)
    if x.ndim != 4 or x.shape[3] != 3 or x.dtype != np.uint8 or y.shape != x.shape[:1]:
        cause = f"x_{split} is {x.dtype} of shape {x.shape}, y_{split} of shape {y.shape}"
        raise FormatError(root, cause, remedy="x is (n, height, width, 3) uint8, y (n,)")
    if y.size and not 0 <= y.min() <= y.max() < len(classes):
        raise FormatError(root, f"a label of y_{split} is none of {len(classes)} classes")
    return Pictures(tuple(map(str, classes)), y.astype(np.int64), np.ascontiguousarray(x))


FORMS: Final[dict[str, Callable[[Path, str], Pictures]]] = {
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "imagenet": _imagenet,
    "arrays": _arrays,
}
