"""The family of errors: each says in one line what, where, the value seen and the remedy."""

from __future__ import annotations

from os import PathLike


class FacetrackError(Exception):
    """Base of every error that Facetrack raises on purpose."""


class InputError(FacetrackError, ValueError):
    """An argument has a wrong type, shape or value."""


class FormatError(FacetrackError, ValueError):
    """A file cannot be read as what it claims to be.

    Parameters
    ----------
    path : path-like
        The file.
    cause : str
        What is wrong, with the value seen.
    remedy : str, optional
        What the reader of the message can do about it.
    line : int, optional
        Line number in the file, from 1.
    """

    def __init__(
        self, path: str | PathLike[str], cause: str, *, remedy: str = "", line: int | None = None
    ) -> None:
        self.path, self.cause, self.remedy, self.line = path, cause, remedy, line
        place = f"{path}, line {line}" if line is not None else f"{path}"
        super().__init__(f"{place}: {cause}" + (f"; {remedy}" if remedy else ""))


class VideoError(FormatError):
    """A video, an image folder or a picture cannot be decoded."""


class CameraError(FacetrackError, OSError):
    """A camera is missing, busy or has vanished."""


class ModelError(FormatError):
    """A model file is broken, of another schema, or of another kind."""


class OutputError(FacetrackError, OSError):
    """A result cannot be written: no permission, no space, a name that is taken."""


class MissingDependencyError(FacetrackError, ImportError):
    """An optional package is needed for what was asked and is not installed."""


class LearningError(FacetrackError, ArithmeticError):
    """What was learned cannot be carried on; the state before is intact."""

    def __init__(self, cause: str, *, remedy: str = "") -> None:
        super().__init__(cause + (f"; {remedy}" if remedy else ""))
