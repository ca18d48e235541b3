"""The losses of both papers, by identities."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from facetrack.errors import InputError
from facetrack.networks.train.adain import AdaIn, adapted, moments, statistics
from facetrack.networks.train.real_to_binary import attention, classes


class Teacher(torch.nn.Module):
    """Two stages and a head, in float64."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.stages = torch.nn.ModuleList(
            torch.nn.Sequential(torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.BatchNorm2d(4))
            for _ in range(2)
        )
        self.head = torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 3)
        )
        self.double().eval().requires_grad_(False)

    def taps(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for stage in self.stages:
            x = torch.tanh(stage(x))
            found.append(x)
        return found


@pytest.fixture
def maps() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, 4, 5, 6).double(), torch.randn(3, 4, 5, 6).double() * 2 + 1


@pytest.mark.parametrize("norm", ["l2", "max"])
def test_attention_minds_neither_scale_nor_signs_nor_the_order_of_channels(
    maps: tuple[torch.Tensor, torch.Tensor], norm: str
) -> None:
    a, b = maps
    assert attention(a, a * -3, norm) == pytest.approx(0, abs=1e-12)
    signs = torch.tensor([1.0, -1, -1, 1]).double()[:, None, None]
    assert attention(a, a * signs, norm) == pytest.approx(0, abs=1e-12)
    order = [2, 0, 3, 1]
    assert attention(a[:, order], b, norm) == pytest.approx(attention(a, b, norm).item())
    assert attention(a, b, norm) > 1e-4


def test_class_probabilities_do_not_mind_a_constant() -> None:
    logits = torch.randn(5, 7).double()
    assert classes(logits, logits + 4, 2.0) == pytest.approx(0, abs=1e-12)
    assert classes(logits, -logits) > 0.1


def test_adapted_maps_have_the_students_moments(
    maps: tuple[torch.Tensor, torch.Tensor],
) -> None:
    student, teacher = maps
    mixed = adapted(student, teacher)
    for found, wanted in zip(moments(mixed), moments(student), strict=True):
        assert torch.allclose(found, wanted, rtol=1e-4)
    order = torch.randperm(30)
    shuffled = student.flatten(2)[..., order].reshape(student.shape)
    assert torch.allclose(adapted(shuffled, teacher), mixed)
    assert torch.allclose(adapted(student, teacher * 3 + 5), mixed, atol=1e-4)
    assert torch.allclose(adapted(teacher, teacher), teacher)


def test_a_dead_channel_of_the_teacher_keeps_its_deviation(
    maps: tuple[torch.Tensor, torch.Tensor],
) -> None:
    student, teacher = maps
    teacher[:, 1] = 0.0
    teacher = teacher * 1e4
    mixed = adapted(student, teacher)
    assert mixed[:, 1].std(dim=(1, 2)).max() == 0


def test_the_teacher_judges_itself_to_be_right(maps: tuple[torch.Tensor, torch.Tensor]) -> None:
    teacher = Teacher()
    taps = teacher.taps(maps[0])
    for judge in ("features", "outputs"):
        compare = AdaIn([(4, 4), (4, 4)], judge).double()
        mine = [t.clone().requires_grad_() for t in taps]
        loss = compare(mine, taps, teacher)
        assert loss.item() == pytest.approx(0, abs=1e-10)
        loss.backward()
        assert max(t.grad.abs().max() for t in mine if t.grad is not None) < 1e-8
    assert compare.plain(mine, taps).item() == pytest.approx(0, abs=1e-20)


def test_after_the_last_stage_adain_is_the_plain_comparison(
    maps: tuple[torch.Tensor, torch.Tensor],
) -> None:
    student, other = maps
    teacher = Teacher()
    tap = teacher.taps(other)[1]
    compare = AdaIn([(4, 4), (4, 4)]).double()
    compare.variances += 1.0
    loss = compare([tap, student], [tap, tap], teacher)
    assert 2 * loss.item() == pytest.approx(statistics(student, tap).item(), rel=1e-3)


def test_a_pooling_head_hears_no_deviation(maps: tuple[torch.Tensor, torch.Tensor]) -> None:
    teacher = Teacher()
    tap = teacher.taps(maps[1])[1]
    compare = AdaIn([(4, 4), (4, 4)], "outputs").double()
    wider = (tap - tap.mean(dim=(2, 3), keepdim=True)) * 2 + tap.mean(dim=(2, 3), keepdim=True)
    assert compare([tap, wider], [tap, tap], teacher).item() == pytest.approx(0, abs=1e-10)
    assert compare([tap, tap + 1], [tap, tap], teacher) > 1e-3


def test_the_teacher_stays_as_it_is(maps: tuple[torch.Tensor, torch.Tensor]) -> None:
    teacher = Teacher()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    compare = AdaIn([(2, 4), (4, 4)]).double()
    student = torch.nn.Conv2d(4, 2, 1).double()
    optimiser = torch.optim.SGD([*student.parameters(), *compare.parameters()], 0.1)
    for _ in range(10):
        taps = teacher.taps(maps[0])
        loss = compare([student(maps[1]), taps[1]], taps, teacher)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(3)
    student = torch.randn(2, 3, 3, 4).double().requires_grad_()
    teacher = torch.randn(2, 3, 3, 4).double()
    assert torch.autograd.gradcheck(lambda x: adapted(x, teacher), student)
    assert torch.autograd.gradcheck(lambda x: attention(x, teacher), student)
    assert torch.autograd.gradcheck(lambda x: statistics(x, teacher), student)


def test_an_unknown_judge_is_named() -> None:
    with pytest.raises(InputError, match="features, outputs, got 'taste'"):
        AdaIn([], "taste")
