"""One door for parallel work: order, errors, workers that die, and work on one thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from functools import partial

import numpy as np  # noqa: F401 - brings BLAS
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from facetrack.errors import FacetrackError, InputError, MissingDependencyError
from facetrack.parallel import one_blas_thread, open_map, open_pool

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


def _blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_is_limited_in_every_thread_and_only_meanwhile():
    seen = []

    @one_blas_thread()
    def work() -> None:
        with one_blas_thread():
            pass
        seen.append(_blas_threads())

    threadpool_limits(2)  # as a program that uses this one may have done in its main thread
    before = _blas_threads()
    other = threading.Thread(target=work)
    other.start()
    other.join()
    work()
    assert (before, _blas_threads()) == ({2}, {2})
    assert seen == [{1}, {1}]


def _byte(data: bytes, index: int) -> int:
    return data[index]


def _always_die(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")


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
    monkeypatch.setattr("facetrack.parallel.PATIENCE", 0.5)
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
