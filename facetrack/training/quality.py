"""Examples for the quality classifier: good fits, bad fits and background (method.md, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from facetrack.features.maps import MapBuilder
from facetrack.fitting.box_fit import BoxFitter
from facetrack.fitting.quality import QualityClassifier, calibrate, train_quality
from facetrack.landmarks.markup import outer_eye_distance, to_markup
from facetrack.landmarks.procrustes import align_all
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.regression.cascade import Cascade
from facetrack.training.frames import TrainingFrames, make_frames
from facetrack.training.pictures import Picture
from facetrack.training.starts import StartNoise

Array = npt.NDArray[np.float64]

WELL_FITTED = 0.08  # mean error in outer-eye distances
_WIDE = StartNoise(translation=0.35, scale=0.2, rotation=0.35, modes=1.0)


def learn_quality(
    tracking: Cascade,
    shape_model: ShapeModel,
    pictures: Sequence[Picture],
    calibration: Sequence[Picture],
    rng: np.random.Generator,
    *,
    box_fits: Sequence[tuple[Picture, Array]] = (),
) -> QualityClassifier:
    """Train the quality classifier, and calibrate it on pictures that no part has seen."""
    level = tracking.levels[-1]
    features, errors = _fits(tracking, shape_model, pictures, rng, conventions=False)
    if box_fits:
        more = _features_at(tracking, shape_model, box_fits)
        features, errors = np.concatenate([features, more[0]]), np.append(errors, more[1])
    classifier = train_quality(level, features, errors < WELL_FITTED)
    features, errors = _fits(tracking, shape_model, calibration, rng, conventions=True)
    logits = classifier.logits(features, features @ level.regressor.T)
    slope, shift = calibrate(logits, errors < WELL_FITTED)
    return replace(
        classifier,
        weights=(slope * classifier.weights).astype(np.float32),
        bias=slope * classifier.bias + shift,
    )


def fit_boxes(
    fitter: BoxFitter, pictures: Sequence[Picture], count: int, rng: np.random.Generator
) -> list[tuple[Picture, Array]]:
    """Fit from `count` boxes anywhere in each picture, most of them on no face; points in pixels.

    What the whole first fit makes of background looks more like a face than what a tracking step
    makes of it: without these examples the classifier believes some of it.
    """
    fits = []
    for picture in pictures:
        height, width = picture.grey.shape
        face_width = float(np.ptp(picture.points[:, 0]))
        for _ in range(count):
            x, y = rng.uniform(0, 1, 2) * (width, height)
            half = 0.5 * face_width * rng.uniform(0.25, 1.1)
            points = fitter.fit(picture.grey, (x - half, y - half, x + half, y + half))
            if np.isfinite(points).all():
                fits.append((picture, points))
    return fits


def _features_at(
    tracking: Cascade, shape_model: ShapeModel, fits: Sequence[tuple[Picture, Array]]
) -> tuple[npt.NDArray[np.float32], Array]:
    """Read features and errors of shapes in frames of their own, as a first fit is judged."""
    items = [(picture.number, picture.grey, points, picture.points) for picture, points in fits]
    frames = make_frames(items, shape_model)
    builder = MapBuilder(tracking.maps)
    level = tracking.levels[-1]
    features = np.stack(
        [
            level.features(builder.build(patch), shape)
            for patch, shape in zip(frames.patches, frames.starts, strict=True)
        ]
    )
    distance = np.linalg.norm(frames.starts - frames.truths, axis=2).mean(axis=1)
    return features, distance / outer_eye_distance(frames.truths)


def _fits(
    tracking: Cascade,
    shape_model: ShapeModel,
    pictures: Sequence[Picture],
    rng: np.random.Generator,
    *,
    conventions: bool,
) -> tuple[npt.NDArray[np.float32], Array]:
    """Fit from near, far and beside the face; return features at the ends and errors.

    With `conventions`, labels follow another convention than the model: their mean difference in
    the reference frame, a constant per landmark, is no error, and the jaw is left out.
    """
    items = []
    for picture in pictures:
        near = StartNoise().move(picture.points, shape_model, rng, projected=True)
        wide = _WIDE.move(picture.points, shape_model, rng, projected=True)
        beside = _anywhere(picture, shape_model, rng)
        for start in (near, wide, beside):
            items.append((picture.number, picture.grey, start, picture.points))
    frames = make_frames(items, shape_model)
    ends, features = _run(tracking, frames)
    truths = frames.truths
    if conventions:
        near_fits = slice(0, None, 3)
        aligned = align_all(truths[near_fits], shape_model.mean)
        difference = align_all(ends[near_fits], shape_model.mean) - aligned
        truths = truths + np.median(difference, axis=0)
        ends, truths = to_markup(ends, 51), to_markup(truths, 51)
    distance = np.linalg.norm(ends - truths, axis=2).mean(axis=1)
    return features, distance / outer_eye_distance(frames.truths)


def _anywhere(picture: Picture, shape_model: ShapeModel, rng: np.random.Generator) -> Array:
    """Put the mean shape somewhere into the picture: mostly background."""
    height, width = picture.grey.shape
    mean = shape_model.mean - shape_model.mean.mean(axis=0)
    factor = (
        rng.uniform(0.4, 1.3)
        * float(outer_eye_distance(picture.points))
        / float(outer_eye_distance(mean))
    )
    placed: Array = factor * mean + rng.uniform(0, 1, 2) * (width, height)
    return placed


def _run(tracking: Cascade, frames: TrainingFrames) -> tuple[Array, npt.NDArray[np.float32]]:
    """Run the cascade and read its last level's features where it ends."""
    builder = MapBuilder(tracking.maps)
    level = tracking.levels[-1]
    ends = np.empty_like(frames.starts)
    features = np.empty((len(frames), level.n_features), dtype=np.float32)
    for i in range(len(frames)):
        maps = builder.build(frames.patches[i])
        ends[i] = tracking.run(maps, frames.starts[i])
        features[i] = level.features(maps, ends[i])
    return ends, features
