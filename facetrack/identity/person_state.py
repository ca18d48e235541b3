"""What a tracker knows of one person's face: examples, and what they taught."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError, LearningError
from facetrack.face import N_POINTS
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.encoding import Stateful, decode, encode
from facetrack.identity.self_teacher import Memory, SelfTeacher
from facetrack.learning.example import Example
from facetrack.learning.learner import Learned, Learner
from facetrack.learning.personal_residual import PersonalResidual
from facetrack.regression.cascade import Cascade

# Examples, with whose square memory and time grow: beyond the first number only the latest stay, so
# few that learning those anew is rare.
_MOST, _KEPT = 120, 80
_OUTSIDE: Final = 0.5  # of the vouched points may lie outside of the frame: a face at its border


@dataclass(slots=True)
class PersonState(Stateful):
    """A person's examples and what was learned from them."""

    examples: list[Example] = field(default_factory=list)  # in the order in which they were given
    learned: Learned | None = None  # None before the first example
    # continues from there by the tracker's own tracks, where it adapts
    teacher: SelfTeacher | None = None
    _learner: Learner | None = field(default=None, repr=False, compare=False)

    @property
    def best(self) -> Learned | None:
        """What faces of the person are fitted with; None while nothing was learned."""
        return self.learned if self.teacher is None else self.teacher.learned

    def teach(self, model: FaceModel, example: Example) -> bool:
        """Take one more example; return whether it replaced an earlier one for the same frame.

        Of more than 120 the latest 80 stay, so that memory is bounded. What the tracker taught
        itself begins anew from what the person says now.
        """
        kept = [old for old in self.examples if old.key != example.key]
        examples = [*kept, example]
        if len(examples) > _MOST:
            examples = examples[-_KEPT:]
        if self._learner is None:
            self._learner = Learner(model.tracking, model.priors)
        learned = self._learner.learn(examples)
        replaced = len(kept) < len(self.examples)
        self.examples, self.learned = examples, learned
        if self.teacher is not None:
            self.teacher = SelfTeacher(model, examples, self._learner)
        return replaced

    def state(self) -> dict[str, Any]:
        """Return everything that `from_state` needs, as JSON knows it."""
        found, regressors, own = self.learned, None, None
        if found is not None:
            regressors = [level.regressor for level in found.cascade.levels]
            own = None if found.own is None else found.own.arrays()
        taught = None if self.teacher is None else self.teacher.memory
        saved: dict[str, Any] = encode(_Saved(self.examples, regressors, own, taught))
        return saved

    @classmethod
    def from_state(cls, state: dict[str, Any], model: FaceModel) -> PersonState:
        """Restore what `state` returned: a profile may know more than its examples teach."""
        saved, learned, teacher = decode(_Saved, state), None, None
        if saved.regressors is not None:
            learned = _learned_from(saved.regressors, saved.own, model.tracking)
        if saved.teacher is not None:
            teacher = SelfTeacher.again(model, saved.examples, saved.teacher)
        return cls(saved.examples, learned, teacher)


@dataclass(slots=True)
class _Saved:
    """What of a person's state goes into a checkpoint."""

    examples: list[Example]
    regressors: list[npt.NDArray[Any]] | None
    own: dict[str, npt.NDArray[Any]] | None
    teacher: Memory | None


def _learned_from(
    regressors: list[npt.NDArray[Any]], own: dict[str, npt.NDArray[Any]] | None, generic: Cascade
) -> Learned:
    shapes = [(one.regressor.shape, one.regressor.dtype) for one in generic.levels]
    if [(one.shape, one.dtype) for one in regressors] != shapes:
        raise InputError("saved state of a person is of a model with other levels")
    levels = []
    for level, regressor in zip(generic.levels, regressors, strict=True):
        # a level that learned nothing stays the model's own, by which profiles leave it out
        same = np.array_equal(regressor, level.regressor)
        levels.append(level if same else replace(level, regressor=regressor))
    try:
        last = None if own is None else PersonalResidual.from_arrays(generic.levels[-1], own)
    except (ValueError, KeyError) as error:
        raise InputError(f"saved state of a person is broken: {error!r}") from error
    return Learned(replace(generic, levels=tuple(levels)), last)


def teachable(model: object) -> FaceModel:
    """Return the model if it can learn a person."""
    if not isinstance(model, FaceModel) or not model.priors:
        name = getattr(model, "name", type(model).__name__)
        raise LearningError(
            f"the model {name!r} cannot learn: it has no priors",
            remedy="train it again, or use the shipped one",
        )
    return model


def checked_correction(
    points: npt.ArrayLike,
    mask: npt.ArrayLike | None,
    fitted: npt.NDArray[np.float64],
    size: tuple[int, int],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Check a person's correction, and complete it by the fit where it says nothing.

    `points` (68, 2) may be anything where the mask (68,) is False; without a mask all are vouched
    for; `size` is the frame's (width, height). Returns points and mask. InputError if shapes are
    wrong, the mask vouches for nothing, a vouched point is not finite, or more than half of the
    vouched points lie outside of the frame.
    """
    given = np.array(points, dtype=np.float64)
    vouched = np.ones(N_POINTS, bool) if mask is None else np.array(mask, dtype=np.bool_)
    if given.shape != (N_POINTS, 2) or vouched.shape != (N_POINTS,):
        raise InputError(
            f"a correction has points ({N_POINTS}, 2) and a mask ({N_POINTS},), "
            f"got {given.shape} and {vouched.shape}"
        )
    if not vouched.any():
        raise InputError("a correction must vouch for at least one point, its mask has none")
    if not np.isfinite(given[vouched]).all():
        missing = np.flatnonzero(vouched & ~np.all(np.isfinite(given), axis=1))
        raise InputError(f"corrected points must be finite, point {missing[0]} is not")
    inside = np.all((given >= 0) & (given <= np.subtract(size, 1)), axis=1)
    if inside[vouched].mean() < _OUTSIDE:
        raise InputError(
            f"{int((~inside[vouched]).sum())} of {int(vouched.sum())} corrected points lie outside "
            f"of the frame of {size[0]} x {size[1]} pixels"
        )
    return np.where(vouched[:, None], given, fitted), vouched
