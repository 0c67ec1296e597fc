"""The linalg extension beyond the laws: conventions, errors, and operations with several outputs."""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw, to_numpy

MATRIX = [[2.0, 1.0], [0.5, 3.0]]
SINGULAR = [[1.0, 2.0], [2.0, 4.0]]


# --- conventions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ord", [1, 2, 3, 1.5, 0.5, -1, 0, math.inf, -math.inf])
def test_the_gradient_of_a_norm_at_zero_is_zero(xp, ord):
    x = make(xp, [0.0, 0.0])
    if ord < 0 and not math.isinf(ord):
        pytest.skip("1 / 0 in the norm itself")
    assert_matches(xg.grad(lambda x: xp.linalg.vector_norm(x, ord=ord))(x), [0.0, 0.0], xp=xp)
    t = xg.jvp(lambda x: xp.linalg.vector_norm(x, ord=ord), (x,), (make(xp, [1.0, 2.0]),))[1]
    assert_matches(t, 0.0, xp=xp)


def test_elements_that_are_zero_get_no_gradient_from_a_norm(xp):
    for ord in (1, 2, 3, 1.5, 0.5):
        g = xg.grad(lambda x, ord=ord: xp.linalg.vector_norm(x, ord=ord))(make(xp, [0.0, -2.0]))
        assert_matches(g, [0.0, -1.0], xp=xp)


def test_largest_elements_share_the_gradient_of_a_norm(xp):
    g = xg.grad(lambda x: xp.linalg.vector_norm(x, ord=math.inf))(make(xp, [3.0, -3.0, 1.0]))
    assert_matches(g, [0.5, -0.5, 0], xp=xp)


def test_equal_values_have_gradients_and_their_vectors_have_none(xp):
    """No gradient may be finite and wrong: for tr f(x) it exists, for a vector it does not."""
    x = make(xp, np.eye(2))
    assert_matches(xg.grad(lambda x: xp.sum(xp.linalg.eigvalsh(x) ** 3))(x), 3 * np.eye(2), xp=xp)
    assert_matches(xg.grad(lambda x: xp.sum(xp.linalg.svdvals(x) ** 3))(x), 3 * np.eye(2), xp=xp)

    def through_vectors(x):
        w, v = xp.linalg.eigh(x)
        return xp.sum(xp.matmul(v * w**2, v.mT) * make(xp, [[1.0, 2.0], [3.0, 4.0]]))

    with np.errstate(all="ignore"):
        g = to_numpy(xg.grad(through_vectors)(x))
    assert np.isnan(g).any()


def test_a_function_of_the_rows_of_a_hermitian_matrix_has_a_hermitian_gradient(xp):
    x = make(xp, [[4.0, 1.0], [1.0, 3.0]])
    for f in (xp.linalg.cholesky, lambda x: xp.linalg.eigh(x).eigenvalues):
        g = to_numpy(xg.grad(lambda x, f=f: xp.sum(f(x) ** 3))(x))
        np.testing.assert_allclose(g, g.T, rtol=1e-12)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_a_matrix_that_will_not_do_is_a_value_error_that_says_where(backend, xp, name):
    if backend.name == "dask":
        pytest.skip("it is found when it is computed: see test_dask.py")
    x = make(xp, SINGULAR)
    args = (x, x) if name == "solve" else (x - 10.0,) if name == "cholesky" else (x,)
    with pytest.raises(ValueError, match=rf"linalg\.{name} of \(2, 2\)"):
        getattr(xp.linalg, name)(*args)


def test_wrong_arguments_are_named(xp):
    x = make(xp, MATRIX)
    with pytest.raises(ValueError, match="ord must be 'fro'"):
        xp.linalg.matrix_norm(x, ord=7)
    with pytest.raises(ValueError, match="mode must be 'reduced'"):
        xp.linalg.qr(x, mode="full")
    with pytest.raises(ValueError, match="two vectors"):
        xp.linalg.outer(x, x)
    with pytest.raises(ValueError, match="norm must be 'backward'"):
        xp.fft.rfft(x, norm="sideways")
    with pytest.raises(ValueError, match="must be 1 or more, not 0"):
        xp.fft.rfft(x, n=0)
    with pytest.raises(ValueError, match=r"2 lengths s=\(2, 2\) for 1 axes"):
        xp.fft.rfftn(x, s=(2, 2), axes=(0,))
    with pytest.raises(ValueError, match="occurs twice"):
        xp.fft.rfftn(x, axes=(0, -2))
    with pytest.raises(ValueError, match="axis 2 of an array with 2 axes"):
        xp.fft.rfft(x, axis=2)
    with pytest.raises(ValueError, match="rfftn: there must be one axis or more"):
        xp.fft.rfftn(x, axes=())
    with pytest.raises(TypeError, match="irfft: expected a tensor"):
        xp.fft.irfft([1.0, 2.0])
    for n in (0, 1, 2):
        with pytest.raises(
            ValueError, match=r"matrix_power: x must be a stack of square matrices, not of shape \(2,\)"
        ):
            xp.linalg.matrix_power(x[0], n)


