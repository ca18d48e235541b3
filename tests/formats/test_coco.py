from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import FormatError, InputError
from facetrack.face import Source
from facetrack.formats.coco import point_names, read_coco, skeleton, write_coco
from facetrack.formats.table import TrackTable, make_table

FACE = [value for i in range(68) for value in (i + 0.5, 2.0 * i, 2)]


def document(annotation: dict[str, Any]) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 640, "height": 480}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 1, **annotation}],
        "categories": [{"id": 1, "name": "person"}],
    }


def read(path: Path, content: Any) -> TrackTable:
    text = content if isinstance(content, str) else json.dumps(content)
    (path / "a.json").write_text(text)
    return read_coco(path / "a.json")


def whole_body() -> list[float]:
    return [9.0, 9.0, 2.0] * 23 + FACE + [8.0, 8.0, 2.0] * 42


SOURCES = {
    "plain": {"keypoints": FACE},
    "whole body, face apart": {"face_kpts": FACE, "face_valid": True, "keypoints": [0, 0, 0] * 17},
    "whole body, 133 points": {"keypoints": whole_body()},
    "visibility as a float": {"face_kpts": [float(v) for v in FACE]},
}


@pytest.mark.parametrize("annotation", SOURCES.values(), ids=SOURCES)
def test_sources_of_a_face_are_read(tmp_path: Path, annotation: dict[str, Any]) -> None:
    table = read(tmp_path, document(annotation))
    assert_allclose(table.points[0], np.array(FACE).reshape(68, 3)[:, :2])
    assert_array_equal([table.frame[0], table.face_id[0]], 0)
    assert table.success.all()


@pytest.mark.parametrize(
    "annotation",
    [{"face_kpts": FACE, "face_valid": False}, {"keypoints": [0, 0, 0] * 68}],
)
def test_an_image_without_a_valid_face_keeps_a_row(
    tmp_path: Path, annotation: dict[str, Any]
) -> None:
    table = read(tmp_path, document(annotation))
    assert_array_equal(table.face_id, [-1])
    assert not table.success.any()


def test_zeros_without_a_label_are_not_points(tmp_path: Path) -> None:
    points = [*FACE[:3], 0, 0, 0, *FACE[6:]]
    table = read(tmp_path, document({"keypoints": points}))
    assert np.isnan(table.points[0, 1]).all()
    assert table.source[0, 1] == Source.ABSENT
    assert np.isfinite(table.points[0, 2:]).all()


def test_hidden_points_are_occluded_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    hidden = {"keypoints": [*FACE[:5], 1, *FACE[6:]]}
    assert read(tmp_path, document(hidden)).source[0, :3].tolist() == [
        Source.TRACKED, Source.OCCLUDED, Source.TRACKED
    ]  # fmt: skip
    named = document({**hidden, "keypoint_sources": [Source.LEARNED] * 68})
    assert (read(tmp_path, named).source[0] == Source.LEARNED).all()


def test_confidence_that_is_not_said_is_null(tmp_path: Path) -> None:
    write_coco(tmp_path / "a.json", make_table([0], np.ones((1, 68, 2))), size=(10, 10))
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["annotations"][0]["keypoint_scores"] == [None] * 68
    assert np.isnan(read_coco(tmp_path / "a.json").point_confidence).all()


def test_faces_of_one_image_are_counted(tmp_path: Path) -> None:
    content = document({"keypoints": FACE})
    content["annotations"] *= 2
    assert_array_equal(read(tmp_path, content).face_id, [0, 1])


