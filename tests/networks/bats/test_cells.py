"""Operations, cells, shares, genotypes and the search, by identities."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from facetrack.errors import FormatError, InputError
from facetrack.networks.train.bats.cells import Cell, DropPath, Mixed, reductions
from facetrack.networks.train.bats.genotype import (
    OPERATIONS,
    Genotype,
    matched_genotypes,
    random_genotype,
    read_genotype,
    write_genotype,
)
from facetrack.networks.train.bats.latency import (
    EdgeSize,
    LatencyTable,
    edge_sizes,
    expected,
    measure,
)
from facetrack.networks.train.bats.network import CellNetwork, CellsForm
from facetrack.networks.train.bats.operations import Reduction, operation, shuffle
from facetrack.networks.train.bats.search import Strategy, gap, search
from facetrack.networks.train.bats.supernet import KINDS, SearchForm, SuperNet
from facetrack.networks.train.binary import BinaryConv2d, Stage, set_stage
from facetrack.networks.train.fitting import Schedule
from facetrack.networks.train.resnet import multiply_adds

FORM = SearchForm(cells=3, channels=12, nodes=2, groups=3)
SMALL = replace(FORM, nodes=1)
SIZE = (8, 8)


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(24, 3, *SIZE), torch.arange(24) % 3


def test_a_shuffle_is_undone_by_the_other_one() -> None:
    x = torch.randn(2, 12, 3, 3)
    assert torch.equal(shuffle(shuffle(x, 4), 3), x)
    assert shuffle(x, 4)[:, 1].equal(x[:, 3])  # the first of the second group


def test_groups_reach_from_full_to_depthwise() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 12, 6, 6)
    full, deep = BinaryConv2d(12, 12), BinaryConv2d(12, 12, groups=12)
    signs = torch.where(full.weight >= 0, 1.0, -1.0)
    plain = torch.nn.functional.conv2d(torch.where(x >= 0, 1.0, -1.0), signs, padding=1)
    assert torch.equal(full(x), plain)
    one = torch.nn.functional.conv2d(
        torch.where(x[:, 4:5] >= 0, 1.0, -1.0), torch.where(deep.weight[4:5] >= 0, 1.0, -1.0),
        padding=1,
    )  # fmt: skip
    assert torch.equal(deep(x)[:, 4:5], one)


@pytest.mark.parametrize("space", ["grouped", "separable"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_halve_odd_and_even_sizes(space: str, name: str) -> None:
    for size in (7, 8):
        x = torch.randn(2, 12, size, size)
        assert operation(name, space, 12, 2, 3)(x).shape == (2, 12, 4, 4)
        assert operation(name, space, 12, 1, 3)(x).shape == x.shape


def test_what_the_spaces_are_made_of() -> None:
    def convolutions(name: str, space: str) -> list[tuple[int, int, int]]:
        modules = operation(name, space, 12, 1, 3).modules()
        return [(m.weight.shape[-1], m.groups, m.dilation) for m in modules
                if isinstance(m, BinaryConv2d)]  # fmt: skip

    assert convolutions("sep_conv_5x5", "grouped") == [(5, 3, 1)]
    assert convolutions("dil_conv_3x3", "grouped") == [(3, 3, 2)]
    assert convolutions("sep_conv_3x3", "separable") == [(3, 12, 1), (1, 1, 1)] * 2
    assert convolutions("dil_conv_5x5", "separable") == [(5, 12, 2), (1, 1, 1)]
    x = torch.randn(1, 12, 5, 5)
    for space in ("grouped", "separable"):  # both have the identity beside them
        op = operation("sep_conv_3x3", space, 12, 1, 3)
        for conv in op.modules():
            if isinstance(conv, BinaryConv2d):
                torch.nn.init.zeros_(conv.scale)
        assert torch.equal(op(x), x)
    with pytest.raises(InputError, match="10 channels in 3 groups"):
        operation("none", "grouped", 10, 1, 3)


def test_a_reduction_sees_the_pixels_between() -> None:
    reduction = Reduction(12, 12).eval()
    for size in (7, 8):
        x = torch.randn(1, 12, size, size)
        y = reduction(x)
        x[:, :, 1, 1] *= -1  # no pixel of the unshifted half
        assert not torch.equal(reduction(x), y)


def test_shares_follow_the_temperature() -> None:
    net = SuperNet(FORM, 3)
    with torch.no_grad():
        net.alphas.normal.normal_()
    sharp = {}
    for temperature in (1.0, 0.5, 0.01):
        net.temperature = temperature
        shares = net.shares()["normal"]
        assert torch.allclose(shares.sum(dim=1), torch.ones(len(shares)))
        sharp[temperature] = shares.detach()
    best = net.alphas.normal.argmax(dim=1)
    assert torch.equal(sharp[0.01].argmax(dim=1), best)
    assert (sharp[0.01].max(dim=1).values > 0.99).float().mean() > 0.5
    with torch.no_grad():
        net.alphas.normal.zero_()
    slopes = []
    for temperature in (1.0, 0.25):  # equal strengths: equal shares, steeper
        net.temperature = temperature
        (gradient,) = torch.autograd.grad(net.shares()["normal"][0, 1], [net.alphas.normal])
        slopes.append(gradient[0, 1])
    assert slopes[1] == pytest.approx(4 * slopes[0].item())
    net.noisy = True
    assert not torch.equal(net.train().shares()["normal"], net.shares()["normal"])


def test_the_derived_network_is_the_super_net_with_its_operations_alone(
    pictures: tuple[Tensor, Tensor],
) -> None:
    torch.manual_seed(1)
    net = SuperNet(FORM, 3)
    with torch.no_grad():
        for kind in KINDS:
            getattr(net.alphas, kind).normal_()
    genotype = net.genotype()
    assert genotype.nodes == 2
    form = CellsForm(FORM.cells, FORM.channels, FORM.groups)
    derived = CellNetwork(form, genotype, 3, normalised=True)
    derived.stems[0].load_state_dict(net.stem.state_dict())
    derived.head.load_state_dict(net.head.state_dict())
    for own, theirs, reduces in zip(derived.cells, net.cells, net.reduces(), strict=True):
        assert isinstance(own, Cell)
        assert isinstance(theirs, Cell)
        own.first.load_state_dict(theirs.first.state_dict())
        own.second.load_state_dict(theirs.second.state_dict())
        edges = genotype.reduce if reduces else genotype.normal
        for number, (name, source) in enumerate(edges):
            mixed = theirs.edges[(0, 2)[number // 2] + source]
            assert isinstance(mixed, Mixed)
            op = mixed.operations[OPERATIONS.index(name) - 1]
            own.edges[number].load_state_dict(op.state_dict())
    x = pictures[0]
    with torch.no_grad():
        assert torch.allclose(derived(x), net(x, net.chosen()), atol=1e-5)
        assert not torch.allclose(derived(x), net(x), atol=1e-2)


def test_none_is_in_the_softmax_and_never_in_the_result() -> None:
    net = SuperNet(FORM, 3)
    with torch.no_grad():
        for kind in KINDS:
            getattr(net.alphas, kind).zero_()[:, 0] = 5.0
        net.alphas.normal[2, 3] = 1.0  # second node: input 0
        net.alphas.normal[4, 1] = 2.0  # and node 2
    genotype = net.genotype()
    assert genotype.normal[2:] == (("avg_pool_3x3", 0), ("skip_connect", 2))
    assert net.shares()["normal"][0, 0] > 0.9
    assert net.free_mass() > 0.9


def test_strengths_learn_apart_from_weights(pictures: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    net = SuperNet(FORM, 3)
    names = {name for name, _ in net.named_parameters()}
    assert not any("alphas" in name for name in names)
    before = {name: p.clone() for name, p in net.named_parameters()}
    start = net.alphas.normal.detach().clone()
    x, y = pictures
    net.alphas.step(torch.nn.functional.cross_entropy(net(x), y))
    assert not torch.equal(net.alphas.normal, start)
    assert all(torch.equal(p, before[name]) for name, p in net.named_parameters())
    assert all(p.grad is None for p in net.parameters())


def test_the_gradient_of_strengths_by_finite_differences(
    pictures: tuple[Tensor, Tensor],
) -> None:
    torch.manual_seed(0)
    net = SuperNet(replace(FORM, cells=1, nodes=1), 3).double()
    set_stage(net, Stage.REAL)  # signs have no finite differences
    net.alphas.begin()
    net.temperature = 0.5
    x, y = pictures[0].double(), pictures[1]

    def loss() -> Tensor:
        return torch.nn.functional.cross_entropy(net(x), y)

    net.eval()
    (gradient,) = torch.autograd.grad(loss(), [net.alphas.reduce])
    for edge, op in ((0, 1), (0, 4), (1, 0), (1, 6)):
        ends = []
        for step in (1e-6, -2e-6):
            with torch.no_grad():
                net.alphas.reduce[edge, op] += step
            ends.append(loss().item())
        with torch.no_grad():
            net.alphas.reduce[edge, op] += 1e-6
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[edge, op].item(), abs=1e-7)


def run(
    pictures: tuple[Tensor, Tensor], checkpoint: Path | None = None, **changes: Any
) -> SuperNet:
    x, y = pictures
    strategy = Strategy(**changes.pop("strategy", {}))
    take = lambda numbers, rng: (x[numbers], y[numbers])  # noqa: E731
    schedule = Schedule(3, batch=12)
    given = {"checkpoint": checkpoint, **changes}
    return search(SMALL, strategy, schedule, take, len(x), 3, SIZE, **given)


def test_a_search_that_was_cut_finds_the_same(
    pictures: tuple[Tensor, Tensor], tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    def kill(values: dict[str, float]) -> None:
        if values["epoch"] == 2:
            raise KilledError

    told: list[dict[str, float]] = []
    whole = run(pictures, tmp_path / "a.npz", report=told.append)
    with pytest.raises(KilledError):
        run(pictures, tmp_path / "b.npz", report=kill)
    again = run(pictures, tmp_path / "b.npz")
    for kind in KINDS:
        assert torch.equal(getattr(whole.alphas, kind), getattr(again.alphas, kind))
    assert [t["temperature"] for t in told] == pytest.approx([1.0, 0.2**0.5, 0.2])
    assert all(0 <= t["free"] <= 4 for t in told)


def test_strengths_rest_while_weights_begin(pictures: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    start = SuperNet(SMALL, 3).alphas.normal
    rested = run(pictures, strategy={"frozen": 0.9})
    assert torch.equal(rested.alphas.normal, start)
    assert not torch.equal(run(pictures, strategy={"frozen": 0.5}).alphas.normal, start)
    for stage in (Stage.REAL, Stage.BINARY):
        run(pictures, strategy={"stage": stage, "noisy": True})
    with pytest.raises(InputError, match="halves its pictures"):
        search(SMALL, Strategy(), Schedule(1), lambda n, r: pictures, 1, 3, SIZE)
    with pytest.raises(InputError, match="temperatures are above 0"):
        Strategy(temperature=(1.0, 0.0))


def test_the_gap_is_measured_with_statistics_of_its_own(pictures: tuple[Tensor, Tensor]) -> None:
    x, y = pictures
    net = run(pictures)
    numbers = np.arange(len(x))
    soft, chosen = gap(net, lambda n, rng: (x[n], y[n]), numbers, numbers, batch=12)
    assert 0 <= chosen <= 1
    with torch.no_grad():
        for kind in KINDS:
            getattr(net.alphas, kind).copy_(1000 * net.chosen()[kind])
    same = gap(net, lambda n, rng: (x[n], y[n]), numbers, numbers, batch=12)
    assert same[0] == same[1] == chosen
    assert soft >= 0
    for module in net.modules():  # what drifted meanwhile does not count
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.get_buffer("running_mean"), std=50)
    assert gap(net, lambda n, rng: (x[n], y[n]), numbers, numbers, batch=12) == same


def test_a_weight_of_the_latency_prefers_what_is_fast(pictures: tuple[Tensor, Tensor]) -> None:
    sizes = edge_sizes(SMALL, SIZE)
    edges = {edge for cells in sizes.values() for cell in cells for edge in cell}
    slow = tuple(float(10 * (name == "sep_conv_5x5") + 1) for name in OPERATIONS)
    table = LatencyTable("grouped", 3, {}, dict.fromkeys(edges, slow))
    shares = SuperNet(SMALL, 3).shares()
    total = sum(len(cell) for cells in sizes.values() for cell in cells)
    assert expected(shares, sizes, table).item() == pytest.approx(total * (1 + 10 / 8), rel=1e-3)
    given = {"frozen": 0.0, "latency": 10.0}
    net = run(pictures, strategy=given, times=table)
    column = OPERATIONS.index("sep_conv_5x5")
    assert net.shares()["normal"][:, column].max() < 1 / len(OPERATIONS)
    with pytest.raises(InputError, match="needs a table of times"):
        run(pictures, strategy=given)
    with pytest.raises(InputError, match="of another space"):
        run(pictures, strategy=given, times=replace(table, groups=4))
    with pytest.raises(InputError, match="lacks EdgeSize"):
        run(pictures, strategy=given, times=replace(table, times={}))


@pytest.mark.parametrize("space", ["grouped", "separable"])
def test_a_table_of_times_is_measured_by_the_runtime(space: str, tmp_path: Path) -> None:
    form = replace(SMALL, space=space)
    table = measure(form, (7, 7), runs=1)
    assert EdgeSize(24, 7, 7, 2) in table.times  # of the reducing cell's inputs
    assert EdgeSize(12, 7, 7, 1) in table.times
    for times in table.times.values():
        assert times[0] == 0.0
        assert all(ms > 0 for ms in times[1:])
    table.write(tmp_path / "times.json")
    assert LatencyTable.read(tmp_path / "times.json") == table
    (tmp_path / "times.json").write_text('{"schema": 2, "operations": []}', "utf-8")
    with pytest.raises(FormatError, match="another schema"):
        LatencyTable.read(tmp_path / "times.json")
    (tmp_path / "times.json").write_text("[]", "utf-8")
    with pytest.raises(FormatError, match="not a table of times"):
        LatencyTable.read(tmp_path / "times.json")


def test_genotypes_come_back_from_json(tmp_path: Path) -> None:
    genotype = random_genotype(np.random.default_rng(2), space="separable")
    path = tmp_path / "g.json"
    write_genotype(path, genotype)
    assert read_genotype(path) == genotype
    content = json.loads(path.read_text("utf-8"))
    for change, message in (
        ({"schema": 9}, "another schema"),
        ({"normal": content["normal"][:-1]}, "7 edges, and not 2"),
        ({"normal": [["conv_9x9", 0], *content["normal"][1:]]}, "no operation 'conv_9x9'"),
        ({"reduce": [["skip_connect", 2], *content["reduce"][1:]]}, "not there yet"),
        ({"normal_concat": [1]}, "outputs are of inner nodes"),
        ({"space": "round"}, "spaces are grouped, separable"),
        ({"colour": 1}, "not a genotype"),
    ):
        path.write_text(json.dumps({**content, **change}), "utf-8")
        with pytest.raises((FormatError, InputError), match=message):
            read_genotype(path)
    path.write_text("[1", "utf-8")
    with pytest.raises(FormatError, match="not a genotype"):
        read_genotype(path)


def test_random_genotypes_cost_as_much_as_the_searched_one() -> None:
    form, x = CellsForm(3, 12, 3), torch.zeros(1, 3, *SIZE)

    def cost(genotype: Genotype) -> int:
        return multiply_adds(CellNetwork(form, genotype, 3), x)

    rng = np.random.default_rng(0)
    like = random_genotype(rng, nodes=2)
    drawn = matched_genotypes(like, 3, cost, rng)
    assert len(drawn) == 3
    assert all(abs(cost(g) - cost(like)) <= 0.1 * cost(like) for g in drawn)
    with pytest.raises(InputError, match="0 of 1 random genotypes"):
        matched_genotypes(like, 1, cost, rng, within=-1.0, tries=3)


def test_pixels_fall_at_a_third_and_two_thirds(pictures: tuple[Tensor, Tensor]) -> None:
    assert reductions(20) == (6, 13)
    genotype = random_genotype(np.random.default_rng(0))
    network = CellNetwork(CellsForm(5, 12, 3), genotype, 3)
    sizes = []
    for cell in network.cells:
        cell.register_forward_hook(lambda _, __, y: sizes.append(y.shape[1:3]))
    network(torch.randn(2, 3, 7, 7))
    assert sizes == [(48, 7), (96, 4), (96, 4), (192, 2), (192, 2)]
    large = CellNetwork(CellsForm(3, 12, 3, stem="imagenet"), genotype, 3)
    assert large(torch.randn(2, 3, 64, 64)).shape == (2, 3)


def test_dropped_paths_keep_their_mean() -> None:
    torch.manual_seed(0)
    drop = DropPath(0.25)
    dropped = drop(torch.ones(4000, 1, 1, 1))
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert dropped.mean() == pytest.approx(1, abs=0.05)
    assert drop.eval()(dropped) is dropped
