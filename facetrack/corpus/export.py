"""The other formats, made of the finished rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from facetrack.corpus.task import Task
from facetrack.formats.annotation import event_annotations, track_annotations
from facetrack.formats.coco import write_coco
from facetrack.formats.elan import write_elan_annotations
from facetrack.formats.openface import read_openface
from facetrack.formats.pts import write_pts_folder
from facetrack.formats.webvtt import write_webvtt_annotations
from facetrack.reading import EventRecord
from facetrack.video.images import ImageFolder
from facetrack.video.source import VideoSource

OF_TIME: Final = ("elan", "vtt")  # formats that are made of times, which stills lack


def export(task: Task, source: VideoSource, events: Sequence[EventRecord] = ()) -> None:
    """Write the formats that a task asks for besides CSV, but for those that stills lack.

    They are made of the partial CSV file, so that they are the same after an interruption.
    """
    left_out = ("csv", *(OF_TIME if task.stills else ()))
    wanted = [kind for kind in task.settings.formats if kind not in left_out]
    if not wanted:
        return
    outputs = task.outputs
    table = read_openface(outputs.path("partial"))
    media = task.source if isinstance(task.source, Path) else None
    for kind in wanted:
        path = outputs.path(kind)
        if kind == "pts":
            write_pts_folder(path, table)
        elif kind == "coco":
            size_of = source.size_of if isinstance(source, ImageFolder) else None
            write_coco(path, table, size=source.size, stem=outputs.base.name, size_of=size_of)
        else:
            said = [*track_annotations(table), *event_annotations(events)]
            if kind == "elan":
                write_elan_annotations(path, said, media=media)
            else:
                write_webvtt_annotations(path, said, media=media.name if media else None)
