# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotate: a video, its people, and corrections that teach."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from facetrack_app.model.actions import MARKUP_COUNTS
from facetrack_app.model.editing import Reach
from facetrack_app.model.handles import GRAB
from facetrack_app.model.judged import Judged
from facetrack_app.model.observable import Observable, Voice
from facetrack_app.model.settings import Settings
from facetrack_app.model.vocabulary import Vocabulary
from facetrack_app.model.wording import counted
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.exporting_many import Opened
from facetrack_app.services.opening import Document, open_document
from facetrack_app.services.playing_sound import PlayingSound
from facetrack_app.services.posting import run_beside
from facetrack_app.services.signal_curve import SignalCurves, Wish
from facetrack_app.views.annotate_panel import AnnotatePanel
from facetrack_app.views.bridge import Poster
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.edits import Edits
from facetrack_app.views.events import Events
from facetrack_app.views.events_menu import EventsMenu
from facetrack_app.views.events_window import EventsWindow
from facetrack_app.views.exchange import Exchange
from facetrack_app.views.framing import Framing
from facetrack_app.views.marks import Marks
from facetrack_app.views.moves import Moves
from facetrack_app.views.numbers_window import NumbersWindow
from facetrack_app.views.people_drawn import drawn_heat, drawn_people
from facetrack_app.views.room import Shelf, column
from facetrack_app.views.speaker import QtSpeaker
from facetrack_app.views.timeline import Timeline
from facetrack_app.views.transport import Transport
from facetrack_app.views.widgets import appear, filled

HINT: Final = "Open a video (Ctrl+O), a folder of pictures, or the demo clip from the File menu."


class Gestures(NamedTuple):
    """Who does what can be asked for while a video is open."""

    moves: Moves
    framing: Framing
    edits: Edits
    marks: Marks
    events: Events
    exchange: Exchange


