"""dlib's landmark files, as its tool imglab writes them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.face import N_POINTS, read_only_points
from facetrack.formats.atomic import atomic_path
from facetrack.formats.textfile import NUMBER
from facetrack.formats.xmlfile import read_xml

MAX_COORDINATE: Final = 1e6


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """One face of a picture."""

    box: tuple[float, float, float, float]  # x0, y0, x1, y1; width is x1 - x0 + 1
    points: npt.NDArray[np.float64]  # (68, 2) pixels from 0, centres at integers; NaN: no label
    ignore: bool = False  # training and testing shall neither want nor mind it


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture with its faces, or none."""

    path: Path
    faces: tuple[LabelledFace, ...]


def read(path: str | os.PathLike[str]) -> list[LabelledPicture]:
    """Read a landmark file; its pictures lie relative to it, its parts go by their names."""
    document = read_xml(path, root="dataset")
    folder = Path(path).parent
    pictures = []
    for image in document.iterfind("images/image"):
        name = image.get("file")
        if not name or "\0" in name:
            raise FormatError(path, "an image has no file name")
        faces = tuple(_read_face(path, name, box) for box in image.iterfind("box"))
        pictures.append(LabelledPicture(folder / name, faces))
    return pictures


def _read_face(
    path: str | os.PathLike[str], picture: str, box: ElementTree.Element
) -> LabelledFace:
    left, top, width, height = (
        _number(path, picture, box, key) for key in ("left", "top", "width", "height")
    )
    points = np.full((N_POINTS, 2), np.nan)
    for part in box.iterfind("part"):
        name = part.get("name", "")
        if not re.fullmatch(r"\d{1,3}", name, re.ASCII) or int(name) >= N_POINTS:
            raise FormatError(path, f"{picture}: part {name!r:.40} is not named 0 to 67")
        if not np.isnan(points[int(name), 0]):
            raise FormatError(path, f"{picture}: part {name!r} occurs twice in a box")
        points[int(name)] = [_number(path, picture, part, key) for key in "xy"]
    corners = left, top, left + width - 1, top + height - 1
    return LabelledFace(corners, read_only_points(points), box.get("ignore") in ("1", "true"))


def _number(
    path: str | os.PathLike[str], picture: str, element: ElementTree.Element, key: str
) -> float:
    text = element.get(key, "")
    value = float(text) if NUMBER.fullmatch(text) else np.nan
    if not abs(value) <= MAX_COORDINATE:
        raise FormatError(path, f"{picture}: {element.tag} has {key}={text!r:.40}, no coordinate")
    return value


def write(
    path: str | os.PathLike[str], pictures: Iterable[LabelledPicture], *, name: str = "faces"
) -> None:
    """Write a landmark file that dlib can train with; it names pictures relative to its folder."""
    # dlib reads integers only, so coordinates are rounded: half a pixel may be lost; enlarge the
    # pictures to keep more. It sorts parts by their names as text, hence 00 to 67.
    document = ElementTree.Element("dataset")
    ElementTree.SubElement(document, "name").text = name
    images = ElementTree.SubElement(document, "images")
    folder = Path(path).resolve().parent
    for picture in pictures:
        place = picture.path.resolve()
        file = place.relative_to(folder) if place.is_relative_to(folder) else place
        image = ElementTree.SubElement(images, "image", {"file": file.as_posix()})
        for face in picture.faces:
            _add_face(image, face)
    ElementTree.indent(document)
    with atomic_path(path) as temporary:
        ElementTree.ElementTree(document).write(temporary, encoding="UTF-8", xml_declaration=True)


def _add_face(image: ElementTree.Element, face: LabelledFace) -> None:
    left, top, right, bottom = _rounded(face.box)
    if right < left or bottom < top:
        raise InputError(f"a box must not be empty, got {face.box}")
    attributes = {
        "top": str(top),
        "left": str(left),
        "width": str(right - left + 1),
        "height": str(bottom - top + 1),
    }
    if face.ignore:
        attributes["ignore"] = "1"
    box = ElementTree.SubElement(image, "box", attributes)
    for number, point in enumerate(face.points.tolist()):
        if np.isfinite(point).all():
            x, y = _rounded(point)
            part = {"name": f"{number:02d}", "x": str(x), "y": str(y)}
            ElementTree.SubElement(box, "part", part)


def _rounded(values: Sequence[float]) -> list[int]:
    if not all(abs(value) <= MAX_COORDINATE for value in values):
        raise InputError(f"coordinates must be finite and below {MAX_COORDINATE:.0e}, got {values}")
    return [int(np.rint(value)) for value in values]
