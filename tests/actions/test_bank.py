"""What holds for filter banks whatever they were trained to."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from facetrack.actions.train.bank import ActionNetwork, FilterBank, HeadForm, masked_peaks
from facetrack.errors import InputError

BANK = HeadForm(3, filters=2, local=0, dropout=0.0)


def maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape, np.float32))


def bias_of(made: FilterBank) -> Tensor:
    assert made.filters.bias is not None
    return made.filters.bias


def bank(form: HeadForm = BANK, width: int = 5) -> FilterBank:
    torch.manual_seed(0)
    made = FilterBank(width, form).eval()
    nn.init.normal_(made.filters.weight)
    nn.init.normal_(bias_of(made))
    return made


def network(form: HeadForm, width: int = 4) -> ActionNetwork:
    torch.manual_seed(0)
    stages = [
        nn.Conv3d(2, width, (1, 3, 3), (1, 2, 2), (0, 1, 1)),
        nn.Sequential(nn.Conv3d(width, width, (3, 3, 3), (1, 2, 2), (1, 1, 1)), nn.ReLU()),
    ]
    return ActionNetwork(stages, (width, width), form).eval()


def test_cross_channel_pooling_averages_the_filters_of_one_class() -> None:
    form = HeadForm(2, filters=3, local=0)
    made, x = bank(form, 6), maps(2, 6, 3, 4, 4)
    with torch.no_grad():
        made.filters.weight.copy_(torch.eye(6)[..., None, None, None])
        bias_of(made).zero_()
        found = made(x)[1]["cross"]
    largest = x.amax(dim=(2, 3, 4))
    assert torch.allclose(found, torch.stack([largest[:, :3].mean(1), largest[:, 3:].mean(1)], 1))


def test_filters_of_one_channel_give_the_channels_maximum() -> None:
    made, x = bank(), maps(2, 5, 3, 4, 4)
    with torch.no_grad():
        bias_of(made).zero_()
        made.filters.weight.zero_()
        made.filters.weight[2:4, 3] = 1.0  # both filters of class 1
        found = made(x)[1]["cross"]
    assert torch.allclose(found[:, 1], x[:, 3].amax(dim=(1, 2, 3)))


def test_places_do_not_count() -> None:
    form, x = HeadForm(3, filters=2, local=0, dropout=0.0), maps(2, 4, 3, 4, 4)
    made = ActionNetwork([nn.Identity(), nn.Identity()], (4, 4), form).eval()
    assert made.bank is not None
    nn.init.normal_(made.bank.filters.weight)
    order = torch.from_numpy(np.random.default_rng(1).permutation(48))
    mixed = x.flatten(2)[:, :, order].unflatten(2, (3, 4, 4))
    for name, scores in made(x).branches.items():
        assert torch.allclose(scores, made(mixed).branches[name], atol=1e-6), name


@pytest.mark.parametrize("read", ["bank", "mean", "max"])
def test_what_padding_holds_changes_nothing(read: str) -> None:
    made = network(HeadForm(3, read=read, filters=2, dropout=0.0))
    clips, mask = maps(2, 2, 6, 16, 16), torch.ones(2, 6, dtype=torch.bool)
    mask[1, 4:] = False
    other = clips.clone()
    other[1, :, 4:] = 1e3
    for name, scores in made(clips, mask).branches.items():
        assert torch.allclose(scores, made(other, mask).branches[name], atol=1e-6), name
    assert not torch.allclose(made(clips).branches["average"], made(other).branches["average"])


def test_padding_never_wins() -> None:
    x = torch.full((1, 2, 3, 1, 1), -5.0)
    x[:, :, 2] = 0.0
    mask = torch.tensor([[True, True, False]])
    assert masked_peaks(x, mask).tolist() == [[-5.0, -5.0]]
    assert masked_peaks(x, mask, top=3).tolist() == [[-5.0, -5.0]]
    with pytest.raises(InputError, match="no real frame"):
        network(BANK)(maps(1, 2, 4, 16, 16), torch.zeros(1, 4, dtype=torch.bool))


def test_one_filter_a_class_read_as_it_is_equals_its_cross_channel_pooling() -> None:
    made = bank(HeadForm(3, filters=1, local=0, dropout=0.0))
    with torch.no_grad():
        made.readout.weight.copy_(torch.eye(3))
        made.readout.bias.zero_()
    found = made(maps(2, 5, 3, 4, 4))[1]
    assert torch.equal(found["direct"], found["cross"])


def test_a_local_branch_that_enlarges_nothing_begins_as_the_backbone() -> None:
    made = network(HeadForm(3, filters=2, upsampled=1))
    made.start_local()
    last, fine = made.maps(maps(2, 2, 6, 16, 16))
    assert torch.equal(last, fine)
    finer = network(HeadForm(3, filters=2, upsampled=2)).maps(maps(2, 2, 6, 16, 16))[1]
    assert finer.shape[2:] == (last.shape[2], 2 * last.shape[3], 2 * last.shape[4])


def test_what_is_added_to_a_classs_filters_shifts_its_score() -> None:
    made, x = bank(), maps(2, 5, 3, 4, 4)
    before = made(x)[1]["cross"]
    with torch.no_grad():
        bias_of(made)[2:4] += 0.5
    shift = made(x)[1]["cross"] - before
    assert torch.allclose(shift, torch.tensor([0.0, 0.5, 0.0]).expand(2, 3), atol=1e-6)


def test_the_cross_channel_loss_reaches_one_place_of_each_filter() -> None:
    made, x = bank(), maps(1, 5, 3, 4, 4)
    responses = made.filters(x).detach().requires_grad_()
    peaks = masked_peaks(responses, None)
    scores = peaks.unflatten(1, (3, 2)).mean(dim=2)
    nn.functional.cross_entropy(scores, torch.tensor([1])).backward()
    gradient = responses.grad
    assert gradient is not None
    assert (gradient.flatten(2) != 0).sum(dim=2).tolist() == [[1] * 6]
    expected = (scores.detach().softmax(1)[0] - torch.tensor([0.0, 1.0, 0.0])) / 2
    assert torch.allclose(gradient.sum(dim=(2, 3, 4))[0], expected.repeat_interleave(2), atol=1e-6)


def test_branches_without_weight_neither_train_nor_predict() -> None:
    x = maps(2, 2, 6, 16, 16)
    assert set(network(HeadForm(3, filters=2, cross=0.0))(x).branches) == {"average", "direct"}
    assert set(network(HeadForm(3, filters=2, direct=0.0))(x).branches) == {"average", "cross"}
    shares = network(HeadForm(3, filters=2))(x).probabilities()
    assert torch.allclose(shares.sum(dim=1), torch.ones(2))


def test_all_parts_learn() -> None:
    made = network(HeadForm(3, filters=2, top=3)).train()
    made.loss(maps(3, 2, 6, 16, 16), torch.tensor([0, 1, 2])).backward()
    still = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


def test_a_wrong_form_is_named() -> None:
    with pytest.raises(InputError, match="reads by mean, max, bank"):
        HeadForm(3, read="mode")
    with pytest.raises(InputError, match="1 or more"):
        HeadForm(0)
    with pytest.raises(InputError, match="more than those"):
        network(HeadForm(3, local=2))
