# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a session beside the window, the overlay video included."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from facetrack.annotation.taught import taught_profile, worth_learning
from facetrack.errors import InputError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.track import Fits
from facetrack.video.overlay import draw
from facetrack.video.sink import VideoWriter
from facetrack_app.model.exporting import Material, export, most_corrected
from facetrack_app.model.faces import faces_of
from facetrack_app.model.session import Session
from facetrack_app.model.wording import counted
from facetrack_app.services.analysing import chosen_signals
from facetrack_app.services.opening import Document


def export_document(
    document: Document,
    session: Session,
    kind: str,
    path: Path,
    model: Fits,
    progress: Callable[[float], None] = lambda share: None,
) -> str:
    """Write a session in one of the formats of `model.exporting.EXPORTS`."""
    try:
        if kind == "person":
            return save_person(document, session, path, model)
        if kind == "overlay":
            if session.stills:
                raise InputError("pictures by themselves have no time, so they make no video")
            count = write_overlay(document, session, path, model.shape_model, progress)
        else:
            media = document.source if isinstance(document.source, Path) else None
            material = Material(document.size, document.size_of, document.pictures, media)
            choice = chosen_signals(session)
            count = export(session, kind, path, model.shape_model, material, choice)
    finally:
        session.store.close()
    what = "picture" if document.pictures else "frame"
    return f"{counted(count, what)} written: {path}"


def save_person(document: Document, session: Session, path: Path, model: Fits) -> str:
    """Save what the corrections of the person who was corrected most have taught."""
    with closing(document.open()) as video:
        known = most_corrected(session)
        frames = worth_learning(sorted(known), 0, session.n_frames)
        chosen = {f: known[f].moved(session.stretch.square) for f in frames}
        profile = taught_profile(model, chosen, lambda frame: video.frame(frame).square.grey)
    profile.save(path)
    return (
        f"{len(profile.examples)} corrections remembered: {path}; it holds pictures of the face: "
        "delete the file to forget the person"
    )


def write_overlay(
    document: Document,
    session: Session,
    path: Path,
    shape_model: ShapeModel,
    progress: Callable[[float], None],
) -> int:
    """Write the video with what counts drawn in; returns the number of frames."""
    wanted = ~session.excluded()
    frames = [frame for frame in range(session.tracked) if wanted[frame]]
    if not frames:
        raise InputError("nothing is tracked yet, so there is nothing to write")
    with (
        closing(document.open()) as video,
        VideoWriter(path, document.size, aspect=video.pixel_aspect) as writer,
    ):
        for done, number in enumerate(frames):
            if done % 30 == 0:
                progress(done / len(frames))
            frame = video.frame(number)
            faces = faces_of(session, number, shape_model, document.size)
            writer.write(draw(frame.image, faces), frame.timestamp)
    return len(frames)
