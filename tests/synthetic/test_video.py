"""Synthetic video: exact truth, the same frames again, no folds, everything that was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import Delaunay
from skimage import data

from facetrack.errors import InputError
from facetrack.landmarks.markup import GROUPS, outer_eye_distance
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.opening import open_source
from facetrack.synthetic import _kernels
from facetrack.synthetic.clips import absence_video, crossing_video, demo_video
from facetrack.synthetic.mesh import HeadMesh, HeadState, triangle_areas
from facetrack.synthetic.motion import STILL, Amplitudes, Placement, straight
from facetrack.synthetic.portrait import Portrait, astronaut, stranger
from facetrack.synthetic.proportions import infant
from facetrack.synthetic.render import HeadRenderer
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo
from facetrack.video.sink import write_video

REST = HeadState(0, 0, 0, np.zeros(0), 0, 0)


def _video(shape_model: ShapeModel, **options: object) -> SyntheticVideo:
    given: dict[str, object] = {"n_frames": 60, "size": (320, 240), "seed": 3, **options}
    return SyntheticVideo(shape_model, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("portrait", [astronaut(), stranger()])
def test_landmarks_of_the_portraits_are_a_face(portrait: Portrait) -> None:
    points, eyes = portrait.points, outer_eye_distance(portrait.points)
    height, width = portrait.image.shape[:2]
    assert ((points > 0) & (points < (width, height))).all()
    assert points[36, 0] < points[39, 0] < points[42, 0] < points[45, 0]  # right eye on the left
    assert points[27, 1] < points[30, 1] < points[33, 1] < points[51, 1] < points[8, 1]
    assert 0.8 * eyes < np.ptp(points[:17, 0]) - 0.5 * eyes < 1.5 * eyes


def test_a_head_at_rest_is_the_portrait(shape_model: ShapeModel) -> None:
    portrait = astronaut()
    renderer = HeadRenderer(portrait, shape_model, eye_distance=62, whole=True)
    eyes = renderer.mesh.eyes
    frame = np.zeros_like(portrait.image)
    place = Placement(eyes[0], eyes[1], renderer.mesh.eye_distance)
    points = renderer.draw(frame, place, REST)
    assert_allclose(points, portrait.points, atol=1e-9)
    assert np.abs(frame.astype(int) - portrait.image).max() <= 1


@pytest.mark.parametrize("whole", [True, False])
def test_every_landmark_lies_where_its_pixels_went(shape_model: ShapeModel, whole: bool) -> None:
    # Every pixel of the portrait says where it is: blue is x, green is y.
    points = astronaut().points - (100, 10)
    y, x = np.mgrid[:256, :256].astype(np.uint8)
    portrait = Portrait(np.dstack([x, y, y]), points)
    renderer = HeadRenderer(portrait, shape_model, eye_distance=62, whole=whole)
    frame = np.zeros((480, 640, 3), np.uint8)
    # A mouth that opens would be darkened inside.
    state = HeadState(0.2, -0.1, 0.1, np.array([0.5, -0.5]), -0.4, 0.6)
    truth = renderer.draw(frame, Placement(300.4, 200.2, 90), state)
    for number, point in enumerate(truth):
        x0, y0 = np.floor(point).astype(int)
        fx, fy = point - (x0, y0)
        corners = frame[y0 : y0 + 2, x0 : x0 + 2, :2].astype(float)
        seen = np.array([1 - fy, fy]) @ np.einsum("yxc,x->yc", corners, [1 - fx, fx])
        assert_allclose(seen, points[number], atol=0.8)


@pytest.mark.parametrize("seed", range(4))
def test_no_triangle_folds(shape_model: ShapeModel, seed: int) -> None:
    faces = [SyntheticFace(astronaut()), SyntheticFace(stranger())]
    video = _video(shape_model, n_frames=300, seed=seed, faces=faces, noise=0)
    for number, renderer in enumerate(video._renderers):
        for index in range(0, 300, 3):
            scene, time = video._moment(index)
            state = scene.motions[number].head(time, 10)
            moved = renderer.mesh.pose(state)[0]
            assert (triangle_areas(moved, renderer.mesh.triangles) > 0).all(), (number, index)


@pytest.mark.parametrize("portrait", [astronaut(), stranger(), infant(astronaut())])
def test_triangles_are_delaunays(shape_model: ShapeModel, portrait: Portrait) -> None:
    mesh = HeadMesh(portrait, shape_model)
    found = {tuple(sorted(corners)) for corners in mesh.triangles.tolist()}
    expected = Delaunay(mesh.vertices).simplices.tolist()
    assert found == {tuple(sorted(corners)) for corners in expected}


def test_the_astronaut_is_the_picture_of_scikit_image() -> None:
    assert_array_equal(astronaut().image, data.astronaut()[..., ::-1])


def test_even_folded_meshes_leave_no_hole(shape_model: ShapeModel) -> None:
    renderer = HeadRenderer(astronaut(), shape_model, eye_distance=62, whole=True)
    place, state = Placement(160, 120, 50), HeadState(0.9, 0.5, 0.3, np.zeros(0), 1, 1)
    vertices, depth = renderer.vertices(place, state)
    assert (triangle_areas(vertices, renderer.mesh.triangles) < 0).any()
    assert (renderer._lookup(vertices, depth, (240, 320)) > -9e3).all()


def test_the_kernel_fills_a_triangle_like_its_definition() -> None:
    corners = np.array([[[1.2, 0.7], [8.4, 3.1], [2.5, 7.9]]])
    maps = np.array([[[2.0, 0.5, 1.0], [-0.25, 1.0, 3.0]]])
    out = np.full((10, 12, 2), -1, np.float32)
    _kernels.rasterise(corners, maps, np.array([0]), out)
    y, x = np.mgrid[:10, :12].astype(float)
    a, b, c = corners[0]
    inside = np.ones((10, 12), bool)
    for p, q in ((a, b), (b, c), (c, a)):
        inside &= (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) >= 0
    expected = np.stack([2 * x + 0.5 * y + 1, -0.25 * x + y + 3], axis=-1)
    expected[~inside] = -1
    assert_allclose(out, expected, rtol=1e-6)


def test_blending_rounds_the_weighted_mean() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)
    layer = rng.integers(0, 256, (3, 4, 4), dtype=np.uint8)
    layer[0, 0, 3], layer[0, 1, 3] = 0, 255
    expected = frame.astype(float)
    opacity = layer[..., 3:] / 255
    expected[2:5, 1:5] = expected[2:5, 1:5] * (1 - opacity) + layer[..., :3] * opacity
    _kernels.blend(frame, layer, 1, 2)
    assert np.abs(frame - expected).max() <= 0.51


def test_frames_are_the_same_in_any_order(shape_model: ShapeModel) -> None:
    video, again = _video(shape_model, n_frames=6), _video(shape_model, n_frames=6)
    forwards = [f.image for f in video]
    backwards = [again.frame(i).image for i in reversed(range(6))][::-1]
    assert_array_equal(forwards, backwards)
    assert_array_equal(video.truth(4), again.truth(4))
    assert not np.array_equal(video.truth(4), _video(shape_model, n_frames=6, seed=4).truth(4))


def test_still_stretches_move_nothing_but_noise(shape_model: ShapeModel) -> None:
    video = _video(shape_model, still=((10, 20),))
    assert_array_equal(video.truth(10), video.truth(19))
    assert not np.array_equal(video.truth(19), video.truth(20))
    difference = video.frame(12).image.astype(float) - video.frame(15).image
    assert 3 < difference.std() < 6  # two times 3 grey levels, clipped at white
    step = np.linalg.norm(video.truth(20) - video.truth(19), axis=1).max()
    assert step < 4  # the motion goes on from where it stopped


def test_without_amplitudes_only_light_changes(shape_model: ShapeModel) -> None:
    faces = [SyntheticFace(astronaut(), amplitudes=STILL)]
    video = _video(shape_model, faces=faces)
    assert_array_equal(video.truth(0), video.truth(59))


def test_a_blink_moves_only_the_upper_lids(shape_model: ShapeModel) -> None:
    mesh = HeadMesh(astronaut(), shape_model)
    shut = HeadState(0, 0, 0, np.zeros(0), 0, 1)
    moved = np.linalg.norm(mesh.pose(shut)[0] - mesh.pose(REST)[0], axis=1)
    lids = [37, 38, 43, 44]
    assert (moved[lids] > 0.05 * mesh.eye_distance).all()
    assert_array_equal(np.delete(moved, lids), 0)
    assert not set(lids) & set(GROUPS["brows"] + GROUPS["nose"])


def test_the_mouth_opens_downwards(shape_model: ShapeModel) -> None:
    mesh = HeadMesh(astronaut(), shape_model)
    lips = [mesh.pose(HeadState(0, 0, 0, np.zeros(0), m, 0))[0][[62, 66], 1] for m in (-1, 0, 1)]
    gaps = [lower - upper for upper, lower in lips]
    assert 0 < gaps[0] < gaps[1] < gaps[2]
    assert lips[0][0] == lips[2][0]


@pytest.mark.parametrize(
    ("yaw", "pitch", "axis"), [(0.3, 0, 0), (-0.3, 0, 0), (0, 0.2, 1), (0, -0.2, 1)]
)
def test_the_nose_turns_where_it_is_told(
    shape_model: ShapeModel, yaw: float, pitch: float, axis: int
) -> None:
    mesh = HeadMesh(astronaut(), shape_model)
    state = HeadState(yaw, pitch, 0, np.zeros(0), 0, 0)
    shift = (mesh.pose(state)[0] - mesh.pose(REST)[0])[:68]
    assert np.sign(shift[30, axis]) == np.sign(yaw + pitch)
    assert abs(shift[30, axis]) > abs(shift[36:48, axis].mean())  # nearer, so it moves more


def test_absent_and_covered_faces_have_no_truth(shape_model: ShapeModel) -> None:
    person = SyntheticFace(astronaut(), absent=((5, 10),), covered=((20, 25),))
    video = _video(shape_model, faces=[person])
    for index, there in ((4, True), (5, False), (9, False), (10, True), (20, False), (25, True)):
        assert np.isfinite(video.truth(index)).all() == there
        assert video.visible(index) == there
    assert np.abs(video.frame(22).image.astype(int) - video.frame(25).image).mean() > 1


def test_a_cut_moves_everybody(shape_model: ShapeModel) -> None:
    video = _video(shape_model, cuts=(30,))
    steps = [np.abs(video.truth(i + 1) - video.truth(i)).max() for i in range(59)]
    assert steps[29] > 3 * max(steps[:29])


@pytest.mark.parametrize("seed", range(5))
def test_crossing_people_change_sides(shape_model: ShapeModel, seed: int) -> None:
    video = crossing_video(shape_model, seed=seed, size=(320, 240))
    first, last = ([video.truth(i, face=k)[:, 0].mean() for k in (0, 1)] for i in (0, 89))
    assert np.sign(first[0] - first[1]) == -np.sign(last[0] - last[1])
    assert all(video.visible(i, face=k) for i in (0, 89) for k in (0, 1))
    assert all(video.visible(i, face=1) for i in range(0, 90, 5))  # the one in front
    assert not all(video.visible(i, face=0) for i in range(90))


def test_people_differ_in_tone(shape_model: ShapeModel) -> None:
    tones = []
    for portrait in (astronaut(), stranger()):
        x, y = portrait.points[30].astype(int)
        tones.append(portrait.image[y - 10 : y + 10, x - 10 : x + 10].mean(axis=(0, 1)))
    assert np.abs(tones[0] - tones[1]).min() > 30


def test_a_trajectory_places_the_head(shape_model: ShapeModel) -> None:
    path = straight(Placement(60, 80, 30), Placement(200, 120, 40), seconds=1.0)
    person = SyntheticFace(astronaut(), trajectory=path, amplitudes=STILL)
    video = _video(shape_model, faces=[person])
    for index, (x, y, eyes) in ((0, (60, 80, 30)), (30, (200, 120, 40)), (59, (200, 120, 40))):
        points = video.truth(index)
        assert_allclose(points[[36, 45]].mean(axis=0), (x, y), atol=1e-9)
        assert_allclose(outer_eye_distance(points), eyes)


def test_portraits_over_the_border_and_outside_are_drawn(shape_model: ShapeModel) -> None:
    for x, y in ((0, 0), (319, 239), (-500, 100), (160, 900)):
        person = SyntheticFace(astronaut(), home=Placement(x, y, 60), covered=((1, 2),))
        video = _video(shape_model, faces=[person], n_frames=2)
        assert [f.image.shape for f in video] == [(240, 320, 3)] * 2


def test_a_portrait_of_somebody_else(shape_model: ShapeModel) -> None:
    image = astronaut().image[40:240, 120:330]
    portrait = Portrait(image, astronaut().points - (120, 40))
    for whole in (True, False):
        video = _video(shape_model, n_frames=1, faces=[SyntheticFace(portrait, whole=whole)])
        assert video.frame(0).image.std() > 10


class _Clock:
    """A clock that only moves by sleep and work."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_clock_paces_the_frames_and_drops_missed_ones(shape_model: ShapeModel) -> None:
    clock = _Clock()
    video = _video(shape_model, n_frames=20, fps=10, clock=clock, size=(32, 32), noise=0)
    stamps = []
    for frame in video:
        assert clock.time - 100 >= frame.timestamp - 1e-9
        stamps.append(frame.timestamp)
        clock.time += 0.35 if len(stamps) == 3 else 0.01
    assert_allclose(stamps, [0, 0.1, 0.2, *np.arange(5, 20) / 10])
    assert video.report.decoded == len(stamps)


