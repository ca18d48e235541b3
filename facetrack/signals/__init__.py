"""Named values computed from a `Face`: eye and mouth opening, head pose, quality."""

from facetrack.signals import geometry, head
from facetrack.signals.signal import SIGNALS, FaceSignal, Signal, register

__all__ = ["SIGNALS", "FaceSignal", "Signal", "geometry", "head", "register"]
