"""A chart of one tracked face beside its exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from facetrack.evaluation.errors import LIMIT
from facetrack.face import Face
from facetrack.reporting.plots import PALETTE, new_figure, save_figure
from facetrack.signals.geometry import GEOMETRY
from facetrack.signals.head import head_angles

Floats = npt.NDArray[np.float64]

_ANGLES: Final = ("pose_pitch", "pose_yaw", "pose_roll")
_PANELS: Final = (
    ("head pose, degrees", {"pose_yaw": "yaw", "pose_pitch": "pitch", "pose_roll": "roll"}),
    ("eye opening", {"eye_opening_right": "right eye", "eye_opening_left": "left eye"}),
    ("mouth opening", {"mouth_opening": "mouth"}),
)


def draw_chart(
    path: Path,
    times: Floats,
    errors: Floats,
    faces: Sequence[Face | None],
    truth: Sequence[Face | None],
    *,
    title: str,
) -> None:
    """Draw error, pose, eye and mouth opening over time; raises OutputError.

    `errors` are means of frames as fractions of the outer-eye distance, not finite where lost.
    """
    figure = new_figure(9, 9)
    top, *rest = figure.subplots(4, sharex=True, height_ratios=[3, 3, 2, 2])
    figure.suptitle(title)
    _draw_errors(top, times, errors)
    for axes, (label, names) in zip(rest, _PANELS, strict=True):
        axes.set_ylabel(label)
        for colour, (name, words) in zip(PALETTE, names.items(), strict=False):
            axes.plot(times, _values(name, truth), "--", color="0.45", lw=1.0, label="truth")
            axes.plot(times, _values(name, faces), color=colour, lw=1.4, label=words, zorder=3)
        _add_legend(axes)
    rest[-1].set_xlabel("time, s")
    rest[-1].set_xlim(times[0], times[-1])
    save_figure(figure, path)


def _values(name: str, faces: Sequence[Face | None]) -> list[float]:
    return [_value(name, face) if face is not None else np.nan for face in faces]


def _value(name: str, face: Face) -> float:
    if name in _ANGLES:
        return head_angles(face)[_ANGLES.index(name)]
    return GEOMETRY.read(face)[name].value


def _draw_errors(axes: Axes, times: Floats, errors: Floats) -> None:
    found = np.isfinite(errors)
    percent = np.where(found, 100 * errors, np.nan)
    axes.plot(times, percent, color="black", linewidth=1.2, label="mean of the 68 points")
    axes.axhline(100 * LIMIT, color=PALETTE[1], linestyle=":", label="8 %")
    if not found.all():
        lost = times[~found]
        axes.plot(lost, np.zeros(len(lost)), "x", color=PALETTE[1], label="lost", clip_on=False)
    axes.set_ylim(0, max(10.0, 1.05 * float(np.nanmax(percent, initial=0.0))))
    axes.set_ylabel("error, % of the\nouter-eye distance")
    _add_legend(axes)


def _add_legend(axes: Axes) -> None:
    """Name every kind of line once, beside the lines instead of on them."""
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    axes.legend(once.values(), once.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.grid(alpha=0.3)
