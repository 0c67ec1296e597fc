"""The picture of a run: the learned curve at several steps, the loss, the gradient norms and the idle shares of the layers."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xgrad._drawing import FORMATS as FORMATS
from xgrad._drawing import encoded as encoded
from xgrad._drawing import load_matplotlib, settled
from xgrad._drawing import require_matplotlib as require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xgrad.fit.record import LayerTrace, Record, Stage

LAST = "#d1242f"
TRUE = "#57606a"
MARK = "#8250df"
LAYERS = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#bf3989", "#6e7781")
IDLE = {"dead": "dead units", "saturated": "saturated slopes"}
EARLIER = 6  # learned curves that are drawn in addition to the last one
FRAMES, FRAMES_A_SECOND = 60, 12  # at most, of an animation
NAMED = 8  # at most, layers in a legend
MARGIN = 0.15  # above and below the targets, as a share of their range


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture in the format of the name's ending; PNG without one."""
    Path(path).write_bytes(encoded(figure, Path(path).suffix))


def draw(record: Record) -> Figure:
    """The picture of `record` as a matplotlib figure, without a window and without pyplot.

    Raises ImportError, which says how to install it, if matplotlib is missing.
    """
    library = load_matplotlib()
    panels = {_draw_loss: 2.6, _draw_norms: 2.2}  # with their heights
    if record.stages:
        panels = {_draw_fit: 5.0, **panels}
    if any(layer.idle for layer in record.layers):
        panels[_draw_shares] = 1.3
    with settled():
        figure = library.figure.Figure(figsize=(10.5, 10 if record.stages else 6), layout="constrained")
        ratios = {"height_ratios": list(panels.values())}
        drawn = list(figure.subplots(len(panels), 1, gridspec_kw=ratios))
        by_step = drawn[1:] if record.stages else drawn
        for axes, fill in zip(drawn, panels, strict=True):
            fill(axes, record)
            if axes.get_legend_handles_labels()[0]:
                # beside the axes, where it cannot cover a curve
                axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.02), borderaxespad=0)
        _title(drawn[0], record)
        for axes in by_step:
            _step_axis(axes, len(record.loss))
            _draw_marks(axes, record, named=axes is by_step[0])
            axes.tick_params(labelbottom=axes is by_step[-1])
        by_step[-1].set_xlabel("step")
    return figure  # type: ignore[no-any-return]


def animate(record: Record, path: str | Path) -> None:
    """Write the learned curves of `record` to `path` as an animated GIF."""
    Path(path).write_bytes(animated(record))


