# SPDX-License-Identifier: GPL-3.0-or-later
"""The session's file: SQLite in WAL mode, every finished gesture one durable transaction.

Why SQLite: a gesture changes up to some hundred rows of four tables and the history at once, two
threads write (the person's gestures, the background track), and a session of 200,000 frames must
open in a second. An append-only journal would need an index, compaction and a recovery of its own
for that; SQLite's are tested further than ours could be. WAL with synchronous=FULL syncs the log at
every commit, so that a power cut loses only what was not yet committed: the drag in progress.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from facetrack.errors import FormatError, OutputError
from facetrack_app.model.rows import Change, Row

SCHEMA: Final = 4
APPLICATION: Final = 0x46547261  # "FTra", in the file's header
_AT_ONCE: Final = 100  # rows in a statement
_PATIENCE: Final = 10.0  # seconds to wait for the other thread's transaction


class Table(NamedTuple):
    """Names of a table's columns."""

    key: tuple[str, ...]
    values: tuple[str, ...]


TABLES: Final = {
    "person": Table(("id",), ("name",)),
    "assignment": Table(("tracklet", "start"), ("person",)),
    "track": Table(
        ("tracklet", "frame"),
        ("kind", "quality", "trust", "reason", "points", "confidence", "source"),
    ),
    "correction": Table(("tracklet", "frame"), ("points", "source", "origin")),
    "span": Table(("id",), ("kind", "start", "stop", "label")),
    "setting": Table(("name",), ("value",)),
    "ledger": Table(("start",), ("times",)),
    "decision": Table(
        ("id",),
        ("person", "decision", "estimator", "version", "name", "start", "peak", "stop", "score",
         "text", "detail", "original"),
    ),
    "reading": Table(("person", "estimator", "chunk"), ("version", "header", "data")),
    "analysed": Table(("person", "start"), ("stop", "choice")),
}  # fmt: skip
_LONG: Final = ("track", "reading")  # rows of a kilobyte: WITHOUT ROWID is for short ones
_SINCE_2: Final = ("decision", "reading", "analysed")
_EXTRA: Final = (
    # Opening a session reads this index alone: a row of `track` is fifty times as long.
    "CREATE INDEX track_summary ON track (tracklet, frame, kind, trust)",
    "CREATE TABLE step (id INTEGER PRIMARY KEY, name TEXT NOT NULL, arguments TEXT NOT NULL, "
    "retracks TEXT NOT NULL, undone INTEGER NOT NULL)",
    # A step's changes come in parts: its own, and those of each stretch that was tracked anew.
    "CREATE TABLE part (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, changes BLOB NOT NULL)",
    "CREATE INDEX part_step ON part (step)",
)
_EXTRA_2: Final = (
    "CREATE TABLE event (id INTEGER PRIMARY KEY, person, estimator, version, name, start, peak, "
    "stop, score, text, detail)",
    "CREATE INDEX event_start ON event (person, start)",
    # What changed since it was analysed: noted with the change itself, so that no kill parts them.
    "CREATE TABLE stale (id INTEGER PRIMARY KEY AUTOINCREMENT, person, start, stop)",
)
_EXTRA_3: Final = (
    # What steps still have to be tracked anew; `under` is a later step that hides it.
    "CREATE TABLE owed (id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, "
    "person, start, stop, at, under)",
    "CREATE INDEX owed_under ON owed (under)",
)


def _make_table(name: str) -> str:
    table = TABLES[name]
    columns, key = ", ".join((*table.key, *table.values)), ", ".join(table.key)
    made = f"CREATE TABLE {name} ({columns}, PRIMARY KEY ({key}))"
    return made if name in _LONG else f"{made} WITHOUT ROWID"


# What files of versions 1 to 3 called a tracklet and an assignment.
_RENAMED: Final = (
    "ALTER TABLE claim RENAME TO assignment",
    *(f"ALTER TABLE {name} RENAME COLUMN strand TO tracklet"
      for name in ("assignment", "track", "correction")),
)  # fmt: skip
# What brings a file of each version to the next one; 0 is an empty file.
_UPGRADES: Final = (
    (*(_make_table(name) for name in TABLES if name not in _SINCE_2), *_EXTRA),
    (*(_make_table(name) for name in _SINCE_2), *_EXTRA_2),
    _EXTRA_3,
)


