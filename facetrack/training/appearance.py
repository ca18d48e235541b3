"""Learning how people differ, and measuring how well it tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.tracking.appearance import N_VALUES, Values, Whitening

_RIDGE: Final = 0.1  # of the mean variance, added to every variance within one person

Looks = npt.NDArray[np.float32]
"""Looks of one person: (n, N_VALUES), n at least 2, each from `tracking.appearance.gradients`."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How well descriptions tell people apart.

    Attributes
    ----------
    same_low, same : float
        Agreement of two looks of one person: exceeded by 95 % of the pairs; median.
    other, other_high : float
        Agreement of looks of two people: median; exceeded by 0.1 % of the pairs.
    missed : float
        Part of the pairs of one person that agree by less than `other_high`.
    """

    same_low: float
    same: float
    other: float
    other_high: float
    missed: float


def learn_whitening(families: Sequence[Sequence[Looks]], faces: Values) -> Whitening:
    """Learn what to take out of descriptions.

    Parameters
    ----------
    families : sequence of sequence of ndarray, shape (n, N_VALUES), float32
        People by kind of footage, and the looks of each of them. Every kind has the same weight.
    faces : ndarray, shape (m, N_VALUES), float32
        Looks of many people, for their mean.

    Returns
    -------
    Whitening
        Its matrix is the inverse square root of the covariance within people.

    Raises
    ------
    InputError
        If there are no faces, or a kind of footage has no person with two looks.
    """
    if not len(faces) or not families:
        raise InputError("need faces and people with at least two looks")
    covariance = np.mean([_within(people) for people in families], axis=0)
    covariance += _RIDGE * np.trace(covariance) / N_VALUES * np.eye(N_VALUES)
    variances, directions = np.linalg.eigh(covariance)
    matrix = (directions / np.sqrt(variances)) @ directions.T
    matrix /= np.abs(matrix).max()  # of no account, but small numbers lose nothing as float16
    return Whitening(faces.mean(axis=0), matrix.astype(np.float32))


def _within(people: Sequence[Looks]) -> npt.NDArray[np.float64]:
    """Pool the covariances of people's looks around their own means."""
    total, freedom = np.zeros((N_VALUES, N_VALUES)), 0
    for looks in people:
        if len(looks) > 1:
            centred = looks.astype(np.float64) - looks.mean(axis=0, dtype=np.float64)
            total += centred.T @ centred
            freedom += len(looks) - 1
    if not freedom:
        raise InputError("no person has two looks")
    return total / freedom


def separation(people: Sequence[Looks], whitening: Whitening) -> Separation:
    """Compare the first look of everybody with the last look of everybody.

    Parameters
    ----------
    people : sequence of ndarray, shape (n, N_VALUES), float32
        At least two, none of whom the whitening was learnt from.
    whitening : Whitening

    Returns
    -------
    Separation
    """
    if len(people) < 2:
        raise InputError(f"need two people or more, got {len(people)}")
    first, last = (np.stack([whitening.apply(looks[k]) for looks in people]) for k in (0, -1))
    agreement = first @ last.T
    same, other = np.diag(agreement), agreement[~np.eye(len(people), dtype=bool)]
    high = float(np.quantile(other, 0.999))
    return Separation(
        same_low=float(np.quantile(same, 0.05)),
        same=float(np.median(same)),
        other=float(np.median(other)),
        other_high=high,
        missed=float((same < high).mean()),
    )
