# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of everything that can be asked of the application.

Menus, buttons, shortcuts and the sheet of keys are made of it. An action's `id` is the name of the
method that does it, in the view that is shown or in the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from facetrack_app.model.marking import N_KEYS

MARKUP_COUNTS: Final = (68, 51, 49)  # points that can be shown
LIVE, ANNOTATE, EVALUATE, WINDOW = "live", "annotate", "evaluate", "window"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be asked for."""

    id: str  # the method's name
    text: str  # in menus, on buttons and in the sheet of keys
    menu: str  # the heading under which it stands
    view: str  # in which it works; `WINDOW`: in all
    keys: tuple[str, ...] = ()  # as Qt writes them, the first is shown; a person may change them
    tip: str = ""  # one sentence
    needs: str = ""  # name of the view's property that must be true; empty: always enabled
    checked: tuple[str, object] = ("", None)  # the view's property, and its value for a check mark


def _annotate(
    id: str,
    text: str,
    menu: str,
    *keys: str,
    tip: str = "",
    needs: str = "has_session",
    checked: tuple[str, object] = ("", None),
) -> Action:
    return Action(id, text, menu, ANNOTATE, keys, tip, needs, checked)


_ADAPT: Final = "Learn also from the tracker's own tracks, where heavier fits agree with them."

ACTIONS: Final[tuple[Action, ...]] = (
    Action("open_video", "Open video...", "File", WINDOW, ("Ctrl+O",), "Annotate a video file."),
    Action("open_pictures", "Open pictures...", "File", WINDOW, ("Ctrl+Shift+O",),
           "Annotate a folder of pictures, each by itself."),
    Action("open_sequence", "Open picture sequence...", "File", WINDOW, (),
           "Annotate a folder of pictures that are the frames of a video."),
    Action("open_demo", "Open the demo clip", "File", WINDOW, (),
           "Annotate the synthetic clip that needs no file."),
    Action("show_queue", "Track several videos...", "File", WINDOW, ("Ctrl+Shift+T",),
           "One after the other, beside the window, as facetrack track does."),
    _annotate("import_tracks", "Import tracks...", "File", "Ctrl+I",
              tip="Take over points of another program, to correct them."),
    _annotate("export_tracks", "Export...", "File", "Ctrl+E",
              tip="Write points, events or an overlay video."),
    Action("export_several", "Export several...", "File", WINDOW, ("Ctrl+Shift+E",),
           "Several sessions and formats at once."),
    _annotate("show_numbers", "Numbers...", "File", "Ctrl+R", needs="has_person",
              tip="What could be assessed, events per minute, values: side by side, as a page."),
    Action("show_settings", "Settings...", "File", WINDOW, ("Ctrl+,",)),
    Action("quit", "Quit", "File", WINDOW, ("Ctrl+Q",)),
    _annotate("undo", "Undo", "Edit", "Ctrl+Z", tip="Take the last step back, without limit."),
    _annotate("redo", "Redo", "Edit", "Ctrl+Y", "Ctrl+Shift+Z"),
    _annotate("copy_shape", "Copy shape", "Edit", "Ctrl+C"),
    _annotate("paste_shape", "Paste shape", "Edit", "Ctrl+V",
              tip="Put the copied shape into this frame as a correction."),
    _annotate("fit_here", "Fit again here", "Edit", "R",
              tip="Let the model fit the face once more from the points as they stand."),
    _annotate("accept", "Accept this frame", "Edit", "Return",
              tip="Say that all points of this frame are right."),
    _annotate("uncorrect", "Remove correction", "Edit", "Ctrl+Backspace",
              tip="Take back what was said of this frame; the track stays."),
    _annotate("reach_point", "Drag one point", "Edit", "1", checked=("reach", "point")),
    _annotate("reach_region", "Drag a region", "Edit", "2", checked=("reach", "region"),
              tip="The neighbours in the eye, brow, mouth, nose or jaw follow."),
    _annotate("reach_shape", "Drag the whole shape", "Edit", "3", checked=("reach", "shape")),
    _annotate("grow_shape", "Whole shape larger", "Edit", "PgUp",
              tip="Dragging a corner of its frame does the same (3 shows the frame)."),
    _annotate("shrink_shape", "Whole shape smaller", "Edit", "PgDown"),
    _annotate("turn_shape_left", "Turn the whole shape left", "Edit", "Ctrl+PgUp",
              tip="Dragging the handle above its frame does the same."),
    _annotate("turn_shape_right", "Turn the whole shape right", "Edit", "Ctrl+PgDown"),
    _annotate("next_point", "Next point", "Edit", "Tab"),
    _annotate("previous_point", "Previous point", "Edit", "Shift+Tab"),
    _annotate("toggle_occluded", "Point is hidden", "Edit", "O",
              tip="Lock the point: its place is a guess and teaches nothing."),
    _annotate("mark_absent", "Point is absent", "Edit", "Del",
              tip="Once more: it is there again."),
    _annotate("play", "Play or pause", "Go", "Space"),
    _annotate("pause", "Pause", "Go", "K"),
    _annotate("shuttle_back", "Play backwards, faster", "Go", "J"),
    _annotate("shuttle_on", "Play, faster", "Go", "L"),
    _annotate("toggle_sound", "Sound while playing", "Go", needs="", checked=("sounding", True),
              tip="At 1x, where the file has sound."),
    _annotate("slower", "Playing speed: slower", "Go", "<"),
    _annotate("faster", "Playing speed: faster", "Go", ">"),
    _annotate("left", "One frame back", "Go", "Left",
              tip="With a point selected: move it by a pixel."),
    _annotate("right", "One frame on", "Go", "Right",
              tip="With a point selected: move it by a pixel."),
    _annotate("left_far", "Move the point 10 px left", "Go", "Shift+Left"),
    _annotate("right_far", "Move the point 10 px right", "Go", "Shift+Right"),
    _annotate("step_back", "One frame back, always", "Go", "Alt+Left"),
    _annotate("step_on", "One frame on, always", "Go", "Alt+Right"),
    _annotate("up", "Corrected frame before", "Go", "Up",
              tip="With a point selected: move it by a pixel."),
    _annotate("down", "Next corrected frame", "Go", "Down",
              tip="With a point selected: move it by a pixel."),
    _annotate("up_far", "Move the point 10 px up", "Go", "Shift+Up"),
    _annotate("down_far", "Move the point 10 px down", "Go", "Shift+Down"),
    _annotate("previous_corrected", "Corrected frame before, always", "Go", "Alt+Up"),
    _annotate("next_corrected", "Next corrected frame, always", "Go", "Alt+Down"),
    _annotate("next_doubtful", "Next doubtful stretch", "Go", "N"),
    _annotate("previous_doubtful", "Doubtful stretch before", "Go", "Shift+N"),
    _annotate("worst_frame", "Worst frame, then the next worst", "Go", "W", needs="has_person",
              tip="The least trusted frames that you have not corrected, a second apart."),
    _annotate("go_to_frame", "Go to frame...", "Go", "Ctrl+G"),
    _annotate("first_frame", "First frame", "Go", "Home"),
    _annotate("last_frame", "Last frame", "Go", "End"),
    _annotate("track_back", "Track back from here", "Track", "["),
    _annotate("track_on", "Track on from here", "Track", "]"),
    _annotate("stop", "Stop tracking anew", "Track", "Esc",
              tip="Stop tracking anew, or let go of the selected point."),
    _annotate("toggle_tracking", "Stop tracking the video, or continue", "Track", "Ctrl+T",
              tip="What is tracked by then is kept."),
    _annotate("new_person", "New person", "People", "Ctrl+P", needs="has_session",
              tip="Draw a box around a face that was not found; once more: in the middle."),
    _annotate("next_person", "Next person", "People", "P", needs="has_person"),
    _annotate("rename_person", "Rename...", "People", "F2", needs="has_person"),
    _annotate("merge_people", "Merge with...", "People", "Ctrl+M", needs="has_person"),
    _annotate("split_person", "Another person from here on", "People", "Ctrl+Shift+M",
              needs="has_person"),
    _annotate("delete_person", "Delete this person", "People", "Ctrl+Del", needs="has_person",
              tip="Ctrl+Z brings the person back with everything."),
    _annotate("mark_event", "Mark an event", "Mark", "M",
              tip="Once for the start, once more for the end; a name can be given."),
    _annotate("exclude_range", "Exclude a range", "Mark", "X",
              tip="Once for the start, once more for the end."),
    _annotate("mark_rest", "The face at rest", "Mark", "Ctrl+Shift+R", needs="has_person",
              tip="Once for the start, once more for the end; expressions are measured from it."),
    _annotate("trim_start", "Trim: begin here", "Mark", "Ctrl+["),
    _annotate("trim_end", "Trim: end here", "Mark", "Ctrl+]"),
    _annotate("time_zero", "Time begins here", "Mark", "Ctrl+0"),
    _annotate("remove_mark", "Remove the mark at this frame", "Mark", "Shift+M"),
    _annotate("show_events", "List of events...", "Event", "Ctrl+L",
              tip="All events and marks, to be found, accepted, renamed, moved or deleted."),
    _annotate("next_event", "Next event", "Event", "E"),
    _annotate("previous_event", "Event before", "Event", "Shift+E"),
    _annotate("accept_event", "Accept the event", "Event", "Y",
              tip="Say that the event is right; analysing anew leaves it as it is."),
    _annotate("reject_event", "Reject the event", "Event", "Shift+Y",
              tip="Say that there is no such event, also when it is found once more."),
    _annotate("rename_event", "Rename the event...", "Event", "Shift+F2", tip="Say what it is."),
    _annotate("event_begins_here", "The event begins here", "Event", ",",
              tip="Dragging its left end in the timeline does the same."),
    _annotate("event_ends_here", "The event ends here", "Event", ".",
              tip="Dragging its right end in the timeline does the same."),
    _annotate("make_event", "Make an event", "Event", "B", needs="has_person",
              tip="Once for the start, once more for the end; it is the chosen person's."),
    _annotate("zoom_face", "Fit the face into the view", "View", "F"),
    _annotate("zoom_all", "Whole picture", "View", "Shift+F"),
    _annotate("zoom_in", "Larger", "View", "+", tip="The wheel does the same at the pointer."),
    _annotate("zoom_out", "Smaller", "View", "-"),
    _annotate("pan_left", "Picture: more of the left", "View", "Ctrl+Left",
              tip="Dragging with the middle button does the same."),
    _annotate("pan_right", "Picture: more of the right", "View", "Ctrl+Right"),
    _annotate("pan_up", "Picture: more of the top", "View", "Ctrl+Up"),
    _annotate("pan_down", "Picture: more of the bottom", "View", "Ctrl+Down"),
    _annotate("stretch_time", "Timeline: a shorter part", "View", "Ctrl++"),
    _annotate("squeeze_time", "Timeline: a longer part", "View", "Ctrl+-"),
    _annotate("next_signal", "Timeline: another signal", "View", "S"),
    *(_annotate(f"markup_{count}", f"{count} points", "View", needs="", checked=("markup", count))
      for count in MARKUP_COUNTS),
    _annotate("next_markup", "Other number of points", "View", "Shift+P", needs=""),
    _annotate("toggle_ghost", "Show the shape before", "View", "G", checked=("ghost_shown", True)),
    Action("toggle_run", "Start or stop the camera", "Live", LIVE, ("Space",)),
    Action("toggle_mirror", "Mirror", "Live", LIVE, ("M",), checked=("mirrored", True)),
    Action("toggle_record", "Record", "Live", LIVE, ("Ctrl+R",), needs="running"),
    *(Action(f"live_event_{n}", f"Mark what key {n} stands for", "Live", LIVE, (str(n),),
             "At this moment; names that end with ... have a start and an end.", "running")
      for n in range(1, N_KEYS + 1)),
    Action("name_event_keys", "Names of event keys...", "Live", LIVE, (),
           "Say what the keys 1 to 9 mark."),
    Action("choose_folder", "Recording folder...", "Live", LIVE, (),
           "Choose where recordings go."),
    Action("show_recording", "Show the recording's folder", "Live", LIVE, (),
           "Show the last recording's files.", "has_recording"),
    Action("annotate_recording", "Open the recording in Annotate", "Live", LIVE, ("Ctrl+Return",),
           "Correct the points of the last recording.", "has_recording"),
    Action("toggle_adapt", "Adapt to this face", "Live", LIVE, ("A",), _ADAPT, "running",
           ("adapting", True)),
    Action("forget_person", "Forget this person", "Live", LIVE, ("Ctrl+F",),
           "Drop all that was learned of the face in view.", "running"),
    Action("save_person", "Save what was learned...", "Live", LIVE, ("Ctrl+S",),
           "Keep it in a file: personal data, which you delete to forget the person.", "running"),
    Action("load_person", "Use a saved person...", "Live", LIVE, ("Ctrl+L",),
           "Start with what was learned of a person before."),
    Action("measure_rest", "Face at rest (10 s)", "Live", LIVE, ("R",),
           "Keep your face at rest for ten seconds: pain and expressions are measured from it.",
           "running"),
    Action("clear_rest", "Measure from no rest", "Live", LIVE, ("Shift+R",), needs="has_rest"),
    Action("freeze", "Freeze, to correct by keys", "Live", LIVE, ("F",),
           "Tab chooses a point, arrows move it, Return teaches.", "running"),
    Action("teach", "Teach what was moved", "Live", LIVE, ("Return",), needs="frozen"),
    Action("cancel_freeze", "Continue without correcting", "Live", LIVE, ("Esc",), needs="frozen"),
    *(Action(f"live_{id}", text, "Live", LIVE, (key,), needs="frozen") for id, text, key in (
        ("next_point", "Next point of the frozen face", "Tab"),
        ("previous_point", "Previous point of the frozen face", "Shift+Tab"),
        ("left", "Move the point left", "Left"), ("right", "Move the point right", "Right"),
        ("up", "Move the point up", "Up"), ("down", "Move the point down", "Down"),
    )),
    Action("run_evaluation", "Measure", "Evaluate", EVALUATE, ("Ctrl+Return",)),
    Action("save_errors", "Save errors...", "Evaluate", EVALUATE, ("Ctrl+E",),
           "Write the error of every frame, whole and of each region, as CSV.", "has_report"),
    Action("save_report", "Save report...", "Evaluate", EVALUATE, ("Ctrl+S",), needs="has_report"),
    Action("show_live", "Live", "View", WINDOW, ("Ctrl+1",)),
    Action("show_annotate", "Annotate", "View", WINDOW, ("Ctrl+2",)),
    Action("show_evaluate", "Evaluate", "View", WINDOW, ("Ctrl+3",)),
    Action("show_notes", "Notes on this video", "View", WINDOW, (),
           "What its file lacks, and where its session lies."),
    Action("show_guide", "First steps", "Help", WINDOW, ("Shift+F1",),
           "What to do first, and the keys."),
    Action("show_hint", "How to teach the tracker", "Help", WINDOW, (),
           "The one thing to know: drag a wrong point."),
    Action("show_keys", "Keys", "Help", WINDOW, ("F1",), "All keys on one sheet."),
    Action("show_models", "Models and their terms", "Help", WINDOW),
    Action("show_about", "About and licences", "Help", WINDOW),
)  # fmt: skip

# A line stands above these in their menus.
SEPARATED: Final = frozenset({
    "show_queue", "import_tracks", "show_settings", "quit", "copy_shape", "fit_here", "reach_point",
    "next_point", "left", "up", "next_doubtful", "go_to_frame", "toggle_tracking", "merge_people",
    "exclude_range", "time_zero", "remove_mark", "accept_event", "event_begins_here", "pan_left",
    "stretch_time", "markup_68", "toggle_ghost", "show_live", "show_notes", "toggle_record",
    "toggle_adapt", "measure_rest", "freeze", "live_next_point", "show_keys", "show_about",
})  # fmt: skip

# By heading: with the letter that opens the menu together with Alt.
MENUS: Final = {
    "File": "&File", "Edit": "&Edit", "Go": "&Go", "Track": "&Track", "People": "&People",
    "Mark": "&Mark", "Event": "Eve&nt", "Live": "&Live", "Evaluate": "Eval&uate",
    "View": "&View", "Help": "&Help",
}  # fmt: skip


def keys_of(action: Action, changed: Mapping[str, str]) -> tuple[str, ...]:
    """Give the shortcuts of an action."""
    if action.id in changed:
        return (changed[action.id],) if changed[action.id] else ()
    return action.keys


def conflicts(changed: Mapping[str, str]) -> list[str]:
    """Find keys that would do two things in one view."""
    lines = []
    for view in (LIVE, ANNOTATE, EVALUATE):
        users: dict[str, list[str]] = {}
        for action in ACTIONS:
            if action.view in (view, WINDOW):
                for key in keys_of(action, changed):
                    users.setdefault(key.lower(), []).append(action.text)
        lines += [f"{key}: {' and '.join(texts)}" for key, texts in users.items() if len(texts) > 1]
    return sorted(set(lines))
