"""Pictures of evaluations."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from facetrack.evaluation.plots import plot_cumulative


def test_curves_are_drawn_without_a_display(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    errors = {"good": np.linspace(0, 0.05, 50), "bad": np.array([np.inf, np.nan])}
    plot_cumulative(tmp_path / "c.png", errors, title="t")
    picture = cv2.imread(str(tmp_path / "c.png"))
    assert picture is not None
    assert (picture.max(axis=2) - picture.min(axis=2) > 60).sum() > 200  # coloured lines
