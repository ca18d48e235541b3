"""Whatever shows a score of the demonstration says that it was not trained on pain."""

from __future__ import annotations

import csv
from pathlib import Path

from facetrack.corpus.signal_files import SignalFiles
from facetrack.corpus.task import Outputs
from facetrack.formats.annotation import event_annotations
from facetrack.formats.signals_csv import SignalWriter
from facetrack.pain.signal import EPISODE, PAIN, SCORE
from facetrack.reading import EventRecord, Reading, Row
from facetrack.signals.registry import Choice

SAID = "demonstration model, not trained on pain"
CHOICE = Choice((PAIN,), frozenset(spec.name for spec in PAIN.specs))


def test_every_signal_says_it() -> None:
    assert {spec.model for spec in PAIN.specs} == {SAID}


def test_the_ledger_says_it_once_of_the_score(tmp_path: Path) -> None:
    assert SignalFiles(Outputs(tmp_path / "clip"), CHOICE).notes() == (f"{SCORE}: {SAID}",)


def test_a_column_says_it_in_every_row(tmp_path: Path) -> None:
    path = tmp_path / "clip.signals.csv"
    said = {spec.name: Reading(1.0, 0.0, 2.0) for spec in CHOICE.values}
    with SignalWriter(path, CHOICE.values) as writer:
        writer.write([Row(n, n / 25, 0, said) for n in range(3)])
    with path.open(encoding="utf-8", newline="") as stream:
        assert [row["pain_model"] for row in csv.DictReader(stream)] == [SAID] * 3


def test_the_tier_is_named_by_it() -> None:
    """Live, in a file, and found anew from a rest: the same finds the episodes."""
    episodes = PAIN.episodes()[SCORE]
    for n in range(30):
        episodes.update(n / 25, 4.0)
    records = [EventRecord(0, event, PAIN.name) for event in episodes.finish()]
    (annotation,) = event_annotations(records)
    assert annotation.tier == f"face 0 {EPISODE} ({SAID})"
