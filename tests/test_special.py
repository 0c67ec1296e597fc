"""The special functions beyond the laws: edges, bad input, missing libraries, and calls from SciPy."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from scipy import special

import xgrad as xg
from tests.support.arrays import assert_close, assert_matches, dtype_name, make, to_numpy
from tests.support.names import public_names
from tests.support.special_grids import GRIDS, OTHERS, RIGHT
from xgrad.backends import load
from xgrad.backends.special import CuPySpecial, SciPySpecial


def edges(x):
    return [(a, b) for a in x for b in x]


# --- values: SciPy's, over the whole domain and beyond ---------------------------------------------------


def test_every_function_has_a_grid():
    assert set(GRIDS) | OTHERS == public_names(xg.special)


def is_ours(backend, name):
    """Whether the values are xgrad's own: others are the library's, with whatever digits it has."""
    if (backend.name, name) == ("jax", "digamma"):
        return False  # but at 0
    found = backend.xp.special
    return hasattr(type(vars(found).get("_library", found)), name)  # refusals may stand in front of it


def is_tame(args):
    """Of a size at which SciPy's own digits are right."""
    return all(x == 0 or not math.isfinite(x) or 1e-3 <= abs(x) <= 1e4 for x in args)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", GRIDS)
def test_values_are_scipys(backend, xp, name, dtype):
    if f"special.{name}" in backend.cannot:
        pytest.skip("the library has no special functions")
    ours, numpys = is_ours(backend, name), backend.name in ("numpy", "strict", "dask")
    if not ours and not numpys:
        pytest.skip("the values are the library's")
    grid = [args for args in GRIDS[name] if numpys or is_tame(args)]
    right = RIGHT if ours and (dtype == "float64" or name != "kl_div") else {}
    with np.errstate(all="ignore"):
        columns = [np.asarray(column, dtype=dtype) for column in zip(*grid, strict=True)]
        got = getattr(xp.special, name)(*(make(xp, column) for column in columns))
        want = np.asarray(
            getattr(special, name)(*(column.astype("float64" if ours else dtype) for column in columns))
        ).astype(dtype)
    for i, args in enumerate(grid):
        want[i] = right.get((name, *args), want[i])
    rtol, atol = ((1e-13, 0.0) if numpys else (1e-10, 1e-14)) if dtype == "float64" else (1e-6, 0.0 if numpys else 1e-7)
    if name == "kl_div" and dtype == "float32":
        atol = 1e-12  # SciPy's
    tiny = 2 * float(np.finfo(dtype).smallest_subnormal)
    assert dtype_name(got.dtype) == dtype
    shown = [f"{name}{args}" for args in grid]
    with np.errstate(all="ignore"):
        wrong = ~np.isclose(to_numpy(got), want, rtol=rtol, atol=max(atol, tiny), equal_nan=True)
    found = [(shown[k], float(to_numpy(got)[k]), float(want[k])) for k in np.flatnonzero(wrong)]
    assert not found, f"got, want: {found[:10]}"


def test_xlogy_at_zero(xp):
    x, y = make(xp, [0.0, 0.0, 2.0]), make(xp, [0.0, 3.0, 4.0])
    by_x, by_y = xg.grad(lambda x, y: xp.sum(xp.special.xlogy(x, y)), argnums=(0, 1))(x, y)
    assert_matches(by_x, [0.0, np.log(3.0), np.log(4.0)], xp=xp)
    assert_matches(by_y, [0.0, 0.0, 0.5], xp=xp)


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_logsumexp_with_weights_of_zero_and_large_arguments(xp, axis):
    a, b = np.asarray([[1e3, 1.0], [1e3 + 1, 2.0]]), np.asarray([[1.0, 0.0], [2.0, 3.0]])
    got = xp.special.logsumexp(make(xp, a), axis=axis, b=make(xp, b))
    assert_matches(got, special.logsumexp(a, axis=axis, b=b), xp=xp)


def test_the_gradient_of_log_ndtr_far_out():
    x = xg.asarray([-1e4, -30.0, 0.0, 30.0])
    g = xg.grad(lambda x: xg.sum(xg.special.log_ndtr(x)))(x)
    # The inverse of Mills' ratio: x + 1 / x - 2 / x**3 ... on the left.
    assert_close(to_numpy(g)[:2], [1e4 + 1e-4, 30 + 1 / 30 - 2 / 30**3], 1e-6)
    assert_close(to_numpy(g)[2:], [math.sqrt(2 / math.pi), 0.0], 1e-12)


