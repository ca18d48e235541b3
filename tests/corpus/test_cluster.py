"""A local dask cluster: the same bytes, and workers that die."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from facetrack.corpus.batch import Failure, record_all, record_on
from facetrack.corpus.ledger import read_checkpoint
from facetrack.parallel import open_pool

pytest.importorskip(
    "distributed", reason="dask is not installed (pip install 'facetrack[cluster]')"
)
# The cluster's own threads and sockets end after the test that started them.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def pool():
    with open_pool(workers=2) as opened:
        yield opened


def test_results_have_the_same_bytes_as_in_one_process(
    pool, task, clip, long_clip, model, model_file, tmp_path
):
    def tasks(folder):
        return [task(path, tmp_path / folder / path.stem) for path in (clip, long_clip)]

    here, there = tasks("here"), tasks("there")
    assert not [r for r in record_all(here, model) if isinstance(r, Failure)]
    assert not [r for r in record_on(pool, there, str(model_file)) if isinstance(r, Failure)]
    for one, other in zip(here, there, strict=True):
        for kind in ("csv", "dictionary", "ledger"):
            assert one.outputs.path(kind).read_bytes() == other.outputs.path(kind).read_bytes()


def test_a_bad_video_does_not_stop_the_rest(pool, task, clip, model_file, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    tasks = [task(tmp_path / "bad.mp4", tmp_path / "bad"), task(clip, tmp_path / "clip")]
    outcomes = {o.task.source: o for o in record_on(pool, tasks, str(model_file))}
    bad = outcomes[tmp_path / "bad.mp4"]
    assert isinstance(bad, Failure)
    assert "bad.mp4" in bad.message
    good = outcomes[clip]
    assert not isinstance(good, Failure)
    assert good.ledger.decoded == 40


def test_another_model_on_the_worker_is_refused(pool, clip, model, tmp_path, task, model_file):
    from dataclasses import replace

    chosen = task(clip, tmp_path / "clip")
    other = replace(chosen, model=replace(chosen.model, checksum="0" * 64))
    (outcome,) = record_on(pool, [other], str(model_file))
    assert isinstance(outcome, Failure)
    assert outcome.fatal
    assert "differs" in outcome.message


needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")


@needs_kill
@pytest.mark.slow
def test_a_lost_workers_video_goes_on_elsewhere(task, long_clip, model, model_file, tmp_path):
    here, there = (task(long_clip, tmp_path / folder / "long") for folder in ("here", "there"))
    assert [type(r) is Failure for r in record_all([here], model)] == [False]
    killed = []

    def kill(client):
        """Kill the worker that has written the first checkpoint."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            checkpoint = read_checkpoint(there.outputs.path("checkpoint"))
            if checkpoint is not None and checkpoint.frames:
                busy = [w for w, tasks in client.processing().items() if tasks]
                pids = client.run(os.getpid, workers=busy)
                for pid in pids.values():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                return
            time.sleep(0.002)

    with open_pool(workers=1) as pool:
        killer = threading.Thread(target=kill, args=(pool._client,))
        killer.start()
        (outcome,) = record_on(pool, [there], str(model_file))
        killer.join()
    assert killed
    assert not isinstance(outcome, Failure), outcome
    assert outcome.resumed_at >= 300
    assert there.outputs.path("csv").read_bytes() == here.outputs.path("csv").read_bytes()
