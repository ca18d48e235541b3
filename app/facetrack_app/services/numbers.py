# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of an open session, computed beside the window."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from facetrack.reporting.tables import Table
from facetrack_app.model.numbers import Chosen, compared, save_numbers
from facetrack_app.model.session import Session
from facetrack_app.services.analysing import chosen_signals
from facetrack_app.services.latest import Latest
from facetrack_app.services.posting import Post, run_beside


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose numbers, over which intervals."""

    person: int
    chosen: Chosen


class Numbers:
    """Computes numbers; of several wishes the last is fulfilled."""

    def __init__(
        self,
        session: Session,
        post: Post,
        show: Callable[[Table], None],
        failed: Callable[[str], None],
    ) -> None:
        self.took = 0.0  # seconds, for the last table
        self._session, self._post = session, post
        self._latest: Latest[Wish, Table] = Latest(self._prepare, post, show, failed)
        self.ask = self._latest.ask

    def _prepare(self, wish: Wish) -> Callable[[], Table]:
        session, choice = self._session.reader(), chosen_signals(self._session)

        def work() -> Table:
            begin = time.perf_counter()
            with closing(session.store):
                table = compared(session, choice, wish.person, wish.chosen)
            self.took = time.perf_counter() - begin
            return table

        return work

    def save(self, wish: Wish, title: str, path: Path, said: Callable[[str, bool], None]) -> None:
        """Write a file; what came of it is said. A closed window does not end it."""
        session, choice = self._session.reader(), chosen_signals(self._session)

        def work() -> None:
            with closing(session.store):
                save_numbers(session, choice, wish.person, wish.chosen, title, path)

        run_beside(
            work, self._post, lambda _: said(f"written: {path}", False),
            lambda message: said(message, True), lasting=True,
        )  # fmt: skip
