"""A class from a few examples in videos, and its way into the tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from facetrack.actions.classes import CLASSES
from facetrack.actions.films import Acted
from facetrack.actions.looks import LOOK, Looks
from facetrack.actions.recogniser import WINDOW, Recogniser, load_recogniser
from facetrack.actions.signal import FilterBank, with_actions
from facetrack.actions.train.faces import Clips, recogniser_of, train
from facetrack.actions.train.few import cut_examples, rehearsal, teach
from facetrack.cli.main import main
from facetrack.corpus.task import Settings
from facetrack.errors import InputError, ModelError
from facetrack.evaluation import actions
from facetrack.networks.train.fitting import Schedule
from facetrack.signals.registry import choose

RATE = 25
BEGINS = (40, 90, 140, 190, 240)  # frames of the examples


def video(cue: str, seed: int, length: int = 300) -> Looks:
    """Show a cue for ten frames, five times."""
    values = np.random.default_rng(seed).normal(0, 0.03, (length, len(LOOK)))
    for begin in BEGINS:
        values[begin : begin + 10, LOOK.index(cue)] += np.hanning(10)
    return Looks(np.arange(length) / RATE, values)


SPANS = [(begin / RATE, (begin + 9) / RATE) for begin in BEGINS]


@pytest.fixture(scope="module")
def known() -> Recogniser:
    """Return a recogniser of raised brows, which are called a frown."""
    shown, others = cut_examples(video("browInnerUp", 0), SPANS)
    values = np.concatenate([*shown, others])
    labels = (np.arange(len(values)) < sum(map(len, shown))).astype(float)[:, None]
    network, scale = train(Clips(values, labels), Schedule(8, batch=16, rate=3e-3))
    return recogniser_of(
        network, scale, name="one", classes=("frown",), thresholds={"frown": 0.5},
        levels={"frown": 0.0}, card={"offered": ["frown"]},
    )  # fmt: skip


def test_examples_hold_the_action_and_others_do_not() -> None:
    looks = video("jawOpen", 1)
    looks.values[130:160] = np.nan  # the face leaves in the third example
    shown, others = cut_examples(looks, SPANS)
    assert [len(clips) > 0 for clips in shown] == [True, True, False, True, True]
    column = LOOK.index("jawOpen")
    assert all(clips[..., column].max(axis=1).min() > 0.8 for clips in shown if len(clips))
    assert others[..., column].max() < 0.7
    nothing, rest = cut_examples(looks, [])
    assert (nothing, len(rest) > len(others)) == ([], True)
    short = Looks(looks.times[: WINDOW - 1], looks.values[: WINDOW - 1])
    assert [len(clips) for clips in cut_examples(short, SPANS)[0]] == [0] * 5


def test_what_is_rehearsed_is_of_all_classes() -> None:
    films = []
    for i, name in enumerate((*CLASSES, "")):
        values = np.full((96, len(LOOK)), float(i))
        films.append(Acted(name, 0, values, 40 if name else -1, 49 if name else -1))
        values[40:50, 0] += 1 + i
    kept = rehearsal(films, each=2)
    tops = set(np.round(kept[..., 0].max(axis=1)).tolist())
    assert tops >= {1.0 + i for i in range(len(CLASSES))}
    with pytest.raises(InputError, match="no clip to rehearse"):
        rehearsal([])


def test_a_class_is_taught_from_marked_videos(
    known: Recogniser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known.write(tmp_path / "one.npz")
    (tmp_path / "clip.mp4").touch()
    rows = [f"lean,{start},{stop}" for start, stop in SPANS]
    events = tmp_path / "clip.events.csv"
    events.write_text("\n".join(["name,start,stop", *rows, "other,0,1"]), "utf-8")
    looks = video("jawOpen", 2)
    looks.values[:] += np.roll(video("browInnerUp", 6).values, 25, axis=0)  # between the examples
    followed = SimpleNamespace(looks=looks)
    monkeypatch.setattr(actions, "follow", lambda path, model: followed)
    command = ["actions", "teach", str(tmp_path / "one.npz")]
    rest = [str(events), "--videos", str(tmp_path), "-o", str(tmp_path / "two.npz")]
    assert main([*command, "lean", *rest]) == 0
    assert "clip.mp4: 5 examples" in capsys.readouterr().out
    wider = load_recogniser(tmp_path / "two.npz")
    assert wider.classes == ("frown", "lean")
    assert wider.card["offered"] == ["frown", "lean"]
    shown, others = cut_examples(video("jawOpen", 3), SPANS)
    brows = np.concatenate(cut_examples(video("browInnerUp", 4), SPANS)[0])
    said: dict[str, list[bool]] = {}
    for kind, clips in (("lean", np.concatenate(shown)), ("frown", brows), ("", others)):
        for clip in clips:
            before, after = known.see(clip), wider.see(clip)
            for branch, logits in before.logits.items():
                assert np.array_equal(logits, after.logits[branch][:1]), branch
            found = bool(after.probabilities[1] >= wider.thresholds["lean"])
            said.setdefault(kind, []).append(found)
    assert np.mean(said["lean"]) > 0.8
    assert np.mean([*said["frown"], *said[""]]) < 0.1
    for name, complaint in (("frown", "knows 'frown' already"), ("smirk", "in 0 of 0 examples")):
        assert main([*command, name, *rest]) == 1
        assert complaint in capsys.readouterr().err
    (tmp_path / "clip.mp4").unlink()
    assert main([*command, "lean", *rest]) == 1
    assert "holds no clip 'clip'" in capsys.readouterr().err


def test_a_class_needs_clips_without_it(known: Recogniser) -> None:
    shown, others = cut_examples(video("jawOpen", 5), SPANS)
    with pytest.raises(InputError, match="no clip without"):
        teach(known, "lean", shown, others[:0])


def test_tables_have_what_no_other_signal_says(known: Recogniser, tmp_path: Path) -> None:
    path = str(tmp_path / "one.npz")
    replace(known, card={"offered": ["frown", "blink"]}).write(path)
    chosen = Settings(signals="blinks", actions=path).choice()
    assert [e.name for e in chosen.estimators] == ["blinks", "action_bank"]
    assert [spec.name for spec in chosen.events] == ["blink", "eyes_closed", "frown"]
    bank = chosen.estimators[-1]
    assert isinstance(bank, FilterBank)
    assert [spec.name for spec in bank.specs] == ["frown"]
    other = str(tmp_path / "other.npz")
    replace(known, card={"offered": ["blink"]}).write(other)
    with pytest.raises(InputError, match="offers no action"):
        with_actions(choose("blinks"), other)
    with pytest.raises(ModelError, match="nowhere"):
        Settings(actions="nowhere.npz")
