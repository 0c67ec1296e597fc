"""Random functions of raw arrays, for programs: the same function on NumPy's raw namespace and inside the recorder.

They have what engines find hard: views, broadcasting, values that are used late or twice, chains, sums, matrices in both orders,
results that are inputs, views or equal, and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

UNARY = ("tanh", "exp", "sin", "abs", "negative", "square", "sigmoid", "relu", "sqrt", "floor", "sign", "gelu", "softplus")
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")


def random_function(seed: int, steps: int = 25) -> Callable[..., tuple[Any, ...]]:
    """A function f(xp, *arrays) of matrices, vectors, 0-d arrays and floats. It chooses by shapes, so it is the same each time."""

    def f(xp: Any, *arrays: Any) -> tuple[Any, ...]:
        rng = np.random.default_rng(seed)
        values = [x for x in arrays if hasattr(x, "shape")]
        numbers: list[Any] = [x for x in arrays if not hasattr(x, "shape")] + [0.5, 2, -1.25]
        for _ in range(steps):
            found = _step(xp, rng, values, numbers)
            if found is not None:
                values.append(found)
        picked = [values[k] for k in rng.integers(0, len(values), 4)]
        return (*picked, values[-1], values[0])

    return f


def _step(xp: Any, rng: np.random.Generator, values: list[Any], numbers: Sequence[Any]) -> Any:
    def pick(seq: Sequence[Any]) -> Any:
        recent = seq[-6:] if rng.random() < 0.6 else seq
        return recent[int(rng.integers(len(recent)))]

    kind = rng.integers(12)
    x = pick(values)
    ndim = len(x.shape)
    if kind < 3:
        return getattr(xp, UNARY[int(rng.integers(len(UNARY)))])(x)
    if kind < 6:
        name = BINARY[int(rng.integers(len(BINARY)))]
        y = pick(values)
        if rng.random() < 0.3:
            y = numbers[int(rng.integers(len(numbers)))]
            name = name if name in BINARY[:4] else "multiply"
            return getattr(xp, name)(*((x, y) if rng.random() < 0.5 else (y, x)))
        try:
            shape = np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            return None
        return getattr(xp, name)(x, y) if len(shape) <= 2 else None
    if kind == 6 and ndim == 2:
        y = pick(values)
        if len(y.shape) == 2 and x.shape[1] == y.shape[0]:
            return xp.matmul(x, y)
        if len(y.shape) == 2 and x.shape == y.shape:
            return xp.weight_gradient(x, y, xp.matmul(xp.matrix_transpose(x), y))
        return xp.matrix_transpose(x)
    if kind == 7:
        axis = (None, 0, -1)[int(rng.integers(3))] if ndim else None
        if ndim:
            return getattr(xp, ("sum", "mean", "max")[int(rng.integers(3))])(x, axis=axis)
        return None
    if kind == 8 and ndim == 2:
        which = rng.integers(6)
        if which == 0:
            return xp.matrix_transpose(x)
        if which == 1:
            return xp.getitem(x, (slice(None), slice(0, max(1, x.shape[1] // 2))))
        if which == 2:
            return xp.reshape(x, (-1,))
        if which == 3:
            return xp.broadcast_to(xp.getitem(x, 0), tuple(x.shape))
        if which == 4:
            return xp.linear(x, x, xp.getitem(x, (slice(None), 0)))
        return xp.flip(x, axis=0)
    if kind == 9:
        y = pick(values)
        return xp.mask(x, xp.greater(y, 0)) if tuple(x.shape) == tuple(y.shape) and ndim else None
    if kind == 10 and ndim:
        return getattr(xp, ("softmax", "log_softmax")[int(rng.integers(2))])(x, axis=ndim - 1)
    if kind == 11:
        y, z = pick(values), pick(values)
        return xp.where(xp.less(x, y), x, z) if tuple(x.shape) == tuple(y.shape) == tuple(z.shape) else None
    return None


def laid_out(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """An array in a random layout: C or Fortran order, strided, turned round, read-only."""
    x = rng.normal(size=shape).astype(dtype)
    way = rng.integers(5)
    if way == 1:
        x = np.asfortranarray(x)
    elif way == 2 and x.ndim:
        big = np.zeros([2 * n for n in shape], dtype)
        big[tuple(slice(0, None, 2) for _ in shape)] = x
        x = big[tuple(slice(0, None, 2) for _ in shape)]
    elif way == 3 and x.ndim:
        x = x[::-1]
    elif way == 4:
        x.flags.writeable = False
    return x
