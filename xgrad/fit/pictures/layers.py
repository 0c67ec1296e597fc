"""The pictures of the layers over the steps: the norms of their gradients, and the shares of their idle units."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import compress
from statistics import median
from typing import TYPE_CHECKING

from xgrad.diagnose.finding import Finding
from xgrad.fit.pictures.picture import Key, Picture
from xgrad.fit.pictures.scheme import color, dash, drawing, embedded, line
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
from xgrad.fit.record import LayerTrace, Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 8  # lines in a picture; an area stands for the other layers
MOST_IDLE = 2  # of them, for the layers with the most idle units
BINS = 100  # of a line
HEIGHT, LOWER = 2.0, 1.6  # of the axes, in inches
IDLE = {"dead": "dead units", "saturated": "saturated slopes"}


def draw_norms(record: Record, marks: Sequence[Mark], findings: Sequence[Finding]) -> Picture | None:
    """The norm of each layer's gradient at the looks; None if there was no look."""
    layers = [layer for layer in record.layers if layer.gradient_norm]
    if not layers or not record.sampled:
        return None
    every = {layer.name: layer.gradient_norm for layer in layers}
    shown = _chosen(layers, findings)
    with drawing(HEIGHT) as figure:
        axes = figure.subplots()
        log = log_scale(axes, [norm for norms in every.values() for norm in norms])
        rest = len(layers) - len(shown)
        if rest:
            _area(axes, record.sampled, list(every.values()), positive=log)
        keys, zeros, broken = [], set[int](), set[int]()
        for layer, place in shown:
            keys.append(_line(axes, record.sampled, layer.gradient_norm, place, layer.name, positive=log))
            zeros |= {s for s, norm in zip(record.sampled, layer.gradient_norm, strict=True) if norm == 0 and log}
            broken |= {s for s, n in zip(record.sampled, layer.gradient_norm, strict=True) if not math.isfinite(n)}
        edge_marks(axes, sorted(broken), "error", top=True)
        edge_marks(axes, sorted(zeros), "soft", top=False, marker="v")
        if rest:
            keys.append(Key(f"from the smallest to the largest of all {len(layers)} layers", "target", "block"))
        if broken:
            keys.append(Key("nan or inf (× at the upper edge)", "error", "cross"))
        if zeros:
            keys.append(Key("exactly 0 (▾ at the lower edge)", "soft", "wedge"))
        if not log:
            axes.yaxis.set_major_formatter(lambda value, _: short(value))
        axes.set_ylabel("norm of the gradient")
        step_axis(axes, _steps(record))
        draw_marks(axes, marks, "norms", HEIGHT)
        says = _norms_in_words(layers, rest)
        svg = embedded(figure, "norms", f"Norm of the gradient by layer. {says}")
    return Picture("norms", "Gradient norm by layer", says, svg, keys)


