"""Functions that move elements, and creation from values."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import SIZE, Draw, Value, broadcasts, need
from tests.fuzz.rows import row


def other_shape(d: Draw, size: int) -> list[int]:
    """A shape of that size."""
    shape: list[int] = []
    rest = size
    while rest > 1 and len(shape) < 3:
        factor = d.one_of([n for n in range(1, rest + 1) if rest % n == 0 and (n > 1 or d.chance(0.2))])
        shape.append(factor)
        rest //= factor
    shape += [rest] if rest > 1 else []
    if d.chance(0.3):
        shape.insert(int(d.rng.random() * (len(shape) + 1)), 1)
    return shape


@row("reshape")
def _(d: Draw) -> None:
    x = d.full("ffc")
    shape = other_shape(d, x.size)
    need(len(shape) <= 4)
    if shape and d.chance(0.4):
        shape[int(d.rng.random() * len(shape))] = -1
    d.let(f"xp.reshape({x}, {tuple(shape)})")


@row("permute_dims")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(1, 4))
    axes = list(range(x.ndim))
    d.rng.shuffle(axes)
    d.let(f"xp.permute_dims({x}, {tuple(k - x.ndim if d.chance(0.2) else k for k in axes)})")


@row("matrix_transpose", "matrix_transpose", "linalg.matrix_transpose")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(2, 4))
    choices = [f"xp.matrix_transpose({x})", f"{x}.mT", f"xp.linalg.matrix_transpose({x})"]
    d.spelled_alike([*choices, f"{x}.T"] if x.ndim == 2 else [f"xp.matrix_transpose({x})", choices[2]])


@row("moveaxis")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(1, 4))
    if x.ndim > 1 and d.chance(0.3):
        d.let(f"xp.moveaxis({x}, (0, -1), ({x.ndim - 1}, 0))")
    else:
        d.let(f"xp.moveaxis({x}, {d.axis(x)}, {d.axis(x)})")


@row("expand_dims")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(0, 3))
    k = int(d.rng.random() * (x.ndim + 1))
    d.let(f"xp.expand_dims({x}, axis={k if d.chance(0.5) else k - x.ndim - 1})")


@row("squeeze")
def _(d: Draw) -> None:
    x = d.pick("ffc", where=lambda v: 1 in v.shape)
    axes = [k for k in range(x.ndim) if x.shape[k] == 1]
    d.let(f"xp.squeeze({x}, axis={d.one_of([d.one_of(axes), tuple(axes), d.one_of(axes) - x.ndim])})")


@row("flip")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(1, 4))
    axis = d.axes(x)
    d.let(f"xp.flip({x}{'' if axis is None else f', axis={axis}'})")


@row("roll")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(1, 4))
    shift = d.one_of([1, -1, 2, 5])
    if d.chance(0.3):
        d.let(f"xp.roll({x}, {shift})")
    elif x.ndim > 1 and d.chance(0.4):
        d.let(f"xp.roll({x}, ({shift}, {d.one_of([1, -2])}), axis=(0, -1))")
    else:
        d.let(f"xp.roll({x}, {shift}, axis={d.axis(x)})")


@row("broadcast_to")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(0, 3))
    shape = [n if n != 1 else d.one_of([1, 2, 3]) for n in x.shape]
    if d.chance(0.5):
        shape.insert(0, d.one_of([1, 2, 2, 0] if d.chance(0.1) else [1, 2, 3]))
    need(np.prod(shape, dtype=int) <= SIZE)
    d.let(f"xp.broadcast_to({x}, {tuple(shape)})")


@row("broadcast_arrays")
def _(d: Draw) -> None:
    a = d.pick("ffc")
    b = d.pick("ffc", where=lambda v: broadcasts(a, v))
    d.several(2, f"xp.broadcast_arrays({a}, {b})")


def like(d: Draw, a: Value, *, but: int | None = None) -> Value:
    """A value of the dtype and shape of another, but for one axis."""

    def fits(v: Value) -> bool:
        same = [n for k, n in enumerate(v.shape) if k != but] == [n for k, n in enumerate(a.shape) if k != but]
        return v.ndim == a.ndim and same and v.dtype == a.dtype

    return d.pick(a.kind, where=fits)


@row("concat")
def _(d: Draw) -> None:
    a = d.pick("ffc", dims=(1, 4))
    if d.chance(0.2):
        b = d.pick(a.kind, dims=(1, 4), where=lambda v: v.dtype == a.dtype)
        d.let(f"xp.concat([{a}, {b}], axis=None)")
        return
    axis = d.axis(a)
    parts = [a, *(like(d, a, but=axis % a.ndim) for _ in range(d.one_of([1, 1, 2])))]
    d.let(f"xp.concat([{', '.join(map(str, parts))}], axis={axis})")


@row("stack")
def _(d: Draw) -> None:
    a = d.pick("ffc", dims=(0, 3))
    parts = [a, *(like(d, a) for _ in range(d.one_of([0, 1, 1, 2])))]
    k = int(d.rng.random() * (a.ndim + 1))
    d.let(f"xp.stack([{', '.join(map(str, parts))}], axis={k if d.chance(0.5) else k - a.ndim - 1})")


@row("unstack")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    axis = d.axis(x)
    need(x.shape[axis] <= 3)
    d.several(x.shape[axis], f"xp.unstack({x}, axis={axis})")


@row("repeat")
def _(d: Draw) -> None:
    x = d.full("ffc")
    kind = d.one_of(["all", "axis", "array"]) if x.ndim else "all"
    if kind == "all":
        need(x.ndim)
        d.let(f"xp.repeat({x}, {d.one_of([1, 2, 3])})")
    elif kind == "axis":
        d.let(f"xp.repeat({x}, {d.one_of([2, 3])}, axis={d.axis(x)})")
    else:
        axis = d.axis(x)
        counts = [d.one_of([0, 1, 2, 3]) for _ in range(x.shape[axis])]
        d.tags.add("repeat by an array")
        d.let(f"xp.repeat({x}, xp.asarray({counts}, dtype=xp.int64), axis={axis})")


@row("tile")
def _(d: Draw) -> None:
    x = d.pick("ffc", dims=(0, 3))
    times = tuple(d.one_of([1, 2, 1]) for _ in range(d.one_of([1, max(x.ndim, 1), x.ndim + 1])))
    d.let(f"xp.tile({x}, {times})")


for _name in ("tril", "triu"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        x = d.pick("ffc", dims=(2, 4))
        d.let(f"xp.{name}({x}{d.one_of(['', ', k=1', ', k=-1'])})")
