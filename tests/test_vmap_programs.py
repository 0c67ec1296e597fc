"""vmap of random programs gives what a loop gives, with other transforms around it, inside it, and inside those."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad.backends.raw import IndexingRaw

Array = Any
Step = Callable[[Any, Array, Array, "Outside"], Array]

SHAPE = (2, 2)
EXAMPLES = 3


class Outside:
    """What a function may close over: a leaf, a raw array, indices, and a mask."""

    def __init__(self, xp: Any) -> None:
        self.leaf = make(xp, [[0.3, -0.7], [0.9, 0.4]], requires_grad=True)
        self.raw = make(xp, [[0.5, 0.1], [-0.2, 0.8]]).data
        self.order = make(xp, [1, 0])
        self.mask = make(xp, [[True, False], [True, True]])


# --- what a program is made of --------------------------------------------------------------------------------------


def written_at_an_index(xp: Any, x: Array, y: Array, o: Outside) -> Array:
    z = xp.asarray(x, copy=True)
    z[xp.argmax(y[0, ...]), ...] = y[1, ...]
    return z


def written_by_a_mask(xp: Any, x: Array, y: Array, o: Outside) -> Array:
    z = xp.asarray(x, copy=True)
    z[y > 0.1] = 0.5
    z[o.mask] *= 0.5
    return z


def written_into_new(xp: Any, x: Array, y: Array, o: Outside) -> Array:
    z = xp.zeros((3, 2), dtype=x.dtype)
    z[1:, ...] = x
    z[0, 0] = y[0, 1]
    z += z * 0.5
    return z[:2, ...] + xp.flip(z[1:, ...], axis=1)


def without_recording(xp: Any, x: Array, y: Array, o: Outside) -> Array:
    with xg.no_grad():
        z = x * y
    return z + y.detach() * x


def custom(xp: Any, x: Array, y: Array, o: Outside) -> Array:
    """A rule that closes over what is inside, and what is outside, and differentiates."""
    f = xg.primitive(lambda a: a * y)
    f.defvjp(lambda g, out, a: g * xg.grad(lambda b: xp.sum(b * y))(o.raw))
    return f(x)


STEPS: list[Step] = [
    lambda xp, x, y, o: xp.sin(x) + y,
    lambda xp, x, y, o: x * y,
    lambda xp, x, y, o: x * x,
    lambda xp, x, y, o: 1.0 - x / (y * y + 1.0),
    lambda xp, x, y, o: x * o.leaf + y,
    lambda xp, x, y, o: o.leaf @ x,
    lambda xp, x, y, o: x @ o.leaf + o.raw,
    lambda xp, x, y, o: x @ y,
    lambda xp, x, y, o: x @ y[0, ...] + y,
    lambda xp, x, y, o: xg.linear(x, o.leaf, y[0, ...]),
    lambda xp, x, y, o: xp.matrix_transpose(x) * y[:, None, 0],
    lambda xp, x, y, o: xp.where(x > y, x, y * o.raw),
    lambda xp, x, y, o: xp.reshape(xp.flip(xp.reshape(x, (-1,))), SHAPE),
    lambda xp, x, y, o: x - xp.mean(x, axis=0, keepdims=True),
    lambda xp, x, y, o: xp.broadcast_to(xp.sum(x * y), SHAPE),
    lambda xp, x, y, o: xp.std(x, axis=1)[:, None] + xp.max(y, axis=-1),
    lambda xp, x, y, o: xp.cumulative_sum(x, axis=0) * y,
    lambda xp, x, y, o: xp.sort(x, axis=0),
    lambda xp, x, y, o: xp.concat([x, y], axis=1)[:, 1:3],
    lambda xp, x, y, o: xp.stack([x[0, ...], y[1, ...]], axis=1),
    lambda xp, x, y, o: xp.tensordot(x, y, axes=((0,), (1,))),
    lambda xp, x, y, o: xp.linalg.solve(x + 4 * xp.eye(2, dtype=x.dtype), y),
    lambda xp, x, y, o: (
        xp.linalg.det(x + 2 * xp.eye(2, dtype=x.dtype)) * xp.linalg.inv(y + 4 * xp.eye(2, dtype=x.dtype))
    ),
    lambda xp, x, y, o: xp.real(xp.fft.fft(x + 0j * y, axis=0) * xp.fft.fft(y + 1j * x, axis=0)),
    lambda xp, x, y, o: xp.clip(x, -0.5, 0.5) * xp.astype(y > 0, x.dtype),
    lambda xp, x, y, o: xp.take_along_axis(x, xp.argsort(y, axis=0), axis=0),
    lambda xp, x, y, o: xp.take(x, xp.argsort(y[0, ...]), axis=1),
    lambda xp, x, y, o: xp.take(o.leaf, xp.argsort(x[0, ...]), axis=0) + y,
    lambda xp, x, y, o: x[o.order, xp.argsort(y[0, ...])] * y,
    lambda xp, x, y, o: x[xp.argmax(y[0, ...]), 1] + y,
    lambda xp, x, y, o: xp.asarray([[x[0, 0], 0.5], [y[1, 0], y[0, 1]]]),
    lambda xp, x, y, o: sum((row * x for row in y), x),
    written_by_a_mask,
    written_into_new,
    without_recording,
    custom,
    # transforms inside
    lambda xp, x, y, o: xg.checkpoint(lambda x, y: xp.sin(x * o.leaf) * y)(x, y),
    lambda xp, x, y, o: xg.checkpoint(lambda x: x + xg.grad(lambda w: xp.sum(w * w * x * y))(o.leaf))(x),
    lambda xp, x, y, o: xg.grad(lambda a: xp.sum(xp.sin(a * y) * x))(y),
    lambda xp, x, y, o: xg.grad(lambda a: xp.sum(a * a * x))(o.raw) * y,
    lambda xp, x, y, o: xg.grad(lambda s: xp.sum(xp.sin(s * x) * o.leaf))(0.5) * y,
    lambda xp, x, y, o: xg.jvp(lambda a: xp.sin(a) * y, (x,), (o.leaf,))[1],
    lambda xp, x, y, o: xp.sum(xg.jacobian(lambda a: xp.sin(a[0, ...] * y[1, ...]))(x), axis=0),
    lambda xp, x, y, o: xg.vmap(lambda a, b: a * b + xp.sum(x), (0, 1), 1)(x, y),
    lambda xp, x, y, o: xg.vmap(lambda a: a @ y)(x),
    lambda xp, x, y, o: xg.vmap(xg.grad(lambda a, b: xp.sum(xp.sin(a) * b * o.leaf)), (1, None))(x, y[0, ...]),
    lambda xp, x, y, o: xg.vmap(lambda a: xg.vmap(lambda b: xp.sum(xp.sin(a * b) * x))(o.leaf))(y),
]


BEYOND_THE_STANDARD: list[Step] = [
    lambda xp, x, y, o: x[o.order, ...] * y,
    lambda xp, x, y, o: x[xp.argmax(y[0, ...]), ...] + y,
    lambda xp, x, y, o: x[xp.argsort(y[1, ...]), None, o.order] * y,
    lambda xp, x, y, o: xg.at(x, (xp.argmin(y[1, ...]), slice(None))).add(y[0, ...]),
    written_at_an_index,
]


def program(seed: int, o: Outside, steps_to_take: Sequence[Step], length: int = 6) -> Callable[..., Array]:
    """A function of three arrays of SHAPE, with a result of that shape."""
    rng = random.Random(seed)
    steps = []
    for there in range(3, 3 + length):  # how many values there are before the step
        steps.append((rng.choice(steps_to_take), rng.randrange(max(0, there - 3), there), rng.randrange(there)))

    def f(*inputs: Array) -> Array:
        values = list(inputs)
        for step, i, j in steps:
            xp = values[i].__array_namespace__()
            values.append(xp.tanh(step(xp, values[i], values[j], o)))
            assert values[-1].shape == SHAPE
        return values[-1]

    return f


def looped(f: Callable[..., Array], in_axes: Sequence[int | None], out_axes: int = 0) -> Callable[..., Array]:
    """What vmap is to be."""

    def loop(*xs: Array) -> Array:
        moved = [x if at is None else xg.moveaxis(x, at, 0) for x, at in zip(xs, in_axes, strict=True)]
        count = next(x.shape[0] for x, at in zip(moved, in_axes, strict=True) if at is not None)
        examples = [
            [x if at is None else x[i, ...] for x, at in zip(moved, in_axes, strict=True)] for i in range(count)
        ]
        return xg.moveaxis(xg.stack([f(*each) for each in examples]), 0, out_axes)

    return loop


# --- ways to use a function: each gives arrays ---------------------------------------------------------------------

Way = Callable[[Callable[..., Array], Sequence[Array]], Array]


def weighed(f: Callable[..., Array], *xs: Array) -> Array:
    y = f(*xs)
    return xg.sum(xg.sin(xg.reshape(y, (-1,)) * (1 + xg.arange(y.size, dtype=y.dtype))))


def gradient(f: Callable[..., Array], xs: Sequence[Array]) -> Array:
    gs = xg.grad(lambda *xs: weighed(f, *xs), range(len(xs)))(*xs)
    return xg.concat([xg.reshape(g, (-1,)) for g in gs])


def tangent(f: Callable[..., Array], xs: Sequence[Array]) -> Array:
    return xg.jvp(f, tuple(xs), tuple(xg.cos(x) for x in xs))[1]


WAYS: dict[str, Way] = {
    "value": lambda f, xs: f(*xs),
    "gradient": gradient,
    "tangent": tangent,
    "jacobian": lambda f, xs: xg.jacobian(lambda x: f(x, *xs[1:]))(xs[0]),
    "gradient, run again": lambda f, xs: gradient(xg.checkpoint(f), xs),
    "tangent of gradient": lambda f, xs: tangent(lambda *xs: gradient(f, xs), xs),
    "gradient of tangent": lambda f, xs: gradient(lambda *xs: tangent(f, xs), xs),
    "gradient of gradient": lambda f, xs: gradient(lambda *xs: gradient(f, xs), xs),
    "hessian": lambda f, xs: xg.hessian(lambda x: weighed(f, x, *xs[1:]))(xs[0]),
    "vmap": lambda f, xs: xg.vmap(lambda s: f(*(s * x for x in xs)))(xg.asarray([0.5, 1.0], dtype=xs[0].dtype)),
    "vmap gradient": lambda f, xs: xg.vmap(lambda s: gradient(lambda *xs: f(*(s * x for x in xs)), xs))(
        xg.asarray([0.5, 1.0], dtype=xs[0].dtype)
    ),
}


@pytest.mark.parametrize("seed", range(10))
def test_vmap_of_a_program_is_a_loop(xp, seed):
    if xp._backend.name == "strict" and seed % 2:
        pytest.skip("half of the programs do not run where each takes long")
    with xg.use_backend(xp._backend):
        o = Outside(xp)
        reads_and_writes_at_arrays = isinstance(xp._backend.xp, IndexingRaw)
        f = program(seed, o, STEPS + BEYOND_THE_STANDARD * reads_and_writes_at_arrays)
        rng = random.Random(-seed)
        in_axes = [rng.choice([0, 1, 2, -1, None]) for _ in range(3)]
        if in_axes == [None] * 3:
            in_axes[rng.randrange(3)] = 0
        out_axes = rng.choice([0, 1, -1])
        host = np.random.default_rng(seed)
        xs = []
        for at in in_axes:
            shape = list(SHAPE)
            if at is not None:
                shape.insert(at % 3, EXAMPLES)
            xs.append(make(xp, host.uniform(-1, 1, shape)))

        for name, way in WAYS.items():
            # through vmap
            want = way(looped(f, in_axes, out_axes), xs)
            got = way(xg.vmap(f, tuple(in_axes), out_axes), xs)
            assert_close(to_numpy(got), to_numpy(want), 1e-9, f"{name} through", floor=1.0)
            # of each example
            inner = lambda *xs, way=way: way(f, xs)  # noqa: E731
            want = looped(inner, in_axes)(*xs)
            got = xg.vmap(inner, tuple(in_axes))(*xs)
            assert_close(to_numpy(got), to_numpy(want), 1e-9, f"{name} inside", floor=1.0)

        grads = []
        for F in (looped(f, in_axes, out_axes), xg.vmap(f, tuple(in_axes), out_axes)):
            o.leaf.grad = None
            y = weighed(F, *xs)
            if y.requires_grad:
                y.backward()
            grads.append(np.zeros(SHAPE) if o.leaf.grad is None else to_numpy(o.leaf.grad))
        assert_close(grads[1], grads[0], 1e-9, "leaf", floor=1.0)