def draw_idle(record: Record, marks: Sequence[Mark], findings: Sequence[Finding]) -> Picture | None:
    """The share of each layer's units that pass on no gradient, at the looks; None if no layer has any such measure."""
    layers = [layer for layer in record.layers if layer.idle and layer.share]
    if not layers or not record.sampled:
        return None
    every = {layer.name: [100 * share for share in layer.share] for layer in layers}
    shown = _with_idle(layers, _chosen([layer for layer in record.layers if layer.gradient_norm], findings), findings)
    kinds = dict.fromkeys(IDLE[layer.idle] for layer in layers if layer.idle)
    with drawing(LOWER) as figure:
        axes = figure.subplots()
        rest = len(layers) - len(shown)
        if rest:
            _area(axes, record.sampled, list(every.values()), positive=False)
        keys = [
            _line(
                axes,
                record.sampled,
                every[layer.name],
                place,
                layer.name if len(kinds) == 1 else f"{layer.name}: {IDLE[layer.idle or 'dead']}",
            )
            for layer, place in shown
        ]
        if rest:
            keys.append(Key(f"from the smallest to the largest of all {len(layers)} layers", "target", "block"))
        axes.set_ylim(-4, 104)
        axes.set_yticks([0, 25, 50, 75, 100], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.set_ylabel("share of the layer")
        step_axis(axes, _steps(record))
        draw_marks(axes, marks, "idle", LOWER)
        says = _idle_in_words(layers, rest)
        svg = embedded(figure, "idle", f"Share of idle units by layer. {says}")
    return Picture("idle", f"Idle units by layer: {' and '.join(kinds)}", says, svg, keys)


def _steps(record: Record) -> int:
    return max(len(record.loss), record.sampled[-1] + 1)


def _chosen(layers: Sequence[LayerTrace], findings: Sequence[Finding]) -> list[tuple[LayerTrace, int]]:
    """The layers to draw, with the numbers of their colours: all, or those that matter.

    Those are the layers that findings name, the outermost, and those with the largest and smallest norms.
    """
    kept = {layer.name for layer in layers}
    if len(layers) > MOST:
        middle = {
            layer.name: median([v for v in layer.gradient_norm if math.isfinite(v)] or [math.inf]) for layer in layers
        }
        by_size = sorted(middle, key=middle.__getitem__)
        last = len(layers) - 1
        spread = [layers[k * last // (MOST - 1)].name for k in range(MOST)]
        wanted = [*_named(layers, findings), layers[0].name, layers[-1].name, by_size[-1], by_size[0], *spread]
        kept = set(list(dict.fromkeys(wanted))[:MOST])
    return [(layer, place) for place, layer in enumerate(layer for layer in layers if layer.name in kept)]


def _named(layers: Sequence[LayerTrace], findings: Sequence[Finding]) -> list[str]:
    """The first layers that findings name, as half of those to draw."""
    names = {layer.name: re.compile(rf"(?<![\w.]){re.escape(layer.name)}(?![\w.])") for layer in layers}
    found = (name for finding in findings for name, whole in names.items() if whole.search(finding.where))
    return list(dict.fromkeys(found))[: MOST // 2]


def _with_idle(
    layers: Sequence[LayerTrace], chosen: Sequence[tuple[LayerTrace, int]], findings: Sequence[Finding]
) -> list[tuple[LayerTrace, int]]:
    """The layers with the most idle units, and the chosen ones in their colours, so far as they can have any."""
    most = {layer.name: max([v for v in layer.share if math.isfinite(v)], default=0.0) for layer in layers}
    by_share = sorted(most, key=most.__getitem__, reverse=True)
    places = {layer.name: place for layer, place in chosen}
    wanted = [*_named(layers, findings), *by_share[:MOST_IDLE], *(name for name in places if name in most), *by_share]
    names = list(dict.fromkeys(wanted))[:MOST]
    free = [place for place in range(MOST) if place not in [places.get(name) for name in names]]
    kept = {name: places[name] if name in places else free.pop(0) for name in names}
    return [(layer, kept[layer.name]) for layer in layers if layer.name in kept]


def _line(
    axes: Axes, steps: Sequence[int], values: Sequence[float], place: int, label: str, *, positive: bool = False
) -> Key:
    few, kept = thinned(steps, values, BINS)
    kept = drawable(kept, positive=positive)
    style = ("solid", "dashed")[place % 2]  # for eyes that see two colours as one
    # a point between two gaps has no line, and the first points are far apart
    marked = sorted({*lone(kept), *(place for place, step in enumerate(few) if step < 10)})
    axes.plot(
        few,
        kept,
        color=color(line(place)),
        linestyle=dash(style),
        linewidth=1.4,
        marker="o",
        markersize=3,
        markevery=marked,
    )
    return Key(label, line(place), style)


def _area(axes: Axes, steps: Sequence[int], groups: Sequence[Sequence[float]], *, positive: bool) -> None:
    """The range of all layers at each look."""
    sound = [[v for v in at if math.isfinite(v) and (v > 0 or not positive)] for at in zip(*groups, strict=True)]
    where = [bool(values) for values in sound]
    low, high = [min(values) for values in sound if values], [max(values) for values in sound if values]
    at = list(compress(steps, where))
    kept = sorted({*thinned(at, low, BINS)[0], *thinned(at, high, BINS)[0]})
    place = {step: k for k, step in enumerate(at)}
    axes.fill_between(
        kept,
        [low[place[step]] for step in kept],
        [high[place[step]] for step in kept],
        color=color("target"),
        alpha=0.35,
        linewidth=0,
        zorder=1,
    )


def _norms_in_words(layers: Sequence[LayerTrace], rest: int) -> str:
    last = {layer.name: layer.gradient_norm[-1] for layer in layers}
    sound = {name: norm for name, norm in last.items() if math.isfinite(norm)}
    said = f"{len(layers) - rest} of {len(layers)} layers are drawn. " if rest else ""
    if not sound:
        return f"{said}At the last look, no norm is finite."
    low, high = min(sound, key=sound.__getitem__), max(sound, key=sound.__getitem__)
    if sound[low] == sound[high]:
        said += f"At the last look {short(sound[low])}{f' in all {len(sound)}' if len(sound) > 1 else ''}"
    else:
        said += f"At the last look from {short(sound[low])} ({low}) to {short(sound[high])} ({high})"
    broken = len(last) - len(sound)
    return f"{said}{f', and not finite in {broken}' if broken else ''}."


def _idle_in_words(layers: Sequence[LayerTrace], rest: int) -> str:
    said = f"{len(layers) - rest} of {len(layers)} layers are drawn. " if rest else ""
    first, last = ({layer.name: layer.share[at] for layer in layers} for at in (0, -1))
    sound = {name: share for name, share in last.items() if math.isfinite(share)}
    if not sound:
        return f"{said}At the last look, the outputs are not finite."
    most = max(sound, key=sound.__getitem__)
    if not sound[most]:
        return f"{said}No unit is idle at the last look."
    began = f", {100 * first[most]:.0f} % at the first" if math.isfinite(first[most]) else ""
    return f"{said}At the last look at most {100 * sound[most]:.0f} % of a layer ({most}{began})."
