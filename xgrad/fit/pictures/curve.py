"""The picture of a learned curve: the output over x at several steps, over the targets."""

from __future__ import annotations

from xgrad.fit.pictures.picture import Key, Picture
from xgrad.fit.pictures.scheme import color, drawing, embedded
from xgrad.fit.pictures.steps import short
from xgrad.fit.plot import EARLIER, MARGIN, chosen, unseen
from xgrad.fit.record import Record

POINTS = 600  # at most, of the targets


def draw_curve(record: Record) -> Picture | None:
    """The learned curve; None where the data is no curve."""
    if not record.stages or not record.y:
        return None
    *earlier, last = chosen(record.stages)
    low, high = min(record.y), max(record.y)
    free = MARGIN * (high - low) or MARGIN * abs(high) or 1.0
    limits = (low - free, high + free)
    keys = []
    with drawing(3.0) as figure:
        axes = figure.subplots()
        if record.curve is not None:
            axes.plot(*record.curve, color=color("target"), linewidth=5, alpha=0.6)
            keys.append(Key("true curve", "target", "block"))
        every = max(1, len(record.x) // POINTS)
        axes.scatter(record.x[::every], record.y[::every], s=9, color=color("soft"), linewidths=0, zorder=2.5)
        keys.append(Key("targets", "soft", "dots"))
        for place, stage in enumerate(earlier):
            name = f"early-{1 + place * (EARLIER - 1) // max(1, len(earlier) - 1)}"
            axes.plot(record.shown_x, stage.prediction, color=color(name), linewidth=1.3, zorder=3)
            keys.append(Key(f"step {stage.step}{unseen(stage, limits)}", name))
        axes.plot(record.shown_x, last.prediction, color=color("error"), linewidth=2, zorder=5)
        said = unseen(last, limits)
        keys.append(Key(f"step {last.step}, the last{said}", "error"))
        axes.set_ylim(limits)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: short(value))
        axes.set_xlabel("x")
        axes.set_ylabel("y")
        before = f" and {len(earlier)} before" if earlier else ""
        says = f"The output over x at step {last.step}{before}; at step {last.step}, {_where(said)}."
        svg = embedded(figure, "curve", says)
    return Picture("curve", "The learned curve", says, svg, keys)


def _where(said: str) -> str:
    return f"it is {said.removeprefix(': ')}" if said else "all of it lies in the picture"