def test_written_to_a_file_it_is_the_same_video(shape_model: ShapeModel, tmp_path: Path) -> None:
    video = _video(shape_model, n_frames=8, size=(160, 120))
    assert write_video(video, tmp_path / "clip.mp4") == 8
    for mine, read in zip(video, open_source(tmp_path / "clip.mp4"), strict=True):
        assert read.timestamp == pytest.approx(mine.timestamp, abs=2e-5)
        assert np.abs(mine.grey.astype(float) - read.grey).mean() < 6


def test_the_demo_is_not_drawn_out_into_streaks_beyond_the_portrait(
    shape_model: ShapeModel,
) -> None:
    video = demo_video(shape_model)
    for index in range(0, 300, 60):
        top = video.frame(index).image[:16].mean(axis=(0, 2))  # streaks survive the mean, noise not
        assert np.abs(np.diff(top, 2))[2:-2].max() < 6


def test_the_demo_talks_blinks_and_turns(shape_model: ShapeModel) -> None:
    video = demo_video(shape_model)
    points = np.stack([video.truth(i) for i in range(video.n_frames)])
    eyes = outer_eye_distance(points)
    mouth = np.linalg.norm(points[:, 66] - points[:, 62], axis=1) / eyes
    lids = np.linalg.norm(points[:, 37] - points[:, 41], axis=1) / eyes
    nose = (points[:, 30, 0] - points[:, [36, 45], 0].mean(axis=1)) / eyes
    assert mouth.max() - mouth.min() > 0.15
    assert lids.min() < 0.4 * np.median(lids)
    assert np.ptp(nose) > 0.15
    assert ((points > 0) & (points < (640, 480))).all()
    assert np.abs(np.diff(points, axis=0)).max() < 25  # nothing jumps


