"""One face in one frame, as estimators look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.features.crops import FRAME_SIZE, Crop, Cut
from facetrack.features.maps import MapBuilder, Maps
from facetrack.video.frame import Frame, Image

REFERENCE: Final = Crop("frame", (FRAME_SIZE, FRAME_SIZE))

Points = npt.NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Observation:
    """One face in one frame, with its pixels where there are any.

    Attributes
    ----------
    index : int
        Of the frame, from 0.
    timestamp : float
        Seconds; grows from frame to frame.
    face : Face
        Tracked or lost.
    frame : Frame or None
        The picture; None where only landmarks are known, which estimators that need no pixels must
        not notice.
    """

    index: int
    timestamp: float
    face: Face
    frame: Frame | None = field(default=None, repr=False)
    _shared: dict[Any, tuple[Points, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def grey(self) -> Image:
        """Grey values of the whole frame, shape (H, W), uint8, converted once for everybody."""
        return self._pictured().grey

    @property
    def image(self) -> Image:
        """Colours of the whole frame, shape (H, W, 3), uint8 BGR, converted once for everybody."""
        return self._pictured().image

    def cut(self, crop: Crop, mean: Points) -> Cut:
        """Cut a region of the face out; estimators that want the same one share it.

        Parameters
        ----------
        crop : Crop
            What is cut.
        mean : ndarray, shape (68, 2), float64
            The mean shape that faces are aligned to: an estimator brings its own, always the same
            array, so that its crops do not change with the tracker's model.

        Returns
        -------
        Cut

        Raises
        ------
        InputError
            If there is no picture, or a point has no place.
        """
        image = self.image if crop.colour else self.grey
        return self._once(crop, mean, lambda: crop.cut(image, self.face.points, mean))

    def maps(self, mean: Points) -> list[Maps]:
        """Compute the orientation maps of the reference frame; shared as `cut` is.

        Parameters
        ----------
        mean : ndarray, shape (68, 2), float64
            See `cut`.

        Returns
        -------
        list of ndarray, each shape (h, w, 8), float32
            Of `features.maps.DEFAULT_MAPS`; not to be written to.

        Raises
        ------
        InputError
            See `cut`.
        """
        frame = self.cut(REFERENCE, mean).pixels
        return self._once("maps", mean, lambda: MapBuilder().build(frame))

    def shared(self, key: object, mean: Points, make: Callable[[], T]) -> T:
        """Compute something of this frame once for all estimators that align to one mean shape.

        Parameters
        ----------
        key : hashable
            What it is, and by which model.
        mean : ndarray, shape (68, 2), float64
            See `cut`.
        make : callable
            Computes it.

        Returns
        -------
        object
            What `make` returned, for whoever asked first.
        """
        return self._once(("shared", key), mean, make)

    def _once(self, key: object, mean: Points, make: Callable[[], T]) -> T:
        known = self._shared.get(key)
        if known is None or known[0] is not mean:
            known = self._shared[key] = mean, make()
        made: T = known[1]
        return made

    def _pictured(self) -> Frame:
        if self.frame is None:
            raise InputError(f"frame {self.index}: an estimator asks for pixels, there are none")
        return self.frame
