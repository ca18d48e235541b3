"""Results as `facetrack track` writes them, without tracking anything."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from pathlib import Path

import numpy as np

from facetrack.corpus.ledger import Ledger, write_json
from facetrack.corpus.task import Outputs
from facetrack.formats.events_csv import write_events
from facetrack.formats.openface import write_openface
from facetrack.formats.signals_csv import SignalWriter
from facetrack.formats.table import NO_FACE, make_table
from facetrack.reading import Event, EventRecord, Reading, Row
from facetrack.signals import choose

STEP = 0.1  # seconds


def write_result(
    base: Path, ids: Sequence[int], *, lost: Sequence[bool] = (), signals: str = "blinks,quality"
) -> Outputs:
    """Write the files of a video of 10 frames, 1 s, in which every face blinks in the first two.

    Values are 1, qualities 0.5; in frames that are `lost` nothing is known.
    """
    outputs, choice = Outputs(base), choose(signals)
    base.parent.mkdir(parents=True, exist_ok=True)
    gone = [*lost, *[False] * (10 - len(lost))]
    keys = [(frame, i) for frame in range(10) for i in ids or [NO_FACE]]
    if choice.values:
        with SignalWriter(outputs.path("signals"), choice.values) as writer:
            for frame, i in keys:
                why = "no face" if i == NO_FACE else "lost: covered" if gone[frame] else ""
                said = {
                    s.name: Reading(nan if why else 0.5 if s.name == "quality" else 1.0, reason=why)
                    for s in choice.values
                }
                writer.write([Row(frame, STEP * frame, i, said)])
        blinks = [EventRecord(i, Event("blink", 0.0, 0.0, STEP, 0.5), "blinks") for i in ids]
        write_events(outputs.path("events"), blinks)
    frames = np.array([frame for frame, _ in keys])
    faces = np.array([i for _, i in keys])
    seen = (faces != NO_FACE) & ~np.array(gone)[frames]
    table = make_table(
        frames, np.ones((len(keys), 68, 2)), face_id=faces, timestamp=STEP * frames, success=seen,
        confidence=0.5 * seen,
    )  # fmt: skip
    write_openface(outputs.path("csv"), table)
    run_key = {
        "input": {"path": f"videos/{base.name}.mp4"},
        "model": {"name": "toy", "checksum": "c0ffee"},
        "settings": {"signals": choice.run_key()},
    }
    Ledger(run_key, 10, 10, len(keys), int(seen.any()), 0, 0).write(outputs.path("ledger"))
    write_json(outputs.path("timing"), {"finished": "2024-05-06T07:08:09+0000"})
    return outputs
