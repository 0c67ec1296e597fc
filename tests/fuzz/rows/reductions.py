"""Statistical functions: sums, means, extremes, and running ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.fuzz.draw import MARGIN, Draw, Value, need
from tests.fuzz.rows import row


def count_along(v: Value, axis: Any) -> int:
    axes = range(v.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return int(np.prod([v.shape[k] for k in axes], dtype=int))


for _name in ("sum", "mean"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        x = d.pick("ffc")
        axis = d.axes(x)
        need(name == "sum" or count_along(x, axis))
        at = "" if axis is None else f", axis={axis}"
        d.let(f"xp.{name}({x}{at}{d.keepdims()})")


@row("prod")
def _(d: Draw) -> None:
    x = d.pick("ffc")
    axis = d.axes(x)
    d.let(f"xp.prod({x}{'' if axis is None else f', axis={axis}'}{d.keepdims()})")


@row("sum of an integer array", "sum", "prod", "count_nonzero")
def _(d: Draw) -> None:
    x = d.pick("ib")
    if x.kind == "b":
        y = d.let(f"xp.count_nonzero({x})") if d.chance(0.5) else d.let(f"xp.any({x}, axis=None)")
    else:
        y = d.let(f"xp.{d.one_of(['sum', 'prod'])}({x})")
        need(abs(int(y.array)) < 25)
    a = d.pick("f")
    d.tags.add("mixed kinds")
    if a.dtype == "float32":
        d.tags.add("mixed precision")
    d.let(f"{a} * {y}")


for _name in ("var", "std"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        x = d.full("f", dims=(1, 4))
        axis = d.axes(x)
        n = count_along(x, axis)
        need(n >= 2)
        at = "" if axis is None else f", axis={axis}"
        correction = d.one_of(["", "", ", correction=1", ", correction=0.5", ", correction=1.0"])
        d.tags.add("correction") if "0.5" in correction else None
        y = d.let(f"xp.{name}({x}{at}{correction}{d.keepdims()})")
        need(y.array.min() > 0.05)


for _name in ("max", "min"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        x = d.full("f")
        axis = d.axes(x)
        lines = lines_along(x.array, axis)
        ordered = np.sort(lines, axis=-1)
        if lines.shape[-1] > 1:
            need(np.diff(ordered, axis=-1)[..., 0 if name == "min" else -1].min() > MARGIN)
        d.let(f"xp.{name}({x}{'' if axis is None else f', axis={axis}'}{d.keepdims()})")


def lines_along(array: Any, axis: Any) -> Any:
    """The array with the axes to reduce as its last one."""
    axes = tuple(range(array.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = tuple(k % array.ndim for k in axes)
    kept = [k for k in range(array.ndim) if k not in axes]
    moved = np.transpose(array, (*kept, *axes))
    return moved.reshape(*(array.shape[k] for k in kept), -1)


for _name in ("cumulative_sum", "cumulative_prod"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        x = d.pick("ffc", dims=(1, 4))
        axis = "" if x.ndim == 1 and d.chance(0.5) else f", axis={d.axis(x)}"
        d.let(f"xp.{name}({x}{axis}{', include_initial=True' if d.chance(0.3) else ''})")


@row("logsumexp")
def _(d: Draw) -> None:
    x = d.full("f")
    axis = d.axes(x)
    d.let(f"xp.logsumexp({x}{'' if axis is None else f', axis={axis}'}{d.keepdims()})")


@row("diff")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    axis = d.axis(x)
    n = d.one_of([1, 1, 2])
    if d.chance(0.3):
        y = d.pick(x.kind, where=lambda v: v.shape == x.shape and v.dtype == x.dtype)
        d.let(f"xp.diff({x}, axis={axis}, n={n}, {d.one_of(['prepend', 'append'])}={y})")
    else:
        d.let(f"xp.diff({x}, axis={axis}, n={n})")


@row("standardised", "mean", "std", "subtract", "divide")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 4))
    axis = d.axis(x)
    need(x.shape[axis] > 1 and x.array.std(axis=axis).min() > 0.15)
    d.let(f"({x} - xp.mean({x}, axis={axis}, keepdims=True)) / xp.std({x}, axis={axis}, keepdims=True)")
