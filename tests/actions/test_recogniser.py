"""The recogniser in numpy: what torch trained, its file, and classes that are added to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facetrack.actions.classes import CLASSES
from facetrack.actions.films import Acted
from facetrack.actions.looks import LOOK
from facetrack.actions.recogniser import WINDOW, Recogniser, load_recogniser, relative
from facetrack.actions.train.bank import ActionNetwork
from facetrack.actions.train.faces import Clips, add_class, recogniser_of, together, train, windows
from facetrack.errors import InputError, ModelError
from facetrack.networks.train.fitting import Schedule

KNOWN = ("mouth", "brows")
CUES = {"mouth": "jawOpen", "brows": "browInnerUp", "smile": "mouthSmileLeft"}


def clips(name: str, count: int, seed: int) -> np.ndarray:
    """Make clips in which one value rises and falls within eight frames, somewhere."""
    rng = np.random.default_rng(seed)
    made = rng.normal(0, 0.05, (count, WINDOW, len(LOOK)))
    for clip in made if name else ():
        begin = rng.integers(0, WINDOW - 8)
        clip[begin : begin + 8, LOOK.index(CUES[name])] += np.hanning(8)
    return made


def labelled(count: int, seed: int) -> Clips:
    parts = [
        Clips(clips(name, count, seed + i), np.tile([float(name == k) for k in KNOWN], (count, 1)))
        for i, name in enumerate((*KNOWN, ""))
    ]
    return together(parts)


@pytest.fixture(scope="module")
def trained() -> tuple[ActionNetwork, np.ndarray]:
    return train(labelled(40, 0), Schedule(20, batch=24, rate=3e-3))


@pytest.fixture(scope="module")
def recogniser(trained: tuple[ActionNetwork, np.ndarray]) -> Recogniser:
    halves, levels = dict.fromkeys(KNOWN, 0.5), dict.fromkeys(KNOWN, 0.0)
    return recogniser_of(
        *trained,
        name="two",
        classes=KNOWN,
        thresholds=halves,
        levels=levels,
        card={"terms": "a test"},
    )


def test_it_says_what_torch_says(
    trained: tuple[ActionNetwork, np.ndarray], recogniser: Recogniser
) -> None:
    network, scale = trained
    for clip in labelled(2, 50).values:
        x = torch.from_numpy((clip / scale).astype(np.float32)).T[None, ..., None, None]
        with torch.no_grad():
            scores = network(x)
        seen = recogniser.see(clip)
        for name, z in scores.branches.items():
            np.testing.assert_allclose(seen.logits[name], z[0].numpy(), atol=1e-4)
        np.testing.assert_allclose(seen.probabilities, scores.probabilities()[0].numpy(), atol=1e-5)
        np.testing.assert_allclose(
            seen.responses, scores.responses[0, ..., 0, 0].numpy(), atol=1e-4
        )


def test_it_names_what_it_learned(recogniser: Recogniser) -> None:
    tested = labelled(20, 100)
    found = np.array([recogniser.see(clip).probabilities >= 0.5 for clip in tested.values])
    assert (found == tested.labels).mean() > 0.95


def test_cues_are_gradient_times_value_of_the_strongest_filter(
    trained: tuple[ActionNetwork, np.ndarray], recogniser: Recogniser
) -> None:
    network, scale = trained
    for name in KNOWN:
        clip = clips(name, 1, 80)[0]
        x = torch.from_numpy((clip / scale).astype(np.float32)).T[None, ..., None, None]
        x.requires_grad_()
        network(x).responses[0, KNOWN.index(name)].amax().backward()
        assert x.grad is not None
        expected = (x.grad * x).detach().sum(dim=(0, 2, 3, 4)).numpy()
        np.testing.assert_allclose(recogniser.cues(clip, name), expected, atol=1e-4)
        assert LOOK[int(np.argmax(expected))] == CUES[name]


def test_a_file_holds_all_of_it(recogniser: Recogniser, tmp_path: Path) -> None:
    recogniser.write(tmp_path / "two.npz")
    again = load_recogniser(tmp_path / "two.npz")
    assert (again.classes, again.inputs, again.thresholds) == (KNOWN, LOOK, recogniser.thresholds)
    clip = clips("mouth", 1, 7)[0]
    assert np.array_equal(again.see(clip).probabilities, recogniser.see(clip).probabilities)
    content = (tmp_path / "two.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError):
        load_recogniser(tmp_path / "cut.npz")


def test_a_new_class_from_five_examples_leaves_the_old_ones_as_they_are(
    recogniser: Recogniser,
) -> None:
    others = np.concatenate([clips(name, 10, 30 + i) for i, name in enumerate((*KNOWN, ""))])
    wider = add_class(recogniser, "smile", clips("smile", 5, 40), others)
    assert wider.classes == (*KNOWN, "smile")
    tested = np.concatenate([clips(n, 15, 60 + i) for i, n in enumerate(("smile", *KNOWN, ""))])
    found = []
    for clip in tested:
        before, after = recogniser.see(clip), wider.see(clip)
        for name, logits in before.logits.items():
            assert np.array_equal(logits, after.logits[name][:2]), name
        assert np.array_equal(before.responses, after.responses[:2])
        found.append(after.probabilities[2] >= wider.thresholds["smile"])
    assert np.mean(found[:15]) > 0.8
    assert np.mean(found[15:]) < 0.2
    again = add_class(wider, "smile_again", clips("smile", 5, 41), others)
    for clip in tested[:5]:
        assert np.array_equal(
            wider.see(clip).logits["direct"], again.see(clip).logits["direct"][:3]
        )


def test_wrong_clips_are_named(recogniser: Recogniser) -> None:
    clip = clips("", 1, 0)[0]
    with pytest.raises(InputError, match="24 frames of 47 finite values"):
        recogniser.see(clip[:-1])
    clip[3, 2] = np.nan
    with pytest.raises(InputError, match="finite"):
        recogniser.see(clip)


def test_looks_are_measured_from_the_usual_one() -> None:
    looks = np.zeros((60, 2))
    looks[:, 0] = 3.0
    looks[50:54, 1] = 1.0
    clip = relative(looks, 60)
    assert clip.shape == (WINDOW, 2)
    assert not clip[:, 0].any()
    assert clip[:, 1].sum() == 4


def test_windows_of_a_film_say_only_what_is_certain() -> None:
    values = np.zeros((48, len(LOOK)))
    cut = windows(Acted("smile", 0, values, 20, 29), every=1)
    column = cut.labels[::2, CLASSES.index("smile")]
    stops = np.arange(WINDOW, 49)
    held = np.array([max(0, min(s, 30) - max(s - WINDOW, 20)) for s in stops.tolist()]) / 10
    assert (column[held >= 0.7] == 1).all()
    assert (column[held <= 0.15] == 0).all()
    assert np.isnan(column[(held > 0.15) & (held < 0.7)]).all()
    yawn = windows(Acted("yawn", 0, values, 10, 40)).labels
    assert np.isnan(yawn[:, CLASSES.index("mouth_open")]).any()
    nothing = windows(Acted("", 0, values, -1, -1)).labels
    assert not nothing.any()
    wink = windows(Acted("wink_left", 0, values, 20, 29))
    left, right = CLASSES.index("wink_left"), CLASSES.index("wink_right")
    assert np.array_equal(wink.labels[:, left], wink.flipped().labels[:, right], equal_nan=True)