WRONG: dict[str, tuple[Any, str]] = {
    "empty": ("", "no readable JSON"),
    "cut": (json.dumps(document({"keypoints": FACE}))[:200], "no readable JSON"),
    "a list": ("[]", "outermost value is no object"),
    "no images": ({"annotations": []}, "'images' is no list"),
    "NaN": (json.dumps(document({"keypoints": [float("nan"), *FACE[1:]]})), "NaN is no JSON"),
    "deep": ("[" * 100_000, "no readable JSON"),
    "huge": (json.dumps(document({"keypoints": [10**400, *FACE[1:]]})), "too large"),
    "infinite": (json.dumps(document({"keypoints": FACE})).replace("0.5", "1e999"), "infinite"),
    "long integer": ('{"images": [{"id": ' + "9" * 5000 + "}]}", "JSON"),
    "17 points": (document({"keypoints": [0, 0, 0] * 17}), "51 numbers of key points"),
    "words": (document({"keypoints": ["x"] * 204}), "no list of numbers"),
    "no points": (document({"keypoints": None}), "no list of numbers"),
    "other image": (document({"keypoints": FACE, "image_id": 8}), "image 8, which is not"),
    "negative face": (document({"keypoints": FACE, "track_id": -2}), "track_id is -2"),
    "score": (document({"keypoints": FACE, "score": "high"}), "score is 'high'"),
    "confidence": (document({"keypoints": FACE, "keypoint_scores": [2] * 68}), "from 0 to 1"),
    "few scores": (document({"keypoints": FACE, "keypoint_scores": [1]}), "no list of 68"),
    "words for scores": (document({"keypoints": FACE, "keypoint_scores": ["a"] * 68}), "is 'a'"),
    "source": (document({"keypoints": FACE, "keypoint_sources": [6] * 68}), "from 0 to 5"),
    "half": (document({"keypoints": FACE, "keypoint_sources": [1.5] * 68}), "no numbers of"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, content)


def test_images_must_differ(tmp_path: Path) -> None:
    content = document({"keypoints": FACE})
    content["images"] *= 2
    with pytest.raises(FormatError, match="two images have the id 7"):
        read(tmp_path, content)


def test_faces_that_are_seen_survive_writing_and_reading(tmp_path: Path, table: TrackTable) -> None:
    write_coco(tmp_path / "a.json", table, size=(640, 480))
    back = read_coco(tmp_path / "a.json")
    seen = table.select(table.success)
    found = back.select(back.success)
    for name in ("frame", "face_id", "timestamp"):
        assert_array_equal(getattr(found, name), getattr(seen, name))
    assert_allclose(found.points, seen.points, rtol=0, atol=5.1e-4)
    assert_allclose(found.confidence, seen.confidence, rtol=0, atol=5.1e-5)
    assert_allclose(found.point_confidence, seen.point_confidence, rtol=0, atol=5.1e-4)
    assert_array_equal(found.source, seen.source)
    assert_array_equal(back.frame[~back.success], [3])  # frames without a face keep their row


def test_the_document_is_plain_coco(tmp_path: Path, table: TrackTable) -> None:
    write_coco(tmp_path / "a.json", table, size=(640, 480), stem="clip")
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["images"][1]["file_name"] == "clip_000002.png"
    (category,) = content["categories"]
    assert category["name"] == "face"
    assert len(set(category["keypoints"])) == 68
    assert {i for pair in category["skeleton"] for i in pair} == set(range(1, 69))  # 1-based
    seen = table.select(table.success)
    for row, annotation in enumerate(content["annotations"]):
        triples = np.array(annotation["keypoints"]).reshape(68, 3)
        assert annotation["num_keypoints"] == (triples[:, 2] > 0).sum() == 68
        x, y, w, h = annotation["bbox"]
        assert_allclose(triples[:, :2].min(axis=0), [x, y])
        assert_allclose(triples[:, :2].max(axis=0), [x + w, y + h], atol=2e-3)
        assert annotation["area"] == pytest.approx(w * h, abs=1e-3)
        assert annotation["iscrowd"] == 0
        inside = ((triples[:, :2] >= -0.5) & (triples[:, :2] <= [639.5, 479.5])).all(axis=1)
        occluded = seen.source[row] == Source.OCCLUDED
        assert_array_equal(triples[:, 2], np.where(inside & ~occluded, 2, 1))
    assert content["info"]["keypoint_sources"]["3"] == "corrected"


def test_pictures_have_their_own_names_and_sizes(tmp_path: Path, table: TrackTable) -> None:
    named = replace(table, pictures={1: "b (1).jpg"}, people={1: "Ben"})
    sizes = {1: (100, 50)}
    write_coco(
        tmp_path / "a.json", named, size=(640, 480), size_of=lambda f: sizes.get(f, (640, 480))
    )
    content = json.loads((tmp_path / "a.json").read_text())
    assert [(i["file_name"], i["width"], i["height"]) for i in content["images"][:2]] == [
        ("frame_000001.png", 640, 480), ("b (1).jpg", 100, 50)
    ]  # fmt: skip
    assert {a["track_id"]: a.get("person") for a in content["annotations"]} == {0: None, 1: "Ben"}
    assert read_coco(tmp_path / "a.json").people == {1: "Ben"}


def test_absent_points_are_zeros(tmp_path: Path) -> None:
    points = np.full((1, 68, 2), 5.0)
    points[0, 3] = np.nan
    write_coco(tmp_path / "a.json", make_table([0], points), size=(10, 10))
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["annotations"][0]["keypoints"][9:12] == [0, 0, 0]
    assert content["annotations"][0]["num_keypoints"] == 67
    assert content["images"][0]["timestamp"] is None


def test_an_impossible_size_is_named(tmp_path: Path, table: TrackTable) -> None:
    with pytest.raises(InputError, match="size must be positive"):
        write_coco(tmp_path / "a.json", table, size=(0, 480))


def test_the_skeleton_joins_regions_only() -> None:
    names = point_names()
    for a, b in skeleton():
        assert names[a - 1].rsplit("_", 1)[0] == names[b - 1].rsplit("_", 1)[0]


def named(*names: str, tracks: list[Any] | None = None) -> dict[str, Any]:
    """A file of images with one face each, as CVAT writes it, x of the first point its place."""
    faces = [[place + 0.5, *FACE[1:]] for place in range(len(names))]
    return {
        "images": [{"id": i + 1, "file_name": name} for i, name in enumerate(names)],
        "annotations": [
            {"id": i, "image_id": i + 1, "keypoints": face, "num_keypoints": 68,
             **({} if tracks is None else {"attributes": {"track_id": tracks[i]}})}
            for i, face in enumerate(faces)
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["frame_000010.PNG", "frame_000012.PNG"], [10, 12]),  # CVAT, only what is annotated
        (["img_2.jpg", "img_1.jpg", "img_3.jpg"], [0, 1, 2]),
        (["a/b/x0.png", "a/b/x1.png"], [0, 1]),
        (["anna.jpg", "ben.jpg"], [0, 1]),
        (["take1_9.jpg", "take2_7.jpg"], [0, 1]),  # no one series
    ],
)
def test_frames_are_what_the_names_say(tmp_path: Path, names: list[str], frames: list[int]) -> None:
    table = read(tmp_path, named(*names))
    assert table.frame.tolist() == frames
    if names[0] == "img_2.jpg":
        assert table.points[:, 0, 0].tolist() == [1.5, 0.5, 2.5]