@pytest.mark.parametrize(
    "wrong", [{"n_frames": 0}, {"size": (4, 480)}, {"fps": 0}, {"fps": float("nan")}]
)
def test_senseless_numbers_are_named(shape_model: ShapeModel, wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="need n_frames"):
        _video(shape_model, **wrong)


@pytest.mark.parametrize("index", [-1, 60])
def test_there_is_no_other_frame(shape_model: ShapeModel, index: int) -> None:
    video = _video(shape_model)
    with pytest.raises(InputError, match="none of 60"):
        video.frame(index)
    with pytest.raises(InputError, match="none of 60"):
        video.truth(index)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((68, 2), np.nan), np.ones((68, 2))])
def test_portraits_need_a_face(points: np.ndarray) -> None:
    with pytest.raises(InputError, match="portrait"):
        Portrait(np.zeros((9, 9, 3), np.uint8), points)


def test_amplitudes_off_is_still() -> None:
    assert Amplitudes(0, 0, 0, 0, 0, 0, 0, 0) == STILL


def test_a_faster_pace_is_the_same_motion_in_less_time(shape_model: ShapeModel) -> None:
    usual, fast = (
        _video(shape_model, faces=[SyntheticFace(astronaut(), amplitudes=a)])
        for a in (Amplitudes(mouth=0, blink=0), Amplitudes(mouth=0, blink=0, pace=2.0))
    )
    assert_allclose(fast.truth(10), usual.truth(20))


