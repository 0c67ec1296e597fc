"""Arrays from values, and other dtypes."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, need
from tests.fuzz.rows import row


@row("full")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(0, 0))
    shape = d.one_of([(), 3, (2,), (1, 2), (2, 3), (0, 2)])
    d.let(f"xp.full({shape}, {x})")


@row("full_like")
def _(d: Draw) -> None:
    a = d.pick("ffc")
    x = d.pick(a.kind, dims=(0, 0), where=lambda v: v.dtype == a.dtype)
    d.let(f"xp.full_like({a}, {x})")


@row("meshgrid")
def _(d: Draw) -> None:
    a = d.pick("f", dims=(1, 1))
    b = d.pick("f", dims=(1, 1), where=lambda v: v.dtype == a.dtype)
    d.several(2, f"xp.meshgrid({a}, {b}, indexing='{d.one_of(['xy', 'ij'])}')")


@row("asarray")
def _(d: Draw) -> None:
    x = d.pick("ffc")
    d.spelled_alike([f"xp.asarray({x})", f"xp.asarray({x}, copy=True)", f"xp.asarray({x}, dtype={x}.dtype)"])


@row("astype", "astype", "cast")
def _(d: Draw) -> None:
    x = d.pick("ffc")
    if d.chance(0.7):
        d.tags.add("mixed precision")
        wide = x.dtype in ("float64", "complex128")
        single, double = ("float32", "float64") if x.kind == "f" else ("complex64", "complex128")
        name = d.one_of(["astype", "cast"])
        d.let(f"xp.{name}({x}, xp.{single if wide else double})")
    elif x.kind == "f":
        d.let(f"xp.astype({x}, xp.{'complex128' if x.dtype == 'float64' else 'complex64'})")


@row("linspace")
def _(d: Draw) -> None:
    a = d.pick("f", dims=(0, 0))
    b = d.pick("f", dims=(0, 0), where=lambda v: v.dtype == a.dtype) if d.chance(0.6) else d.scalar()
    n, endpoint = d.one_of([2, 3, 4]), d.chance(0.7)
    unit = f"xp.linspace(0.0, 1.0, {n}, endpoint={endpoint}, dtype={a}.dtype)"
    ends = f"{a}, {b}" if d.chance(0.5) else f"{b}, {a}"
    first, last = ends.split(", ")
    d.let(f"xp.linspace({ends}, {n}, endpoint={endpoint}, dtype={a}.dtype)", f"{first} + ({last} - {first}) * {unit}")


@row("arange")
def _(d: Draw) -> None:
    a = d.pick("f", dims=(0, 0))
    step = d.within(0.2, 2.0, dims=(0, 0), where=lambda v: v.dtype == a.dtype) if d.chance(0.5) else d.fraction(0.3, 1)
    n = d.one_of([1, 2, 3])
    size = step if isinstance(step, float) else float(step.array)
    stop = round(float(a.array) + size * (n - 0.5), 3)
    need(np.ceil((stop - float(a.array)) / size) == n)
    d.tags.add("shape by values")
    d.let(f"xp.arange({a}, {stop}, {step})", f"{a} + {step} * xp.arange({n}, dtype={a}.dtype)")


@row("constants", "zeros_like", "ones_like", "eye", "arange", "linspace")
def _(d: Draw) -> None:
    x = d.pick("f")
    text = d.one_of(
        [
            f"xp.zeros_like({x}) + {x}",
            f"xp.ones_like({x}) - {x}",
            f"xp.eye({x.shape[-1] if x.ndim else 1}, dtype={x}.dtype) * {x}",
            f"xp.arange({x.shape[-1] if x.ndim else 1}, dtype={x}.dtype) - {x}",
            f"xp.linspace(-1.0, 1.0, {x.shape[-1] if x.ndim else 1}, dtype={x}.dtype) * {x}",
        ]
    )
    need(x.size or "linspace" not in text)
    d.let(text)
