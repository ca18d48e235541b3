"""ELAN's .eaf files: annotations in tiers on a video, times in milliseconds."""

from __future__ import annotations

import itertools
import mimetypes
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote
from xml.etree import ElementTree

from facetrack.errors import FormatError
from facetrack.formats.annotation import Annotation, in_milliseconds
from facetrack.formats.atomic import atomic_path
from facetrack.formats.xmlfile import read_xml

_SCHEMA: Final = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_DATE: Final = "1970-01-01T00:00:00+00:00"  # constant: the same tracks give the same bytes
_TYPE: Final = "default-lt"
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_elan_annotations(
    path: str | os.PathLike[str],
    annotations: Iterable[Annotation],
    *,
    media: str | os.PathLike[str] | None = None,
) -> None:
    """Write annotations.

    Parameters
    ----------
    path : path-like
        The .eaf file to write.
    annotations : iterable of Annotation
        Those of one tier ordered by time and without overlap; ELAN knows milliseconds only, and
        an event of no length becomes 1 ms long.
    media : path-like, optional
        The video that ELAN shall open.

    Raises
    ------
    InputError
        If annotations overlap or have impossible times.
    OutputError
        If the file cannot be written.
    """
    rounded = in_milliseconds(annotations)
    document = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "",
            "DATE": _DATE,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _INSTANCE,
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ElementTree.SubElement(
        document, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    )
    if media is not None:
        ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", _media(Path(path), Path(media)))
    last = ElementTree.SubElement(header, "PROPERTY", {"NAME": "lastUsedAnnotationId"})
    last.text = str(len(rounded))
    _add_tiers(document, rounded)
    ElementTree.SubElement(
        document,
        "LINGUISTIC_TYPE",
        {"LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"},
    )
    ElementTree.indent(document)
    with atomic_path(path) as temporary:
        tree = ElementTree.ElementTree(document)
        tree.write(temporary, encoding="UTF-8", xml_declaration=True)


def _media(path: Path, media: Path) -> dict[str, str]:
    """Describe the video: ELAN looks at the relative place when the absolute one fails."""
    described = {
        "MEDIA_URL": media.resolve().as_uri(),
        "MIME_TYPE": mimetypes.guess_type(media.name)[0] or "unknown",
    }
    try:
        relative = Path(os.path.relpath(media.resolve(), path.resolve().parent)).as_posix()
    except ValueError:  # another drive of Windows
        return described
    prefix = "" if relative.startswith("../") else "./"
    return {**described, "RELATIVE_MEDIA_URL": prefix + relative}


def _add_tiers(document: ElementTree.Element, rounded: list[tuple[int, int, Annotation]]) -> None:
    order = ElementTree.SubElement(document, "TIME_ORDER")
    # Slots in the order of time, none shared: ELAN would move both annotations at once.
    moments = sorted(
        (time, number, end)
        for number, (*span, _) in enumerate(rounded)
        for end, time in enumerate(span)
    )
    slots = {}
    for place, (time, number, end) in enumerate(moments, start=1):
        slots[number, end] = f"ts{place}"
        attributes = {"TIME_SLOT_ID": f"ts{place}", "TIME_VALUE": str(time)}
        ElementTree.SubElement(order, "TIME_SLOT", attributes)
    tiers: dict[str, ElementTree.Element] = {}
    for number, (_, _, annotation) in enumerate(rounded):
        name = _NOT_XML.sub("\ufffd", annotation.tier)
        if name not in tiers:
            attributes = {"TIER_ID": name, "LINGUISTIC_TYPE_REF": _TYPE}
            tiers[name] = ElementTree.SubElement(document, "TIER", attributes)
        attributes = {
            "ANNOTATION_ID": f"a{number + 1}",
            "TIME_SLOT_REF1": slots[number, 0],
            "TIME_SLOT_REF2": slots[number, 1],
        }
        outer = ElementTree.SubElement(tiers[name], "ANNOTATION")
        inner = ElementTree.SubElement(outer, "ALIGNABLE_ANNOTATION", attributes)
        value = ElementTree.SubElement(inner, "ANNOTATION_VALUE")
        value.text = _NOT_XML.sub("\ufffd", annotation.value)


