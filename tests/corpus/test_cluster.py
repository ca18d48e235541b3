"""A local dask cluster: the same bytes, and workers that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from facetrack.corpus.batch import Failure, record_all, record_on
from facetrack.corpus.cluster import open_map, open_pool
from facetrack.corpus.ledger import read_checkpoint
from facetrack.errors import FacetrackError, InputError, MissingDependencyError

pytest.importorskip(
    "distributed", reason="dask is not installed (pip install 'facetrack[cluster]')"
)
# The cluster's own threads and sockets end after the test that started them.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def pool():
    with open_pool(workers=2) as opened:
        yield opened


def test_map_keeps_the_order(pool):
    assert list(pool(partial(pow, 2), range(10))) == [2**i for i in range(10)]


def test_functions_may_hold_much_data(pool):  # as a whole model; dask's warning would fail this
    assert list(pool(partial(_byte, bytes(range(256)) * 50_000), [255, 256])) == [255, 0]


def test_an_error_comes_where_its_item_is(pool):
    results = pool(partial(divmod, 12), [3, 0])
    assert next(results) == (4, 0)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_outcomes_say_which_item_failed(pool):
    outcomes = dict(pool.outcomes(partial(divmod, 12), [3, 0, 5]))
    assert (outcomes[3], outcomes[5]) == ((4, 0), (2, 2))
    assert isinstance(outcomes[0], ZeroDivisionError)


def test_without_workers_the_map_is_the_builtin_one():
    with open_map() as mapped:
        assert mapped is map


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


def _byte(data: bytes, index: int) -> int:
    return data[index]


def _die(marker: str) -> int:
    """Kill the worker at the first call, work at the second."""
    path = Path(marker)
    if not path.exists():
        path.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def _always_die(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


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


@needs_kill
@pytest.mark.slow
def test_an_item_that_kills_every_worker_is_given_up():
    with open_pool(workers=1) as pool:
        ((_, outcome),) = pool.outcomes(_always_die, [1])
    assert isinstance(outcome, FacetrackError)
    assert "died" in str(outcome)


@pytest.mark.parametrize(
    "options",
    [{}, {"workers": 0}, {"workers": 1, "scheduler": "tcp://localhost:1"}],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(InputError), open_pool(**options):
        pass


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("facetrack.corpus.cluster.PATIENCE", 0.5)
    with (
        pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:1\b"),
        open_pool(scheduler="tcp://127.0.0.1:1"),
    ):
        pass


def test_without_dask_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r"facetrack\[cluster\]"), open_pool(workers=1):
        pass


def test_an_existing_scheduler_is_used():
    """Run a scheduler and a worker as programs of their own."""
    from distributed import Client  # noqa: F401  (the extra is there)

    script = (
        "from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False,"
        " dashboard_address=None, protocol='tcp://') as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        input()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        with open_map(scheduler=child.stdout.readline().strip()) as mapped:
            assert list(mapped(abs, [-1, -2])) == [1, 2]
    finally:
        child.communicate("\n", timeout=30)
