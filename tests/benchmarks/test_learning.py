"""The benchmark of learning as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main


def test_a_folder_gives_a_table_json_and_a_plot(clips: Path, tmp_path: Path, capsys) -> None:
    out, plot = tmp_path / "r.json", tmp_path / "r.png"
    command = [
        "learning",
        str(clips),
        "--reference",
        "PFLD",
        "--corrections",
        "0,1,2",
        "--every",
        "1",
    ]
    assert main([*command, "--json", str(out), "--plot", str(plot)]) == 0
    text = capsys.readouterr().out
    for words in (
        "no learning",
        "constant offset",
        "interpolated residual",
        "Lucas-Kanade",
        "iSDM",
        "personal residual + iSDM",
        "personal residual alone",
        "iCCR alone",
        "taught",
    ):
        assert words in text
    assert "n = 1" in text
    assert "skipped: CoTracker3" in text
    report = json.loads(out.read_text())
    assert {"command", "version", "model", "n", "details"} <= set(report)
    assert report["n"] == 1
    rows = {(r["spread"], r["learner"], r["corrections"]): r for r in report["details"]["summary"]}
    assert len(rows) == 2 * 9 * 2
    assert rows["clip", "no learning", 1]["median_ratio"] == 1
    assert 0 < rows["clip", "no learning", 1]["median_before"] < 0.08
    assert rows["clip", "constant offset", 2]["median_ratio"] < 1
    assert plot.stat().st_size > 1000


def test_adapting_is_compared_with_not_adapting(clips: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "r.json"
    command = ["learning", str(clips), "--reference", "PFLD", "--adapt", "--every", "1"]
    assert main([*command, "--json", str(out)]) == 0
    assert "ratios are with / without; better in" in capsys.readouterr().out
    [clip] = json.loads(out.read_text())["details"]["clips"]
    assert clip["before"]["error"] < 0.08
    assert clip["after"]["error"] != clip["before"]["error"]
    assert clip["after"]["centred"] < clip["after"]["error"]


def test_the_truth_may_lie_elsewhere(clips: Path, capsys) -> None:
    for truth in (clips / "pts", clips / "v_consensus.npz"):
        command = ["learning", str(clips / "v.mp4"), "--truth", str(truth), "--corrections", "1"]
        assert main(command) == 0
        assert "constant offset" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_workers_give_the_same_numbers(clips: Path, tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.chdir(clips)
    command = ["learning", "v.mp4", "--corrections", "1", "--json"]
    assert main([*command, str(tmp_path / "here.json")]) == 0
    assert main([*command, str(tmp_path / "there.json"), "--workers", "1"]) == 0
    here, there = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("here", "there"))
    assert here["details"] == there["details"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a video"),
        (["nowhere.mp4"], "no track beside it"),
        (["{clips}", "--truth", "{clips}/pts"], "--truth belongs to a single video"),
        (["{clips}", "--reference", "me"], "no reference 'me'; choose one of: dlib ERT, PFLD"),
        (["--people", "{clips}/pts"], "none of its 24 .pts files can be used"),
        (["{clips}", "--corrections", "20"], "no clip has enough frames"),
        (["{clips}/v.mp4", "--truth", "nowhere.csv"], "nowhere.csv: no such file"),
    ],
)
def test_bad_input_is_one_line(
    clips: Path, arguments: list[str], message: str, capsys, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["learning", *(word.format(clips=clips) for word in arguments)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("wrong", ["x", "-1", "0", ""])
def test_senseless_numbers_of_corrections_are_usage(wrong: str, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["learning", "v.mp4", f"--corrections={wrong}"])
    assert "need numbers of frames" in capsys.readouterr().err