# --- results --------------------------------------------------------------------------------------


def test_what_has_no_gradient_requires_none(xp):
    x = make(xp, MATRIX, requires_grad=True)
    assert not xp.linalg.matrix_rank(x).requires_grad
    assert not xp.linalg.slogdet(x).sign.requires_grad
    assert not xp.linalg.matrix_power(x, 0).requires_grad
    assert to_numpy(xp.linalg.matrix_rank(make(xp, SINGULAR))) == 1
    assert to_numpy(xp.linalg.matrix_rank(x, rtol=make(xp, 0.9))) == 1


def test_several_results_have_names(backend, xp):
    x = make(xp, MATRIX)
    assert xp.linalg.svd(x)._fields == ("U", "S", "Vh")
    assert xp.linalg.qr(x)._fields == ("Q", "R")
    assert xp.linalg.slogdet(x)._fields == ("sign", "logabsdet")
    for name in ("eigh",) if "linalg.eig" in backend.cannot else ("eig", "eigh"):
        assert getattr(xp.linalg, name)(x)._fields == ("eigenvalues", "eigenvectors")


def test_raw_arrays_are_lifted(xp, backend):
    x = raw(backend, np.asarray(MATRIX) + 1j)
    for name in {"inv", "det", "svdvals", "eigvals", "trace", "matrix_norm"} - {
        name.rpartition(".")[2] for name in backend.cannot
    }:
        assert isinstance(getattr(xp.linalg, name)(x), xg.Tensor)
    assert isinstance(xp.linalg.matrix_power(x, 0), xg.Tensor)
    assert_matches(xp.fft.hfft(x, n=2), np.fft.hfft(to_numpy(x), n=2), xp=xp)
    assert_matches(xp.conj(x), np.conj(to_numpy(x)), xp=xp)


# --- several outputs ------------------------------------------------------------------------------


def test_outputs_that_are_used_alone_or_together(xp):
    """backward() through one output after the other adds up to backward() through both."""
    x = make(xp, MATRIX, requires_grad=True)
    q, r = xp.linalg.qr(x)
    xp.sum(q**2 * r).backward(retain_graph=True)
    together = to_numpy(x.grad)
    x.grad = None
    loss = xp.sum(q.detach() ** 2 * r)
    loss.backward(retain_graph=True)
    xp.sum(q**2 * r.detach()).backward()
    assert_matches(x.grad, together, xp=xp)


def test_a_second_backward_is_refused_by_name(xp):
    x = make(xp, MATRIX, requires_grad=True)
    q, r = xp.linalg.qr(x)
    xp.sum(q).backward()
    with pytest.raises(xg.GraphFreedError, match=r"linalg\.qr"):
        xp.sum(r).backward()


def test_an_output_can_retain_its_gradient(xp):
    x = make(xp, MATRIX, requires_grad=True)
    values, _ = xp.linalg.eigh(x + x.mT)
    values.retain_grad()
    xp.sum(values**2).backward()
    assert_matches(values.grad, 2 * to_numpy(values), xp=xp)


def test_third_order_through_an_output(xp):
    def largest(a):
        return xp.linalg.eigh(xp.stack([xp.stack([a, a * 0 + 1.0]), xp.stack([a * 0 + 1.0, -a])])).eigenvalues[1]

    third = xg.grad(xg.grad(xg.grad(largest)))(make(xp, 0.5))  # of sqrt(1 + a**2)
    assert_matches(third, -3 * 0.5 * 1.25**-2.5, xp=xp)