def animated(record: Record) -> bytes:
    """The learned curves of `record` as an animated GIF, in bytes."""
    library = load_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    with settled():
        figure = library.figure.Figure(figsize=(7, 4.5), dpi=80, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        axes = figure.subplots()
        _title(axes, record, small=True)
        _draw_targets(axes, record)
        (line,) = axes.plot([], [], color=LAST, linewidth=2, zorder=5)
        caption = axes.text(0.02, 0.03, "", transform=axes.transAxes, family="monospace")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # the layout of the first frame is kept
        frames = []
        for stage in _spread(record.stages, FRAMES):
            line.set_data(record.shown_x, stage.prediction)
            caption.set_text(_caption(stage, record, axes.get_ylim()))
            canvas.draw()
            pixels = canvas.buffer_rgba()
            frames.append(Image.frombuffer("RGBA", canvas.get_width_height(), pixels).convert("RGB"))
    content = io.BytesIO()
    times = [1000 // FRAMES_A_SECOND] * len(frames)
    times[-1] += 1000  # the last frame is shown for another second
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return content.getvalue()


def _title(axes: Axes, record: Record, *, small: bool = False) -> None:
    # without parse_math, a dollar sign in a file's name would begin a formula
    axes.set_title(f"{record.title}\n", loc="left", fontsize=13, fontweight="bold", parse_math=False)
    size = min(9.0, 900 / len(record.setting)) if small else 9.0  # small enough for a long setting
    axes.text(0, 1.02, record.setting, transform=axes.transAxes, fontsize=size, color=TRUE, parse_math=False)


# --- the curves


def _draw_fit(axes: Axes, record: Record) -> None:
    _draw_targets(axes, record)
    limits = axes.get_ylim()
    *earlier, last = chosen(record.stages)
    for place, stage in enumerate(earlier):
        axes.plot(
            record.shown_x,
            stage.prediction,
            color=_shade(place, len(earlier)),
            linewidth=1.3,
            zorder=3,
            label=f"step {stage.step}{unseen(stage, limits)}",
        )
    axes.plot(
        record.shown_x,
        last.prediction,
        color=LAST,
        linewidth=2,
        zorder=5,
        label=f"step {last.step}, the last{unseen(last, limits)}",
    )
    axes.set_ylim(limits)


def _draw_targets(axes: Axes, record: Record) -> None:
    if record.curve is not None:
        axes.plot(*record.curve, color="#d0d7de", linewidth=5, label="true curve")
    size = 12 if len(record.x) <= 300 else 4
    axes.scatter(record.x, record.y, s=size, color=TRUE, linewidths=0, zorder=2.5, label="targets")
    low, high = min(record.y), max(record.y)
    free = MARGIN * (high - low) or MARGIN * abs(high) or 1.0
    axes.set_ylim(low - free, high + free)
    axes.set_xlabel("x")
    axes.set_ylabel("y")


def chosen(stages: Sequence[Stage]) -> list[Stage]:
    """Some stages whose steps have about equal ratios, and the last stage."""
    last = stages[-1].step
    wanted = [0.0, *(last ** (k / (EARLIER - 1)) for k in range(EARLIER))]
    near = (min(stages, key=lambda stage: abs(stage.step - step)) for step in wanted)
    found = {stage.step: stage for stage in near}
    return [*(stage for stage in found.values() if stage.step != last), stages[-1]]


def _spread(stages: Sequence[Stage], most: int) -> list[Stage]:
    if len(stages) <= most:
        return list(stages)
    return [stages[round(k * (len(stages) - 1) / (most - 1))] for k in range(most)]


def _shade(place: int, count: int) -> tuple[float, float, float]:
    """The colour of one of `count` curves, from pale yellow through green to deep blue."""
    path = ((0.95, 0.78, 0.25), (0.27, 0.68, 0.51), (0.11, 0.25, 0.50))
    at = 2 * place / max(1, count - 1)
    begin, end = path[int(at >= 1)], path[1 + int(at >= 1)]
    share = at - int(at >= 1)
    red, green, blue = (a + share * (b - a) for a, b in zip(begin, end, strict=True))
    return red, green, blue


def unseen(stage: Stage, limits: tuple[float, float]) -> str:
    """What the axes cannot show of a curve, in words."""
    total = len(stage.prediction)
    finite = [value for value in stage.prediction if math.isfinite(value)]
    outside = [value for value in finite if not limits[0] <= value <= limits[1]]
    said = ""
    if len(finite) < total:
        kind = "nan" if any(math.isnan(value) for value in stage.prediction) else "inf"
        said += f": {kind}" + (f" at {total - len(finite)} of {total}" if finite else "")
    if outside:
        far = max(outside, key=abs)
        reach = f"up to {far:.2g}" if far > 0 else f"down to {far:.2g}"
        said += f": {'partly ' if len(outside) < total else ''}off scale, {reach}"
    return said


def _caption(stage: Stage, record: Record, limits: tuple[float, float]) -> str:
    loss = f"   loss {record.loss[stage.step]:.3g}" if stage.step < len(record.loss) else ""
    return f"step {stage.step}{loss}{unseen(stage, limits)}"


# --- the panels by step


def _step_axis(axes: Axes, steps: int) -> None:
    # runs fail in the first ten steps and recover over thousands: a logarithmic axis shows both
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.set_xlim(-0.05, max(1, steps))
    ticks = [0, *(10**k for k in range(len(str(steps))))]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)


def _drawable(values: Sequence[float]) -> list[float]:
    """Values for a logarithmic axis: nan, which leaves a gap, where there is no logarithm."""
    return [value if math.isfinite(value) and value > 0 else math.nan for value in values]


def _log_axis(axes: Axes, *groups: Sequence[float]) -> None:
    if any(not math.isnan(value) for group in groups for value in _drawable(group)):
        axes.set_yscale("log")


def _first(steps: Sequence[int], values: Sequence[float]) -> str:
    """Where a line on a logarithmic axis ends or has gaps, in words."""
    said = []
    for kind, found in (("inf", math.isinf), ("nan", math.isnan), ("0", lambda v: v == 0)):
        where = [step for step, value in zip(steps, values, strict=True) if found(value)]
        if where:
            lasting = len(where) > 1 and where == list(steps[-len(where) :])
            at = "from" if lasting else "first at" if len(where) > 1 else "at"
            said.append(f"{kind} {at} step {where[0]}")
    return ": " + ", ".join(said) if said else ""


def _draw_loss(axes: Axes, record: Record) -> None:
    steps = range(len(record.loss))
    of = f"loss on {record.batch} drawn points" if record.batch else "loss"
    axes.plot(
        steps,
        _drawable(record.loss),
        color=LAST,
        linewidth=0.8 if record.batch else 1.5,
        label=f"{of}{_first(steps, record.loss)}",
    )
    for (label, value), dashes in zip(record.references, ("--", ":"), strict=False):
        if value > 0:
            axes.axhline(value, color=TRUE, linestyle=dashes, linewidth=1.2, label=label)
    _log_axis(axes, record.loss, [value for _, value in record.references])
    axes.set_ylabel(record.loss_name)


def _draw_marks(axes: Axes, record: Record, *, named: bool) -> None:
    """A dashed line at the step of each finding, with the names of the rules in one panel."""
    by_step: dict[int, list[str]] = {}
    for step, name in record.marks:
        names = by_step.setdefault(step, [])
        if name not in names:
            names.append(name)
    free = 1.0
    for step, names in sorted(by_step.items()):
        axes.axvline(step, color=MARK, linestyle="--", linewidth=1.0, zorder=1.5)
        if named:
            text = ", ".join(names)
            at_right = step > len(record.loss) ** 0.5 > 1
            axes.annotate(
                text,
                (step, free),
                xycoords=("data", "axes fraction"),
                xytext=(-3 if at_right else 3, -2),
                textcoords="offset points",
                ha="right" if at_right else "left",
                va="top",
                fontsize=7,
                color=MARK,
            )
            free -= 0.085  # the next name goes below


def _draw_norms(axes: Axes, record: Record) -> None:
    named = _named(record.layers)
    for layer, color in zip(record.layers, _cycle(record.layers), strict=True):
        _marked_line(
            axes,
            record.sampled,
            _drawable(layer.gradient_norm),
            color,
            f"{layer.name}{_first(record.sampled, layer.gradient_norm)}" if layer.name in named else "",
        )
    _log_axis(axes, *(layer.gradient_norm for layer in record.layers))
    axes.set_ylabel("gradient norm")


def _draw_shares(axes: Axes, record: Record) -> None:
    named = _named([layer for layer in record.layers if layer.idle])
    for layer, color in zip(record.layers, _cycle(record.layers), strict=True):
        if layer.idle:
            percent = [100 * share for share in layer.share]
            label = f"{layer.name}: {IDLE[layer.idle]}" if layer.name in named else ""
            _marked_line(axes, record.sampled, percent, color, label)
    axes.set_ylim(-4, 104)
    axes.set_yticks([0, 50, 100], ["0", "50 %", "100 %"])
    axes.set_ylabel("idle share")


def _marked_line(axes: Axes, steps: Sequence[int], values: Sequence[float], color: str, label: str) -> None:
    # a single point between two gaps has no line: mark the first points, which are far apart
    marks = [place for place, step in enumerate(steps) if step < 10]
    axes.plot(
        steps,
        values,
        color=color,
        linewidth=1.3,
        marker="o",
        markersize=3,
        markevery=marks,
        label=label,
    )


def _named(layers: Sequence[LayerTrace]) -> set[str]:
    """The layers for which the legend has room: the first and the last ones."""
    names = [layer.name for layer in layers]
    return set(names if len(names) <= NAMED else [*names[: NAMED - 2], *names[-2:]])


def _cycle(layers: Sequence[LayerTrace]) -> list[str]:
    return [LAYERS[place % len(LAYERS)] for place in range(len(layers))]
