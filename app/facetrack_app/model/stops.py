# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look next: doubtful stretches and corrected frames of a person."""

from __future__ import annotations

from facetrack_app.model.session import Session
from facetrack_app.model.summary import next_stretch, next_true


def next_doubtful(
    session: Session, person: int | None, frame: int, *, back: bool = False
) -> int | None:
    """Find the next stretch that is doubtful and not excluded.

    Parameters
    ----------
    session : Session
    person : int or None
    frame : int
        Where to look from; does not count itself.
    back : bool
        Look towards the start.

    Returns
    -------
    int or None
        Its first frame.
    """
    if person is None:
        return None
    return next_stretch(session.summary(person).doubtful & ~session.excluded(), frame, back=back)


def next_corrected(
    session: Session, person: int | None, frame: int, *, back: bool = False
) -> int | None:
    """Find the next corrected frame; see `next_doubtful`."""
    if person is None:
        return None
    return next_true(session.summary(person).corrected, frame, back=back)
