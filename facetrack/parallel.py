"""One door for parallel work: this process, worker processes on this machine, or a dask cluster.

And for work that must not be parallel: sums whose last bits may not depend on threads.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol, TypeVar

from threadpoolctl import OpenBLASController, get_cached_controller

from facetrack.errors import FacetrackError, InputError, MissingDependencyError

T = TypeVar("T")
R = TypeVar("R")

PATIENCE: Final = 10.0  # seconds for a scheduler to answer
REMEDY: Final = "install it with: pip install 'facetrack[cluster]'"


class Map(Protocol):
    """One door for all parallel work: the builtin `map`, or one over processes or a cluster."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Apply a function to every item."""
        ...


class Pool:
    """Workers of a dask cluster; also what `map` is, for a plain loop."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Apply a function to every item."""
        futures = self._submit(function, list(items))
        try:
            for future in futures:
                yield _result(future)
        finally:
            self._client.cancel(futures)

    def outcomes(
        self, function: Callable[[T], R], items: Sequence[T]
    ) -> Iterator[tuple[T, R | Exception]]:
        """Apply a function to every item and hand results over as they come."""
        from distributed import as_completed

        futures = self._submit(function, items)
        item_of = dict(zip(futures, items, strict=True))
        try:
            done: Any = as_completed(  # type: ignore[no-untyped-call]
                futures, loop=self._client.loop
            )
            for future in done:
                item = item_of.pop(future)
                outcome: R | Exception
                try:
                    outcome = _result(future)
                except Exception as error:  # whatever ended this item, the others go on
                    outcome = error
                future.release()
                yield item, outcome
        finally:
            self._client.cancel(list(item_of))

    def _submit(self, function: Callable[[T], R], items: Sequence[T]) -> list[Any]:
        import dask

        # The function may hold a whole model: it travels once to every worker, not with each item.
        # A result of its own rather than scattered data, which would be gone with its worker.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):
            shared = self._client.submit(_itself, function, pure=False)
        # Not pure: the same item may be asked for twice, and files are written.
        return [self._client.submit(_call, shared, item, pure=False) for item in items]


@contextlib.contextmanager
def open_pool(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Pool]:
    """Start worker processes with one thread each, or use those of a dask scheduler's address."""
    # The starting program must guard its main module (`if __name__ == "__main__"`).
    if (workers is None) == (scheduler is None):
        raise InputError("either a number of workers or a scheduler is needed, not both")
    if workers is not None and workers < 1:
        raise InputError(f"the number of workers must be at least 1, got {workers}")
    try:
        import distributed
    except ImportError as error:
        raise MissingDependencyError(f"a cluster needs dask ({error}); {REMEDY}") from error
    # What goes wrong comes back as results; dask's own account of it would drown them.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        if workers is not None:
            address: Any = stack.enter_context(_local_cluster(distributed, workers))
        else:
            address = scheduler
        try:
            client: Any = distributed.Client(  # type: ignore[no-untyped-call]
                address, timeout=PATIENCE, set_as_default=False
            )
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(f"{scheduler}: no dask scheduler answers ({error})") from error
        yield Pool(stack.enter_context(client))


@contextlib.contextmanager
def open_map(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Map]:
    """Give a `map`, wherever it works; with neither argument the builtin. See `open_pool`."""
    if workers is None and scheduler is None:
        yield map
    else:
        with open_pool(workers=workers, scheduler=scheduler) as pool:
            yield pool


_alone = threading.RLock()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS compute on one thread, also as a decorator: the same bytes wherever it runs."""
    # How BLAS splits a product among threads decides the order of its sums. The limit is the
    # process's, so that other threads wait here until this one is done.
    with _alone:
        # or the limit is ignored where another thread has ever set one
        OpenBLASController.clear_controlling_thread(force=True)
        with get_cached_controller().limit(limits=1, user_api="blas"):
            yield


def _local_cluster(distributed: Any, workers: int) -> Any:
    import dask

    # Fresh processes: forked ones would share threads of numba, OpenCV and FFmpeg that are dead.
    spawn = dask.config.set({"distributed.worker.multiprocessing-method": "spawn"})
    with spawn, _ctrl_c_is_ours():
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # dask would pause workers; what they hold is not dask's to free
            dashboard_address="127.0.0.1:0",  # any free port: several runs may share a machine
            silence_logs=logging.CRITICAL,
        )


@contextlib.contextmanager
def _ctrl_c_is_ours() -> Iterator[None]:
    """Let processes that start meanwhile ignore Ctrl-C: this one hears it and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may change signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _itself(function: Callable[[T], R]) -> Callable[[T], R]:
    """Make a function a result, which dask keeps and computes again when it is lost."""
    return function


def _call(function: Callable[[T], R], item: T) -> R:
    return function(item)


def _result(future: Any) -> Any:
    """Fetch a result; a killed worker becomes one of our errors."""
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise FacetrackError(
            "the worker processes that tried it died (killed, or out of memory)"
        ) from error
