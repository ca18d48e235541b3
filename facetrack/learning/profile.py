"""A person's profile: the examples, what was learned from them, and a gallery of appearances."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.face import N_POINTS
from facetrack.features.crops import FRAME_SIZE
from facetrack.features.descriptors import DESCRIPTOR_SIZE
from facetrack.formats.archive import Arrays, checksum, read_archive, write_archive
from facetrack.learning.example import NO_KEY, STARTS, Example
from facetrack.learning.learner import Learned
from facetrack.learning.personal_residual import NEAREST, PersonalResidual
from facetrack.regression.cascade import Cascade

SCHEMA: Final = 2
_PATCHES_SINCE: Final = 2  # before, residuals read no patches
KIND: Final = "facetrack profile"
_OWN: Final = "own/"


@dataclass(frozen=True, slots=True)
class Profile:
    """What is remembered of a person. It holds pictures of the face: treat it as personal data.

    Attributes
    ----------
    examples : tuple of Example
    learned : Learned or None
        What the examples taught; None without examples.
    gallery : tuple of ndarray, shape (q,), float32
        Appearance signatures by which the face is known again; see `tracking.identity`.
    generic : Cascade
        The model's tracking cascade, which the learning started from.
    """

    examples: tuple[Example, ...]
    learned: Learned | None
    gallery: tuple[npt.NDArray[np.float32], ...]
    generic: Cascade

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the profile: written beside, then renamed. Deleting the file forgets the person.

        Parameters
        ----------
        path : path-like
            Ends in .npz.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        arrays: Arrays = _stack(self.examples)
        arrays["looks"] = np.array(self.gallery, dtype=np.float32)
        levels: list[int] = []
        if self.learned is not None:
            if self.learned.own is not None:
                arrays |= {_OWN + name: x for name, x in self.learned.own.arrays().items()}
            for number, level in enumerate(self.learned.cascade.levels):
                if level is not self.generic.levels[number]:
                    arrays[f"regressor/{number}"] = level.regressor
                    levels.append(number)
        description = {"model": digest(self.generic), "levels": levels}
        write_archive(path, arrays, description, kind=KIND, schema=SCHEMA)


def load_profile(path: str | os.PathLike[str], generic: Cascade) -> Profile:
    """Load a profile.

    Parameters
    ----------
    path : path-like
    generic : Cascade
        The tracking cascade of the model in use.

    Returns
    -------
    Profile
        Its examples have lost their keys: they are of another video.

    Raises
    ------
    FormatError
        If the file is cut short, changed, of a newer schema, no profile, or was taught to another
        model.
    """
    arrays, meta = read_archive(path, kind=KIND, schema=SCHEMA)
    if meta["checksum"] != checksum(arrays):
        raise FormatError(path, "the checksum does not match", remedy="copy the profile again")
    if meta.get("model") != digest(generic):
        raise FormatError(
            path,
            "the profile was taught to another model",
            remedy="load that model, or teach the person anew",
        )
    try:
        examples = _unstack(arrays)
        gallery = tuple(np.ascontiguousarray(look) for look in arrays["looks"])
        return Profile(examples, _learned(arrays, meta, generic), gallery, generic)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise FormatError(path, f"an entry is missing or wrong: {error}") from error


def digest(cascade: Cascade) -> str:
    """Tell models apart by what their tracking cascade does.

    Parameters
    ----------
    cascade : Cascade

    Returns
    -------
    str
        Hexadecimal.
    """
    sha = hashlib.sha256(cascade.basis.tobytes())
    for level in cascade.levels:
        sha.update(level.regressor.tobytes())
    return sha.hexdigest()


def _learned(arrays: Arrays, meta: dict[str, Any], generic: Cascade) -> Learned | None:
    levels = list(generic.levels)
    for number in meta["levels"]:
        regressor = arrays[f"regressor/{number}"]
        if regressor.shape != levels[number].regressor.shape:
            raise ValueError(f"regressor {number} has shape {regressor.shape}")
        levels[number] = replace(levels[number], regressor=regressor)
    of_own = {name.removeprefix(_OWN): x for name, x in arrays.items() if name.startswith(_OWN)}
    if of_own and meta["schema"] < _PATCHES_SINCE:
        of_own |= {"near": np.zeros((N_POINTS, NEAREST))}
        of_own |= {"patch_weights": np.zeros((N_POINTS, 2, NEAREST * DESCRIPTOR_SIZE))}
    own = PersonalResidual.from_arrays(generic.levels[-1], of_own) if of_own else None
    if own is None and not meta["levels"]:
        return None
    return Learned(replace(generic, levels=tuple(levels)), own)


def _stack(examples: Sequence[Example]) -> Arrays:
    points = (-1, STARTS, N_POINTS, 2)
    patches = np.array([example.patches for example in examples], dtype=np.uint8)
    return {
        "patches": patches.reshape(-1, STARTS, FRAME_SIZE, FRAME_SIZE),
        "starts": np.array([example.starts for example in examples]).reshape(points),
        "labels": np.array([example.labels for example in examples]).reshape(points),
        "masks": np.array([example.mask for example in examples], dtype=np.bool_).reshape(
            -1, N_POINTS
        ),
    }


def _unstack(arrays: Arrays) -> tuple[Example, ...]:
    count = len(arrays["patches"])
    expected = {
        "patches": (count, STARTS, FRAME_SIZE, FRAME_SIZE),
        "starts": (count, STARTS, N_POINTS, 2),
        "labels": (count, STARTS, N_POINTS, 2),
        "masks": (count, N_POINTS),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, {shape} expected")
    parts = zip(*(arrays[name] for name in expected), strict=True)
    return tuple(Example(NO_KEY, *example) for example in parts)
