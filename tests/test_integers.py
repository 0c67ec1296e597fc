"""Integers of every type, wherever an integer is accepted: the result is that of Python's own int."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from xgrad.engine.trees import flatten

KINDS = {
    "np.int64": np.int64,
    "np.int32": np.int32,
    "np.uint8": lambda n: np.uint8(n) if n >= 0 else np.int8(n),
    "a 0-d array": np.asarray,
    "a 0-d tensor": lambda n: xg.asarray(n),
}

# name -> the call, as a function of the namespace, of x (of shape (2, 3, 2), differentiable), and of `i`, which makes an integer
CALLS: dict[str, Any] = {
    **{
        name: lambda xp, x, i, name=name: getattr(xp, name)(x, axis=i(-2))
        for name in (
            *("sum", "prod", "mean", "var", "std", "max", "min", "all", "any", "count_nonzero", "argmax", "argmin"),
            *("sort", "argsort", "cumulative_sum", "cumulative_prod", "flip", "softmax", "log_softmax", "logsumexp"),
            *("unstack", "expand_dims", "diff"),
        )
    },
    **{
        f"{name} of axes": lambda xp, x, i, name=name: getattr(xp, name)(x, axis=(i(0), i(-1)))
        for name in (
            *("sum", "prod", "mean", "var", "std", "max", "min", "all", "any", "count_nonzero", "flip", "logsumexp"),
            "expand_dims",
        )
    },
    "sum over a list of axes": lambda xp, x, i: xp.sum(x, axis=[i(0), i(2)]),
    "diff n": lambda xp, x, i: xp.diff(x, axis=i(1), n=i(2)),
    "squeeze": lambda xp, x, i: xp.squeeze(x[:1, :, :1], axis=i(0)),
    "squeeze axes": lambda xp, x, i: xp.squeeze(x[:1, :, :1], axis=(i(0), i(-1))),
    "permute_dims": lambda xp, x, i: xp.permute_dims(x, (i(2), i(0), i(1))),
    "moveaxis": lambda xp, x, i: xp.moveaxis(x, i(0), i(-1)),
    "moveaxis of axes": lambda xp, x, i: xp.moveaxis(x, (i(0), i(1)), (i(1), i(0))),
    "concat": lambda xp, x, i: xp.concat([x, x], axis=i(1)),
    "stack": lambda xp, x, i: xp.stack([x, x], axis=i(-1)),
    "roll": lambda xp, x, i: xp.roll(x, i(1), axis=i(1)),
    "roll of axes": lambda xp, x, i: xp.roll(x, (i(1), i(-2)), axis=(i(1), i(0))),
    "roll of all": lambda xp, x, i: xp.roll(x, i(5)),
    "repeat": lambda xp, x, i: xp.repeat(x, i(2), axis=i(1)),
    "repeat of all": lambda xp, x, i: xp.repeat(x, i(3)),
    "tile": lambda xp, x, i: xp.tile(x, (i(2), i(1))),
    "reshape": lambda xp, x, i: xp.reshape(x, (i(3), i(-1))),
    "reshape to one axis": lambda xp, x, i: x.reshape(i(12)),
    "reshape to two axes": lambda xp, x, i: x.reshape(i(2), i(6)),
    "broadcast_to": lambda xp, x, i: xp.broadcast_to(x, (i(2), i(2), i(3), i(2))),
    "take": lambda xp, x, i: xp.take(x, xp.asarray([1, 0]), axis=i(0)),
    "take_along_axis": lambda xp, x, i: xp.take_along_axis(x, xp.zeros((2, 1, 2), dtype=xp.int64), axis=i(1)),
    "tril": lambda xp, x, i: xp.tril(x, k=i(-1)),
    "triu": lambda xp, x, i: xp.triu(x, k=i(1)),
    "tensordot": lambda xp, x, i: xp.tensordot(x, x, axes=((i(0), i(1)), (i(0), i(1)))),
    "tensordot of a number of axes": lambda xp, x, i: xp.tensordot(x, xp.permute_dims(x, (2, 1, 0)), axes=i(1)),
    "vecdot": lambda xp, x, i: xp.vecdot(x, x, axis=i(-1)),
    "a slice": lambda xp, x, i: x[i(0) : i(2) : i(1), i(1) :, ...],
    "zeros": lambda xp, x, i: xp.zeros((i(2), i(3))) + xp.zeros(i(3)),
    "ones": lambda xp, x, i: xp.ones((i(2), i(3))),
    "full": lambda xp, x, i: xp.full((i(2),), 1.0),
    "full of one number": lambda xp, x, i: xp.full(i(2), xp.sum(x)),
    "eye": lambda xp, x, i: xp.eye(i(3), i(4), k=i(-1)),
    "linspace": lambda xp, x, i: xp.linspace(0.0, 1.0, i(5)),
    "broadcast_shapes": lambda xp, x, i: xp.zeros(xp.broadcast_shapes((i(2), i(1)), (i(3),))),
    "cross": lambda xp, x, i: xp.linalg.cross(x, x + 1.0, axis=i(-2)),
    "diagonal": lambda xp, x, i: xp.linalg.diagonal(x, offset=i(-1)),
    "trace": lambda xp, x, i: xp.linalg.trace(x, offset=i(1)),
    "matrix_power": lambda xp, x, i: xp.linalg.matrix_power(x[:, :2, :], i(3)),
    "vector_norm": lambda xp, x, i: xp.linalg.vector_norm(x, axis=i(1)),
    "vector_norm over axes": lambda xp, x, i: xp.linalg.vector_norm(x, axis=(i(1), i(0))),
    "fftn": lambda xp, x, i: xp.real(xp.fft.fftn(_complex(xp, x), s=(i(3), i(2)), axes=(i(0), i(1)))),
    "fft": lambda xp, x, i: xp.real(xp.fft.fft(_complex(xp, x), n=i(4), axis=i(1))),
    "rfft": lambda xp, x, i: xp.real(xp.fft.rfft(x, n=i(4), axis=i(1))),
    "irfft": lambda xp, x, i: xp.fft.irfft(_complex(xp, x), n=i(4), axis=i(1)),
    "fftshift": lambda xp, x, i: xp.fft.fftshift(x, axes=(i(0), i(1))),
    "fftfreq": lambda xp, x, i: xp.fft.fftfreq(i(5)) + xp.fft.rfftfreq(i(8)),
    "softmax_cross_entropy": lambda xp, x, i: xp.softmax_cross_entropy(
        x, xp.zeros((2, 2), dtype=xp.int64), axis=i(1), ignore_index=i(2)
    ),
    "a random shape": lambda xp, x, i: xg.random.Generator(i(1)).normal((i(2), i(3))),
    "random integers": lambda xp, x, i: xg.random.Generator(1).integers(i(2), i(9), i(4)),
    "a permutation": lambda xp, x, i: xg.random.Generator(1).permutation(i(5)),
    "a layer": lambda xp, x, i: xg.nn.Linear(i(2), i(3), rng=xg.random.Generator(0))(x),
    "flatten": lambda xp, x, i: xg.nn.Flatten(i(1), i(-1))(x),
    "softmax of a dim": lambda xp, x, i: xg.nn.functional.softmax(x, dim=i(1)),
    "cross_entropy": lambda xp, x, i: xg.nn.functional.cross_entropy(
        x, xp.zeros((2, 2), dtype=xp.int64), ignore_index=i(1)
    ),
    "vmap": lambda xp, x, i: xg.vmap(lambda v: v * 2.0, in_axes=i(1), out_axes=i(-1))(x),
    "grad": lambda xp, x, i: xg.grad(lambda a, b: xp.sum(a * b * b), argnums=i(1))(x, x),
    "grads": lambda xp, x, i: xg.grad(lambda a, b: xp.sum(a * b * b), argnums=(i(1), i(0)))(x, x),
    "jacobian": lambda xp, x, i: xg.jacobian(lambda a, b: a * b, argnums=i(1))(x[0, 0, :], x[0, 1, :]),
    "hessian": lambda xp, x, i: xg.hessian(lambda a, b: xp.sum(a * b * b), argnums=i(1))(x[0, 0, :], x[0, 1, :]),
}


SCALARS = {
    "an index": lambda xp, x, i: x[i(1), ..., i(-1)],
    "an index of one axis": lambda xp, x, i: x[i(1), ...],
    "operands": lambda xp, x, i: xp.where(x > i(1), x, i(0)) * i(3),
}


def _complex(xp, x):
    return xp.astype(x, xp.complex64 if x.dtype == xp.float32 else xp.complex128)


def _outcome(xp, call, i):
    """The values of the result, and the gradient of its sum where it has one."""
    numbers = np.linspace(0.5, 2.0, 12).reshape(2, 3, 2)
    x = make(xp, numbers, requires_grad=True)
    results, _ = flatten(call(xp, x, i))
    values = [to_numpy(y) for y in results]
    moving = [y for y in results if y.requires_grad]
    if not moving:
        return values
    total = xp.sum(moving[0])
    for y in moving[1:]:
        total = total + xp.sum(y)
    total.backward()
    return [*values, to_numpy(x.grad)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_any_integer_is_an_integer(xp, name, kind):
    check(xp, CALLS[name], KINDS[kind])


@pytest.mark.parametrize("kind", ["np.int64", "np.int32", "np.uint8"])
@pytest.mark.parametrize("name", SCALARS)
def test_a_numpy_scalar_is_a_number(xp, name, kind):
    check(xp, SCALARS[name], KINDS[kind])


def check(xp, call, kind):
    want, got = _outcome(xp, call, int), _outcome(xp, call, kind)
    for g, w in zip(got, want, strict=True):
        assert g.dtype == w.dtype
        np.testing.assert_array_equal(g, w)


# --- what is none ---------------------------------------------------------------------------------------------


def wrong(value: Any) -> Any:
    return value


WRONG: dict[str, Any] = {
    "sum: axis must be an integer, or several, not True (bool)": lambda xp, x: xp.sum(x, axis=True),
    "sum: axis must be an integer, or several, not 1.0 (float)": lambda xp, x: xp.sum(x, axis=1.0),
    "mean: axis must hold integers only, not 1.0 (float)": lambda xp, x: xp.mean(x, axis=(0, 1.0)),
    "max: axis must hold integers only, not [0] (list)": lambda xp, x: xp.max(x, axis=[[0]]),
    "sort: axis must be an integer, not None (NoneType)": lambda xp, x: xp.sort(x, axis=None),
    "concat: axis must be an integer, not '0' (str)": lambda xp, x: xp.concat([x, x], axis="0"),
    "stack: axis must be an integer, not np.True_ (bool)": lambda xp, x: xp.stack([x, x], axis=np.bool_(True)),
    "take: axis must be an integer, not array([0]) (ndarray)": lambda xp, x: xp.take(
        x, xp.asarray([0]), axis=np.array([0])
    ),
    "expand_dims: axis must be an integer, or several, not None (NoneType)": lambda xp, x: xp.expand_dims(x, None),
    "zeros: shape must hold integers only, not 1.5 (float)": lambda xp, x: xp.zeros((2, 1.5)),
    "zeros: shape must be an integer, or several, not 'ab' (str)": lambda xp, x: xp.zeros("ab"),
    "reshape: shape must hold integers only, not 3.0 (float)": lambda xp, x: xp.reshape(x, (3.0, 4)),
    "roll: shift must be an integer, or several, not 0.5 (float)": lambda xp, x: xp.roll(x, 0.5),
    "repeat: repeats must be an integer, not 1.5 (float)": lambda xp, x: xp.repeat(x, 1.5),
    "eye: n_rows must be an integer, not 2.0 (float)": lambda xp, x: xp.eye(2.0),
    "tril: k must be an integer, not False (bool)": lambda xp, x: xp.tril(x, k=False),
    "linspace: num must be an integer, not 5.0 (float)": lambda xp, x: xp.linspace(0.0, 1.0, 5.0),
    "matrix_power: n must be an integer, not 2.0 (float)": lambda xp, x: xp.linalg.matrix_power(x, 2.0),
    "vmap: an entry of in_axes must be an integer or None, not 1.0 (float)": lambda xp, x: xg.vmap(xp.abs, in_axes=1.0)(
        x
    ),
    "grad: argnums must be an integer, or several, not 0.0 (float)": lambda xp, x: xg.grad(xp.sum, argnums=wrong(0.0))(
        x
    ),
    "normal: shape must hold integers only, not 2.0 (float)": lambda xp, x: xg.random.Generator(0).normal((2.0,)),
}


@pytest.mark.parametrize("says", WRONG)
def test_what_is_no_integer_is_refused(xp, says):
    with pytest.raises(TypeError, match=f"^{re.escape(says)}$"):
        WRONG[says](xp, xp.ones((3, 4)))


def test_a_tensor_of_floats_or_booleans_is_no_axis(xp):
    x = xp.ones((3, 4))
    for axis in (xp.asarray(1.0), xp.asarray(True), xp.asarray([0.0])):
        with pytest.raises(TypeError, match="sum: axis must"):
            xp.sum(x, axis=axis)


def test_axes_of_tensordot_that_are_not_there(xp):
    x = xp.ones((3, 4))
    for axes in (3, -1, ((2,), (0,)), ((0,), (-3,))):
        with pytest.raises(ValueError, match="tensordot: ax"):
            xp.tensordot(x, x, axes=axes)


# What functions do with an axis that an array of shape (2, 3) does not have, or an array of too few axes. `expand_dims` raises
# IndexError, as the standard says.
NO_SUCH_AXIS = {
    "sum": lambda xp, x: xp.sum(x, axis=5),
    "mean": lambda xp, x: xp.mean(x, axis=5),
    "std": lambda xp, x: xp.std(x, axis=(0, 5)),
    "max": lambda xp, x: xp.max(x, axis=-3),
    "argmax": lambda xp, x: xp.argmax(x, axis=5),
    "all": lambda xp, x: xp.all(x > 0, axis=5),
    "count_nonzero": lambda xp, x: xp.count_nonzero(x, axis=5),
    "cumulative_sum": lambda xp, x: xp.cumulative_sum(x, axis=5),
    "sort": lambda xp, x: xp.sort(x, axis=5),
    "roll": lambda xp, x: xp.roll(x, 1, axis=5),
    "squeeze": lambda xp, x: xp.squeeze(x, axis=5),
    "logsumexp": lambda xp, x: xp.logsumexp(x, axis=5),
    "softmax": lambda xp, x: xp.softmax(x, axis=5),
    "vector_norm": lambda xp, x: xp.linalg.vector_norm(x, axis=5),
    "matrix_norm": lambda xp, x: xp.linalg.matrix_norm(x[0, ...]),
    "cross": lambda xp, x: xp.linalg.cross(x, x, axis=5),
    "diagonal": lambda xp, x: xp.linalg.diagonal(x[0, ...]),
    "trace": lambda xp, x: xp.linalg.trace(x[0, ...]),
    "max_of_none": lambda xp, x: xp.max(x[:0, ...], axis=0),
    "argmax_of_none": lambda xp, x: xp.argmax(x[:0, ...], axis=0),
    "tensordot": lambda xp, x: xp.tensordot(x, x, axes=((0,), (0, 1))),
    "arange": lambda xp, x: xp.arange(0, 3, 0),
    "arange_of_tensors": lambda xp, x: xp.arange(x[0, 0], x[0, 0] + 3.0, x[0, 0] * 0.0),
}


@pytest.mark.parametrize("name", NO_SUCH_AXIS)
def test_an_axis_that_is_not_there_is_a_value_error_on_every_backend(xp, name):
    x = make(xp, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with pytest.raises(ValueError, match=r"\w"):
        NO_SUCH_AXIS[name](xp, x)


def test_an_index_that_is_out_of_range_stays_an_index_error(xp):
    x = make(xp, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with pytest.raises(IndexError):
        x[2, ...]