class AnnotateView(QWidget):
    """The annotate view. Its methods named as in the table of actions do these."""

    def __init__(
        self, model: Any, settings: Settings, poster: Poster, buttons: dict[str, QPushButton]
    ) -> None:
        super().__init__()
        self.said = Voice()
        self.changed: Observable[[]] = Observable()  # what can be asked for may have changed
        self._model, self._settings, self.post = model, settings, poster.post
        self.annotator: Annotator | None = None
        self._gestures: Gestures | None = None
        self._opening: object = None  # what is wished for and not yet open
        self.ghost_shown = True
        self.canvas = Canvas(HINT)
        self.timeline = Timeline()
        self.panel = AnnotatePanel(buttons)
        self.events_menu = EventsMenu(settings, self._found, self.said, self)
        self.transport = Transport(buttons, settings.curves, self.events_menu)
        self._curves: SignalCurves | None = None
        self._hovered: Judged | None = None  # in the timeline
        self._whose: int | None = None  # person whose curves and numbers are shown
        self._vocabulary = Vocabulary(settings.vocabulary)
        self.numbers = NumbersWindow(lambda: self.timeline.window, poster.post, self)
        self.event_list = EventsWindow(self._vocabulary, lambda frame: self.moves.go(frame), self)
        self.show_numbers = partial(appear, self.numbers)
        self.show_events = partial(appear, self.event_list)
        self._lay_out()
        self._connect()
        self.next_signal = self.transport.next_signal
        for count in MARKUP_COUNTS:
            setattr(self, f"markup_{count}", partial(self._choose_markup, count))

    def _lay_out(self) -> None:
        below = self.transport, Shelf(self.timeline)
        left = filled(QVBoxLayout(), (self.canvas, 1), *below, spacing=3)
        filled(QHBoxLayout(self), (left, 1), column(self.panel), margins=(0, 0, 0, 0))

    def _connect(self) -> None:
        self.canvas.pressed.connect(self._press)
        self.canvas.moved.connect(self._move)
        self.canvas.released.connect(self._release)
        self.timeline.chosen.connect(lambda frame: self.moves.go(frame))
        self.timeline.hovered.connect(self._hover)
        self.timeline.event_chosen.connect(lambda event: self.events.choose(event))
        self.timeline.event_moved.connect(lambda *moved: self.events.move(*moved))
        self.timeline.window_changed.connect(self.ask_curves)
        self.timeline.window_changed.connect(self.numbers.changed)
        self.transport.signals_chosen.connect(self._choose_signals)
        self.events_menu.wanted.connect(self._find_events)
        self.transport.pace_chosen.connect(lambda pace: self.moves.set_pace(pace))
        self.panel.person_chosen.connect(self._choose_person)
        self.panel.markup_chosen.connect(self._choose_markup)
        self.panel.reach_chosen.connect(self._choose_reach)

    @property
    def parts(self) -> tuple[object, ...]:
        """Who does what can be asked for here."""
        return (*(self._gestures or ()), self)

    @property
    def moves(self) -> Moves:
        """The keys for moving; only while a video is open."""
        assert self._gestures is not None
        return self._gestures.moves

    @property
    def events(self) -> Events:
        """The keys for events; only while a video is open."""
        assert self._gestures is not None
        return self._gestures.events

    # Opening and closing

    def open(
        self, source: str | Path, folder: Path | None = None, *,
        stills: bool = True, rate: float | None = None,
    ) -> None:  # fmt: skip
        """Open a video, or pictures, each by itself or as frames; what lasts is done beside."""
        if source == self._opening:
            return
        self.close_document()
        self._opening = source
        self.canvas.hint = f"opening {source} ..."
        self.canvas.update()
        begin = partial(
            open_document, source, self._model, folder=folder, stills=stills, rate=rate,
            max_faces=self._settings.max_faces,
        )  # fmt: skip
        run_beside(begin, self.post, self._opened, lambda why: self._not_opened(source, why))

    def _not_opened(self, source: str | Path, message: str) -> None:
        self.said(message, True, "open")
        if source == self._opening:
            self._opening = None
            self.canvas.hint = f"{message}\n\n{HINT}"
            self.canvas.update()

    def _opened(self, document: Document) -> None:
        if document.source != self._opening:  # meanwhile another one is wished for
            document.session.close()
            return
        self._opening = None
        self.annotator = annotator = Annotator(document, self._model, self.post)
        sound = PlayingSound(document.sound, QtSpeaker, lambda text: self.said(text, True, "sound"))
        sound.muted = not self._settings.sound
        moves = Moves(annotator, self.canvas, self.timeline, sound)
        exchange = Exchange(annotator, self.post, self)
        self._gestures = Gestures(
            moves,
            Framing(annotator, self.canvas, self.timeline),
            Edits(annotator, moves.go),
            Marks(annotator, self._vocabulary, self),
            Events(annotator, moves.go, self._vocabulary, self),
            exchange,
        )
        annotator.markup = self._settings.markup
        annotator.changed.connect(self.refresh)
        annotator.said.connect(self.said)
        annotator.progressed.connect(self.transport.show_progress)
        # Pictures have no time.
        self.timeline.show_session(annotator.session, () if document.pictures else document.times)
        database = annotator.session.store.path
        self._curves = SignalCurves(database, self.post, self._show_curves)
        annotator.session.changed.connect(lambda tables: self.ask_curves())
        annotator.analysing.changed.connect(self.ask_curves)
        self._choose_signals()
        self._show_beside(annotator)
        exchange.take_marks()
        annotator.start()
        frames = "picture" if document.pictures else "frame"
        opened = f"opened: {self.name}, {counted(document.session.n_frames, frames)}"
        self.said("; ".join([opened, *document.notes]), False, "open")
        self.changed()

    def _show_beside(self, annotator: Annotator | None) -> None:
        self.numbers.show_annotator(annotator)
        self.event_list.show_annotator(annotator)

    def pause(self) -> None:
        """Stop playing."""
        if self._gestures is not None:
            self._gestures.moves.pause()

    def close_document(self) -> None:
        """Close the video; everything is saved already."""
        self._opening = None
        if self.annotator is None:
            return
        self.pause()
        self._show_beside(None)
        self.annotator.close()
        self.annotator = self._gestures = self._curves = None
        self.canvas.set_frame(None)
        self.canvas.set_faces([])
        self._hover(None)
        self.canvas.hint = HINT
        self.timeline.show_session(None)
        self.panel.clear()
        self.transport.clear()
        self.changed()

    # What is shown

    @property
    def has_session(self) -> bool:
        """Whether a video is open."""
        return self.annotator is not None

    @property
    def has_person(self) -> bool:
        """Whether a person is chosen."""
        return self.annotator is not None and self.annotator.person is not None

    @property
    def reach(self) -> str:
        """What a drag takes along."""
        return str(self.annotator.reach.value) if self.annotator is not None else ""

    @property
    def markup(self) -> int:
        """How many points are shown."""
        return self._settings.markup

    @property
    def notes(self) -> list[str]:
        """What is to be known of the video that is open."""
        return self.annotator.notes if self.annotator is not None else []

    def opened(self, readers: int) -> dict[Path, Opened]:
        """Give the session that is open, by its folder, with some readers for another thread."""
        if self.annotator is None:
            return {}
        session = self.annotator.session
        made = [session.reader() for _ in range(readers)]
        return {session.folder.absolute(): (self.annotator.document, made)}

    @property
    def name(self) -> str:
        """The video's name; empty without one."""
        return self.annotator.document.name if self.annotator is not None else ""

    def refresh(self) -> None:
        """Show everything again."""
        annotator = self.annotator
        if annotator is None:
            return
        if annotator.person != self._whose:  # by whatever gesture, or deleted
            self._whose = annotator.person
            self.ask_curves()
            self.numbers.changed()
        if annotator.frame is not None or annotator.trouble:
            self.canvas.hint = annotator.trouble
            self.canvas.set_frame(annotator.frame.image if annotator.frame is not None else None)
        self._show_faces()
        self.canvas.setCursor(Qt.CrossCursor if annotator.placing.waiting else Qt.ArrowCursor)
        self.panel.show_annotator(annotator)
        start = annotator.pending[1] if annotator.pending is not None else None
        chosen = annotator.judging.chosen
        self.timeline.refresh(annotator.person, annotator.playback.frame, start, chosen)
        self.transport.show_annotator(annotator)
        self.changed()

    def _show_faces(self) -> None:
        """Draw all people, the chosen one with points, and the ghost."""
        if self.annotator is not None and self.annotator.frame is not None:
            ghost = self.palette().light().color() if self.ghost_shown else None
            self.canvas.set_faces(drawn_people(self.annotator, ghost))
            self.canvas.set_heat(drawn_heat(self.annotator, self._hovered))
            self.canvas.set_box(self.annotator.placing.box)
        else:
            self.canvas.set_faces([])
            self.canvas.set_heat(None)

    def _hover(self, judged: Judged | None) -> None:
        """Show where on the face an event was seen, if that is known."""
        if judged != self._hovered:
            self._hovered = judged
            self._show_faces()

    def _found(self) -> frozenset[str]:
        """Return the signals that are computed for the open video."""
        return self.annotator.analysing.names if self.annotator is not None else frozenset()

    def _find_events(self, name: str) -> None:
        """Look for the events of an estimator, too."""
        if self.annotator is not None:
            self.annotator.want_signals((name,))

    def _choose_signals(self) -> None:
        if self.annotator is not None:
            self.annotator.want_signals(self.transport.chosen)
        self.ask_curves()

    def ask_curves(self) -> None:
        """Ask for the curves of the signals that were chosen."""
        names = self.transport.chosen
        if self._curves is not None and self.annotator is not None:
            person = self.annotator.person
            if not names or person is None:
                self._curves.ask(None)
            else:
                place = *self.timeline.window, self.timeline.columns
                self._curves.ask(Wish(names, person, *place))

    def _show_curves(self) -> None:
        if self._curves is not None:
            self.timeline.show_curves(self._curves.curves)

    # Gestures and choices

    def _press(self, x: float, y: float, modifiers: int) -> None:
        annotator = self.annotator
        if annotator is None or annotator.frame is None:
            return
        self.moves.pause()
        if annotator.placing.waiting:
            annotator.placing.press((x, y))
            return
        within = GRAB / self.canvas.scale
        if annotator.grab((x, y), within, whole=bool(modifiers & int(Qt.ShiftModifier))):
            self._show_faces()

    def _move(self, x: float, y: float) -> None:
        if self.annotator is None:
            return
        if self.annotator.placing.waiting:
            self.annotator.placing.move((x, y))
        elif self.annotator.editor is not None:
            self.annotator.editor.drag((x, y))
        self._show_faces()

    def _release(self) -> None:
        if self.annotator is None:
            return
        if self.annotator.placing.waiting:
            self.annotator.placing.release()
        else:
            self.annotator.release()

    def _choose_person(self, person: int) -> None:
        if self.annotator is not None:
            self.annotator.choose(person)

    def _choose_reach(self, reach: str) -> None:
        if self.annotator is not None:
            self.annotator.choose_reach(Reach(reach))

    def _choose_markup(self, count: int) -> None:
        self._settings.markup = count
        if self.annotator is not None:
            self.annotator.choose_markup(count)

    def next_markup(self) -> None:
        """Show another number of points."""
        place = MARKUP_COUNTS.index(self._settings.markup) + 1
        self._choose_markup(MARKUP_COUNTS[place % len(MARKUP_COUNTS)])

    @property
    def sounding(self) -> bool:
        """Whether videos are played with their sound."""
        return self._settings.sound

    def toggle_sound(self) -> None:
        """Play with sound or without."""
        self._settings.sound = not self._settings.sound
        if self._gestures is not None:
            self.moves.mute(not self._settings.sound)
        self.changed()

    def toggle_ghost(self) -> None:
        """Show or hide the shape before the correction."""
        self.ghost_shown = not self.ghost_shown
        self._show_faces()
