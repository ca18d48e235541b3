"""Signals: values and events of every face, from estimators that run along with the tracker."""

from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.signals.estimator import Estimator, FaceEstimator, Run
from facetrack.signals.observation import Observation
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import Choice, choose, estimators, register, signals

__all__ = [
    "NO_STATE",
    "Choice",
    "Estimator",
    "FaceEstimator",
    "Observation",
    "Pipeline",
    "Run",
    "Stateful",
    "choose",
    "estimators",
    "register",
    "signals",
]
