"""Teaching while a video is recorded: rows, profiles, what is left out, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facetrack.annotation.corrections import Correction, write_corrections
from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.ledger import read_checkpoint
from facetrack.corpus.recording import record
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.corpus.teaching import Teaching
from facetrack.errors import LearningError
from facetrack.face import Source
from facetrack.formats.openface import read_openface
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.profile import load_profile
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo
from facetrack.video.sink import VideoWriter, write_video

LONG = 40  # frames
COVERED = (24, 34)


@pytest.fixture(scope="module")
def video(shipped_model) -> SyntheticVideo:
    faces = [SyntheticFace(astronaut(), covered=(COVERED,))]
    return SyntheticVideo(shipped_model.shape_model, n_frames=LONG, size=(320, 240), faces=faces)


@pytest.fixture(scope="module")
def clip(video, tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("taught") / "clip.mp4"
    write_video(video, path)
    return path


def opinion(video, number: int) -> np.ndarray:
    points: np.ndarray = video.truth(number)
    points[17:27, 1] -= 0.08 * outer_eye_distance(points)
    return points


@pytest.fixture
def corrections(video, tmp_path: Path) -> Callable[..., Path]:
    """Give what writes a folder of corrections."""

    def write(*numbers: int, shift: float = 0, source: np.ndarray | None = None) -> Path:
        source = np.full(68, Source.CORRECTED) if source is None else source
        said = {n: Correction(opinion(video, n % LONG) + shift, source) for n in numbers}
        write_corrections(tmp_path / "said", said)
        return tmp_path / "said"

    return write


@pytest.fixture
def run(shipped_model, clip, tmp_path: Path):
    def recorded(name: str = "a", *, resume: bool = False, progress=None, **teaching):
        outputs, model_id = Outputs(tmp_path / name / "clip"), ModelId("m", "0" * 64)
        task = Task(clip, outputs, Settings(), model_id, Teaching(**teaching))
        return record(task, shipped_model, resume=resume, progress=progress)

    return recorded


def table(recorded):
    return read_openface(recorded.task.outputs.path("csv"))


def test_a_corrected_row_is_the_persons_and_later_ones_are_learned(run, video, corrections):
    plain, taught = table(run("plain")), table(run(corrections=corrections(6)))
    assert taught.frame.tolist() == list(range(LONG))
    np.testing.assert_array_equal(taught.points[:6], plain.points[:6])
    np.testing.assert_allclose(taught.points[6], opinion(video, 6), atol=2e-3)
    seen = taught.success & (taught.frame > 6)
    assert [set(taught.source[n]) for n in (5, 6)] == [{Source.TRACKED}, {Source.CORRECTED}]
    assert set(taught.source[seen].ravel()) == {Source.LEARNED}
    wanted = np.array([opinion(video, n) for n in taught.frame[seen]])
    off = [np.linalg.norm(t.points[seen] - wanted, axis=2)[:, 17:27] for t in (plain, taught)]
    assert off[1].mean() < 0.5 * off[0].mean()


def test_hidden_and_absent_points_are_as_the_person_says(run, video, corrections):
    source = np.full(68, Source.CORRECTED)
    source[:3], source[3:5], source[60:] = Source.OCCLUDED, Source.ABSENT, Source.TRACKED
    taught, plain = table(run(corrections=corrections(6, source=source))), table(run("plain"))
    np.testing.assert_array_equal(taught.source[6][:60], source[:60])
    np.testing.assert_allclose(taught.points[6][:3], opinion(video, 6)[:3], atol=2e-3)
    np.testing.assert_array_equal(taught.points[6][60:], plain.points[6][60:])
    assert set(taught.source[6][60:]) == {Source.LEARNED}


def test_smoothing_leaves_corrected_points_alone(shipped_model, clip, video, corrections, tmp_path):
    task = Task(
        clip, Outputs(tmp_path / "clip"), Settings(smoothing=1.0), ModelId("m", ""),
        Teaching(corrections=corrections(6)),
    )  # fmt: skip
    points = table(record(task, shipped_model)).points[6]
    np.testing.assert_allclose(points, opinion(video, 6), atol=2e-3)


@pytest.mark.parametrize(
    ("number", "shift", "why"),
    [
        (COVERED[0] + 5, 0, "no face is tracked there"),
        (6, 90, "no face is tracked there"),
        (LONG + 2, 0, "the video ends at frame 40"),
    ],
)
def test_a_correction_on_no_face_is_said_and_left_out(run, corrections, number, shift, why):
    folder = corrections(12, number, shift=0) if not shift else corrections(number, shift=shift)
    recorded = run(corrections=folder)
    assert recorded.left_out == (f"frame {number + 1}: correction in {folder} left out: {why}",)
    assert recorded.ledger.notes == recorded.left_out
    assert (Source.CORRECTED in table(recorded).source) is not bool(shift)


def test_a_correction_that_vouches_for_nothing_is_left_out(run, corrections):
    folder = corrections(6, source=np.full(68, Source.OCCLUDED))
    (line,) = run(corrections=folder).left_out
    assert "frame 7: " in line
    assert "at least one point" in line


def test_the_profile_is_of_who_was_corrected_and_helps_elsewhere(
    run, shipped_model, video, corrections, tmp_path
):
    anna = tmp_path / "anna.npz"
    assert run(corrections=corrections(6, 20), save_profile=anna).saved_profile
    profile = load_profile(anna, shipped_model.tracking)
    assert (len(profile.examples), len(profile.gallery) > 0) == (2, True)
    known, plain = table(run("known", profile=anna)), table(run("plain"))
    off = [
        np.linalg.norm(t.points[:6] - [opinion(video, n) for n in range(6)], axis=2)[:, 17:27]
        for t in (plain, known)
    ]
    assert off[1].mean() < 0.5 * off[0].mean()
    assert set(known.source[0]) == {Source.LEARNED}


def test_without_corrections_the_first_person_is_kept(run, shipped_model, tmp_path):
    run(save_profile=tmp_path / "first.npz")
    profile = load_profile(tmp_path / "first.npz", shipped_model.tracking)
    assert (profile.examples, len(profile.gallery) > 0) == ((), True)


def test_nobody_to_keep_is_said(shipped_model, tmp_path):
    with VideoWriter(tmp_path / "empty.mp4", (64, 48)) as writer:
        for i in range(3):
            writer.write(np.full((48, 64, 3), 90, np.uint8), i / 30)
    keep = Teaching(save_profile=tmp_path / "nobody.npz")
    outputs, model_id = Outputs(tmp_path / "empty"), ModelId("m", "")
    task = Task(tmp_path / "empty.mp4", outputs, Settings(), model_id, keep)
    recorded = record(task, shipped_model)
    assert recorded.left_out == ("no face was seen, so no profile was written",)
    assert not recorded.saved_profile
    assert not (tmp_path / "nobody.npz").exists()


@pytest.mark.parametrize("stop", [15, 31, 38], ids=["while seen", "while lost", "afterwards"])
def test_a_taught_run_goes_on_to_the_same_bytes(run, corrections, tmp_path, monkeypatch, stop):
    monkeypatch.setattr("facetrack.corpus.recording.CHECKPOINT_EVERY", 10)
    old = tmp_path / "old.npz"
    run("first", corrections=corrections(3), save_profile=old)
    folder = corrections(8, 13, COVERED[0] + 2)
    asked = {"profile": old, "corrections": folder}
    whole = run("whole", **asked, save_profile=tmp_path / "whole.npz")

    def interrupt(source, frame):
        if frame.index == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("parts", progress=interrupt, **asked, save_profile=tmp_path / "parts.npz")
    checkpoint = read_checkpoint(tmp_path / "parts" / "clip.checkpoint.json")
    assert checkpoint is not None
    parts = run("parts", resume=True, **asked, save_profile=tmp_path / "parts.npz")
    assert parts.resumed_at == checkpoint.frames > 0
    a, b = (r.task.outputs.path("csv").read_bytes() for r in (whole, parts))
    assert a == b
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "parts.npz").read_bytes()
    assert parts.left_out == whole.left_out != ()


@pytest.mark.parametrize("stop", [23, 31], ids=["while seen", "while lost"])
def test_a_run_that_adapts_goes_on_to_the_same_bytes(run, corrections, tmp_path, monkeypatch, stop):
    monkeypatch.setattr("facetrack.corpus.recording.CHECKPOINT_EVERY", 10)
    asked = {"corrections": corrections(8), "adapt": True}
    whole = run("whole", **asked, save_profile=tmp_path / "whole.npz")
    plain = run("plain", corrections=asked["corrections"])
    assert np.abs(table(whole).points[20] - table(plain).points[20]).max() > 0.01

    def interrupt(source, frame):
        if frame.index == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("parts", progress=interrupt, **asked, save_profile=tmp_path / "parts.npz")
    parts = run("parts", resume=True, **asked, save_profile=tmp_path / "parts.npz")
    assert parts.resumed_at > 0
    a, b = (r.task.outputs.path("csv").read_bytes() for r in (whole, parts))
    assert a == b
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "parts.npz").read_bytes()
    assert not run("whole", resume=True, corrections=asked["corrections"]).skipped


def test_a_teacher_whose_state_was_damaged_starts_anew(
    run, shipped_model, corrections, tmp_path, monkeypatch
):
    monkeypatch.setattr("facetrack.corpus.recording.CHECKPOINT_EVERY", 10)
    asked = {"corrections": corrections(8), "save_profile": tmp_path / "p.npz"}

    def interrupt(source, frame):
        if frame.index == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(progress=interrupt, **asked)
    path = tmp_path / "a" / "clip.checkpoint.json"
    content = json.loads(path.read_text())
    content["tracker"]["tracks"] = 3
    path.write_text(json.dumps(content))
    recorded = run(resume=True, **asked)
    assert recorded.resumed_at == 0
    assert len(load_profile(asked["save_profile"], shipped_model.tracking).examples) == 1


def test_what_is_taught_decides_what_is_finished(run, corrections, tmp_path):
    profile = tmp_path / "p.npz"
    asked = {"corrections": corrections(6), "save_profile": profile}
    run(**asked)
    assert run(resume=True, **asked).skipped
    profile.unlink()
    assert not run(resume=True, **asked).skipped
    corrections(6, 9)
    assert not run(resume=True, **asked).skipped
    assert not run(resume=True, corrections=asked["corrections"]).skipped
    assert not run(resume=True).skipped
    other = tmp_path / "other.npz"
    run("b", profile=profile)
    other.write_bytes(profile.read_bytes())
    assert run("b", resume=True, profile=other).skipped  # the same content elsewhere


def test_a_model_that_cannot_learn_is_an_error(shipped_model, clip, tmp_path):
    old = replace(shipped_model, priors=())
    keep = Teaching(save_profile=tmp_path / "p.npz")
    task = Task(clip, Outputs(tmp_path / "clip"), Settings(), ModelId("m", fingerprint(old)), keep)
    with pytest.raises(LearningError, match="cannot learn"):
        record(task, old)
