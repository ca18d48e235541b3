from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from facetrack.datasets import dlib_xml
from facetrack.datasets.dlib_xml import LabelledFace, LabelledPicture
from facetrack.errors import FormatError, InputError
from facetrack.face import read_only_points

POINTS = read_only_points(np.arange(136.0).reshape(68, 2))
BOX = (10.0, 20.0, 109.0, 139.0)

GOLDEN = """<?xml version='1.0' encoding='ISO-8859-1'?>
<?xml-stylesheet type='text/xsl' href='image_metadata_stylesheet.xsl'?>
<dataset>
<name>imglab dataset</name>
<comment>Created by imglab tool.</comment>
<images>
  <image file='a.jpg' width='640' height='480'>
    <box top='20' left='10' width='100' height='120'>
      <label>face</label>
      <part name='0' x='1' y='2'/>
      <part name='1' x='3' y='4'/>
      <part name='10' x='5' y='6'/>
      <part name='2' x='7' y='8'/>
    </box>
    <box top='0' left='0' width='5' height='5' ignore='1'/>
  </image>
  <image file='sub/b.jpg'/>
</images>
</dataset>
"""


def read(folder: Path, text: str) -> list[LabelledPicture]:
    (folder / "a.xml").write_text(text)
    return dlib_xml.read(folder / "a.xml")


def test_parts_are_found_by_name_not_by_place(tmp_path: Path) -> None:
    first, second = read(tmp_path, GOLDEN)
    face, ignored = first.faces
    assert_array_equal(face.points[[0, 1, 10, 2]], [[1, 2], [3, 4], [5, 6], [7, 8]])
    assert np.isnan(face.points[3]).all()
    assert face.box == BOX  # inclusive: right = left + width - 1
    assert not face.ignore
    assert ignored.ignore
    assert second == LabelledPicture(tmp_path / "sub" / "b.jpg", ())


WRONG = {
    "empty": ("", "no well-formed XML"),
    "cut": (GOLDEN[:400], "no well-formed XML"),
    "other XML": ("<html/>", "outermost element is 'html'"),
    "DOCTYPE": ("<!DOCTYPE dataset []><dataset/>", "declares a DOCTYPE"),
    "point 68": (GOLDEN.replace("name='10'", "name='68'"), r"a\.jpg: part '68' is not named"),
    "a name": (GOLDEN.replace("name='10'", "name='nose'"), "part 'nose' is not named"),
    "twice": (GOLDEN.replace("name='10'", "name='01'"), "part '01' occurs twice"),
    "no x": (GOLDEN.replace("x='5'", ""), "part has x=''"),
    "NaN": (GOLDEN.replace("x='5'", "x='nan'"), "part has x='nan'"),
    "huge": (GOLDEN.replace("x='5'", "x='1e300'"), "part has x='1e300'"),
    "no box": (GOLDEN.replace("top='20'", ""), "box has top=''"),
    "no file": (GOLDEN.replace("file='a.jpg'", ""), "no file name"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, text)


@given(points=arrays(np.int64, (68, 2), elements=st.integers(-500, 5000)), ignore=st.booleans())
def test_whole_pixels_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, points: np.ndarray, ignore: bool
) -> None:
    folder = tmp_path_factory.getbasetemp().resolve()
    face = LabelledFace(BOX, read_only_points(points), ignore)
    inside = LabelledPicture(folder / "pictures" / "ä b.jpg", (face,))
    outside = LabelledPicture(Path(folder.anchor) / "elsewhere" / "c.jpg", ())
    dlib_xml.write(folder / "round.xml", [inside, outside])
    first, second = dlib_xml.read(folder / "round.xml")
    assert first.path == inside.path
    assert second == outside
    assert_array_equal(first.faces[0].points, points)
    assert first.faces[0].box == BOX
    assert first.faces[0].ignore == ignore


@pytest.mark.fuzz
def test_damaged_files_are_read_or_named(tmp_path: Path) -> None:
    content = GOLDEN.encode()
    path = tmp_path / "a.xml"
    places = st.integers(0, len(content))
    pieces = st.binary(max_size=4) | st.sampled_from(
        [b"<", b">", b"'", b"&#0;", b"nan", b"9" * 400]
    )

    @given(st.lists(st.tuples(places, places, pieces), min_size=1, max_size=4))
    def check(hits: list[tuple[int, int, bytes]]) -> None:
        damaged = content
        for start, length, piece in hits:
            damaged = damaged[:start] + piece + damaged[start + length % 8 :]
        path.write_bytes(damaged)
        message = "a.xml"
        try:
            dlib_xml.read(path)
        except FormatError as error:
            message = str(error)
        assert "a.xml" in message
        assert "\n" not in message

    check()


def test_dlib_reads_what_we_write(tmp_path: Path) -> None:
    """Train on one picture: dlib ends with an error if a number or the order is not its own."""
    image = np.random.default_rng(0).integers(0, 256, (160, 160), dtype=np.uint8)
    dlib.save_image(image, str(tmp_path / "a.png"))
    fractions = read_only_points(POINTS + 0.3)
    picture = LabelledPicture(tmp_path / "a.png", (LabelledFace(BOX, fractions),))
    dlib_xml.write(tmp_path / "a.xml", [picture])
    options = dlib.shape_predictor_training_options()
    options.tree_depth, options.cascade_depth = 1, 1
    options.num_trees_per_cascade_level = options.oversampling_amount = 1
    options.num_test_splits = options.feature_pool_size = 2
    dlib.train_shape_predictor(str(tmp_path / "a.xml"), str(tmp_path / "a.dat"), options)
    predictor = dlib.shape_predictor(str(tmp_path / "a.dat"))
    box = dlib.rectangle(*(int(value) for value in BOX))
    shape = predictor(image, box)
    # One training shape: the answer is that shape, its parts in our order.
    found = [(part.x, part.y) for part in shape.parts()]
    np.testing.assert_allclose(found, POINTS, atol=1)


@pytest.mark.parametrize("box", [(5, 0, 1, 9), (0, 0, np.nan, 9), (0, 0, 1e9, 9)])
def test_impossible_boxes_are_not_written(tmp_path: Path, box: tuple[float, ...]) -> None:
    picture = LabelledPicture(tmp_path / "a.png", (LabelledFace(box, POINTS),))  # type: ignore[arg-type]
    with pytest.raises(InputError):
        dlib_xml.write(tmp_path / "a.xml", [picture])
