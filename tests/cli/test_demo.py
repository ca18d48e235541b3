"""`facetrack demo` with the shipped model."""

from __future__ import annotations

import contextlib
import io
import json
import re

import pytest
from matplotlib.image import imread

from facetrack.cli.main import main
from facetrack.formats.openface import read_openface
from facetrack.opening import open_source


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    """Run the demo once."""
    folder = tmp_path_factory.mktemp("demo")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = main(["demo", "-o", str(folder)])
    assert status == 0
    return folder, printed.getvalue()


@pytest.mark.slow
def test_every_file_is_where_it_says(demo):
    folder, printed = demo
    for name in ("demo.overlay.mp4", "demo.csv", "demo.plot.png"):
        assert str(folder / name) in printed
    table = read_openface(folder / "demo.csv")
    with open_source(folder / "demo.overlay.mp4") as source:
        assert sum(1 for _ in source) == len(set(table.frame.tolist())) == 300
    assert imread(folder / "demo.plot.png").std() > 0.05
    ledger = json.loads((folder / "demo.ledger.json").read_text())
    assert ledger["summary"] in printed


@pytest.mark.slow
def test_the_clip_is_tracked_well(demo):
    _, printed = demo
    pattern = r"mean ([\d.]+) %, median ([\d.]+) % .* ([\d.]+) % of 300 frames"
    found = re.search(pattern, printed)
    assert found is not None
    mean, median, over = map(float, found.groups())
    assert mean < 4
    assert median < 4
    assert over == 0
