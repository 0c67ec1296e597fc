"""Numbers, NumPy scalars and lists as operands of functions that use shapes: accepted as in NumPy, or a clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from xgrad.engine.trees import flatten

# On a number they do what NumPy's do on it.
OF_A_NUMBER: dict[str, Any] = {
    "expand_dims": lambda xp, v: xp.expand_dims(v, axis=0),
    "permute_dims": lambda xp, v: xp.permute_dims(v, ()),
    "moveaxis": lambda xp, v: xp.moveaxis(v, (), ()),
    "reshape": lambda xp, v: xp.reshape(v, (-1,)),
    "squeeze": lambda xp, v: xp.squeeze(v, ()),
    "flip": lambda xp, v: xp.flip(v),
    "roll": lambda xp, v: xp.roll(v, 1),
    "repeat": lambda xp, v: xp.repeat(v, 2),
    "tile": lambda xp, v: xp.tile(v, (2,)),
    "broadcast_to": lambda xp, v: xp.broadcast_to(v, (2, 2)),
    "broadcast_arrays": lambda xp, v: xp.broadcast_arrays(v, v),
    "meshgrid": lambda xp, v: xp.meshgrid(v, v),
    "stack": lambda xp, v: xp.stack([v, v]),
    "concat": lambda xp, v: xp.concat([v, v], axis=None),
    "sum": lambda xp, v: xp.sum(v),
    "softmax over nothing": lambda xp, v: xp.logsumexp(v),
    "fftshift": lambda xp, v: xp.fft.fftshift(v),
    "tensordot": lambda xp, v: xp.tensordot(v, v, axes=0),
    "where": lambda xp, v: xp.where(xp.asarray([True, False]), v, 0.0),
    "where of one": lambda xp, v: xp.where(True, v, 1.0),
    "full": lambda xp, v: xp.full(2, v),
    "diff": lambda xp, v: xp.diff(xp.asarray([[1.0, 2.0], [5.0, 7.0]]), prepend=v, append=v),
}
# On a number they have nothing to do, on a list they say what to write.
OF_AXES: dict[str, Any] = {
    **{
        name: lambda xp, v, name=name: getattr(xp, name)(v)
        for name in (
            "softmax",
            "log_softmax",
            "cumulative_sum",
            "cumulative_prod",
            "unstack",
            "diff",
            "sort",
            "argsort",
        )
    },
    **{name: lambda xp, v, name=name: getattr(xp, name)(v) for name in ("tril", "triu", "matrix_transpose")},
    "take": lambda xp, v: xp.take(v, xp.asarray([0]), axis=0),
    "take_along_axis": lambda xp, v: xp.take_along_axis(v, xp.asarray([0]), axis=0),
    "matmul": lambda xp, v: xp.matmul(v, v),
    "vecdot": lambda xp, v: xp.vecdot(v, v),
    "cross": lambda xp, v: xp.linalg.cross(v, v),
    "outer": lambda xp, v: xp.linalg.outer(v, v),
    "solve": lambda xp, v: xp.linalg.solve(v, v),
    "qr": lambda xp, v: xp.linalg.qr(v),
    "inv": lambda xp, v: xp.linalg.inv(v),
    "matrix_power": lambda xp, v: xp.linalg.matrix_power(v, 2),
    "fft": lambda xp, v: xp.fft.fft(v),
    "softmax_cross_entropy": lambda xp, v: xp.softmax_cross_entropy(v, 0),
    "cross_entropy": lambda xp, v: xg.nn.functional.cross_entropy(v, xp.asarray([0, 1])),
}
LISTS: dict[str, Any] = {
    **{
        name: call for name, call in {**OF_A_NUMBER, **OF_AXES}.items() if name not in ("full", "where", "where of one")
    },
    "mse_loss": lambda xp, v: xg.nn.functional.mse_loss(v, v),
    "binary_cross_entropy_with_logits": lambda xp, v: xg.nn.functional.binary_cross_entropy_with_logits(v, v),
    "flatten": lambda xp, v: xg.nn.functional.flatten(v),
}


@pytest.mark.parametrize("kind", [float, np.float64, np.float32])
@pytest.mark.parametrize("name", OF_A_NUMBER)
def test_a_number_is_a_0d_array(xp, name, kind):
    call = OF_A_NUMBER[name]
    got, _ = flatten(call(xp, kind(2.5)))
    want, _ = flatten(call(xp, xp.asarray(2.5)))
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(to_numpy(g), to_numpy(w))


@pytest.mark.parametrize("name", OF_AXES)
def test_what_needs_axes_says_so(xp, name):
    for value in (2.5, np.float64(2.5), xp.asarray(2.5)):
        with pytest.raises((ValueError, TypeError, IndexError)) as caught:
            OF_AXES[name](xp, value)
        assert type(caught.value) in (ValueError, TypeError, IndexError)
        assert str(caught.value)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_refused_with_what_to_write(xp, name):
    with pytest.raises(TypeError, match=r"got a list: write xgrad\.asarray\(\[\[1\.0, 2\.0\], \[3\.0, 4\.0\]\]\)"):
        LISTS[name](xp, [[1.0, 2.0], [3.0, 4.0]])


def test_numbers_take_the_backend_of_what_they_meet(backend, xp):
    """Whichever is the current one."""
    x = make(xp, [1.0, 2.0], requires_grad=True)
    with xg.use_backend("numpy"):
        for y in (
            xg.where(x > 1.5, 2.0, 0.0),
            xg.where(True, x, 0.0),
            xg.tensordot(x, 3.0, axes=0),
            xg.take(x, 1, axis=0),
        ):
            assert y.backend is backend
        loss = xg.nn.functional.cross_entropy(x, 1)
        assert loss.backend is backend
        loss.backward()
    p = np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum()
    np.testing.assert_allclose(to_numpy(x.grad), p - [0.0, 1.0], rtol=1e-5)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [(1.0, 0.0, "f"), (1, 0.5, "f"), (0.5, 1, "f"), (1, 0, "i"), (True, False, "b"), (1j, 2, "c")],
)
def test_where_of_two_numbers(xp, one, other, kind):
    y = to_numpy(xp.where(xp.asarray([True, False]), one, other))
    np.testing.assert_array_equal(y, np.where([True, False], one, other))
    assert y.dtype.kind == kind


def test_a_product_of_a_matrix_and_a_number(xp):
    for value in (2.0, np.float64(2.0)):
        for call in (lambda v: xp.ones((2, 2)) @ v, lambda v: v @ xp.ones((2, 2)), lambda v: xp.matmul(xp.ones(2), v)):
            with pytest.raises(
                ValueError, match=r"matmul needs vectors and matrices, but .* is a number: write \* for"
            ):
                call(value)
