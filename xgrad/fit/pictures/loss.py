"""The picture of the loss: each step's, beside the losses that mean something."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xgrad.fit.pictures.picture import Key, Picture
from xgrad.fit.pictures.scheme import color, dash, drawing, embedded
from xgrad.fit.pictures.steps import (
    Mark,
    draw_marks,
    drawable,
    edge_marks,
    log_scale,
    lone,
    short,
    step_axis,
    thinned,
)
from xgrad.fit.record import Record

NAME = "loss"
HEIGHT = 2.0  # of the axes, in inches


def draw_loss(record: Record, marks: Sequence[Mark]) -> Picture | None:
    """The loss over the steps; None before the first step."""
    if not record.loss:
        return None
    levels = [level for level in record.references if math.isfinite(level[1])]
    keys = [Key(f"loss on {record.batch} drawn points" if record.batch else "loss", "line-1")]
    says = in_words(record.loss)
    with drawing(HEIGHT) as figure:
        axes = figure.subplots()
        log = log_scale(axes, [*record.loss, *(value for _, value in levels)])
        steps, values = thinned(range(len(record.loss)), record.loss)
        values = drawable(values, positive=log)
        axes.plot(
            steps,
            values,
            color=color("line-1"),
            linewidth=1.0 if len(values) > 200 else 1.6,
            marker="o",
            markersize=3.5,
            markevery=lone(values),
        )
        for (label, value), style in zip(levels, ("dashed", "dotted"), strict=False):
            if value > 0 or not log:
                axes.axhline(value, color=color("ink"), linestyle=dash(style), linewidth=1.2)
                keys.append(Key(label, "ink", style))
        broken = [step for step, value in enumerate(record.loss) if not math.isfinite(value)]
        edge_marks(axes, broken, "error", top=True)
        if broken:
            keys.append(Key("nan or inf (× at the upper edge)", "error", "cross"))
        zeros = [step for step, value in enumerate(record.loss) if value == 0] if log else []
        edge_marks(axes, zeros, "line-1", top=False, marker="v")
        if zeros:
            keys.append(Key("exactly 0 (▾ at the lower edge)", "line-1", "wedge"))
        if len(broken) == len(record.loss):
            axes.set_yticks([])
        elif not log:
            axes.yaxis.set_major_formatter(lambda value, _: short(value))
        axes.set_ylabel("loss")
        step_axis(axes, len(record.loss))
        draw_marks(axes, marks, NAME, HEIGHT)
        svg = embedded(figure, NAME, f"Loss over the steps. {says}")
    of = "" if record.loss_name == "loss" else f": {' '.join(record.loss_name.split())}"
    return Picture(NAME, f"Loss{of}", says, svg, keys)


def in_words(loss: Sequence[float]) -> str:
    """The course of a loss in words."""
    sound = [step for step, value in enumerate(loss) if math.isfinite(value)]
    broken = len(loss) - len(sound)
    if not sound:
        return f"No loss of {len(loss)} steps is a finite number." if len(loss) > 1 else "The only loss is not finite."
    first, last = sound[0], sound[-1]
    said = f"{short(loss[first])} at step {first}"
    if last > first:
        low, high = min(sound, key=loss.__getitem__), max(sound, key=loss.__getitem__)
        if high not in (first, last):
            said += f", at most {short(loss[high])} (step {high})"
        if low not in (first, last):
            said += f", at least {short(loss[low])} (step {low})"
        said += f", {short(loss[last])} at step {last}"
    if broken:
        begins = next(step for step, value in enumerate(loss) if not math.isfinite(value))
        lasting = "from" if broken > 1 and broken == len(loss) - begins else "first at"
        said += f"; {broken} of {len(loss)} are not finite, {lasting} step {begins}"
    return f"{said}."
