"""Encoders as files: what torch trained is what runs, in both forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facetrack.errors import InputError, ModelError
from facetrack.formats.archive import Arrays
from facetrack.networks.expression import (
    load_encoder,
    offered_channels,
    write_encoder,
)
from facetrack.networks.patches import PATCHES, Patch
from facetrack.networks.samples import CHANNELS, TARGETS
from facetrack.networks.train.binary import Stage, recompute_statistics, set_stage
from facetrack.networks.train.encoder import Architecture, Encoder
from facetrack.networks.train.model_file import form_of

STANDARD: Arrays = {
    "mean_shape": np.zeros((68, 2)),
    "centre": np.linspace(0, 1, len(TARGETS), dtype=np.float32),
    "deviation": np.linspace(1, 2, len(TARGETS), dtype=np.float32),
}
CARD = {"correlations": {"jawOpen": 0.9, "browInnerUp": 0.59, "mouthPucker": 0.6}}


def encoder(blocks: str) -> Encoder:
    """Random weights, but statistics of real inputs, so that signs are about even."""
    torch.manual_seed(0)
    made = Encoder(Architecture(blocks, (16, 24, 40, 72), 12), len(TARGETS))
    set_stage(made, Stage.BINARY)
    batches = [(inputs(8, seed),) for seed in range(3)]
    recompute_statistics(made, iter(batches))
    return made.eval()


def inputs(n: int, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return {name: torch.randn(n, 2, *v.crop.size[::-1]) for name, v in PATCHES.items()}


def patches(seed: int = 0) -> dict[str, Patch]:
    rng = np.random.default_rng(seed)
    return {
        name: Patch(
            rng.integers(0, 256, view.crop.size[::-1], dtype=np.uint8),
            rng.random(view.crop.size[::-1]) < 0.2,
            1.0,
        )
        for name, view in PATCHES.items()
    }


@pytest.mark.filterwarnings("ignore")  # of torch's exporter about itself
@pytest.mark.parametrize("blocks", ["real", "half", "gated"])
def test_what_was_trained_is_what_runs(tmp_path: Path, blocks: str) -> None:
    trained = encoder(blocks)
    path = tmp_path / "e.npz"
    form = form_of(trained)
    write_encoder(path, form, name="e", names=TARGETS, standard=STANDARD, card=CARD)
    here = str(Path(__file__).parents[2]).encode()
    assert all(here not in array.tobytes() for array in form.pack()[0].values())
    loaded = load_encoder(path)
    x = inputs(1, 9)
    with torch.no_grad():
        said = trained(x)[0].numpy()
    arrays = {name: v[0].permute(1, 2, 0).contiguous().numpy() for name, v in x.items()}
    assert np.abs(form.run(arrays)[0] - said).max() < 1e-4
    targets, features = loaded.network.run(arrays)
    # Real weights of 16 bits turn the sign of an activation near its threshold now and then.
    assert np.corrcoef(targets, said)[0, 1] > 0.99
    assert features.shape == (24,)
    encoded = loaded.encode(patches())
    assert encoded.targets.shape == (len(TARGETS),)
    again = loaded.encode(patches())
    assert np.array_equal(encoded.targets, again.targets)
    raw = loaded.network.run({n: _normalised(p) for n, p in patches().items()})[0]
    assert np.allclose(encoded.targets, raw * STANDARD["deviation"] + STANDARD["centre"])


def _normalised(patch: Patch) -> np.ndarray:
    from facetrack.networks.patches import normalised

    return normalised(patch)


def test_only_channels_that_agree_are_offered(tmp_path: Path) -> None:
    path = tmp_path / "e.npz"
    write_encoder(
        path, form_of(encoder("half")), name="e", names=TARGETS, standard=STANDARD, card=CARD
    )
    assert offered_channels(path) == ("jawOpen", "mouthPucker")
    assert set(offered_channels(path)) < set(CHANNELS)


def test_wrong_files_and_inputs_are_named(tmp_path: Path) -> None:
    path = tmp_path / "e.npz"
    write_encoder(
        path, form_of(encoder("half")), name="e", names=TARGETS, standard=STANDARD, card=CARD
    )
    loaded = load_encoder(path)
    with pytest.raises(InputError, match=r"the patch 'mouth' must be \(48, 64\), got none"):
        loaded.encode({"eyes": patches()["eyes"]})
    small = Patch(np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.bool_), 1.0)
    with pytest.raises(InputError, match=r"must be \(48, 96\), got \(4, 4\)"):
        loaded.encode({**patches(), "eyes": small})
    with pytest.raises(ModelError, match="no expression encoder"):
        load_encoder("default")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ModelError, match="cut short or damaged"):
        load_encoder(path)


def test_blocks_that_do_not_run_are_named() -> None:
    with pytest.raises(InputError, match="XnorBlock cannot be exported"):
        form_of(encoder("xnor"))
    unfinished = encoder("half")
    set_stage(unfinished, Stage.ACTIVATIONS)
    with pytest.raises(InputError, match="is not binary yet"):
        form_of(unfinished)