def test_less_contrast_is_nearer_to_grey(shape_model: ShapeModel) -> None:
    full, flat = (_video(shape_model, contrast=c, noise=0).frame(5).image for c in (1.0, 0.3))
    assert_allclose(flat, 128 + 0.3 * (full.astype(float) - 128), atol=1)


def test_a_side_light_makes_one_cheek_darker(shape_model: ShapeModel) -> None:
    options: dict[str, object] = {"faces": [SyntheticFace(astronaut(), amplitudes=STILL)]}
    plain, lit = (
        _video(shape_model, n_frames=200, noise=0, side_light=s, **options) for s in (None, 0.8)
    )
    assert plain.unevenness(0) == 0
    worst = max(range(200), key=lit.unevenness)
    points = lit.truth(worst)
    ratios = []
    for cheek in (points[[2, 31]].mean(axis=0), points[[14, 35]].mean(axis=0)):
        x, y = cheek.astype(int)
        here = np.s_[y - 3 : y + 4, x - 3 : x + 4]
        before, after = (v.frame(worst).image[here].mean() for v in (plain, lit))
        ratios.append(after / before)
    assert min(ratios) < 0.6 * max(ratios)


@pytest.mark.parametrize("seed", range(4))
def test_somebody_is_away_for_ten_seconds_and_somebody_else_is_there(
    shape_model: ShapeModel, seed: int
) -> None:
    video = absence_video(shape_model, seed=seed, size=(320, 240))
    there = np.array(
        [[np.isfinite(video.truth(i, face=k)).all() for k in (0, 1)] for i in range(video.n_frames)]
    )
    first, second = there.T
    gone = np.flatnonzero(~first)
    assert_array_equal(gone, np.arange(gone[0], gone[-1] + 1))
    assert len(gone) / video.fps == pytest.approx(10)
    assert not (first & second).any()
    assert second.sum() / video.fps == pytest.approx(8)
    assert first[0]
    assert first[-1]
    assert all(video.visible(i, face=0) for i in (0, video.n_frames - 1))
