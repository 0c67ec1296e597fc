"""What the pictures by step share: the axis of steps, the marks of the findings, and lines of bounded length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from xgrad.diagnose.finding import Finding
from xgrad.fit.pictures.scheme import WIDTH, color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 300  # of a long line; each keeps its first, smallest, largest and first broken value
NEAR = 0.012  # of the axis: findings at steps this close share a label
LETTER, ROW = 5.4, 15.0  # the width of a letter and the height of a row of labels, in points
LEFT, RIGHT, BELOW = (
    62.0,
    8.0,
    34.0,
)  # the margins of the axes, in points: the axes of all pictures lie below each other
POINTS = 72.0  # in an inch
LONGEST, ROWS = 12, 4  # letters in a label, and rows of labels


@dataclass
class Mark:
    """The findings at one step, by their numbers in the list."""

    step: int
    numbers: list[int]


def marks(findings: Sequence[Finding]) -> list[Mark]:
    """The marks of these findings, whose numbers are their places from 1."""
    at: dict[int, list[int]] = {}
    for number, finding in enumerate(findings, 1):
        at.setdefault(finding.step, []).append(number)
    return [Mark(step, at[step]) for step in sorted(at)]


def step_axis(axes: Axes, steps: int) -> None:
    """Steps from 0 to `steps`: runs fail in the first ten steps and recover over thousands, and a logarithm shows both."""
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.set_xlim(-0.05, max(1, steps) * 1.05)
    ticks = [0, *(10**k for k in range(len(str(steps))))]
    axes.set_xticks(ticks, [short(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("step")


def draw_marks(axes: Axes, among: Sequence[Mark], name: str, height: float) -> None:
    """A thin line at the step of each mark, with the numbers of its findings above. Each line has the id `name`-mark-step.

    The axes become `height` inches high, and the figure has room for the numbers.
    """
    width = POINTS * WIDTH - LEFT - RIGHT
    place = axes.transScale + axes.transLimits
    where = [float(place.transform((mark.step, 0.5))[0]) for mark in among]
    for mark in among:
        line = axes.axvline(mark.step, color=color("mark"), linewidth=1.0, linestyle=(0, (4, 2)), zorder=1.5)
        line.set_gid(f"{name}-mark-{mark.step}")
    placed, rows = _rows(where, among, width)
    for at, row, numbers in placed:
        axes.annotate(
            ranges(numbers),
            (at, 1.0),
            xycoords="axes fraction",
            xytext=(0, 5 + ROW * row),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8.5,
            color=color("mark"),
            bbox={"boxstyle": "round,pad=0.25", "facecolor": color("paper"), "edgecolor": color("mark")},
        ).set_url(f"#finding-{numbers[0]}")
    figure: Any = axes.figure
    whole = BELOW + POINTS * height + 8 + ROW * rows
    figure.set_layout_engine("none")
    figure.set_size_inches(WIDTH, whole / POINTS)
    axes.set_position((LEFT / (POINTS * WIDTH), BELOW / whole, width / (POINTS * WIDTH), POINTS * height / whole))


def _rows(
    where: Sequence[float], among: Sequence[Mark], width: float, near: float = NEAR
) -> tuple[list[tuple[float, int, list[int]]], int]:
    """Labels that do not overlap: their places along the axis, their rows and their numbers. And the number of rows."""
    placed, ends = [], list[float]()  # ends: of the last label in each row, in points
    for at, numbers in _together(where, among, near):
        half = LETTER * (len(ranges(numbers)) + 1) / 2
        at = min(at, 1 + (RIGHT - half - 1) / width)  # all of it lies in the picture
        row = next((k for k, end in enumerate(ends) if end < width * at - half), len(ends))
        ends[row : row + 1] = [width * at + half]
        placed.append((at, row, numbers))
    return (placed, len(ends)) if len(ends) <= ROWS else _rows(where, among, width, 1.5 * near)


def _together(where: Sequence[float], among: Sequence[Mark], near: float) -> Iterable[tuple[float, list[int]]]:
    """The places of labels and their numbers: marks that are close to the first of a label share it."""
    grouped: list[tuple[float, list[int]]] = []
    for at, mark in zip(where, among, strict=True):
        if grouped and at - grouped[-1][0] < near:
            grouped[-1][1].extend(mark.numbers)
        else:
            grouped.append((at, list(mark.numbers)))
    return grouped


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers as text: "1–3, 5", cut if it is long."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [str(run[0]) if len(run) == 1 else f"{run[0]}{'–' if len(run) > 2 else ', '}{run[-1]}" for run in runs]
    text = ", ".join(parts)
    while len(text) > LONGEST and len(parts) > 1:
        parts.pop()
        text = f"{', '.join(parts)} …"
    return text


def thinned(steps: Sequence[int], values: Sequence[float], bins: int = BINS) -> tuple[list[int], list[float]]:
    """A line of bounded length. Peaks and gaps stay."""
    if len(steps) <= 2 * bins:
        return list(steps), list(values)
    width = math.log1p(max(1, steps[-1])) / bins
    kept: list[int] = []
    for _, group in groupby(range(len(steps)), lambda place: int(math.log1p(steps[place]) / width)):
        places = list(group)
        sound = [place for place in places if math.isfinite(values[place])]
        chosen = {places[0]}
        if sound:
            chosen |= {min(sound, key=values.__getitem__), max(sound, key=values.__getitem__)}
        if len(sound) < len(places):
            chosen.add(next(place for place in places if not math.isfinite(values[place])))
        kept.extend(sorted(chosen))
    return [steps[place] for place in kept], [values[place] for place in kept]


def log_scale(axes: Axes, values: Iterable[float]) -> bool:
    """Set a logarithmic axis where positive values span more than a decade. Returns whether zeros have no place on it."""
    sound = [value for value in values if math.isfinite(value)]
    positive = [value for value in sound if value > 0]
    if any(value < 0 for value in sound) or not positive or max(positive) / min(positive) < 10:
        return False
    axes.set_yscale("log")
    decades = math.log10(max(positive)) - math.log10(min(positive))
    from matplotlib.ticker import LogLocator

    axes.yaxis.set_major_locator(LogLocator(numticks=6, subs=(1.0,) if decades > 2.5 else (1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(lambda value, _: short(value))
    axes.set_yticks([], minor=True)
    return True


def edge_marks(axes: Axes, steps: Sequence[int], name: str, *, top: bool, marker: str = "x") -> None:
    """Marks at the upper or lower edge of the axes, for values that have no place on them."""
    if steps:
        few = thinned(steps, [0.0] * len(steps), 60)[0]
        axes.plot(
            few,
            [0.97 if top else 0.03] * len(few),
            transform=axes.get_xaxis_transform(),
            color=color(name),
            linestyle="none",
            marker=marker,
            markersize=5,
            zorder=6,
        )


def lone(values: Sequence[float]) -> list[int]:
    """The places of values between two gaps, where a line shows nothing."""
    sound = [False, *(math.isfinite(value) for value in values), False]
    return [place for place, (a, b) in enumerate(pairwise(sound[:-1])) if b and not a and not sound[place + 2]]


def drawable(values: Sequence[float], *, positive: bool) -> list[float]:
    """Values of a line: nan, which leaves a gap, where one has no place on the axis."""
    return [v if math.isfinite(v) and (v > 0 or not positive) else math.nan for v in values]


def short(value: float) -> str:
    """A number as text, with three digits or more and a short exponent: 0.25, 1234, 1e5, 3.2e−7."""
    text = f"{value:.0f}" if 100 <= abs(value) < 1e5 else f"{value:.3g}"
    # a minus, unlike a hyphen, is no place to break a line
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "−")
