"""The expression encoder: what a face shows, from the patches of its eyes and its mouth."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import Description, ModelKind, register_kind
from facetrack.networks.onnx import OnnxNetwork
from facetrack.networks.patches import PATCHES, Patch, normalised

__all__ = [
    "EXPRESSION_ENCODER",
    "Encoding",
    "ExpressionEncoder",
    "load_encoder",
    "offered_channels",
    "write_encoder",
]

WORTH: Final = 0.6  # correlation with the other program, on people whom no training saw
DEFAULT: Final = "expression"

Floats = npt.NDArray[np.float32]


class Network(Protocol):
    """What an encoder computes with."""

    def run(self, inputs: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """Return standardised targets and features for the inputs, each shape (H, W, 2)."""
        ...


class Form(Network, Protocol):
    """A network that a file can hold."""

    def pack(self) -> tuple[Arrays, dict[str, Any]]:
        """Take it apart into arrays and a description, JSON-able."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """What the encoder says of a face.

    Attributes
    ----------
    targets : ndarray, shape (t,), float32
        Channels in about [0, 1], shape parameters in standard deviations of the shape model, and
        openings as `landmarks.openings` defines them, in the order of `ExpressionEncoder.names`.
    features : ndarray, shape (f,), float32
        What the branches put out before the common head.
    """

    targets: Floats
    features: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionEncoder:
    """A trained expression encoder.

    Attributes
    ----------
    name : str
    names : tuple of str
        Of the targets: channels as ARKit names them, `shape_1`, ..., and openings.
    mean_shape : ndarray, shape (68, 2), float64
        What faces are aligned to; always this one, whatever model tracks them.
    centre, deviation : ndarray, shape (t,), float32
        Of the targets in training.
    network : Network
    card : mapping
        Data, terms and measures.
    version : str
        The checksum of its file.
    """

    name: str
    names: tuple[str, ...]
    mean_shape: npt.NDArray[np.float64]
    centre: Floats
    deviation: Floats
    network: Network
    card: Mapping[str, Any]
    version: str = ""

    def encode(self, patches: Mapping[str, Patch]) -> Encoding:
        """Encode what a face shows.

        Parameters
        ----------
        patches : mapping of str to Patch
            From `patches.take`, cut by this encoder's `mean_shape`.

        Returns
        -------
        Encoding

        Raises
        ------
        InputError
            If a patch is missing or of another size.
        """
        inputs = {}
        for name, view in PATCHES.items():
            patch = patches.get(name)
            if patch is None or patch.grey.shape != view.crop.size[::-1]:
                seen = "none" if patch is None else f"{patch.grey.shape}"
                raise InputError(f"the patch {name!r} must be {view.crop.size[::-1]}, got {seen}")
            inputs[name] = normalised(patch)
        targets, features = self.network.run(inputs)
        return Encoding(targets * self.deviation + self.centre, features)


class FloatForm:
    """An encoder's network as ONNX: inputs by the names of the patches, (1, 2, H, W)."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._network = OnnxNetwork(content)

    def run(self, inputs: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """See `Network`."""
        arrays = {
            name: np.ascontiguousarray(x.transpose(2, 0, 1)[None]) for name, x in inputs.items()
        }
        targets, features = self._network.run_all(arrays)
        return targets[0], features[0]

    def pack(self) -> tuple[Arrays, dict[str, Any]]:
        """Take it apart into arrays and a description."""
        return {"onnx": np.frombuffer(self._content, dtype=np.uint8)}, {}


def write_encoder(
    path: str | os.PathLike[str],
    network: Form,
    *,
    name: str,
    names: Sequence[str],
    standard: Arrays,
    card: Mapping[str, Any],
) -> None:
    """Write an encoder's file: beside, then renamed.

    Parameters
    ----------
    path : path-like
        Ends in .npz.
    network : Form
    name : str
    names : sequence of str
        Of the targets.
    standard : dict of str to ndarray
        `mean_shape`, `centre` and `deviation`, as `ExpressionEncoder` has them.
    card : mapping
        JSON-able.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    arrays, parts = network.pack()
    description = {"name": name, "card": dict(card), "targets": list(names), **parts}
    EXPRESSION_ENCODER.write(path, {**standard, **arrays}, description)


def _load(arrays: Arrays, description: Description) -> ExpressionEncoder:
    network: Network
    if "parts" in description:
        from facetrack.networks.binary_form import BinaryForm  # loads kernels that few need

        network = BinaryForm.unpack(arrays, description)
    else:
        network = FloatForm(arrays["onnx"].tobytes())
    return ExpressionEncoder(
        name=description["name"],
        names=tuple(description["targets"]),
        mean_shape=arrays["mean_shape"],
        centre=arrays["centre"],
        deviation=arrays["deviation"],
        network=network,
        card=description["card"],
        version=description["checksum"],
    )


EXPRESSION_ENCODER: Final = ModelKind(
    "facetrack expression encoder", "expression encoder", schema=1, load=_load
)
register_kind(EXPRESSION_ENCODER)


def offered_channels(name: str | os.PathLike[str] = DEFAULT) -> tuple[str, ...]:
    """Name the channels of an encoder that are worth offering, without loading its network.

    Parameters
    ----------
    name : str or path-like
        As for `load_encoder`.

    Returns
    -------
    tuple of str
        Those that agree with the program that taught them, with a correlation in time of 0.6 or
        more on people whom no training saw, by the model's card.

    Raises
    ------
    ModelError
        As `load_encoder`, as far as the damage shows.
    """
    description = EXPRESSION_ENCODER.describe(name)
    measured = description["card"].get("correlations", {})
    return tuple(n for n in description["targets"] if measured.get(n, 0.0) >= WORTH)


def load_encoder(name: str | os.PathLike[str] = DEFAULT) -> ExpressionEncoder:
    """Load an expression encoder.

    Parameters
    ----------
    name : str or path-like
        A name in the shipped models, or the path of a file.

    Returns
    -------
    ExpressionEncoder

    Raises
    ------
    ModelError
        If there is no such model, or the file is cut short, changed, of a newer schema, of
        another kind, or no model at all.
    """
    return EXPRESSION_ENCODER.read(name)
