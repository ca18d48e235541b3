from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from facetrack.cli.main import main
from facetrack.corpus.results import read_results
from tests.results import write_result


class Page(HTMLParser):
    """Collects tags, addresses and tables of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.rows: list[list[str]] = []
        self.words = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.tags and self.tags[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def row(self, name: str) -> list[str]:
        """Give the first row that begins with a name."""
        return next(row for row in self.rows if row and row[0] == name)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.html"


def numbers(page: Path) -> dict[tuple[str, ...], str]:
    """Read the CSV file by face, interval, name and measure."""
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        return {
            (r["video"], r["face_id"], r["interval"], r["name"], r["measure"]): r["value"]
            for r in csv.DictReader(stream)
        }


def test_page_csv_and_json_say_the_same(tmp_path: Path, page: Path) -> None:
    out = write_result(tmp_path / "out" / "clip", [0], lost=[False] * 8 + [True] * 2)
    assert main(["report", str(out.path("csv")), "-o", str(page)]) == 0
    shown, table = Page(page), numbers(page)
    content = json.loads(page.with_suffix(".json").read_text())["details"]["recordings"][0]
    (whole,) = content["people"][0]["intervals"]
    blink = whole["events"]["blink"]
    assert (blink["count"], blink["per_minute"]) == (1, 75)
    assert table["clip", "0", "whole video", "blink", "per_minute"] == "75"
    assert shown.row("blink")[1:3] == ["1", "75.0"]
    assert blink["reasons"] == {"lost: covered": 0.2}
    assert table["clip", "0", "whole video", "blink", "not assessable: lost: covered"] == "0.2"
    assert "lost: covered: 20.0\N{NO-BREAK SPACE}%" in shown.words
    assert table["clip", "0", "whole video", "", "tracked"] == "0.8"
    assert shown.row("face tracked")[1:3] == ["0.8", "80.0\N{NO-BREAK SPACE}%"]
    assert shown.row("eye openness")[1] == "1.000"
    assert content["about"] == {
        "Video": "clip.mp4", "Tracked on": "2024-05-06", "Program": f"Facetrack {_version()}",
        "Model": "toy", "Checksum": "c0ffee",
    }  # fmt: skip
    assert "not a diagnosis" in shown.words
    assert "nav" not in shown.tags


def _version() -> str:
    import facetrack

    return facetrack.__version__


def test_a_folder_gives_a_page_for_every_person(tmp_path: Path, page: Path) -> None:
    write_result(tmp_path / "out" / "a", [0, 3])
    write_result(tmp_path / "out" / "b" / "a", [1])
    assert main(["report", str(tmp_path / "out"), "-o", str(page)]) == 0
    shown = Page(page)
    for title in ("a: face 0", "a: face 3", "b/a: face 1"):
        assert shown.words.count(title) == 2  # in the contents, and above its numbers
    assert {key[:2] for key in numbers(page)} == {("a", "0"), ("a", "3"), ("b/a", "1")}


def test_names_become_no_markup_and_nothing_is_loaded(tmp_path: Path, page: Path) -> None:
    out = write_result(tmp_path / "out" / "<b>", [0])
    write_result(tmp_path / "out" / "c", [])
    main(["report", str(out.base.parent), "-o", str(page), "--interval", "<i>=0-0.5"])
    shown = Page(page)
    assert not {"b", "i", "script", "link"} & set(shown.tags)
    assert "<b>.mp4" in shown.words
    assert shown.row("")[1:3] == ["seconds", "of the time"]
    assert all(a.startswith(("data:", "#")) for a in shown.addresses)
    assert "<b>" in {key[0] for key in numbers(page)}


def test_intervals_are_compared(tmp_path: Path, page: Path) -> None:
    out = write_result(tmp_path / "clip", [0], lost=[False] * 5 + [True] * 5)
    protocol = tmp_path / "protocol.csv"
    protocol.write_text("name,start,stop\nrest,0,0.4\n")
    options = ["--intervals", str(protocol), "--interval", "late=0.5-1"]
    assert main(["report", str(out.path("signals")), "-o", str(page), *options]) == 0
    shown, table = Page(page), numbers(page)
    assert shown.row("blink: per minute") == [
        "blink: per minute", "150.0", "-", "-", "late: not assessable: lost: covered",
    ]  # fmt: skip
    assert shown.row("face tracked")[:2] == ["face tracked", "0.5"]
    assert table["clip", "0", "rest", "blink", "count"] == "1"
    assert table["clip", "0", "late", "blink", "count"] == ""
    assert ["", "rest", "late", "late - rest", "note"] in shown.rows


def test_a_video_without_a_face_is_no_success(tmp_path: Path, page: Path, capsys) -> None:
    out = write_result(tmp_path / "empty", [])
    assert main(["report", str(out.path("signals")), "-o", str(page)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("empty.signals.csv: no face was found in this video")
    assert '<p class="notice">No face was found in this video' in page.read_text()


def test_one_bad_video_does_not_stop_the_rest(tmp_path: Path, page: Path, capsys) -> None:
    write_result(tmp_path / "out" / "a", [0])
    broken = write_result(tmp_path / "out" / "b", [0])
    broken.path("ledger").write_text('{"schema": 99}')
    back = write_result(tmp_path / "out" / "c", [0])
    back.path("signals").write_text("frame,timestamp,face_id,x\n1,1,0,1\n2,0,0,1\n")
    write_result(tmp_path / "out" / "d", [0], signals="none")
    assert main(["report", str(tmp_path / "out"), "missing.csv", "-o", str(page)]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert [error.split(": ", 2)[1].rsplit("/", 1)[-1] for error in errors] == [
        "missing.csv", "b.ledger.json", "c.signals.csv", "d.csv",
    ]  # fmt: skip
    assert "of another version of Facetrack; track the video again" in errors[1]
    assert "go back after frame 1" in errors[2]
    assert "track it again with --signals default" in errors[3]
    assert {key[0] for key in numbers(page)} == {"a"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "page.txt"], "must end in .html"),
        (["-o", "clip.html"], "clip.csv: is there and no report; choose another name with --csv"),
        (["-o", "p.html", "--json", "clip.ledger.json"], "choose another name with --json"),
        (["-o", "p.html", "--csv", "p.html"], "names of their own"),
        (["-o", "p.html", "--interval", "x"], "such as baseline=0-30"),
        (["-o", "p.html", "--interval", "x=0-1", "--interval", "x=1-2"], "two intervals"),
        (["-o", "p.html", "--intervals", "clip.csv"], "the column 'name' is missing"),
    ],
)
def test_wrong_options_are_one_line(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    write_result(tmp_path / "clip", [0])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    assert main(["report", "clip.csv", *options]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_report_may_be_made_again(tmp_path: Path, page: Path) -> None:
    out = write_result(tmp_path / "clip", [0])
    command = ["report", str(out.path("csv")), "-o", str(page)]
    assert main(command) == 0
    first = page.read_bytes()
    assert main(command) == 0
    assert page.read_bytes() == first


def test_an_interval_after_the_end_is_named(tmp_path: Path, page: Path, capsys) -> None:
    out = write_result(tmp_path / "clip", [0])
    options = ["-o", str(page), "--interval", "late=7-8"]
    assert main(["report", str(out.path("csv")), *options]) == 0
    assert "the interval 'late' begins at 7 s" in capsys.readouterr().err
    assert numbers(page)["clip", "0", "late", "blink", "count"] == ""


def test_what_another_package_keeps_is_read_or_named(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_result(tmp_path / "out" / "clip", [0])

    class Point:
        value = "near.by:reader"

        def load(self) -> object:
            return self.reader

        @staticmethod
        def reader(path: Path) -> object:
            if path.name == "broken":
                raise ZeroDivisionError("on purpose")
            return (lambda: read_results(out, "kept")) if path.name == "kept" else None

    monkeypatch.setattr("facetrack.corpus.results.entry_points", lambda group: [Point()])
    assert main(["report", "kept", str(out.path("csv")), "-o", str(page)]) == 0
    assert {key[0] for key in numbers(page)} == {"kept", "clip"}
    assert main(["report", "broken", "-o", str(page)]) == 1
    assert "broken: near.by:reader cannot look at it: on purpose" in capsys.readouterr().err
