"""From clips to mouth crops on disk, each once: tracked by the product's own tracker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import FacetrackError, FormatError
from facetrack.features.pixels import Image
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.picture import read_grey
from facetrack.lips.clips import RATE, SIDE, LipClip, LipFrame, stretches
from facetrack.lips.crops import MouthCropper, Seen
from facetrack.lips.datasets import Item, LabelledClip
from facetrack.lips.words import Word
from facetrack.opening import open_seekable, open_source
from facetrack.parallel import Map
from facetrack.tracking.tracker import Tracker
from facetrack.video.square import stretch_of

SHORTEST: Final = 8  # frames of a face, below which there is nothing to read
_EARLY: Final = 0.1  # seconds of a word that may lie outside of what is seen

Points = npt.NDArray[np.float64]


class Prepared(Sequence[LabelledClip]):
    """Prepared clips, read when they are asked for.

    `folder` is where `prepare` put their crops; `hold` keeps in memory what was read.
    """

    def __init__(self, items: Sequence[Item], folder: Path, *, hold: bool = True) -> None:
        self._items, self._folder = items, folder
        self._held: dict[int, LabelledClip] | None = {} if hold else None

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, number: Any) -> Any:
        """Read one clip; its words' times count from its own first frame."""
        if self._held is not None and number in self._held:
            return self._held[number]
        item = self._items[number]
        clip = LipClip.read(crops_file(self._folder, item))
        words = tuple(Word(w.text, w.start - clip.start, w.stop - clip.start) for w in item.words)
        found = LabelledClip(clip, words)
        if self._held is not None:
            self._held[number] = found
        return found


def crops_file(folder: Path, item: Item) -> Path:
    """Return where the crops of an item lie."""
    return folder / f"{item.key}.npz"


def prepare(
    items: Sequence[Item],
    folder: Path,
    *,
    model: FaceModel,
    mean: Points,
    map_: Map = map,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Item]:
    """Cut the mouths of clips out, unless that was done before; return those that are prepared now.

    The folder gets one file of `LipClip` for each item. Faces are aligned to `mean`, (68, 2);
    `tell` takes a line about each clip that is left out.
    """
    left = [item for item in items if not crops_file(folder, item).is_file()]
    work = partial(_prepare, folder=folder, model=model, mean=mean)
    failed = {}
    for item, problem in zip(left, map_(work, left), strict=True):
        if problem:
            failed[item.key] = problem
            tell(problem)
    return [item for item in items if item.key not in failed]


def _prepare(item: Item, *, folder: Path, model: FaceModel, mean: Points) -> str:
    """Prepare one clip; return why it cannot be, or an empty text."""
    try:
        if item.frames is not None:
            clip = _mouths(item)
        else:
            pieces = crop_video(item.source, model=model, mean=mean)
            clip = max(pieces, key=len)
            _check_words(item, clip)
    except FacetrackError as error:
        return str(error)
    path = crops_file(folder, item)
    path.parent.mkdir(parents=True, exist_ok=True)
    clip.write(path)
    return ""


def _check_words(item: Item, clip: LipClip) -> None:
    """Check that the mouth is seen while words are said."""
    stop = clip.start + len(clip) / RATE
    for word in item.words:
        if word.stop and not clip.start - _EARLY < word.start < word.stop < stop + _EARLY:
            cause = (f"{word.text!r} is said from {word.start:.2f} to {word.stop:.2f} s, but the "
                     f"mouth is seen from {clip.start:.2f} to {stop:.2f} s")  # fmt: skip
            raise FormatError(item.source, cause, remedy="is the alignment of another clip?")


def crop_video(path: Path, *, model: FaceModel, mean: Points) -> list[LipClip]:
    """Track a clip of one person and cut the mouth out of each stretch in which the face was seen.

    Faces are aligned to `mean`, (68, 2). A `FormatError` says that none is seen for eight frames or
    more.
    """
    found = [
        LipClip.of(stretch, path.stem)
        for stretch in stretches(_cropped(path, model, mean))
        if len(stretch) >= SHORTEST
    ]
    if not found:
        raise FormatError(
            path, f"no mouth is seen for {SHORTEST} frames or more", remedy="record the face whole"
        )
    return found


def _cropped(path: Path, model: FaceModel, mean: Points) -> Iterator[LipFrame]:
    cropper, tracker = MouthCropper(mean), Tracker(model, max_faces=1)
    with open_source(path) as source:
        zero = None
        for frame in source:
            faces = [face for face in tracker.update(frame) if face.tracked]
            zero = frame.timestamp if zero is None else zero
            points = faces[0].points if faces else None
            if points is not None and frame.aspect != 1:
                points = stretch_of(frame.aspect).square(points)
            yield from cropper.push(Seen(frame.timestamp - zero, frame.square.grey, points))
    yield from cropper.finish()


def _mouths(item: Item) -> LipClip:
    """Read the crops that a data set brings, at our size; landmarks are not known."""
    assert item.frames is not None
    if item.source.is_dir():
        known = (item.source / f"{number}.jpg" for number in range(*item.frames))
        crops = [_resized(read_grey(path)) for path in known if path.is_file()]
    else:
        video = open_seekable(item.source)
        try:
            stop = min(item.frames[1], video.n_frames)
            crops = [_framed(video.frame(n).square.grey) for n in range(item.frames[0], stop)]
        finally:
            video.close()
    if not crops:
        cause = f"holds nothing of {item.frames[0]} to {item.frames[1] - 1}"
        raise FormatError(item.source, cause)
    return LipClip(
        np.stack(crops),
        np.full((len(crops), 20, 2), np.nan, dtype=np.float32),
        np.ones(len(crops), dtype=bool),
        0.0,
        item.key,
    )


def _framed(picture: Image) -> Image:
    """Put a picture of a mouth in the middle of a crop, its edges continued."""
    height, width = picture.shape
    scale = min(SIDE / max(height, width), 1.0)
    if scale < 1:
        size = (round(scale * width), round(scale * height))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        height, width = picture.shape
    above, left = (SIDE - height) // 2, (SIDE - width) // 2
    around = (above, SIDE - height - above, left, SIDE - width - left)
    return cv2.copyMakeBorder(picture, *around, cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def _resized(picture: Image) -> Image:
    shrinks = picture.shape[0] > SIDE
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (SIDE, SIDE), interpolation=way)  # type: ignore[return-value]
