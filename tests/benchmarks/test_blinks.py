"""Ways to find blinks: what a bank learns of the talker, and frames of what it names."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import blinks
from benchmarks.actions import acted
from facetrack.actions.classes import CLASSES
from facetrack.actions.films import Acted
from facetrack.actions.looks import LOOK, Looks
from facetrack.actions.recogniser import WINDOW
from facetrack.datasets.events import Label
from tests.actions.test_timeline import looks, recogniser

BLINK = CLASSES.index("blink")


def test_the_talkers_clips_hold_one_blink_or_a_stretch_without_any() -> None:
    values = np.repeat(np.arange(75.0)[:, None], len(LOOK), axis=1)
    seen = Looks(np.arange(75) / 25, values)
    labels = [Label("blink", 20, 22, 24), Label("blink", 50, 52, 54), Label("no_blink", 0, 0, 12)]
    clips = blinks.clips_of_talker(seen, labels)
    said = clips.labels[:, BLINK]
    # the stretch is shorter than a clip; each of the blinks fills clips up to the other one
    assert np.isnan(np.delete(clips.labels, BLINK, axis=1)).all()
    assert set(said[np.isfinite(said)].tolist()) <= {0.0, 1.0}
    assert (said == 1).sum() > 4
    frames = clips.values[..., 0] - clips.values[:, :1, 0]  # from each clip's own first frame
    np.testing.assert_allclose(frames, np.tile(np.arange(WINDOW), (len(said), 1)))
    alone = blinks.clips_of_talker(seen, [Label("no_blink", 0, 0, 40)])
    assert len(alone.labels) == 2 * len(range(WINDOW, 42, 2))
    assert not alone.labels[:, BLINK].any()
    short = blinks.clips_of_talker(seen, [Label("no_blink", 0, 0, 10)])
    assert not len(short.labels)


def test_a_bank_gives_frames_of_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blinks, "BLINK", "mouth_open")
    values = looks(150, (60, 71))  # at 30 frames a second
    (found,) = blinks.by_bank(Looks(np.arange(150) / 30, values), recogniser())
    assert abs(found.start - 60) <= 1
    assert abs(found.stop - 71) <= 1
    assert found.start <= found.apex <= found.stop


def test_rules_see_what_synthetic_people_act() -> None:
    values = np.zeros((96, len(LOOK)))
    values[30:50, LOOK.index("pitch")] = np.radians(10) * np.sin(np.arange(20) * np.pi / 10)
    nod = Acted("nod", 0, values, 30, 49)
    smiles = np.zeros((96, len(LOOK)))
    smiles[40:60, [LOOK.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]] = 0.6
    shown = acted.counted([nod, Acted("smile", 0, smiles, 40, 59)], acted.by_rules)
    assert (shown["nod"], shown["smile"], shown["shake"]) == ([1, 1, 0], [1, 1, 0], [0, 0, 0])
    shown = acted.counted([Acted("", 0, values, -1, -1)], acted.by_rules)
    assert shown["nod"] == [0, 0, 1]
