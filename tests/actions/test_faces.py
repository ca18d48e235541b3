"""From films to a recogniser's file, and the comparison with another program."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facetrack.actions import films
from facetrack.actions.classes import CLASSES
from facetrack.actions.films import Acted, Part, act, parts, read_acted, write_acted
from facetrack.actions.looks import LOOK, Looks
from facetrack.actions.recogniser import load_recogniser
from facetrack.cli.main import main
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.actions import PEERS, Followed, channel_spans, compare
from facetrack.fitting.face_model import FaceModel
from facetrack.networks.expression import load_encoder
from facetrack.reading import Event
from facetrack.synthetic.actions import ACTIONS
from facetrack.synthetic.portrait import astronaut


def acted(name: str, person: int, seed: int) -> Acted:
    """Make looks in which each class moves a value of its own, between frames 20 and 29."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.02, (48, len(LOOK)))
    if name:
        values[20:30, CLASSES.index(name)] += 1.0
    return Acted(name, person, values, 20 if name else -1, 29 if name else -1)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def archives(folder: Path) -> Path:
    folder.mkdir()
    for split, person in (("train", 0), ("test", 3)):
        made = [acted(name, person, i) for i, name in enumerate((*CLASSES, ""))]
        write_acted(folder / f"{split}.0.npz", made)
    return folder


def test_plans_keep_people_apart_and_film_every_action() -> None:
    own, tested = (parts(5, 8, tested=tested) for tested in (False, True))
    assert {part.portrait for part in tested} <= {3, 7}
    assert not {part.portrait for part in own} & {3, 7}
    assert len(own) == 5 * (len(ACTIONS) + 1)
    assert {(p.action, p.side) for p in own} >= {("wink", "left"), ("wink", "right"), ("nod", "")}
    assert parts(6, 8, tested=False)[: len(own)] == own  # more rounds keep what is there


def test_archives_hold_all_of_it(tmp_path: Path) -> None:
    made = [acted("smile", 2, 0), acted("", 5, 1)]
    write_acted(tmp_path / "a.npz", made)
    for one, again in zip(made, read_acted(tmp_path / "a.npz"), strict=True):
        assert np.array_equal(one.values, again.values)
        assert (one.name, one.person, one.start, one.stop) == (
            again.name, again.person, again.start, again.stop,
        )  # fmt: skip
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[:-200])
    with pytest.raises(FormatError):
        read_acted(tmp_path / "a.npz")


def test_a_film_is_looked_at(shipped_model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "FRAMES", 26)
    picture: Any = SimpleNamespace(read_bgr=lambda: astronaut().image, points=astronaut().points)
    found = act(Part("blink", "", 0, 5), [picture], shipped_model, load_encoder())
    assert found.name == "blink"
    assert np.isfinite(found.values).all()
    eyes = found.values[:, [LOOK.index("opening_left_eye"), LOOK.index("opening_right_eye")]]
    closed = eyes[found.start : found.stop + 1].min(axis=0)
    assert (closed < np.median(eyes, axis=0) - 0.03).all()


def test_learning_from_films(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    folder, model = archives(tmp_path / "films"), tmp_path / "mine.npz"
    command = ["actions", "learn", str(folder), "-o", str(model), "--work", str(tmp_path / "run"),
               "--epochs", "2"]  # fmt: skip
    assert main([*command, "--offer", "smile", "yawn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[-12:]] == list(CLASSES)
    recogniser = load_recogniser(model)
    assert recogniser.card["offered"] == ["smile", "yawn"]
    assert set(recogniser.card["f1_synthetic"]) == set(CLASSES)
    from facetrack.actions.signal import FilterBank

    specs = {spec.name: spec.meaning for spec in FilterBank(str(model)).specs}
    assert set(specs) == {"smile", "yawn"}
    assert "synthetic only" in specs["yawn"]
    assert "synthetic only" not in specs["smile"]
    assert main([*command, "--offer", "sneeze"]) == 1
    assert "no action 'sneeze'" in capsys.readouterr().err
    assert main(["actions", "learn", str(tmp_path), "-o", str(model), "--work", "x"]) == 1
    assert "train.*.npz" in capsys.readouterr().err


def test_a_missing_model_leaves_the_other_signals(caplog: pytest.LogCaptureFixture) -> None:
    from facetrack.actions.signal import FilterBank

    assert FilterBank("nowhere.npz").specs == ()
    assert "are left out" in caplog.text


def test_channels_above_their_median_are_events() -> None:
    values, times = np.full(100, 0.1), np.arange(100) / 25
    values[20:24] = 0.5  # four frames
    values[40:43] = 0.5  # three
    values[60:63] = values[66:70] = 0.5  # joined over a gap of three
    values[80] = np.nan
    assert channel_spans(values, times) == [(20 / 25, 23 / 25), (60 / 25, 69 / 25)]


def test_the_comparison_counts_each_event_once() -> None:
    times = np.arange(500) / 25
    looks = Looks(times, np.zeros((500, len(LOOK))))
    events = tuple(Event("mouth_open", t, t, t + 1.6, 0.8) for t in (4.0, 12.0))
    theirs = {action: {"a": np.zeros(500), "b": np.zeros(500)} for action in PEERS}
    theirs["mouth_open"]["a"][100:120] = theirs["mouth_open"]["a"][130:140] = 0.8
    nothing = SimpleNamespace(responses=np.zeros((0, 1, 24)), probabilities=np.zeros(0))
    silent: Any = SimpleNamespace(classes=(), see=lambda clip: nothing)
    clips = {name: Followed(looks, events) for name in ("a", "b")}
    rows = compare(clips, theirs, silent, rng())
    (row,) = (r for r in rows if (r["action"], r["way"]) == ("mouth_open", "rules"))
    assert (row["labelled"], row["found"], row["hits"]) == (2, 4, 1)
    assert row["f1"] == pytest.approx(2 / 6)
    assert row["false_per_minute"] == pytest.approx(3 / (40 / 60), rel=1e-3)
    assert row["low"] <= row["f1"] <= row["high"]
    assert all(r["found"] == 0 for r in rows if r["way"] == "filter bank")
    assert row["clips"] == {"a": [2, 2, 1], "b": [0, 2, 0]}
    ways = {r["way"] for r in rows} - {r["way"] for r in compare(clips, theirs, None, rng())}
    assert ways == {"filter bank"}


def test_the_rules_are_applied_to_the_other_programs_channels() -> None:
    times = np.arange(500) / 25
    theirs = {action: {"a": np.zeros(500)} for action in PEERS}
    theirs["smile"]["a"][100:120] = 0.36
    theirs["smile"]["a"][200:220] = 0.5
    clips = {"a": Followed(Looks(times, np.zeros((500, len(LOOK)))), ())}
    rows = [r for r in compare(clips, theirs, None, rng()) if r["action"] == "smile"]
    found = {r["way"]: (r["labelled"], r["found"], r["hits"]) for r in rows}
    own = "rules, its own channels"
    assert found == {
        "rules": (2, 0, 0), own: (2, 2, 2), f"{own} x 0.8": (2, 1, 1), f"{own} x 1.25": (2, 2, 2),
    }  # fmt: skip


def test_an_action_that_was_never_filmed_is_named(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from facetrack.actions.train.learning import learn

    for split in ("train", "test"):
        write_acted(tmp_path / f"{split}.0.npz", [acted("smile", 0, 0), acted("", 0, 1)])
    with pytest.raises(InputError, match="no clip of 'blink'"):
        learn(tmp_path, tmp_path / "run", name="x", epochs=1)
