"""The tables of the ablation: what each part of the method brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from facetrack.evaluation.report import SUMMARY_HEADERS, read_summary, summary_cells
from facetrack.reporting.envelope import number
from facetrack.reporting.tables import Part, Quantity, Table

BASE: Final = "default"  # whom the others are compared with
RIVALS: Final = ("sdm3", "sdm10")  # the better one's error is to be reached
EQUAL: Final = 0.05  # % of the outer-eye distance: errors that are as good as equal


def ablation_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the arms for a person.

    Parameters
    ----------
    details : mapping
        As `ablation.run` collects it.

    Returns
    -------
    list of str or Table
        Errors and costs of every arm, and its paired difference from the default.
    """
    arms = details["arms"]
    headers = ["tracking cascade", "stills, mean %", "AUC 8 %", "over 8 %", "real motion, mean %"]
    headers += ["AUC 8 %", "over 8 %", "jitter %", "training, CPU s", "readings"]
    rows = [[arm["title"], *_errors(arm), *_costs(arm)] for arm in arms.values()]
    parts: list[Part] = [
        f"{details['n_train']} pictures trained on, {details['n']} set aside and measured on, "
        f"{details['seeds']} starts each: the projected truth moved at random (stills), and where "
        f"it was before one of {details['n_motions']} real motions of other people. Jitter: of a "
        "synthetic face that keeps still, each frame begun from the last; no quality stops one "
        "that drifts off. Readings: of 68 descriptors, per training picture and level. CPU times "
        "are those of one thread beside other work.",
        Table(headers, rows),
    ]
    if any(key in arms for key in RIVALS):
        parts += _equal_error(arms)
    if BASE in arms:
        parts += _against_base(arms, details["differences"])
    if details["detector"]:
        parts += _from_detector(details["detector"])
    return parts


def _errors(arm: Mapping[str, Any]) -> list[object]:
    cells: list[object] = []
    for start in ("stills", "motion"):
        found = arm[start]
        cells += [Quantity(found["mean"], 2), found["auc08"], Quantity(100 * found["over08"], 1)]
    return cells


def _costs(arm: Mapping[str, Any]) -> list[object]:
    jitter, seconds, readings = (number(arm[key]) for key in ("jitter", "cpu_s", "readings"))
    return [Quantity(jitter), Quantity(seconds, 0), Quantity(readings, 1)]


def _equal_error(arms: Mapping[str, Any]) -> list[Part]:
    """Say how many levels, and so how much time, a fit takes to be as good as the rival's."""
    rival = min((arms[k] for k in RIVALS if k in arms), key=lambda arm: arm["by_level"][-1])
    target = rival["by_level"][-1] + EQUAL
    rows: list[list[object]] = []
    for arm in arms.values():
        level = next((k for k, error in enumerate(arm["by_level"]) if error <= target), None)
        share = None if level is None else Quantity(arm["fit_ms"][level] / arm["fit_ms"][-1], 2)
        rows.append([arm["title"], None if level is None else level + 1, share])
    return [
        f"Fit at equal error: the fewest levels whose mean error on stills is at most {target:.2f} "
        f"%, that of the better {rival['title']} + {EQUAL:.2f}, and the share of the time of all "
        f"{len(rival['by_level'])} levels at which such a fit ends. All of them take the same time "
        f"in every arm of the same dimensions ({rival['fit_ms'][-1]:.2f} ms of CPU, maps "
        "included, beside other work).",
        Table(["tracking cascade", "levels", "share of time"], rows),
    ]


def _against_base(arms: Mapping[str, Any], differences: Mapping[str, Any]) -> list[Part]:
    """Lay out the paired differences, picture by picture, and the ratio of training times."""
    rows = []
    for key, difference in differences.items():
        cells: list[object] = [arms[key]["title"]]
        for start in ("stills", "motion"):
            found = difference[start]
            cells += [Quantity(found["mean"]), f"{found['low']:+.3f} to {found['high']:+.3f}"]
        cells.append(Quantity(arms[key]["cpu_s"] / arms[BASE]["cpu_s"], 2))
        rows.append(cells)
    headers = ["tracking cascade", "stills", "95 %", "real motion", "95 %", "training time"]
    return [
        f"Mean error less that of {arms[BASE]['title']}, paired by picture, in % of the outer-eye "
        "distance (above 0: worse), and training time over its.",
        Table(headers, rows),
    ]


def _from_detector(ways: Sequence[Mapping[str, Any]]) -> list[Part]:
    rows = [[way["title"], *summary_cells(read_summary(way))] for way in ways]
    return [
        "From the face detector, by cascades of one whole model trained on the same pictures:",
        Table(["detector start", *SUMMARY_HEADERS], rows),
    ]
