"""Searching, sorting, and sets."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, apart, away, broadcasts, need
from tests.fuzz.rows import row


@row("sort")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 4))
    axis = d.axis(x)
    apart(x.array, axis)
    d.let(f"xp.sort({x}, axis={axis}{', descending=True' if d.chance(0.4) else ''})")


@row("argsort", "argsort", "take_along_axis")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 4))
    axis = d.axis(x)
    apart(x.array, axis)
    order = d.let(f"xp.argsort({x}, axis={axis}{', descending=True' if d.chance(0.4) else ''})")
    y = d.pick("ffc", where=lambda v: v.shape == x.shape)
    d.let(f"xp.take_along_axis({y}, {order}, axis={axis})")


@row("argmax", "argmax", "argmin")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 4))
    if d.chance(0.4):
        apart(x.array)
        d.let(f"xp.{d.one_of(['argmax', 'argmin'])}({x})")
        return
    axis = d.axis(x)
    apart(x.array, axis)
    d.let(f"xp.{d.one_of(['argmax', 'argmin'])}({x}, axis={axis})")


@row("where")
def _(d: Draw) -> None:
    c = d.pick("f")
    s = d.fraction(-0.5, 0.5)
    away(c.array, s)
    a = d.pick("ffc", where=lambda v: broadcasts(c, v))
    kind = d.one_of(["arrays", "arrays", "number", "mask"])
    if kind == "number":
        d.spelled_alike([f"xp.where({c} > {s}, {a}, {d.scalar()})", f"xp.where({c} < {s}, {d.scalar()}, {a})"])
        return
    b = d.pick("ffc", where=lambda v: broadcasts(a, v, c))
    if a.kind != b.kind:
        d.tags.add("mixed kinds")
    condition = f"{c} > {s}"
    if kind == "mask":
        condition = str(d.pick("b", where=lambda v: broadcasts(a, b, v)))
    d.let(f"xp.where({condition}, {a}, {b})")


@row("where guards", "where", "log", "sqrt")
def _(d: Draw) -> None:
    x = d.pick("f")
    away(x.array, 0.2, 0.1, 0.3)
    function = d.one_of(["log", "sqrt", "reciprocal"])
    d.let(f"xp.where({x} > 0.2, xp.{function}(xp.where({x} > 0.2, {x}, 1.0)), {x} * 0.5)")


@row("searchsorted")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 2))
    away(x.array, -1.0, 0.0, 1.0)
    d.let(f"xp.searchsorted(xp.asarray([-1.0, 0.0, 1.0], dtype={x}.dtype), {x})")


@row("unique_values")
def _(d: Draw) -> None:
    x = d.full("f")
    apart(x.array)
    d.tags.add("shape by values")
    d.let(f"xp.unique_values({x})")


@row("unique_counts")
def _(d: Draw) -> None:
    x = d.full("f")
    apart(x.array)
    d.tags.add("shape by values")
    d.several(2, f"xp.unique_counts({x})")


@row("unique_inverse")
def _(d: Draw) -> None:
    x = d.full("f")
    apart(x.array)
    d.tags.add("shape by values")
    values, _ = d.several(2, f"xp.unique_inverse({x})")
    d.let(f"{values} * 0.5")


@row("unique_all")
def _(d: Draw) -> None:
    x = d.full("f")
    apart(x.array)
    d.tags.add("shape by values")
    d.several(4, f"xp.unique_all({x})")


@row("nonzero", "nonzero", "getitem")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 2))
    away(x.array, 0.1)
    d.tags.add("shape by values")
    found = d.several(x.ndim, f"xp.nonzero({x} > 0.1)")
    key = ", ".join(map(str, found))
    d.let(f"{x}[{key}]", f"read({x}, S[{key}])")


@row("any and all", "any", "all", "isfinite")
def _(d: Draw) -> None:
    x = d.full("f")
    away(x.array, 0.1)
    b = d.let(f"xp.{d.one_of(['any', 'all'])}({x} > 0.1, axis={d.axes(x)})")
    a = d.pick("f", where=lambda v: broadcasts(v, b))
    d.let(f"xp.where({b}, {a}, {a} * 0.5)")
    need(np.isfinite(a.array).all())