def read_elan(path: str | os.PathLike[str], *, media: str = "") -> list[Annotation]:
    """Read the annotations of all tiers that are aligned to time.

    Parameters
    ----------
    path : path-like
        An .eaf file.
    media : str
        Name of the video whose times are wanted, where the document has several media; without it
        the first video's, else the first one's.

    Returns
    -------
    list of Annotation
        In the order of the file, in seconds of the medium: ELAN plays a medium from its
        TIME_ORIGIN on, so that is added. Annotations that refer to others and have no times of
        their own are left out. A time slot without a value lies evenly between its neighbours.

    Raises
    ------
    FormatError
        If the file is missing, broken, or no ELAN document.
    """
    document = read_xml(path, root="ANNOTATION_DOCUMENT")
    origin = _time_origin(path, document, media)
    slots = {name: time + origin for name, time in _time_slots(path, document).items()}
    found = []
    for tier in document.iterfind("TIER"):
        name = tier.get("TIER_ID", "")
        for element in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"):
            references = [element.get(f"TIME_SLOT_REF{i}", "") for i in (1, 2)]
            for reference in references:
                if reference not in slots:
                    raise FormatError(path, f"tier {name!r:.40}: no time slot {reference!r:.40}")
            start, end = (slots[reference] / 1000 for reference in references)
            if end < start:
                cause = f"tier {name!r:.40}: an annotation ends at {end} s and starts at {start} s"
                raise FormatError(path, cause)
            value = element.findtext("ANNOTATION_VALUE") or ""
            found.append(Annotation(name, start, end, value))
    return found


def _time_origin(path: str | os.PathLike[str], document: ElementTree.Element, media: str) -> float:
    """Read where in a medium, in milliseconds, the document's time 0 lies."""
    described = document.findall("HEADER/MEDIA_DESCRIPTOR")
    names = [PurePosixPath(unquote(d.get("MEDIA_URL", ""))).name for d in described]
    videos = [d for d in described if d.get("MIME_TYPE", "").startswith("video/")]
    chosen = [d for d, name in zip(described, names, strict=True) if media and name == media]
    text = next((d.get("TIME_ORIGIN", "0") for d in [*chosen, *videos, *described]), "0")
    if not re.fullmatch(r"-?\d{1,12}", text, re.ASCII):
        raise FormatError(path, f"TIME_ORIGIN {text!r:.40} is no time in milliseconds")
    return float(text)


def _time_slots(path: str | os.PathLike[str], document: ElementTree.Element) -> dict[str, float]:
    """Read the times in milliseconds by name; fill in those without a value."""
    units = document.find("HEADER")
    if units is not None and units.get("TIME_UNITS", "milliseconds") != "milliseconds":
        raise FormatError(path, f"times are in {units.get('TIME_UNITS')!r:.40}, not milliseconds")
    names, values = [], []
    for slot in document.iterfind("TIME_ORDER/TIME_SLOT"):
        text = slot.get("TIME_VALUE")
        if text is not None and not re.fullmatch(r"\d{1,12}", text, re.ASCII):
            raise FormatError(path, f"{text!r:.40} is no time in milliseconds")
        names.append(slot.get("TIME_SLOT_ID", ""))
        values.append(None if text is None else float(text))
    if len(set(names)) < len(names):
        raise FormatError(path, "two time slots have the same name")
    return dict(zip(names, _interpolated(values), strict=True))


def _interpolated(values: list[float | None]) -> list[float]:
    """Place the unknown evenly between the known; before the first and after the last: there."""
    known = [(i, value) for i, value in enumerate(values) if value is not None]
    if not known:
        return [0.0] * len(values)
    filled = [known[0][1]] * known[0][0]
    for (i, a), (j, b) in itertools.pairwise(known):
        filled.extend(a + (b - a) * k / (j - i) for k in range(j - i))
    return filled + [known[-1][1]] * (len(values) - known[-1][0])
