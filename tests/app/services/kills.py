"""Kills a person's work at random moments and looks at what is left; run as kills.py COUNT SEED.

Workers are forked from this process, which has everything imported: a kill costs a tenth of a
second, not two.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import sys
import tempfile
import time
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
import work  # type: ignore[import-not-found]  # beside this file

from facetrack.formats.openface import read_openface
from facetrack_app.model.history import History
from facetrack_app.model.session import Session
from facetrack_app.model.settings import load_settings
from facetrack_app.model.store import Store


def kill_once(folder: Path, lines: int, seconds: float) -> int:
    """Kill a process that works, some time after so many lines of its; returns finished drags."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.dup2(writing, 1)
        sys.stdout = os.fdopen(1, "w")
        work.work(folder, -1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        said = "".join(itertools.islice(stream, lines))
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        said += stream.read()
    return check(folder, said)


def check(folder: Path, said: str) -> int:
    """Make sure that everything which was said to be finished is there."""
    assert "trouble" not in said, said
    done = {kind: _last(kind, said) for kind in ("drag", "row", "event", "settings")}
    session = Session(folder, work.N_FRAMES)
    assert session.store.read("PRAGMA integrity_check") == [("ok",)]
    corrections = session.corrections(0) if 0 in session.people else {}
    for number in range(done["drag"] + 1):
        found = corrections[number % work.N_FRAMES].points
        np.testing.assert_array_equal(found, work.points_of(number))
    said_steps = done["drag"] + done["event"] + 2
    assert len(History(session).steps()) in (said_steps, said_steps + 1)  # at most one in progress
    made = [judged.event.name for judged in session.decisions.values()]
    assert made[: done["event"] + 1] == [f"event {n}" for n in range(done["event"] + 1)]
    check_analysis(session)
    session.close()
    if done["row"] >= 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last line may be cut short
            assert len(read_openface(folder / "live.csv")) >= done["row"] + 1
    settings, wrong = load_settings(folder / "settings.json")
    assert not wrong
    assert done["settings"] < 0 or int(settings.source) >= done["settings"]
    return done["drag"] + 1


def check_analysis(session: Session) -> None:
    """Make sure that what is missing is known, and that nothing stale is taken for good."""
    with closing(Store(session.store.path)) as store:
        found = []
        for _ in range(2):
            analysis = work.analysis_of(store)
            while analysis.step():
                pass
            found.append(store.read(
                "SELECT person, estimator, chunk, header, data FROM reading WHERE "
                "estimator IN ('geometry', 'quality') ORDER BY person, estimator, chunk"
            ))  # fmt: skip
            with store.transaction():
                store.write("DELETE FROM analysed")
        assert found[0] == found[1]
        assert bool(found[0]) == (session.tracked > 0)


def _last(kind: str, said: str) -> int:
    numbers = re.findall(rf"^{kind} (\d+)$", said, re.MULTILINE)
    return int(numbers[-1]) if numbers else -1


def main(count: int, seed: int) -> None:
    """Kill so many times."""
    chance = random.Random(seed)
    drags = 0
    for _ in range(count):
        with tempfile.TemporaryDirectory() as folder:
            # Lines are waited for, not a time: on a busy machine, all kills would come before work.
            lines = max(chance.randrange(-4, 20), 0)
            drags += kill_once(Path(folder), lines, chance.uniform(0.0, 0.02 if lines else 0.25))
    print(f"{count} kills, {drags} finished drags, none lost")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
