# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sessions in several formats, one by one: what fails is said, the rest goes on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facetrack.errors import FacetrackError, InputError
from facetrack_app.model.exporting import file_name
from facetrack_app.model.places import SUFFIX, make_folder, session_of, user_folder
from facetrack_app.model.session import DATABASE, Session
from facetrack_app.services.exporting import export_document
from facetrack_app.services.opening import Document, open_document, video_of

Opened = tuple[Document, Sequence[Session]]
"""A document that the window has open, with a reader for each format."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written."""

    sessions: tuple[Path, ...]  # their folders
    kinds: tuple[str, ...]  # formats, of `model.exporting.EXPORTS`
    target: Path  # a folder; made if it is not there
    replace: bool = False  # files that are there


@dataclass(slots=True)
class Exported:
    """What came of it: a line for each file, or session that cannot be opened."""

    written: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    cancelled: bool = False  # some were not tried


def find_sessions(paths: Iterable[Path]) -> list[Path]:
    """Find the sessions of videos, and those in folders with everything below; each once."""
    fallback = user_folder("data") / "sessions"
    found: dict[Path, None] = {}
    for path in map(Path.absolute, paths):
        session = path if (path / DATABASE).is_file() else session_of(path, fallback)
        if session is not None:
            found[session] = None
        elif path.is_dir():
            found |= dict.fromkeys(sorted(p.parent for p in path.rglob(f"*{SUFFIX}/{DATABASE}")))
    return list(found)


def export_many(
    order: Order,
    model: Any,
    opened: Mapping[Path, Opened],
    progress: Callable[[str, float], None] = lambda what, share: None,
    stop: Callable[[], bool] = lambda: False,
) -> Exported:
    """Write sessions in some formats into a folder."""
    make_folder(order.target)
    came, taken, count = Exported(), set[str](), len(order.sessions)
    with contextlib.ExitStack() as stack:
        for reader in (r for _, readers in opened.values() for r in readers):
            stack.callback(reader.store.close)
        for number, folder in enumerate(order.sessions):

            def tell(name: str, share: float, done: int = number) -> None:
                progress(name, (done + share) / count)

            tell(folder.name, 0.0)
            try:
                with _document(folder, order, model, opened) as (document, readers):
                    stem = _free_stem(document, taken)
                    _export_one(order, document, readers, stem, model, came, tell, stop)
            except FacetrackError as error:
                came.failed.append(str(error))
            if came.cancelled:
                break
    return came


def _export_one(
    order: Order,
    document: Document,
    readers: Sequence[Session],
    stem: str,
    model: Any,
    came: Exported,
    tell: Callable[[str, float], None],
    stop: Callable[[], bool],
) -> None:
    """Write a session in all formats."""
    for place, (kind, reader) in enumerate(zip(order.kinds, readers, strict=True)):
        if stop():
            came.cancelled = True
            return
        path, begun = order.target / file_name(stem, kind), place / len(order.kinds)

        def tell_share(share: float, name: str = path.name, begun: float = begun) -> None:
            tell(name, begun + share / len(order.kinds))

        tell_share(0.0)
        try:
            if os.path.lexists(path) and not order.replace:
                raise InputError(
                    f"{path}: is there already; choose to replace it, or another folder"
                )
            came.written.append(export_document(document, reader, kind, path, model, tell_share))
        except FacetrackError as error:
            text = str(error)
            came.failed.append(text if path.name in text else f"{path.name}: {text}")


@contextlib.contextmanager
def _document(
    folder: Path, order: Order, model: Any, opened: Mapping[Path, Opened]
) -> Iterator[Opened]:
    """Open a session and a reader for each format, unless the window has it open."""
    if folder in opened:
        yield opened[folder]
        return
    document = open_document(video_of(folder), model, folder=folder)
    with contextlib.closing(document.session):
        readers = [document.session.reader() for _ in order.kinds]
        try:
            yield document, readers
        finally:
            for reader in readers:
                reader.store.close()


def _free_stem(document: Document, taken: set[str]) -> str:
    """Name the files of a session by its video; two videos of one name are told apart."""
    stem = Path(document.name).stem
    parent = document.source.parent.name if isinstance(document.source, Path) else ""
    names = [stem, f"{parent}_{stem}", *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
    name = next(name for name in names if name.casefold() not in taken)
    taken.add(name.casefold())
    return name
