"""What networks need: activations, losses, the affine map."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, Value, away, need
from tests.fuzz.rows import row
from tests.fuzz.rows.indexing import an_array

for _name in ("sigmoid", "softplus", "relu", "leaky_relu"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        x = d.pick("f")
        if "relu" in name:
            away(x.array, 0.0)
        options = ", 0.2" if name == "leaky_relu" and d.chance(0.5) else ""
        d.let(f"{d.one_of(['xp', 'F'])}.{name}({x}{options})")


@row("F.softplus", "softplus")
def _(d: Draw) -> None:
    d.let(f"F.softplus({d.within(-6, 6)}, beta={d.one_of([0.5, 2.0])})")


@row("logsigmoid", "softplus")
def _(d: Draw) -> None:
    d.let(f"F.{d.one_of(['logsigmoid', 'tanh'])}({d.pick('f')})")


for _name in ("softmax", "log_softmax"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        x = d.full("f", dims=(1, 4))
        axis = d.axis(x)
        d.spelled_alike([f"xp.{name}({x}, axis={axis})", f"F.{name}({x}, dim={axis})"])


@row("linear")
def _(d: Draw) -> None:
    x = d.pick("f", dims=(1, 3))
    w = d.pick("f", dims=(2, 2), where=lambda v: v.shape[1] == x.shape[-1] and v.dtype == x.dtype)
    f = d.one_of(["xp", "F"])
    if d.chance(0.5):
        b = d.pick("f", dims=(1, 1), where=lambda v: v.shape[0] == w.shape[0] and v.dtype == x.dtype)
        d.let(f"{f}.linear({x}, {w}, {b})")
    else:
        d.let(f"{f}.linear({x}, {w})")


@row("weight_gradient")
def _(d: Draw) -> None:
    g = d.pick("f", dims=(2, 2))
    x = d.pick("f", dims=(2, 2), where=lambda v: v.shape[0] == g.shape[0] and v.dtype == g.dtype)
    weight = d.constant(np.ones((g.shape[1], x.shape[1]), dtype=x.dtype))
    d.let(f"xp.weight_gradient({g}, {x}, {weight})")


@row("softmax_cross_entropy")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 3))
    axis = d.axis(x) % x.ndim
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    numbers = np.asarray([int(d.rng.random() * x.shape[axis]) for _ in range(int(np.prod(shape, dtype=int)))])
    if numbers.size > 1 and d.chance(0.4):
        numbers[0] = -100
    target = d.constant(numbers.astype("int64").reshape(shape))
    d.let(f"xp.softmax_cross_entropy({x}, {target}, axis={axis})")


@row("sigmoid_cross_entropy")
def _(d: Draw) -> None:
    x = d.full("f")
    target = d.numbers(x.shape, 0.0, 0.75, dtype=x.dtype)
    d.let(f"xp.sigmoid_cross_entropy({x}, {d.constant(target)})")


def _reduction(d: Draw) -> str:
    return f", reduction='{d.one_of(['mean', 'sum', 'none'])}'"


def _target(d: Draw, x: Value) -> Value:
    """What a loss compares x with: a value, or constants."""
    if d.chance(0.5):
        return d.pick("f", where=lambda v: v.shape == x.shape and v.dtype == x.dtype and v is not x)
    return d.constant(d.numbers(x.shape, dtype=x.dtype))


@row("mse_loss", "subtract", "square", "mean")
def _(d: Draw) -> None:
    x = d.full("f")
    d.let(f"F.mse_loss({x}, {_target(d, x)}{_reduction(d)})")


@row("l1_loss", "abs", "subtract", "mean")
def _(d: Draw) -> None:
    x = d.full("f")
    t = _target(d, x)
    away(x.array - t.array, 0.0)
    d.let(f"F.l1_loss({x}, {t}{_reduction(d)})")


@row("huber_loss", "where", "abs")
def _(d: Draw) -> None:
    x = d.full("f")
    t = _target(d, x)
    delta = d.one_of([1.0, 0.5])
    away(np.abs(x.array - t.array), 0.0, delta)
    d.let(f"F.huber_loss({x}, {t}{_reduction(d)}, delta={delta})")


@row("bce", "softplus", "multiply")
def _(d: Draw) -> None:
    x = d.full("f")
    t = d.constant(d.numbers(x.shape, 0.0, 0.75, dtype=x.dtype))
    weight = f", weight={d.constant(d.numbers(x.shape[-1:], 0.3, 1.2, dtype=x.dtype))}" if d.chance(0.3) else ""
    pos = f", pos_weight={d.constant(d.numbers(x.shape[-1:], 0.3, 2.0, dtype=x.dtype))}" if d.chance(0.3) else ""
    d.let(f"F.binary_cross_entropy_with_logits({x}, {t}{weight}{pos}{_reduction(d)})")


@row("cross_entropy", "softmax_cross_entropy", "log_softmax")
def _(d: Draw) -> None:
    x = d.full("f", dims=(1, 2))
    shape = x.shape[:-1]
    size = int(np.prod(shape, dtype=int))
    numbers = np.asarray([int(d.rng.random() * x.shape[-1]) for _ in range(size)], dtype="int64").reshape(shape)
    t = d.constant(numbers)
    weight = f", weight={d.constant(d.numbers(x.shape[-1:], 0.3, 1.2, dtype=x.dtype))}" if d.chance(0.4) else ""
    smoothing = f", label_smoothing={d.fraction(0.05, 0.3)}" if d.chance(0.4) else ""
    d.let(f"F.cross_entropy({x}, {t}{weight}{smoothing}{_reduction(d)})")


@row("nll_loss", "log_softmax", "take_along_axis")
def _(d: Draw) -> None:
    x = d.full("f", dims=(2, 2))
    t = d.let(an_array(d, x.shape[-1], x.shape[:1]).replace("-", ""))
    need(t.array.max() < x.shape[-1])
    d.let(f"F.nll_loss(xp.log_softmax({x}, axis=-1), {t}{_reduction(d)})")


@row("flatten", "reshape")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(2, 4))
    d.let(f"F.flatten({x}{d.one_of(['', ', 1', ', 0, 1' if x.ndim == 2 else ', 1, -1'])})")
