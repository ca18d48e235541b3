"""One face in one frame, as estimators look at it."""

from __future__ import annotations

from dataclasses import dataclass, field

from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.video.frame import Frame, Image


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

    @property
    def grey(self) -> Image:
        """Grey values of the whole frame, shape (H, W), uint8, converted once for everybody.

        Raises
        ------
        InputError
            If there is no picture.
        """
        return self._pictured().grey

    @property
    def image(self) -> Image:
        """Colours of the whole frame, shape (H, W, 3), uint8 BGR, converted once for everybody.

        Raises
        ------
        InputError
            If there is no picture.
        """
        return self._pictured().image

    def _pictured(self) -> Frame:
        if self.frame is None:
            raise InputError(f"frame {self.index}: an estimator asks for pixels, there are none")
        return self.frame
