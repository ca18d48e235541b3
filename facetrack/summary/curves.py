"""Curves of a person's signals over time, with events and spans, in bounded size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import ceil
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from facetrack.reading import Spec
from facetrack.reporting.plots import PALETTE, new_figure, svg
from facetrack.signals.registry import estimators, signals
from facetrack.summary.events import taken_by
from facetrack.summary.numbers import DOUBT
from facetrack.summary.spans import Span
from facetrack.summary.timeline import Flags, Floats, Timeline

COLUMNS: Final = 1000  # columns of pixels
WIDTH: Final = 7.4  # inches: a page of A4 between its margins
_GAP: Final = 0.27  # inches above each panel, for its title
_BELOW: Final = 0.45  # inches
_PANELS: Final = 12  # of one picture
_SHADES: Final = ("#E8EEF4", "#F4EDE0")
_SMALL: Final = 7.0  # points
_CLOCK: Final = 300.0  # seconds from which on time is shown as minutes and seconds


def curves(person: Timeline, spans: Sequence[Span] = ()) -> list[bytes]:
    """Draw everything that is known of a person over time, as SVG for a printed page each."""
    # Of more frames than columns of pixels, each column shows the smallest and largest value. Lines
    # have gaps where nothing is known.
    return [svg(figure) for figure in figures(person, spans)]


def figures(person: Timeline, spans: Sequence[Span] = ()) -> list[Figure]:
    """Draw what `curves` gives as figures, all of one width."""
    panels = list(_panels(person).items())
    pages = max(1, ceil(len(panels) / _PANELS))
    size = max(1, ceil(len(panels) / pages))
    return [_picture(person, spans, dict(panels[i * size :][:size])) for i in range(pages)]


def _picture(person: Timeline, spans: Sequence[Span], panels: Mapping[str, list[str]]) -> Figure:
    """Draw bars and some panels."""
    bars = ["tracked", "doubtful", *person.sought]
    left = 0.3 + 0.055 * max(map(len, bars))
    figure, every = _axes([0.16 * len(bars), *[0.5] * len(panels)], left)
    top, *rest = every
    colours = {kind: PALETTE[(i + 1) % len(PALETTE)] for i, kind in enumerate(person.sought)}
    _draw_bars(top, person, colours)
    for axes, (title, names) in zip(rest, panels.items(), strict=True):
        _draw_panel(axes, person, title, names)
        for kind, beside in person.sought.items():
            if set(names) & set(beside):
                runs = _runs(person, taken_by(person, kind))
                axes.broken_barh(runs, (0, 1), transform=axes.get_xaxis_transform(),
                                 color=colours[kind], alpha=0.3, linewidth=0)  # fmt: skip
    whole = person.whole
    # A stretch that belongs to several spans bears the name of the first.
    shaded = {part: span.name for span in reversed(spans) for part in span.stretches}
    for axes in every:
        for i, (start, stop) in enumerate(shaded):
            axes.axvspan(start, stop, color=_SHADES[i % 2], zorder=-1, linewidth=0)
        axes.tick_params(labelsize=_SMALL, labelbottom=axes is every[-1])
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(whole.start, whole.stop)
    for (start, stop), name in shaded.items():
        middle = (max(start, whole.start) + min(stop, whole.stop)) / 2
        if whole.start <= middle <= whole.stop:
            top.text(middle, 1.0, name, fontsize=_SMALL, ha="center", va="bottom",
                     transform=top.get_xaxis_transform())  # fmt: skip
    _name_time(every[-1], whole)
    return figure


def _axes(heights: Sequence[float], left: float) -> tuple[Figure, list[Axes]]:
    """Make axes of given heights in inches, one below the other."""
    total = sum(heights) + _GAP * len(heights) + _BELOW
    figure = new_figure(WIDTH, total)
    figure.set_layout_engine("none")  # it would move axes by rounding errors, run by run
    made: list[Axes] = []
    y = total
    for height in heights:
        y -= _GAP + height
        place = (left / WIDTH, y / total, 1 - (left + 0.1) / WIDTH, height / total)
        made.append(figure.add_axes(place, sharex=made[0] if made else None))
    return figure, made


def _name_time(axes: Axes, whole: Span) -> None:
    axes.set_xlabel("time, s", fontsize=_SMALL + 1)
    if whole.stop - whole.start > _CLOCK:
        axes.set_xlabel("time, min:s", fontsize=_SMALL + 1)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{t // 60:.0f}:{t % 60:02.0f}"))


def _panels(person: Timeline) -> dict[str, list[str]]:
    """Group signals: both sides of a pair, and what an estimator gives in one unit."""
    specs = signals()
    owners = {spec.name: e.name for e in estimators().values() for spec in e.specs}
    groups: dict[str, list[str]] = {}
    for name in person.signals:
        spec = specs.get(name)
        title = name.removesuffix("_right").removesuffix("_left").replace("_", " ")
        if spec is not None and spec.unit != "1":
            title = f"{owners[name]} ({spec.unit})"
        groups.setdefault(title, []).append(name)
    return {
        title if len(names) > 1 or names[0] not in specs else specs[names[0]].label: names
        for title, names in groups.items()
    }


def _draw_panel(axes: Axes, person: Timeline, title: str, names: Sequence[str]) -> None:
    specs: Mapping[str, Spec] = signals()
    for colour, name in zip(cycle(PALETTE), names, strict=False):
        time, value = thinned(person.start, person.signals[name].value)
        axes.plot(time, value, color=colour, linewidth=0.8, label=name.replace("_", " "))
        alone = np.isfinite(value) & np.isnan(np.append(np.nan, value[:-1]))
        alone &= np.isnan(np.append(value[1:], np.nan))
        axes.plot(time[alone], value[alone], ".", color=colour, markersize=1.5)
        spec = specs.get(name)
        level = spec.level if spec is not None else None
        if level is not None:
            axes.axhline(level, color="0.5", linewidth=0.6, linestyle=":")
    axes.set_title(title, loc="left", fontsize=_SMALL + 1, pad=2)
    if len(names) > 1:
        axes.legend(
            fontsize=_SMALL - 1, loc="lower right", bbox_to_anchor=(1.0, 0.97), frameon=False,
            ncols=len(names), borderpad=0, borderaxespad=0,
        )  # fmt: skip


def _draw_bars(axes: Axes, person: Timeline, colours: Mapping[str, str]) -> None:
    """Draw when the face is tracked, when doubtful, and the events."""
    doubtful = np.zeros_like(person.seen)
    if "quality" in person.signals:
        doubtful = person.seen & (person.signals["quality"].value < DOUBT)
    bars = {"tracked": (person.seen, "0.55"), "doubtful": (doubtful, "0.1")}
    bars |= {k.replace("_", " "): (taken_by(person, k), c) for k, c in colours.items()}
    for row, (mask, colour) in enumerate(bars.values()):
        axes.broken_barh(_runs(person, mask), (row - 0.35, 0.7), color=colour, linewidth=0)
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_ylim(len(bars) - 0.5, -0.5)


def _runs(person: Timeline, mask: Flags) -> list[tuple[float, float]]:
    """Give begin and width of the stretches where a mask holds, apart by a pixel at least."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    begin, end = person.start[edges[::2]], person.stop[edges[1::2] - 1]
    if not len(begin):
        return []
    pixel = (person.stop[-1] - person.start[0]) / COLUMNS
    apart = begin[1:] - end[:-1] > pixel
    begin, end = begin[np.append(True, apart)], end[np.append(apart, True)]
    return [(float(b), float(max(e - b, pixel))) for b, e in zip(begin, end, strict=True)]


def thinned(time: Floats, value: Floats, columns: int = COLUMNS) -> tuple[Floats, Floats]:
    """Reduce a curve to the smallest and largest value of every column; NaN where unknown."""
    if len(time) <= 2 * columns:
        return time, value
    column = ((time - time[0]) / (time[-1] - time[0]) * columns).astype(np.int64)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    low, high = np.fmin.reduceat(value, first), np.fmax.reduceat(value, first)
    return np.repeat(time[first], 2), np.stack([low, high], axis=1).ravel()
