from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.errors import FormatError
from facetrack.formats.annotation import Annotation, track_annotations
from facetrack.formats.table import TrackTable
from facetrack.formats.webvtt import read_webvtt, write_webvtt_annotations

GOLDEN = """WEBVTT

NOTE made from clip.mp4

1
00:00:00.480 --> 00:00:00.920
blink
"""
BLINK = [Annotation("", 0.48, 0.92, "blink")]


def read(path: Path, text: str) -> list[Annotation]:
    (path / "a.vtt").write_bytes(text.encode())
    return read_webvtt(path / "a.vtt")


VARIANTS = {
    "plain": GOLDEN,
    "BOM": "\ufeff" + GOLDEN,
    "CRLF": GOLDEN.replace("\n", "\r\n"),
    "title": GOLDEN.replace("WEBVTT", "WEBVTT - some title\nKind: captions"),
    "no hours": GOLDEN.replace("00:00:00", "00:00"),
    "long hours": GOLDEN.replace("00:00:00", "0000:00:00"),
    "settings": GOLDEN.replace("920", "920 align:start position:10%"),
    "no name": GOLDEN.replace("1\n", ""),
    "style": GOLDEN.replace("NOTE made from clip.mp4", "STYLE\n::cue { color: red }"),
    "tags": GOLDEN.replace("blink", "<c.loud><b>bl</b>ink</c>"),
    "blank lines": GOLDEN.replace("\n\n", "\n\n\n\n"),
    "no final newline": GOLDEN.rstrip("\n"),
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS)
def test_variants_of_the_format_are_read(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == BLINK


def test_voices_entities_and_lines_are_read(tmp_path: Path) -> None:
    text = GOLDEN.replace("blink", "<v.loud R&amp;D>a &lt; b\nc &amp;lt; d</v>")
    assert read(tmp_path, text) == [Annotation("R&D", 0.48, 0.92, "a < b\nc &lt; d")]


WRONG = {
    "empty": ("", "first line is ''"),
    "SRT": (GOLDEN.replace("WEBVTT\n\n", ""), "is it an SRT file"),
    "WEBVTTX": (GOLDEN.replace("WEBVTT", "WEBVTTX"), "first line is 'WEBVTTX'"),
    "comma": (GOLDEN.replace(".480", ",480"), "line 6: .* SRT a comma"),
    "two decimals": (GOLDEN.replace(".480", ".48"), "line 6: no times"),
    "70 minutes": (GOLDEN.replace("00:00:00.480", "00:70:00.480"), "line 6: no times"),
    "backwards": (GOLDEN.replace(".920", ".120"), "line 6: .* ends at 0.12 s, starts at 0.48"),
    "no length": (GOLDEN.replace(".920", ".480"), "ends at 0.48 s"),
    "no blank line": (GOLDEN + "2\n00:00:01.000 --> 00:00:02.000\n", "'-->' within"),
    "long name": (GOLDEN.replace("1\n", "1\n2\n"), "at most one line"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, text)


def test_tracks_become_cues(tmp_path: Path, table: TrackTable) -> None:
    path = tmp_path / "a.vtt"
    write_webvtt_annotations(path, track_annotations(table), media="clip --> one.mp4")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n\nNOTE made from clip --&gt; one.mp4\n\n1\n00:00:00.000 --> ")
    expected = [
        dataclasses.replace(a, start=round(a.start, 3), end=round(a.end, 3))
        for a in sorted(track_annotations(table), key=lambda a: a.start)
    ]
    assert read_webvtt(path) == expected


def test_long_videos_have_hours(tmp_path: Path) -> None:
    write_webvtt_annotations(tmp_path / "a.vtt", [Annotation("", 360_061.5, 360_062.25, "late")])
    assert "100:01:01.500 --> 100:01:02.250" in (tmp_path / "a.vtt").read_text()


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(items=st.lists(st.tuples(words, words, st.integers(1, 10**8)), max_size=8))
def test_annotations_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, str, int]]
) -> None:
    now, annotations = 0, []
    for tier, value, length in items:
        annotations.append(Annotation(tier, now / 1000, (now + length) / 1000, value))
        now += length
    path = tmp_path_factory.getbasetemp() / "round.vtt"
    write_webvtt_annotations(path, annotations)
    joined = [
        Annotation(" ".join(a.tier.split()), a.start, a.end, " ".join(a.value.split()))
        for a in annotations
    ]
    assert read_webvtt(path) == joined