def test_betainc_is_scipys(backend, xp):
    """Also where a library has none, and the backend makes it."""
    if "special.betainc" in backend.cannot:
        pytest.skip("the library has no special functions")
    a, b = np.asarray(edges([0.2, 1.0, 7.5, 80.0, 2000.0])).T
    x = a / (a + b) * np.asarray([[0.0], [0.4], [0.9], [1.0], [1.05]])
    x = np.concatenate([np.minimum(x, 1.0), np.ones((1, len(a)))])
    got = xp.special.betainc(make(xp, a), make(xp, b), make(xp, x))
    assert_matches(got, special.betainc(a, b, x), xp=xp, rtol=1e-11)


def test_arrays_of_two_dtypes_are_promoted_first(backend, xp):
    x = make(xp, [0.3, 0.5])
    got = xp.special.xlogy(make(xp, 0.1, "float32"), x)
    assert_matches(got, special.xlogy(np.float64(np.float32(0.1)), [0.3, 0.5]), xp=xp)
    if "special.betainc" not in backend.cannot:
        got = xp.special.betainc(make(xp, 0.1, "float32"), make(xp, 2), x)
        assert_matches(got, special.betainc(np.float64(np.float32(0.1)), 2.0, [0.3, 0.5]), xp=xp)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", GRIDS)
def test_integers_and_booleans_are_floats_of_the_default_dtype(backend, xp, name, dtype):
    if f"special.{name}" in backend.cannot:
        pytest.skip("the library has no special functions")
    count = len(GRIDS[name][0])
    default = dtype_name(xp.__array_namespace_info__().default_dtypes()["real floating"])
    with np.errstate(all="ignore"):
        got = getattr(xp.special, name)(*[make(xp, [[0, 1]], dtype)] * count)
        want = getattr(xp.special, name)(*[make(xp, [[0.0, 1.0]], default)] * count)
        assert_matches(got, to_numpy(want), xp=xp, dtype=default)
        number = getattr(xp.special, name)(*[1] * count)
    assert_close(to_numpy(number), to_numpy(want)[0, 1], 1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0, -math.inf], [1.0, -0.5, 3.0]),
        ([math.inf, 0.0], [0.0, 1.0]),
        ([math.nan, 0.0], [0.0, 1.0]),
        ([1.0, 2.0], [-1.0, -1.0]),
        ([1.0, 1.0], [1.0, -1.0]),
        ([math.inf, math.inf], [1.0, -1.0]),
        ([math.inf, 1.0], [-1.0, 1.0]),
        ([-math.inf, 1.0], [-1.0, 1.0]),
        ([1.0, 2.0], [0.0, 0.0]),
        ([1e3, 1e3], [1.0, -0.5]),
        ([1.0, 2.0], [math.inf, 1.0]),
        ([0.0, -40.0], [1.0, 1.0]),
        ([-math.inf, -math.inf], None),
        ([math.inf, -math.inf], None),
        ([math.nan, 1.0], None),
        ([0.0, -40.0, -math.inf], None),
        ([], None),
    ],
)
def test_logsumexp_is_scipys_at_the_edges(xp, a, b):
    with np.errstate(all="ignore"):
        want = special.logsumexp(np.asarray(a), b=None if b is None else np.asarray(b))
        got = xp.special.logsumexp(make(xp, np.asarray(a)), b=None if b is None else make(xp, b))
        assert_matches(got, want, xp=xp, rtol=1e-15)


def test_the_gradient_of_logsumexp_by_its_weights(xp):
    """Also by one that is 0, whose element counts for nothing."""
    a, b = make(xp, [1.0, 3.0, 0.5]), make(xp, [2.0, 0.0, -0.5])
    by_a, by_b = xg.grad(lambda a, b: xp.special.logsumexp(a, b=b), argnums=(0, 1))(a, b)
    e = np.exp([1.0, 3.0, 0.5])
    total = 2 * e[0] - 0.5 * e[2]
    assert_matches(by_a, np.asarray([2.0, 0.0, -0.5]) * e / total, xp=xp)
    assert_matches(by_b, e / total, xp=xp)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (-1, 1), np.int64(1)])
def test_softmax_over_axes_is_scipys(xp, axis):
    x = np.linspace(-3, 800, 24).reshape(2, 3, 4)
    for name in ("softmax", "log_softmax"):
        assert_matches(getattr(xp.special, name)(make(xp, x), axis=axis), getattr(special, name)(x, axis=axis), xp=xp)


# --- what is not known is an error, not a zero ----------------------------------------------------------


def test_a_derivative_that_is_not_known_is_an_error():
    last = xg.asarray(0.5)

    def f(v):
        return xg.special.jv(v, last)

    with pytest.raises(NotImplementedError, match=r"special\.jv: the derivative by v is not known"):
        xg.grad(f)(1.5)
    with pytest.raises(NotImplementedError, match="the derivative by v is not known"):
        xg.jvp(f, (1.5,), (1.0,))