class Store:
    """One thread's way into a session's file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Used by one thread at a time, but opened in one and handed over to another.
            self._db = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise _trouble(path, error) from error
        try:
            self._set_up()
        except (FormatError, OutputError):
            self._db.close()
            raise
        except sqlite3.Error as error:
            self._db.close()
            raise _trouble(path, error) from error

    def _set_up(self) -> None:
        self._db.execute("PRAGMA synchronous=FULL")
        made, version = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        if version > SCHEMA:
            cause = f"is of version {version}, this program knows up to {SCHEMA}"
            raise FormatError(self.path, cause, remedy="update Facetrack")
        if made != APPLICATION:
            if made or self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise FormatError(self.path, "is no session of Facetrack")
            self._db.execute("PRAGMA journal_mode=WAL")
            version = 0
        if version < SCHEMA:
            self._upgrade(version)

    def _upgrade(self, version: int) -> None:
        with self.transaction():
            for statement in (*(_RENAMED if 0 < version < 4 else ()), *chain(*_UPGRADES[version:])):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id={APPLICATION}")
            self._db.execute(f"PRAGMA user_version={SCHEMA}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside durable at the end, or undo all of it."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise _trouble(self.path, error) from error

    @contextlib.contextmanager
    def snapshot(self, *, alone: bool = False) -> Iterator[None]:
        """Let what is read inside be of one moment; what is changed inside is undone at its end.

        Only `alone`, while no other thread writes, anything can be changed.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE" if alone else "BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise _trouble(self.path, error) from error

    def get(self, table: str, key: Row) -> Row | None:
        """Give a row's values by its key."""
        columns = TABLES[table]
        where = " AND ".join(f"{name}=?" for name in columns.key)
        rows = self.read(f"SELECT {', '.join(columns.values)} FROM {table} WHERE {where}", key)
        return rows[0] if rows else None

    def read(self, query: str, arguments: Sequence[Any] = ()) -> list[Row]:
        """Answer a query."""
        try:
            return self._db.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            raise FormatError(
                self.path, f"cannot be read ({error})", remedy="restore it from a backup"
            ) from error

    def write(self, query: str, arguments: Sequence[Any] = ()) -> int:
        """Run a statement inside a transaction; returns the id of the row it made."""
        return int(self._db.execute(query, arguments).lastrowid or 0)

    def put(self, table: str, rows: Iterable[tuple[Row, Row | None]]) -> None:
        """Replace rows inside a transaction; a row without values is removed."""
        columns = TABLES[table]
        names = ", ".join((*columns.key, *columns.values))
        here = f"({' AND '.join(f'{name}=?' for name in columns.key)})"
        for gone, some in groupby(rows, lambda row: row[1] is None):
            whole = [(*key, *(values or ())) for key, values in some]
            # Each statement lets other threads run Python, and then waits for them.
            for part in (whole[i : i + _AT_ONCE] for i in range(0, len(whole), _AT_ONCE)):
                places = f"({', '.join('?' * len(part[0]))})"
                self._db.execute(
                    f"DELETE FROM {table} WHERE {' OR '.join([here] * len(part))}"
                    if gone
                    else f"INSERT OR REPLACE INTO {table} ({names}) "
                    f"VALUES {', '.join([places] * len(part))}",
                    [value for row in part for value in row],
                )

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes inside a transaction."""
        for table, some in groupby(changes, lambda change: change.table):
            self.put(table, ((change.key, change.after) for change in some))

    def close(self) -> None:
        """Let go of the file; the last one to do so folds the log into it."""
        self._db.close()


def _trouble(path: Path, error: sqlite3.Error) -> FormatError | OutputError:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return FormatError(path, f"is damaged ({error})", remedy="restore it from a backup")
    remedy = {
        "SQLITE_FULL": "free some space or choose another disk",
        "SQLITE_READONLY": "choose a folder that you may write to",
        "SQLITE_CANTOPEN": "choose a folder that you may write to",
        "SQLITE_BUSY": "close the other program that has it open",
    }.get(code.partition("_")[0] + "_" + code.split("_")[1] if "_" in code else code, "")
    return OutputError(f"{path}: cannot be written ({error}); {remedy or 'check the disk'}")
