"""WebVTT files: annotations as the subtitles of a video."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable
from typing import Final

from facetrack.errors import FormatError
from facetrack.formats.annotation import Annotation, in_milliseconds
from facetrack.formats.atomic import write_text
from facetrack.formats.textfile import read_text

MAX_BYTES: Final = 1 << 28
_TIME: Final = r"(?:(\d{2,6}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING: Final = re.compile(rf"[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?", re.ASCII)
_VOICE: Final = re.compile(r"<v(?:\.[^ \t>]*)?[ \t]+([^>]*)>")
_TAG: Final = re.compile(r"<[^>]*>")


def write_webvtt_annotations(
    path: str | os.PathLike[str], annotations: Iterable[Annotation], *, media: str | None = None
) -> None:
    """Write annotations as cues; the tier becomes the voice that speaks.

    Parameters
    ----------
    path : path-like
        The .vtt file to write.
    annotations : iterable of Annotation
        Those of one tier ordered by time and without overlap. White space within a value becomes
        single blanks.
    media : str, optional
        Name of the video, for a note at the top.

    Raises
    ------
    InputError
        If annotations overlap or have impossible times.
    OutputError
        If the file cannot be written.
    """
    cues = sorted(in_milliseconds(annotations), key=lambda cue: cue[:2])
    blocks = ["WEBVTT"]
    if media is not None:
        blocks.append(f"NOTE made from {_escaped(media)}")
    for number, (start, end, annotation) in enumerate(cues, start=1):
        tier, value = _escaped(annotation.tier), _escaped(annotation.value)
        voice = f"<v {tier}>" if tier else ""
        blocks.append(f"{number}\n{_clock(start)} --> {_clock(end)}\n{voice}{value}")
    write_text(path, "\n\n".join(blocks) + "\n")


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def _escaped(text: str) -> str:
    """Join lines and escape marks; with > escaped there is no --> either."""
    joined = " ".join(text.replace("\0", "\ufffd").split())
    return html.escape(joined, quote=False)


def read_webvtt(path: str | os.PathLike[str]) -> list[Annotation]:
    """Read the cues of a file.

    Parameters
    ----------
    path : path-like
        A .vtt file.

    Returns
    -------
    list of Annotation
        In the order of the file; the tier is the cue's first voice or empty, tags are removed.

    Raises
    ------
    FormatError
        If the file is missing or broken, or a cue ends before it starts.
    """
    lines = read_text(path, limit=MAX_BYTES).split("\n")
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        cause = f"the first line is {lines[0]!r:.40}, not 'WEBVTT'"
        raise FormatError(path, cause, line=1, remedy="is it an SRT file?")
    found = []
    number = 1
    while number < len(lines):
        start = number
        while number < len(lines) and lines[number]:
            number += 1
        if start < number:
            found.extend(_cue(path, lines[start:number], start + 1))
        number += 1
    return found


def _cue(path: str | os.PathLike[str], block: list[str], line: int) -> list[Annotation]:
    """Read one block of lines; notes, styles and regions give nothing."""
    timing = next((i for i, text in enumerate(block[:2]) if "-->" in text), None)
    if timing is None:
        if any("-->" in text for text in block):
            raise FormatError(path, "a cue's times follow at most one line, its name", line=line)
        return []
    match = _TIMING.fullmatch(block[timing])
    if match is None:
        comma = "," in block[timing]
        remedy = "WebVTT has a full stop before the milliseconds, SRT a comma" if comma else ""
        found = f"{block[timing]!r:.60}"
        raise FormatError(path, f"no times of a cue: {found}", line=line + timing, remedy=remedy)
    start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
    if end <= start:
        raise FormatError(path, f"a cue ends at {end} s, starts at {start} s", line=line + timing)
    text = "\n".join(block[timing + 1 :])
    if "-->" in text:
        raise FormatError(path, "'-->' within a cue's text", line=line, remedy="part the cues")
    voice = _VOICE.search(text)
    tier = html.unescape(voice[1]).strip() if voice else ""
    return [Annotation(tier, start, end, html.unescape(_TAG.sub("", text)))]


def _seconds(parts: Iterable[str | None]) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return (((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds) / 1000
