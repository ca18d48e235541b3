"""What happens in films: shares, labels that follow the curves, blinks that are no pain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from numpy.testing import assert_allclose

from facetrack.pain.pspi import pspi
from facetrack.pain.script import (
    _blinks,
    _level,
    _other,
    _pain,
    _starts,
    _sway,
    labels,
    write_only,
    write_script,
)
from facetrack.synthetic.dynamics import HIGHEST, Move, Pulse, Sway, Syllables, curves
from facetrack.synthetic.units import CLOSING

TIMES = np.arange(90) / 15


@pytest.fixture(scope="module")
def films() -> list[list[dict[int, float]]]:
    """Labels of 300 films."""
    scripts = (write_script(np.random.default_rng(seed), 6.0) for seed in range(300))
    return [labels(script, TIMES) for script in scripts]


def test_four_frames_of_five_score_nothing(films: list[list[dict[int, float]]]) -> None:
    scores = np.array([[float(pspi(units)) for units in film] for film in films])
    assert np.mean(scores == 0) == pytest.approx(0.8, abs=0.04)
    assert 0.2 < np.mean((scores == 0).all(axis=1)) < 0.5  # films without any
    counts = np.bincount(scores.astype(int).ravel(), minlength=17)
    assert (np.diff(counts[:7]) < 0).all()  # the stronger the rarer
    assert counts[12:].sum() > 0


def test_every_unit_of_the_score_and_what_is_none_happens(
    films: list[list[dict[int, float]]],
) -> None:
    seen = {unit for film in films for units in film for unit in units}
    assert {4, 6, 7, 9, 10, 43, 12, 1, 2, 26, 17, 24} <= seen
    alone = [u for film in films for u in film if u.get(12, 0) >= 2 and pspi(u) == 0]
    glad = [u for film in films for u in film if u.get(12, 0) >= 2 and u.get(6, 0) >= 1]
    assert len(alone) > len(glad) > 100


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_the_rounded_curves(seed: int) -> None:
    script = write_script(np.random.default_rng(seed), 6.0)
    latent = curves(script, TIMES)
    for frame, units in enumerate(labels(script, TIMES)):
        for unit in (4, 6, 7, 9, 10, 12):
            intensity = latent[str(unit)][frame] if str(unit) in latent else 0.0
            assert units.get(unit, 0) == np.floor(intensity + 0.5)
        assert all(grade > 0 for grade in units.values())


def test_blinks_do_not_count_as_closed_eyes_and_held_lids_do() -> None:
    blink = Move(CLOSING, Pulse(1.0, 0.12, 0.05, 0.2, 1.0))
    held = Move(CLOSING, Pulse(3.0, 0.2, 0.8, 0.3, 1.0))
    found = labels((blink, held), TIMES)
    closed = TIMES[[43 in units for units in found]]
    assert 3.0 < closed.min() < 3.3
    assert 3.9 < closed.max() < 4.4
    assert len(closed) >= 8


def test_a_brow_raise_is_two_units() -> None:
    found = labels((Move("1+2", Pulse(0.0, 0.5, 3.0, 0.5, 3.0)),), TIMES)
    assert found[30] == {1: 3, 2: 3}


def test_units_of_pain_are_as_frequent_as_said() -> None:
    """An event comes every 6.2 s in two films of three; 3 % are strong, and have all units.

    Of the others half move the brows, 95 % the lids and 35 % nose or lip, by both units in four of
    ten and otherwise by either. Units 4, 7, 9 and 10 are in nothing else.
    """
    n_films, seconds = 2000, 6.0
    events = n_films * 2 / 3 * seconds / 6.2
    counts = dict.fromkeys(("4", "7", "9", "10"), 0)
    for seed in range(n_films):
        for move in write_script(np.random.default_rng(seed), seconds):
            if move.unit in counts:
                counts[move.unit] += 1
    of_two = 0.4 + 0.6 / 2
    expected = {
        "4": 0.03 + 0.97 * 0.5,
        "7": (0.03 + 0.97 * 0.95) * of_two,
        "9": (0.03 + 0.97 * 0.35) * of_two,
        "10": (0.03 + 0.97 * 0.35) * of_two,
    }
    for unit, share in expected.items():
        assert counts[unit] / events == pytest.approx(share, rel=0.1)  # three deviations


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("smile", [{"12"}]),
        ("glad", [{"6", "12"}]),
        ("brows", [{"1+2"}]),
        ("talk", [{"18", "26"}, {"20", "26"}]),
        ("turn", [{"roll", "yaw"}]),
        ("nod", [{"pitch"}]),
        ("swallow", [{"17", "24"}]),
        ("lips", [{"15"}, {"17"}, {"18"}, {"24"}]),
        ("yawn", [{"1+2", "26", CLOSING}]),
        ("rest", [{CLOSING}]),
    ],
)
def test_a_film_of_one_other_thing_shows_it_every_four_seconds(
    name: str, units: list[set[str]]
) -> None:
    seconds = 14.0
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    blinks = write_only(other, seconds, "")
    moves = write_only(rng, seconds, name)
    pulses = [move for move in blinks if isinstance(move.curve, Pulse)]
    assert [move for move in moves[: len(blinks)] if isinstance(move.curve, Pulse)] == pulses
    done = moves[len(blinks) :]
    each = len(units[0])
    assert len(done) == 3 * each  # from second 1 on: 1, 5, 9
    for number, start in enumerate((1.0, 5.0, 9.0)):
        now = done[number * each : (number + 1) * each]
        assert {move.unit for move in now} in units
        times = start + np.arange(-1, 5, 0.05)
        for curve in curves(tuple(now), times).values():
            moved = times[np.abs(curve) > 1e-9]
            assert start <= moved.min() < start + 1
            assert moved.max() < start + 4.8
            assert np.abs(curve).max() <= HIGHEST


def test_people_blink_ten_to_twenty_times_a_minute() -> None:
    counts = []
    for seed in range(40):
        script = write_script(np.random.default_rng(seed), 60.0)
        short = [m for m in script if m.unit == CLOSING and isinstance(m.curve, Pulse)]
        counts.append(sum(m.curve.hold < 0.1 for m in short if isinstance(m.curve, Pulse)))
    assert 9 <= np.mean(counts) <= 21


def test_the_same_seed_makes_the_same_film() -> None:
    one, again, other = (
        labels(write_script(np.random.default_rng(s), 6.0), TIMES) for s in (1, 1, 2)
    )
    assert one == again != other


def spans(found: npt.ArrayLike, low: float, high: float) -> bool:
    """Return whether draws fill a range, up to a twentieth of it at both ends, and no more."""
    values, margin = np.ravel(found), 0.05 * (high - low)
    return bool(
        low - 1e-9 <= values.min() <= low + margin and high - margin <= values.max() <= high + 1e-9
    )


def drawn(name: str) -> list[list[Move]]:
    """Draw one other thing four hundred times, each at second 2."""
    rng = np.random.default_rng(5)
    return [_other(rng, name, 2.0) for _ in range(400)]


def pulses(events: list[list[Move]], unit: str) -> list[Pulse]:
    found = [move.curve for event in events for move in event if move.unit == unit]
    assert all(isinstance(curve, Pulse) and curve.start >= 2.0 for curve in found)
    return [curve for curve in found if isinstance(curve, Pulse)]


@pytest.mark.parametrize(
    ("name", "units", "low", "high"),
    [
        ("smile", ["12"], 1.5, 5.0),
        ("glad", ["12"], 1.5, 5.0),
        ("brows", ["1+2"], 1.5, 5.0),
        ("turn", ["roll"], -0.15, 0.15),
        ("nod", ["pitch"], -0.17, 0.17),
        ("swallow", ["17"], 1.5, 3.5),
        ("swallow", ["24"], 1.5, 3.5),
        ("lips", ["24", "18", "15", "17"], 1.0, 4.5),
    ],
)
def test_other_things_are_so_strong(name: str, units: list[str], low: float, high: float) -> None:
    events = drawn(name)
    peaks = [pulse.peak for unit in units for pulse in pulses(events, unit)]
    assert len(peaks) == len(events)
    assert spans(peaks, low, high)


def test_heads_turn_to_either_side_and_far() -> None:
    far = np.array([pulse.peak for pulse in pulses(drawn("turn"), "yaw")])
    assert spans(np.abs(far), 0.12, 0.34)
    assert 0.4 < np.mean(far > 0) < 0.6


def test_who_is_glad_lifts_the_cheeks_less_than_the_mouth() -> None:
    events = drawn("glad")
    cheeks, mouth = ([pulse.peak for pulse in pulses(events, unit)] for unit in ("6", "12"))
    assert spans(np.array(cheeks) / mouth, 0.4, 0.9)


def test_things_begin_are_held_and_end_in_a_natural_time() -> None:
    found = pulses(drawn("smile"), "12")
    assert {pulse.start for pulse in found} == {2.0}
    assert spans([pulse.onset for pulse in found], 0.25, 0.8)
    assert spans([pulse.hold for pulse in found], 0.3, 1.5)
    assert spans([pulse.offset / pulse.onset for pulse in found], 1.5, 2.5)
    assert spans([pulse.drift for pulse in found], -0.1, 0.1)


def test_lids_rest_for_longer_and_swallowing_is_short() -> None:
    assert spans([pulse.hold for pulse in pulses(drawn("rest"), CLOSING)], 0.7, 1.9)
    assert {pulse.peak for pulse in pulses(drawn("rest"), CLOSING)} == {1.0}
    short = {(pulse.onset, pulse.hold, pulse.offset) for pulse in pulses(drawn("swallow"), "17")}
    assert short == {(0.2, 0.1, 0.3)}


def test_who_yawns_opens_wide_and_narrows_the_eyes() -> None:
    events = drawn("yawn")
    wide, lids = pulses(events, "26"), pulses(events, CLOSING)
    assert {(pulse.start, pulse.offset, pulse.peak) for pulse in wide} == {(2.0, 0.7, HIGHEST)}
    assert spans([pulse.onset for pulse in wide], 0.6, 1.0)
    assert spans([pulse.hold for pulse in wide], 0.8, 1.6)
    assert {(pulse.start, pulse.onset, pulse.offset) for pulse in lids} == {(2.3, 0.6, 0.6)}
    assert [pulse.hold for pulse in lids] == [pulse.hold for pulse in wide]
    assert spans([pulse.peak for pulse in lids], 0.3, 0.7)
    assert {pulse.peak for pulse in pulses(events, "1+2")} == {1.5}


def test_who_talks_moves_jaw_and_lips_for_some_seconds() -> None:
    said = [[m.curve for m in event if isinstance(m.curve, Syllables)] for event in drawn("talk")]
    jaw, lips = zip(*said, strict=True)
    assert {(one.start, other.start) for one, other in said} == {(2.0, 2.0)}
    assert spans([one.stop - one.start for one in jaw], 1.5, 4.0)
    assert spans([one.peak for one in jaw], 1.0, 2.8)
    assert spans([one.peak for one in lips], 0.8, 2.5)


def test_one_side_moves_more_by_less_than_a_third() -> None:
    right, left = np.array([event[0].sides for event in drawn("smile")]).T
    assert_allclose(right + left, 2)
    aside = right - 1
    assert np.abs(aside).max() == pytest.approx(0.3)
    assert aside.std() == pytest.approx(0.12, rel=0.1)
    assert 0.4 < np.mean(aside > 0) < 0.6


def test_small_peaks_are_the_most_frequent() -> None:
    """Of a geometric distribution, by 0.45 more or less, from 0.6 to 5."""
    rng = np.random.default_rng(6)
    levels = np.array([_level(rng) for _ in range(4000)])
    whole = np.rint(levels)
    assert np.abs(levels - whole)[levels < 4.5].max() == pytest.approx(0.45, abs=0.01)
    for level, share in ((1, 0.6), (2, 0.24), (3, 0.096)):
        assert np.mean(whole == level) == pytest.approx(share, abs=0.03)
    assert (levels.min(), levels.max()) == (0.6, HIGHEST)


@pytest.fixture(scope="module")
def pains() -> list[tuple[list[Move], bool]]:
    """Draw many; the first number that is drawn says whether one is strong."""
    seeds = range(4000)
    strong = [np.random.default_rng(seed).random() < 0.03 for seed in seeds]
    return [(_pain(np.random.default_rng(s), 2.0), strong[s]) for s in seeds]


def parts(pains: list[tuple[list[Move], bool]], *units: str) -> list[Pulse]:
    every = [move for event, _ in pains for move in event if move.unit in units]
    return [move.curve for move in every if isinstance(move.curve, Pulse)]


def test_strong_pain_moves_all_units_of_the_score_nearly_as_far_as_they_go(
    pains: list[tuple[list[Move], bool]],
) -> None:
    strong = [pain for pain in pains if pain[1]]
    for event, _ in strong:
        units = {move.unit for move in event}
        assert {"4", CLOSING} <= units
        assert units & {"6", "7"}
        assert units & {"9", "10"}
    peaks = [pulse.peak for pulse in parts(strong, "4", "6", "7")]
    assert np.median(peaks) == pytest.approx(4.7, abs=0.1)
    assert np.percentile(peaks, 25) == pytest.approx(4.7 - 0.674 * 0.5, abs=0.12)
    assert max(peaks) == HIGHEST


def test_parts_of_a_pain_come_at_their_times(pains: list[tuple[list[Move], bool]]) -> None:
    early = [pulse.start - 2.0 for pulse in parts(pains, "4", "6", "7")]
    late = [pulse.start - 2.0 for pulse in parts(pains, "9", "10")]
    assert spans(early, 0.0, 0.1)
    delayed = np.array(late) > 0.1
    assert np.mean(delayed) == pytest.approx(0.7, abs=0.03)
    assert np.max(late) == pytest.approx(0.4, abs=0.03)
    assert np.array(late)[delayed].mean() == pytest.approx(0.2 + 0.05, abs=0.01)


def test_a_pain_is_held_for_a_second_and_four_at_most(
    pains: list[tuple[list[Move], bool]],
) -> None:
    held = [pulse.hold for pulse in parts(pains, "4")]
    assert min(held) == pytest.approx(0.3, abs=0.003)
    assert max(held) == 4.0
    assert np.mean(held) == pytest.approx(0.3 + 0.6, abs=0.03)


def test_mouths_and_eyes_join_some_pains(pains: list[tuple[list[Move], bool]]) -> None:
    for unit in ("12", "20", "26"):
        mouths = parts(pains, unit)
        assert len(mouths) / len(pains) == pytest.approx(0.25 / 3, abs=0.01)
        assert max(pulse.peak for pulse in mouths) <= 0.6 * HIGHEST
        assert min(pulse.peak for pulse in mouths) == pytest.approx(0.6 * 0.6)
    shut = parts(pains, CLOSING)
    assert len(shut) / len(pains) == pytest.approx(0.03 + 0.97 * 0.4, abs=0.02)
    assert spans([curve.start for curve in shut], 2.0, 2.3)
    assert spans([curve.onset for curve in shut], 0.15, 0.3)
    assert {(curve.offset, curve.peak) for curve in shut} == {(0.3, 1.0)}
    assert min(curve.hold for curve in shut) == 0.5


def test_blinks_are_short_and_some_seconds_apart() -> None:
    films = [_blinks(np.random.default_rng(seed), 60.0) for seed in range(200)]
    found = [[m.curve for m in film if isinstance(m.curve, Pulse)] for film in films]
    every = [curve for film in found for curve in film]
    for field, low, high in (
        ("onset", 0.1, 0.15), ("offset", 0.15, 0.25), ("hold", 0.02, 0.06), ("peak", 0.9, 1.0),
    ):  # fmt: skip
        assert spans([getattr(curve, field) for curve in every], low, high)
    gaps = np.concatenate([np.diff([curve.start for curve in film]) for film in found])
    assert spans(gaps, 0.4 * 60 / 20, 1.6 * 60 / 10)
    assert min(film[0].start for film in found) < 0.2
    assert max(film[-1].start for film in found) > 59
    assert max(film[-1].start for film in found) < 60
    assert len(every) / len(films) == pytest.approx(15, abs=0.5)  # a minute


def test_heads_sway_a_little_about_all_axes() -> None:
    sizes = {"yaw": 0.04, "pitch": 0.03, "roll": 0.025, "right": 0.04, "down": 0.03}
    times = np.arange(0, 300, 0.2)
    moved = [
        {m.unit: m.curve.at(times).std() for m in _sway(np.random.default_rng(s))} for s in range(5)
    ]
    plain = [Sway(np.random.default_rng(s), 1.0).at(times).std() for s in range(3)]
    for unit, size in sizes.items():
        assert np.mean([one[unit] for one in moved]) == pytest.approx(
            size * np.mean(plain), rel=0.2
        )


def test_events_begin_within_a_film_as_often_as_they_are_expected() -> None:
    rng = np.random.default_rng(7)
    starts = [_starts(rng, 10.0, 2.5) for _ in range(400)]
    assert np.mean([len(one) for one in starts]) == pytest.approx(2.5, abs=0.25)
    assert all(one == sorted(one) for one in starts)
    assert spans(np.concatenate(starts), -0.3, 9.7)


def test_lids_count_as_closed_from_four_fifths_and_units_from_a_half() -> None:
    times = np.arange(30) / 15
    steady = {unit: Move(unit, Pulse(-9.0, 1.0, 20.0, 1.0, peak)) for unit, peak in
              ((CLOSING, 0.8), ("4", 0.5), ("9", 2.49), ("yaw", 3.0))}  # fmt: skip
    assert labels(tuple(steady.values()), times) == [{4: 1.0, 9: 2.0, 43: 1.0}] * 30
    nearly = Move(CLOSING, Pulse(-9.0, 1.0, 20.0, 1.0, 0.79))
    assert labels((nearly,), times) == [{}] * 30
    assert labels((steady["4"],), times[:1]) == [{4: 1.0}]