@pytest.mark.parametrize(("order", "error"), [((-1, 0), ValueError), ((0, -1), ValueError), ((0.5, 0), TypeError)])
def test_an_order_of_beta_slope_that_there_is_not(order, error):
    with pytest.raises(error, match="beta_slope: order"):
        xg.special.beta_slope(1.0, 2.0, 0.5, order=order)


@pytest.mark.parametrize(("d", "error"), [(0, ValueError), (1.5, TypeError)])
def test_a_dimension_of_multigammaln_that_there_is_not(d, error):
    with pytest.raises(error, match="multigammaln: d"):
        xg.special.multigammaln(3.0, d)


def test_multigammaln_is_scipys(backend, xp):
    if "special.gammaln" in backend.cannot:
        pytest.skip("the library has no special functions")
    a = np.asarray([[3.5, 7.0], [20.0, 4.0]])
    for d in (1, 2, 5):
        assert_matches(xp.special.multigammaln(make(xp, a), d), special.multigammaln(a, d), xp=xp)


def test_the_sign_of_gamma_has_no_gradient(backend, xp):
    if "special.gammasgn" in backend.cannot:
        pytest.skip("the library has no special functions")
    assert not xp.special.gammasgn(make(xp, [-0.5, 2.0], requires_grad=True)).requires_grad


@pytest.mark.parametrize(("order", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_an_order_of_gamma_slope_that_there_is_not(order, error):
    with pytest.raises(error, match="gamma_slope: order"):
        xg.special.gamma_slope(1.0, 0.5, order=order)


def test_polygamma_takes_an_array_of_orders(backend, xp):
    if "special.polygamma" in backend.cannot:
        pytest.skip("the library has no special functions")
    n, x = np.asarray([[-1], [0], [1], [3]]), np.asarray([0.5, 2.5, -1.5])
    t = make(xp, x, requires_grad=True)
    y = xp.special.polygamma(make(xp, n), t)
    assert_matches(y, special.polygamma(n, x), xp=xp)
    xp.sum(y[1:]).backward()
    assert_matches(t.grad, special.polygamma(n[1:] + 1, x).sum(axis=0), xp=xp)
    by_vmap = xg.vmap(xp.special.polygamma)(make(xp, [1, 2, 3]), make(xp, x))
    assert_matches(by_vmap, special.polygamma([1, 2, 3], x), xp=xp)


@pytest.mark.parametrize("n", [-1, 0.5, math.nan])
def test_polygamma_of_other_orders_is_nan(n):
    assert math.isnan(xg.special.polygamma(n, xg.asarray(1.0)).item())


def test_polygamma_is_not_differentiable_by_its_order():
    with pytest.raises(NotImplementedError, match=r"special\.polygamma: the derivative by n is not known"):
        xg.grad(lambda n: xg.special.polygamma(n, 1.5))(2.0)


def test_polygamma_far_left_takes_no_longer():
    """SciPy's own adds up terms until it is right of 0: 1e12 of them here."""
    x = np.asarray([-1e12 + 0.5])
    assert_close(to_numpy(xg.special.polygamma(1, x)), [math.pi**2 - 1e-12], 1e-12)


def test_orders_of_polygamma_may_be_0_d_arrays():
    assert xg.special.polygamma(xg.asarray(1), xg.asarray(1.0)).item() == pytest.approx(math.pi**2 / 6)


# --- libraries ------------------------------------------------------------------------------------------


def test_a_library_without_special_functions_says_so():
    with (
        xg.use_backend("strict"),
        pytest.raises(NotImplementedError, match=r"'strict' cannot do special\.erf: it has no special"),
    ):
        xg.special.erf(xg.asarray([1.0]))


def test_without_scipy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(
        ImportError, match=r"special.erf of numpy arrays needs scipy.special: pip install 'xgrad\[scipy\]'"
    ):
        SciPySpecial(load("numpy").xp).erf(1.0)


def test_a_function_that_the_library_lacks_is_named():
    with pytest.raises(NotImplementedError, match=r"'numpy' cannot do special\.nonsense: .*no such function"):
        SciPySpecial(xg.get_backend().xp).nonsense(1.0)


def test_what_is_made_of_others_needs_no_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    assert xg.special.expit(xg.asarray(0.0)).item() == 0.5


def test_cupys_functions_are_in_cupyx():
    assert CuPySpecial.module == "cupyx.scipy.special"


def test_scipy_finds_the_functions_in_the_namespace():
    x = xg.asarray([0.5], requires_grad=True)
    special.erf(x).backward(xg.asarray([1.0]))
    assert_close(to_numpy(x.grad), [2 / math.sqrt(math.pi) * math.exp(-0.25)], 1e-12)


def test_raw_arrays_keep_their_backend():
    strict = load("strict")
    array = strict.asarray([0.5])
    assert xg.special.logit(array).backend is strict
    assert xg.special.entr(array).backend is strict
