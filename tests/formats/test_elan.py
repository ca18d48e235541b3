from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.errors import FormatError
from facetrack.formats.annotation import Annotation, track_annotations
from facetrack.formats.elan import read_elan, write_elan_annotations
from facetrack.formats.table import TrackTable

GOLDEN = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-11-23T14:00:00+00:00" FORMAT="3.0" VERSION="3.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///data/clip.mp4" MIME_TYPE="video/mp4"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="480"/>
    <TIME_SLOT TIME_SLOT_ID="ts2"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="920"/>
  </TIME_ORDER>
  <TIER TIER_ID="action" LINGUISTIC_TYPE_REF="default-lt">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
        <ANNOTATION_VALUE>blink</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
        <ANNOTATION_VALUE></ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <TIER TIER_ID="remark" LINGUISTIC_TYPE_REF="default-lt" PARENT_REF="action">
    <ANNOTATION>
      <REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
        <ANNOTATION_VALUE>half</ANNOTATION_VALUE>
      </REF_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""

BOMB = """<?xml version="1.0"?>
<!DOCTYPE ANNOTATION_DOCUMENT [
 <!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<ANNOTATION_DOCUMENT>&b;</ANNOTATION_DOCUMENT>
"""


def read(path: Path, text: str) -> list[Annotation]:
    (path / "a.eaf").write_text(text, encoding="utf-8")
    return read_elan(path / "a.eaf")


def test_a_file_of_elan_is_read(tmp_path: Path) -> None:
    # An unaligned slot lies between its neighbours; annotations without times are left out.
    assert read(tmp_path, GOLDEN) == [
        Annotation("action", 0.48, 0.7, "blink"),
        Annotation("action", 0.7, 0.92, ""),
    ]


def with_media(*descriptors: str) -> str:
    media = "".join(f"<MEDIA_DESCRIPTOR {attributes}/>" for attributes in descriptors)
    text = re.sub(r"<MEDIA_DESCRIPTOR[^>]*/>", "", GOLDEN)
    return re.sub(r"(<HEADER[^>]*[^/])/?>(</HEADER>)?", rf"\1>{media}\2", text, count=1)


def test_a_medium_that_begins_later_moves_the_times(tmp_path: Path) -> None:
    sound = 'MEDIA_URL="file:///a.wav" MIME_TYPE="audio/x-wav"'
    face = 'MEDIA_URL="file:///my%20face.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="400"'
    other = 'MEDIA_URL="file:///b.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="-100"'
    path = tmp_path / "a.eaf"
    path.write_text(with_media(sound, face, other), encoding="utf-8")
    assert read_elan(path)[0].start == pytest.approx(0.88)  # the first video's
    assert read_elan(path, media="my face.mp4")[0].start == pytest.approx(0.88)
    assert read_elan(path, media="b.mp4")[0].start == pytest.approx(0.38)
    assert read_elan(path, media="a.wav")[0].start == pytest.approx(0.48)
    assert read(tmp_path, with_media())[0].start == pytest.approx(0.48)
    with pytest.raises(FormatError, match="TIME_ORIGIN 'late' is no time"):
        read(tmp_path, with_media(face.replace("400", "late")))


WRONG = {
    "empty": ("", "no well-formed XML"),
    "cut": (GOLDEN[:900], "line .*: no well-formed XML"),
    "bomb": (BOMB, "declares a DOCTYPE"),
    "other XML": ("<svg/>", "outermost element is 'svg'"),
    "unknown slot": (GOLDEN.replace('REF2="ts3"', 'REF2="ts9"'), "'action': no time slot 'ts9'"),
    "backwards": (GOLDEN.replace('"920"', '"20"'), "ends at 0.25 s and starts at 0.48 s"),
    "time in words": (GOLDEN.replace('"920"', '"late"'), "'late' is no time"),
    "seconds": (GOLDEN.replace('"milliseconds"', '"PAL-frames"'), "times are in 'PAL-frames'"),
    "slots twice": (GOLDEN.replace('ID="ts3"', 'ID="ts1"'), "two time slots"),
    "encoding": (GOLDEN.replace('"UTF-8"', '"martian"'), "XML"),
    "a long encoding": (GOLDEN.replace('"UTF-8"', f'"UTF-{"9" * 400}"'), "no readable XML"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as error:
        read(tmp_path, text)
    assert len(error.value.cause) < 200


def test_slots_without_any_time_lie_at_the_start(tmp_path: Path) -> None:

    found = read(tmp_path, re.sub(r' TIME_VALUE="\d+"', "", GOLDEN))
    assert {(a.start, a.end) for a in found} == {(0.0, 0.0)}


def write(path: Path, table: TrackTable) -> None:
    media = path.parent / "clips" / "clip one.mp4"
    write_elan_annotations(path, track_annotations(table), media=media)


def test_tracks_become_a_tier_for_each_face(tmp_path: Path, table: TrackTable) -> None:
    path = tmp_path / "a.eaf"
    write_elan_annotations(
        path, track_annotations(table), media=tmp_path / "clips" / "clip one.mp4"
    )
    expected = track_annotations(table)
    found = read_elan(path)
    assert [(a.tier, a.value) for a in found] == [(a.tier, a.value) for a in expected]
    for a, b in zip(found, expected, strict=True):
        assert (a.start, a.end) == pytest.approx((b.start, b.end), abs=5e-4)


def test_the_document_follows_the_schema(tmp_path: Path, table: TrackTable) -> None:
    path = tmp_path / "a.eaf"
    write_elan_annotations(
        path, track_annotations(table), media=tmp_path / "clips" / "clip one.mp4"
    )
    document = ElementTree.parse(path).getroot()
    assert [child.tag for child in document] == [
        "HEADER", "TIME_ORDER", "TIER", "TIER", "TIER", "TIER", "LINGUISTIC_TYPE"
    ]  # fmt: skip
    media = document.find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.get("MEDIA_URL", "").startswith("file:///")
    assert media.get("RELATIVE_MEDIA_URL") == "./clips/clip one.mp4"
    assert media.get("MIME_TYPE") == "video/mp4"
    times = [int(slot.get("TIME_VALUE", "")) for slot in document.iter("TIME_SLOT")]
    assert times == sorted(times)
    assert len(times) == 2 * len(track_annotations(table))
    ids = [e.get("ANNOTATION_ID") for e in document.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(ids)) == len(ids)
    bytes_before = path.read_bytes()
    write_elan_annotations(
        path, track_annotations(table), media=tmp_path / "clips" / "clip one.mp4"
    )
    assert path.read_bytes() == bytes_before


words = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs", "Cc"]))


@given(
    items=st.lists(st.tuples(words, st.integers(0, 50), st.integers(1, 500)), max_size=8),
    tier=words,
)
def test_annotations_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, int, int]], tier: str
) -> None:
    now, annotations = 0, []
    for value, gap, length in items:
        annotations.append(Annotation(tier, (now + gap) / 1000, (now + gap + length) / 1000, value))
        now += gap + length
    path = tmp_path_factory.getbasetemp() / "round.eaf"
    write_elan_annotations(path, annotations)
    # XML cannot hold U+FFFE and U+FFFF.
    clean = [Annotation(_xml(a.tier), a.start, a.end, _xml(a.value)) for a in annotations]
    assert read_elan(path) == clean


def _xml(text: str) -> str:
    return text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