def test_several_outputs_leave_no_cycle(xp):
    x = make(xp, MATRIX, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        u, s, vh = xp.linalg.svd(x)
        loss = xp.sum(u * vh) + xp.sum(s)
        loss.backward(create_graph=True)
        x.grad = None
        gone = [weakref.ref(t) for t in (u, s, vh, loss)]
        del u, s, vh, loss
        assert all(ref() is None for ref in gone)
    finally:
        gc.enable()


def test_under_no_grad_nothing_is_recorded(xp):
    x = make(xp, MATRIX, requires_grad=True)
    with xg.no_grad():
        results = [*xp.linalg.svd(x), *xp.linalg.qr(x), xp.linalg.eigvalsh(x), xp.linalg.svdvals(x)]
    assert not any(y.requires_grad for y in results)


def test_vecdot_of_integers_keeps_their_dtype(xp):
    x = make(xp, [1, 2, 3], "int8")
    assert_matches(xp.linalg.vecdot(x, x), np.asarray(14, dtype="int8"), xp=xp)


# --- batches --------------------------------------------------------------------------------------

GOOD = np.array([[2.0, 1.0, 0.5], [-1.0, 3.0, 0.0], [0.3, 0.2, 1.0]])
SINGULAR_3 = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
FREE_OF_GAUGE = {
    "logabsdet": lambda xp, x: xp.sum(xp.linalg.slogdet(x).logabsdet),
    "det": lambda xp, x: xp.sum(xp.linalg.det(x)),
    "qr": lambda xp, x: xp.sum(xp.abs(xp.linalg.qr(x).R)),
    "pinv": lambda xp, x: xp.sum(xp.linalg.pinv(x)),
    "svdvals": lambda xp, x: xp.sum(xp.linalg.svdvals(x) ** 3),
    "nuc": lambda xp, x: xp.sum(xp.linalg.matrix_norm(x, ord="nuc")),
}


@pytest.mark.parametrize("odd", [np.zeros((3, 3)), SINGULAR_3, np.eye(3)], ids=["zero", "singular", "identity"])
@pytest.mark.parametrize("name", FREE_OF_GAUGE)
def test_one_odd_matrix_leaves_the_others_their_gradients(backend, xp, name, odd):
    if backend.name == "dask" and name not in ("qr", "det"):
        pytest.skip("dask takes apart one matrix at a time")

    def f(x):
        return FREE_OF_GAUGE[name](xp, x)

    alone, both = make(xp, GOOD[None]), make(xp, np.stack([GOOD, odd]))
    with np.errstate(all="ignore"):
        assert_matches(xg.grad(f)(both)[0, ...], to_numpy(xg.grad(f)(alone))[0], xp=xp, rtol=1e-10)
        t, still = make(xp, np.ones((1, 3, 3))), make(xp, np.stack([np.ones((3, 3)), np.zeros((3, 3))]))
        want = to_numpy(xg.hvp(f, (alone,), (t,))[0])[0]
        assert_matches(xg.hvp(f, (both,), (still,))[0][0, ...], want, xp=xp, rtol=1e-9)


def test_a_matrix_without_an_inverse_has_no_gradient_of_the_logarithm_of_its_determinant(xp):
    g = to_numpy(
        xg.grad(lambda x: xp.sum(xp.linalg.slogdet(x).logabsdet))(make(xp, np.stack([np.zeros((2, 2)), np.eye(2)])))
    )
    assert not np.isfinite(g[0]).any()
    np.testing.assert_array_equal(g[1], np.eye(2))


@pytest.mark.parametrize(
    "shapes", [((2, 3, 3), (3, 1)), ((3, 3), (2, 3, 1)), ((2, 1, 3, 3), (4, 3, 2)), ((2, 3, 3), (3,))]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_solve_sums_the_gradient_over_a_batch_that_was_broadcast(xp, shapes, dtype):
    rng = np.random.default_rng(5)
    a, b = (rng.normal(size=shape) for shape in shapes)
    a = a + 4 * np.eye(3)
    column = b[..., None] if b.ndim == 1 else b
    y: Any = np.linalg.solve(a, column)
    weight = rng.normal(size=y.shape)
    turned = np.linalg.solve(np.swapaxes(a, -1, -2), weight)
    want_a, want_b = -turned @ np.swapaxes(y, -1, -2), turned
    for axis, n in [(i - want_a.ndim, n) for i, n in enumerate((1,) * (want_a.ndim - a.ndim) + a.shape)]:
        want_a = want_a.sum(axis=axis, keepdims=True) if n == 1 else want_a
    for axis, n in [(i - want_b.ndim, n) for i, n in enumerate((1,) * (want_b.ndim - column.ndim) + column.shape)]:
        want_b = want_b.sum(axis=axis, keepdims=True) if n == 1 else want_b
    x1, x2 = make(xp, a, dtype, requires_grad=True), make(xp, b, dtype, requires_grad=True)
    w = make(xp, weight if b.ndim > 1 else weight[..., 0], dtype)
    xp.sum(xp.linalg.solve(x1, x2) * w).backward()
    rtol = 1e-12 if dtype == "float64" else 1e-5
    assert_matches(x1.grad, want_a.reshape(a.shape), xp=xp, dtype=dtype, rtol=rtol)
    assert_matches(x2.grad, want_b.reshape(b.shape), xp=xp, dtype=dtype, rtol=rtol)


@pytest.mark.parametrize("shape", [(0, 2, 2), (2, 0, 0), (0, 0)])
def test_matrices_that_are_not_there(backend, xp, shape):
    if backend.name == "dask":
        pytest.skip("dask.array divides by the number of elements")
    x = make(xp, np.zeros(shape))
    functions = {
        "inv": lambda x: xp.linalg.inv(x),
        "solve": lambda x: xp.linalg.solve(x, x),
        "cholesky": lambda x: xp.linalg.cholesky(x),
        "eigenvalues": lambda x: xp.linalg.eigh(x).eigenvalues,
        "svdvals": lambda x: xp.linalg.svdvals(x),
        "R": lambda x: xp.linalg.qr(x).R,
        "pinv": lambda x: xp.linalg.pinv(x),
        "logabsdet": lambda x: xp.linalg.slogdet(x).logabsdet,
        "det": lambda x: xp.linalg.det(x),
    }
    for name, f in functions.items():
        assert_matches(xg.grad(lambda x, f=f: xp.sum(f(x)))(x), np.zeros(shape), xp=xp, what=name)
    assert_matches(xp.linalg.matrix_rank(x), np.zeros(shape[:-2], "int64"), xp=xp)
