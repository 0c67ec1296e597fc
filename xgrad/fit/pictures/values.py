"""The picture of last outputs that are numbers: each against its target, and how both are distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xgrad.fit.pictures.answers import Values
from xgrad.fit.pictures.picture import Key, Picture
from xgrad.fit.pictures.scheme import color, drawing, embedded
from xgrad.fit.pictures.steps import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "outputs"
MOST = 3  # outputs that are drawn, each in a row
POINTS = 512  # of an output
BINS = 24
BEYOND = 1.0  # the axis of the outputs goes this far beyond the targets, as a multiple of their range
LARGEST = 1e150  # a number beyond it is off any axis


def draw_values(values: Values, units: str = "") -> Picture:
    """Outputs against targets, and two histograms; the histogram of the outputs alone where there are no targets."""
    columns = list(zip(values.outputs, values.targets or [[]] * len(values.outputs), strict=True))
    fits = [_unexplained(*pair) for pair in columns]
    shown = sorted(sorted(range(len(columns)), key=fits.__getitem__, reverse=True)[:MOST])
    says = _in_words(values, fits, shown)
    keys = [Key("outputs", "line-1", "block")]
    with drawing(0.4 + 2.3 * len(shown)) as figure:
        both = values.targets is not None
        rows = figure.subplots(len(shown), 1 + both, squeeze=False)
        off = False
        for row, place in zip(rows, shown, strict=True):
            outputs, targets = columns[place]
            limits = _limits(outputs, targets)
            off = off or any(not limits[0] <= value <= limits[1] for value in outputs)
            if both:
                _scatter(row[0], outputs, targets, limits)
            _histograms(row[-1], outputs, targets, limits)
            if values.count > 1:
                row[0].set_title(f"output {values.places[place] + 1} of {values.count}", loc="left")
        rows[-1][-1].set_xlabel("value")
        if both:
            rows[-1][0].set_xlabel("target")
            keys += [Key("targets", "target", "block"), Key("output = target", "soft", "dashed")]
        if off:
            keys.append(Key("off the axis or not finite (×)", "error", "cross"))
        svg = embedded(figure, NAME, f"Last outputs and their targets. {says}")
    title = "Last outputs against targets" if values.targets is not None else "Last outputs"
    return Picture(NAME, f"{title}{f', {units}' if units else ''}", says, svg, keys)


def _unexplained(outputs: Sequence[float], targets: Sequence[float]) -> float:
    """The mean squared error as a share of the variance of the targets: 1 - R²."""
    if not targets or not all(abs(value) < LARGEST for value in (*outputs, *targets)):
        return math.inf
    mean = math.fsum(targets) / len(targets)
    variance = math.fsum((value - mean) ** 2 for value in targets)
    error = math.fsum((a - b) ** 2 for a, b in zip(outputs, targets, strict=True))
    return error / variance if variance else math.inf if error else 0.0


def _limits(outputs: Sequence[float], targets: Sequence[float]) -> tuple[float, float]:
    """The range of an axis: that of the targets, and of the outputs so far as they are near."""
    known = sorted(v for v in targets if abs(v) < LARGEST) or sorted(v for v in outputs if abs(v) < LARGEST) or [0.0]
    low, high = known[0], known[-1]
    span = high - low or abs(high) or 1.0
    near = [value for value in outputs if low - BEYOND * span <= value <= high + BEYOND * span]
    low, high = min([low, *near]), max([high, *near])
    free = 0.06 * (high - low or span)
    return low - free, high + free


def _scatter(axes: Axes, outputs: Sequence[float], targets: Sequence[float], limits: tuple[float, float]) -> None:
    every = -(-len(outputs) // POINTS)
    pairs = list(zip(targets[::every], outputs[::every], strict=True))
    axes.plot(limits, limits, color=color("soft"), linestyle="--", linewidth=1.0)
    there = [(a, b) for a, b in pairs if limits[0] <= b <= limits[1]]
    axes.scatter([a for a, _ in there], [b for _, b in there], s=9, color=color("line-1"), alpha=0.7, linewidths=0)
    sides = ((0.03, [a for a, b in pairs if b < limits[0]]), (0.97, [a for a, b in pairs if not b <= limits[1]]))
    for height, beyond in sides:
        axes.plot(
            beyond,
            [height] * len(beyond),
            transform=axes.get_xaxis_transform(),
            color=color("error"),
            linestyle="none",
            marker="x",
            markersize=4,
        )
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_ylabel("output")
    _few_ticks(axes, both=True)


def _histograms(axes: Axes, outputs: Sequence[float], targets: Sequence[float], limits: tuple[float, float]) -> None:
    width = (limits[1] - limits[0]) / BINS
    edges = [limits[0] + k * width for k in range(BINS + 1)]
    if targets:
        axes.stairs(_counts(targets, limits), edges, fill=True, color=color("target"), alpha=0.8)
    axes.stairs(_counts(outputs, limits), edges, color=color("line-1"), linewidth=1.5)
    axes.set_xlim(limits)
    axes.set_ylabel("samples")
    _few_ticks(axes, both=False)


def _counts(values: Sequence[float], limits: tuple[float, float]) -> list[int]:
    counts = [0] * BINS
    for value in values:
        if limits[0] <= value <= limits[1]:
            counts[min(BINS - 1, int(BINS * ((value - limits[0]) / (limits[1] - limits[0]))))] += 1
    return counts


def _few_ticks(axes: Axes, *, both: bool) -> None:
    axes.locator_params(axis="x", nbins=3)
    axes.locator_params(axis="y", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    if both:
        axes.yaxis.set_major_formatter(lambda value, _: short(value))


def _in_words(values: Values, fits: Sequence[float], shown: list[int]) -> str:
    said = [f"{len(values.outputs[0])} samples."]
    if values.count > len(shown):
        which = "those with the largest errors" if values.targets is not None else "the first ones"
        among = f" of {len(fits)}" if len(fits) < values.count else ""
        said.append(f"{len(shown)} of {values.count} outputs are drawn, {which}{among}.")
    for place in shown:
        outputs, targets = values.outputs[place], values.targets[place] if values.targets is not None else []
        name = f"Output {values.places[place] + 1}" if values.count > 1 else "Outputs"
        sound = [value for value in outputs if math.isfinite(value)]
        broken = len(outputs) - len(sound)
        part = f"{name} {_range(sound)}" if sound else f"{name}: none is finite"
        if sound and broken:
            part += f", and {broken} not finite"
        if targets:
            part += f", targets {_range(targets)}"
        if math.isfinite(fits[place]) and targets:
            part += f", R² = {short(round(1 - fits[place], 4))}"
        said.append(f"{part}.")
    return " ".join(said)


def _range(values: Sequence[float]) -> str:
    low, high = short(min(values)), short(max(values))
    return f"all {low}" if low == high else f"from {low} to {high}"
