# SPDX-License-Identifier: GPL-3.0-or-later
"""All commands: importing this makes every one known to the history by its name."""

from facetrack_app.model.command import Command, Log, make
from facetrack_app.model.commands_events import (
    AcceptEvent,
    MakeEvent,
    MoveEvent,
    RejectEvent,
    RenameEvent,
)
from facetrack_app.model.commands_frames import Correct, Fitted, Import, Retrack, Uncorrect
from facetrack_app.model.commands_marks import (
    ChangeSpan,
    MarkSpan,
    RemoveSpan,
    SetRest,
    SetTimeZero,
    Trim,
)
from facetrack_app.model.commands_people import DeletePerson, Merge, NewPerson, Rename, Split

__all__ = [
    "AcceptEvent", "ChangeSpan", "Command", "Correct", "DeletePerson", "Fitted", "Import", "Log",
    "MakeEvent", "MarkSpan", "Merge", "MoveEvent", "NewPerson", "RejectEvent", "RemoveSpan",
    "Rename", "RenameEvent", "Retrack", "SetRest", "SetTimeZero", "Split", "Trim", "Uncorrect",
    "make",
]  # fmt: skip
