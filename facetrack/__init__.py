"""Facetrack: a face tracker that a person can teach.

The names below load their modules at first use: `import facetrack` itself compiles nothing and
imports neither numba, scipy nor OpenCV.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facetrack.corpus.run import analyse, detect, track
    from facetrack.errors import FacetrackError
    from facetrack.face import Face, Fit, Pose, Source, State
    from facetrack.fitting.warm_up import warm_up
    from facetrack.learning.profile import Profile, load_profile
    from facetrack.model import load_model
    from facetrack.tracking.tracker import Tracker

    __version__: str

__all__ = [
    "Face",
    "FacetrackError",
    "Fit",
    "Pose",
    "Profile",
    "Source",
    "State",
    "Tracker",
    "__version__",
    "analyse",
    "detect",
    "load_model",
    "load_profile",
    "track",
    "warm_up",
]

_HOMES = {
    "Face": "facetrack.face",
    "FacetrackError": "facetrack.errors",
    "Fit": "facetrack.face",
    "Pose": "facetrack.face",
    "Profile": "facetrack.learning.profile",
    "Source": "facetrack.face",
    "State": "facetrack.face",
    "Tracker": "facetrack.tracking.tracker",
    "analyse": "facetrack.corpus.run",
    "detect": "facetrack.corpus.run",
    "load_model": "facetrack.model",
    "load_profile": "facetrack.learning.profile",
    "track": "facetrack.corpus.run",
    "warm_up": "facetrack.fitting.warm_up",
}


def __getattr__(name: str) -> object:
    """Load a public name at its first use (PEP 562)."""
    if name == "__version__":
        value: object = import_module("facetrack.version").installed_version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'facetrack' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Offer the public names to completion before they are loaded."""
    return sorted({*globals(), *__all__})
