from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as pillow

from facetrack.errors import VideoError
from facetrack.features.pixels import checked_image, grey
from facetrack.formats import picture
from facetrack.formats.picture import as_bgr, read_bgr, read_grey

RNG = np.random.default_rng(3)
COLOUR = RNG.integers(0, 256, (24, 40, 3), dtype=np.uint8)
GREY = COLOUR[..., 1].copy()
ALPHA = np.dstack([COLOUR, RNG.integers(0, 256, (24, 40), dtype=np.uint8)])
AS_GREY = cv2.cvtColor(COLOUR, cv2.COLOR_BGR2GRAY)


def save(path: Path, image: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm"])
def test_colour_is_kept(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a{suffix}", COLOUR)
    assert_array_equal(read_bgr(path), COLOUR)
    assert_array_equal(read_grey(path), AS_GREY)


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", GREY)
    assert_array_equal(read_bgr(path), np.dstack([GREY] * 3))
    assert_array_equal(read_grey(path), GREY)


def test_transparency_is_dropped(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", ALPHA)
    assert_array_equal(read_bgr(path), COLOUR)
    assert_array_equal(read_grey(path), AS_GREY)


@pytest.mark.parametrize("image", [GREY, COLOUR, ALPHA], ids=["grey", "colour", "alpha"])
def test_16_bit_keeps_white_white(tmp_path: Path, image: np.ndarray) -> None:
    path = save(tmp_path / "a.png", image.astype(np.uint16) * 257)
    expected = read_bgr(save(tmp_path / "b.png", image))
    assert read_bgr(path).dtype == np.uint8
    assert_array_equal(read_bgr(path), expected)
    assert read_grey(path).shape == GREY.shape


def test_one_pixel_and_foreign_letters_are_no_trouble(tmp_path: Path) -> None:
    path = save(tmp_path / "gesicht äß 顔.png", GREY[:1, :1])
    assert read_bgr(path).shape == (1, 1, 3)
    assert read_grey(path).flags.c_contiguous


def test_the_orientation_tag_is_ignored(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", COLOUR)[1].tobytes()
    tag = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    exif = b"\xff\xe1" + (len(tag) + 8).to_bytes(2, "big") + b"Exif\0\0" + tag
    (tmp_path / "a.jpg").write_bytes(jpeg[:2] + exif + jpeg[2:])
    assert read_bgr(tmp_path / "a.jpg").shape == COLOUR.shape


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.95])
def test_cut_files_are_named(tmp_path: Path, suffix: str, share: float) -> None:
    path = save(tmp_path / f"a{suffix}", COLOUR)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    for read in (read_bgr, read_grey):
        with pytest.raises(VideoError, match=r"a\."):
            read(path)


def test_other_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello")
    with pytest.raises(VideoError, match="cannot be decoded as a picture"):
        read_bgr(tmp_path / "a.jpg")
    with pytest.raises(VideoError, match="no such file"):
        read_bgr(tmp_path / "b.jpg")
    with pytest.raises(VideoError, match="cannot be read"):
        read_bgr(tmp_path)


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tiff", GREY.astype(np.float32))
    with pytest.raises(VideoError, match="pixels of type float32"):
        read_bgr(path)


@pytest.mark.parametrize("bits", range(9, 17))
@pytest.mark.parametrize("image", [GREY, COLOUR, ALPHA], ids=["grey", "colour", "alpha"])
def test_pictures_of_few_bits_are_as_bright_as_those_of_8(
    tmp_path: Path, image: np.ndarray, bits: int
) -> None:
    image = image.copy()
    image[0, 0] = 255  # white is somewhere
    wide = np.rint(image * (((1 << bits) - 1) / 255)).astype(np.uint16)
    if image.ndim == 3 and image.shape[2] == 4:
        wide[..., 3] = 65535  # what viewers write where nothing is transparent
    expected = read_bgr(save(tmp_path / "b.png", image))
    for name in ("a.png", "a.tif"):
        found = read_bgr(save(tmp_path / name, wide))
        assert np.abs(found.astype(int) - expected).max() <= 1
    apart = as_bgr(wide).astype(int) - expected
    assert np.abs(apart).max() <= 1
    assert np.abs(grey(checked_image(wide)).astype(int) - grey(expected)).max() <= 1


def test_8_bits_in_16_stay_what_they_are(tmp_path: Path) -> None:
    dark = (COLOUR // 2).astype(np.uint16)
    assert_array_equal(read_bgr(save(tmp_path / "a.png", dark)), dark)


@pytest.mark.parametrize("size", [0x7FFF0000, 70_000])
def test_a_part_of_a_png_that_claims_more_than_there_is_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = save(tmp_path / "a.png", COLOUR)
    content = path.read_bytes()
    place = content.index(b"IDAT")
    path.write_bytes(content[: place - 4] + size.to_bytes(4, "big") + content[place:])
    monkeypatch.setattr(cv2, "imdecode", lambda *args: pytest.fail("OpenCV takes memory for it"))
    with pytest.raises(VideoError, match=r"a\.png: the PNG file is cut short"):
        read_bgr(path)


@pytest.mark.parametrize("side", [5000, 12000, 30000])
def test_a_header_that_claims_what_the_file_cannot_hold_is_refused(
    tmp_path: Path, side: int
) -> None:
    whole = cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()
    place = whole.index(b"\xff\xc0") + 5
    claimed = whole[:place] + 2 * side.to_bytes(2, "big") + whole[place + 4 :]
    (tmp_path / "a.jpg").write_bytes(claimed)
    with pytest.raises(VideoError, match=r"claims .* pixels|more than .* pixels"):
        read_bgr(tmp_path / "a.jpg")


def test_a_large_picture_of_one_colour_is_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.webp"), np.zeros((2160, 3840, 3), np.uint8))
    assert read_bgr(tmp_path / "a.webp").shape == (2160, 3840, 3)


def test_opencv_sees_the_still_picture_of_an_animation_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damage in an animation crashed OpenCV 5, in a process that tracked a folder."""
    rng = np.random.default_rng(0)
    frames = [pillow.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8)) for _ in range(3)]
    path = tmp_path / "a.png"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    given: list[bytes] = []
    decoded = picture._decoded

    def spy(content: np.ndarray, *rest: int) -> object:
        given.append(content.tobytes())
        return decoded(content, *rest)

    monkeypatch.setattr(picture, "_decoded", spy)
    assert_array_equal(read_bgr(path)[..., ::-1], np.asarray(frames[0]))
    assert b"acTL" in path.read_bytes()
    assert not any(name in given[0] for name in (b"acTL", b"fcTL", b"fdAT"))