@pytest.mark.parametrize(
    "names",
    [
        ["images/cb0618f6-img_2.jpg", "images/9e1c22d0-img_1.jpg"],
        [r"..\media\upload\4\00ff12ab-shot_1.png", r"..\media\upload\4\deadbeef-shot_0.png"],
    ],
)
def test_what_label_studio_puts_before_names_is_no_part_of_them(
    tmp_path: Path, names: list[str]
) -> None:
    table = read(tmp_path, named(*names))
    assert table.frame.tolist() == [0, 1]
    assert table.points[:, 0, 0].tolist() == [1.5, 0.5]


@pytest.mark.parametrize("names", [["x_10.jpg", "x_11.jpg"], ["x_1.jpg", "x_3.jpg"]])
def test_frames_that_nothing_tells_are_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(FormatError, match="says which frames they are; export all frames"):
        read(tmp_path, named(*names))
    content = named(*names)
    for image, frame in zip(content["images"], (4, 9), strict=True):
        image["frame_index"] = frame
    assert read(tmp_path, content).frame.tolist() == [4, 9]


def test_pictures_are_known_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(named("x_10.jpg", "x_11.jpg")))
    pictures = ["x_08.jpg", "x_11.jpg", "x_10.jpg"]
    assert read_coco(tmp_path / "a.json", pictures=pictures).frame.tolist() == [1, 2]
    uploaded = named(r"images\9e1c22d0-x_10.jpg", "images/cb0618f6-x_11.jpg")
    (tmp_path / "a.json").write_text(json.dumps(uploaded))
    assert read_coco(tmp_path / "a.json", pictures=pictures).frame.tolist() == [1, 2]


def test_ids_of_cvat_stay_with_their_tracks(tmp_path: Path) -> None:
    content = named("frame_000000.PNG", "frame_000001.PNG", "frame_000002.PNG", tracks=[1, 0, 1])
    content["annotations"].append({**content["annotations"][0], "attributes": {"track_id": 0}})
    table = read(tmp_path, content)
    assert list(zip(table.frame.tolist(), table.face_id.tolist(), strict=True)) == [
        (0, 0), (0, 1), (1, 0), (2, 1)
    ]  # fmt: skip
    content["annotations"].append(content["annotations"][0])
    with pytest.raises(FormatError, match="two faces of image 1 have the track_id 1"):
        read(tmp_path, content)


def test_faces_without_a_track_take_no_number_of_one(tmp_path: Path) -> None:
    content = named("a.jpg", "b.jpg", tracks=[3, 0])
    extra = [{**content["annotations"][0], "attributes": {}} for _ in range(2)]
    content["annotations"] += extra
    assert read(tmp_path, content).face_id.tolist() == [3, 4, 5, 0]


def test_what_is_no_face_is_left_out_and_what_is_broken_is_named(tmp_path: Path) -> None:
    content = named("a.jpg", "b.jpg")
    content["annotations"] += [
        {"id": 8, "image_id": 2, "category_id": 2, "bbox": [1, 1, 2, 2], "segmentation": []},
        {"id": 9, "image_id": 2, "category_id": 1, "keypoints": [], "num_keypoints": 0},
    ]
    assert read(tmp_path, content).frame.tolist() == [0, 1]
    content["annotations"].append({"id": 10, "image_id": 2, "keypoints": [1, 2, 2]})
    what = "1 of 5 annotations are left out, the first is number 5: 3 numbers of key"
    with pytest.warns(UserWarning, match=what):
        table = read(tmp_path, content)
    assert table.frame.tolist() == [0, 1]
    assert what in table.notes[0]


@pytest.mark.parametrize("image", [99, "b.jpg", None])
def test_an_annotation_of_no_image_is_left_out_and_named(tmp_path: Path, image: object) -> None:
    content = named("a.jpg", "b.jpg")
    content["annotations"].append({**content["annotations"][0], "id": 7, "image_id": image})
    with pytest.warns(UserWarning, match=r"1 of 3 annotations are left out.*number 3"):
        table = read(tmp_path, content)
    assert table.frame.tolist() == [0, 1]
    assert table.points[:, 0, 0].tolist() == [0.5, 1.5]
