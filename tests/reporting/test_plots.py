"""Plots of any kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from facetrack.errors import OutputError
from facetrack.reporting.plots import plot_bars, svg, titled_axes


def test_bars_are_drawn(tmp_path: Path) -> None:
    plot_bars(tmp_path / "b.svg", {"a": 1.0, "b": 2.5}, title="t", unit="ms")
    assert (tmp_path / "b.svg").read_text().startswith("<?xml")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        plot_bars(tmp_path / "nowhere" / "b.png", {"a": 1.0}, title="t", unit="ms")


def test_the_same_figure_is_the_same_svg() -> None:
    figure, axes = titled_axes("t")
    axes.plot([1, 2])
    drawn = svg(figure)
    assert drawn.startswith(b"<?xml")
    assert drawn == svg(figure)
