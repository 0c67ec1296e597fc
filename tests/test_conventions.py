"""Where a derivative is a matter of convention: at ties, at zeros, at bounds, and of complex functions."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES
from tests.point import Point
from tests.support.arrays import assert_matches, make, to_numpy
from xgrad.backends import load
from xgrad.engine.registry import DERIVATIVES
from xgrad.rules.declare import NOT_CONTINUOUS


def gradient(xp, f, *values, dtype="float64"):
    """The gradients of the sum of f."""
    leaves = [make(xp, v, dtype, requires_grad=True) for v in values]
    xp.sum(f(*leaves)).backward()
    return [leaf.grad for leaf in leaves]


def assert_gradient(xp, f, values, *want):
    got = gradient(xp, f, *values)
    for g, w in zip(got, want, strict=True):
        assert_matches(g, np.asarray(w, dtype=float), xp=xp, rtol=1e-14)


# --- ties -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_equal_elements_share_the_gradient(xp, name):
    first, second = ([0, 1], [1, 0]) if name == "maximum" else ([1, 0], [0, 1])
    a, b = [1.0, 1.0, 2.0], [1.0, 2.0, 1.0]
    want = [0.5, *first], [0.5, *second]
    assert_gradient(xp, getattr(xp, name), [a, b], *want)
    assert_gradient(xp, lambda x: getattr(xp, name)(x, 1.0), [[1.0]], [0.5])


@pytest.mark.parametrize(("name", "sign"), [("max", 1.0), ("min", -1.0)])
def test_equal_extremes_share_the_gradient(xp, name, sign):
    x = sign * np.asarray([[3.0, 1.0, 3.0], [2.0, 2.0, 2.0]])
    rows = [[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    assert_gradient(xp, lambda x: getattr(xp, name)(x, axis=1), [x], rows)
    assert_gradient(xp, getattr(xp, name), [x], [[0.5, 0, 0.5], [0, 0, 0]])
    t = xg.jvp(lambda x: getattr(xp, name)(x, axis=1), (make(xp, x),), (make(xp, [[1.0, 5, 2]] * 2),))
    assert_matches(t[1], [1.5, 8 / 3], xp=xp)


# --- conditions that are numbers -----------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [[2, 0, -1], [0.5, 0.0, 3.0]])
def test_a_condition_of_numbers_holds_where_it_is_not_0(xp, numbers):
    """Whether it is an array of NumPy's, or a tensor."""
    for condition in (np.asarray(numbers), make(xp, numbers, "float64")):
        x, y = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
        both = lambda x, y, c=condition: xp.where(c, 3.0 * x, 5.0 * y)  # noqa: E731
        assert_gradient(xp, both, [x, y], [3.0, 0.0, 3.0], [0.0, 5.0, 0.0])
        assert_gradient(xp, lambda y, c=condition: xp.where(c, 1.0, y), [y], [0.0, 1.0, 0.0])


# --- at zero, and at a bound ------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "want"), [("abs", 0), ("relu", 0), ("sign", 0), ("softplus", 0.5), ("sigmoid", 0.25)])
def test_derivative_at_zero(xp, name, want):
    assert_gradient(xp, lambda x: getattr(xp, name)(x) + 0 * x, [[0.0, -0.0]], [want, want])


def test_abs_of_a_complex_zero(xp):
    (g,) = gradient(xp, xp.abs, [0j, 3 + 4j], dtype="complex128")
    assert_matches(g, [0, 0.6 + 0.8j], xp=xp)


def test_hypot_at_the_origin(xp):
    assert_gradient(xp, xp.hypot, [[0.0, 3.0], [0.0, 4.0]], [0, 0.6], [0, 0.8])


def test_std_of_equal_elements(xp):
    assert_gradient(xp, lambda x: xp.std(x, axis=1), [[[2.0, 2.0], [0.0, 2.0]]], [[0, 0], [-0.5, 0.5]])
    assert_gradient(xp, xp.var, [[2.0, 2.0]], [0, 0])


def test_prod_at_zeros(xp):
    assert_gradient(xp, xp.prod, [[2.0, 0.0, 3.0]], [0, 6, 0])
    assert_gradient(xp, xp.prod, [[0.0, 0.0, 3.0]], [0, 0, 0])


def test_clip_passes_the_gradient_at_its_bounds(xp):
    x = [-2.0, -1.0, 0.0, 1.0, 2.0]
    want = [0, 1, 1, 1, 0]
    assert_gradient(xp, lambda x: xp.clip(x, -1.0, 1.0), [x], want)
    low, high = make(xp, [-1.0] * 5), make(xp, 1.0)
    assert_gradient(xp, lambda x: xp.clip(x, low, high), [x], want)


@pytest.mark.parametrize("exponent", [0, 0.0, 1, 2, 3.0])
def test_powers_of_zero(xp, exponent):
    want = 1.0 if exponent == 1 else 0.0
    assert_gradient(xp, lambda x: x**exponent, [[0.0]], [want])
    assert_gradient(xp, lambda x: xp.pow(x, make(xp, [float(exponent)])), [[0.0]], [want])


def test_second_derivatives_of_powers_at_zero(xp):
    second = xg.grad(lambda x: xp.sum(xg.grad(lambda x: xp.sum(x**2))(x)))(make(xp, [0.0, 1.0]))
    assert_matches(second, [2.0, 2.0], xp=xp)
    second = xg.grad(lambda x: xp.sum(xg.grad(lambda x: xp.sum(x**1))(x) * x))(make(xp, [0.0]))
    assert_matches(second, [1.0], xp=xp)


def test_zero_to_a_power(xp):
    assert_gradient(xp, lambda b: xp.pow(make(xp, [0.0, 0.0]), b), [[1.0, 2.5]], [0, 0])
    assert_gradient(xp, lambda b: xp.pow(0.0, b), [[1.0, 2.5]], [0, 0])


# --- the branch that is not taken ---------------------------------------------------------------------


def test_where_does_not_leak_from_the_other_branch(xp):
    x = [4.0, -1.0]

    def safe(x):
        positive = x > 0
        return xp.where(positive, xp.sqrt(xp.where(positive, x, 1.0)), 0.0)

    assert_gradient(xp, safe, [x], [0.25, 0])
    assert_gradient(xp, lambda x: xp.where(x > 0, x, np.inf), [x], [1, 0])


def test_a_mask_hides_what_is_not_finite(xp):
    mask = make(xp, [True, False, False])
    x = make(xp, [1.0, 2.0, 3.0], requires_grad=True)
    xp.mask(x, mask).backward(make(xp, [1.0, np.nan, np.inf]))
    assert_matches(x.grad, [1.0, 0.0, 0.0], xp=xp)


# --- functions without a derivative -----------------------------------------------------------------------

CALLS = {
    "argsort": lambda xp, x: xp.argsort(x),
    "isin": lambda xp, x: xp.isin(xp.astype(x, xp.int64), xp.asarray([1])),
    "searchsorted": lambda xp, x: xp.searchsorted(x, x),
    "astype": lambda xp, x: xp.astype(x, xp.int64),
    "sign": lambda xp, x: xp.sign(x),
    "linalg.matrix_rank": lambda xp, x: xp.linalg.matrix_rank(xp.linalg.outer(x, x)),
    "special.gammasgn": lambda xp, x: xp.special.gammasgn(x),
}
OF_TWO = {"floor_divide", "nextafter", "equal", "not_equal", "less", "less_equal"}
OF_TWO |= {"greater", "greater_equal"}
OF_OTHER_DTYPES = (
    "bitwise",
    "logical",
    "all",
    "any",
)  # they take no array that requires a gradient
CONSTANT = [
    *("astype", "sign"),
    *(n for n, how in DERIVATIVES.items() if how == NOT_CONTINUOUS and not n.startswith(OF_OTHER_DTYPES)),
]


@pytest.mark.parametrize("name", CONSTANT)
def test_what_has_no_derivative_requires_no_gradient(xp, name):
    x = make(xp, [1.0, 2.0, 3.5], requires_grad=True)
    args = (x, x) if name in OF_TWO else (x,)
    try:
        result = CALLS[name](xp, x) if name in CALLS else getattr(xp, name)(*args)
    except NotImplementedError:
        pytest.skip("the library does not have it")
    for y in result if isinstance(result, tuple) else (result,):
        assert isinstance(y, xg.Tensor)
        assert not y.requires_grad


# --- complex gradients: PyTorch's word on them --------------------------------------------


# Extension functions that PyTorch lacks, or has under another name.
NOT_IN_TORCH = {
    *(
        "mask",
        "linear",
        "scale_and_shift",
        "sum_of_products",
        "convolution",
        "convolution_transpose",
        "convolution_weight",
    ),
    *("windows", "add_windows", "sum_pool", "spread_pool", "take_pooled", "scatter_pooled"),
}
IN_TORCH = [
    case
    for cases in CASES.values()
    for case in cases
    if "complex" in str(case) and case.call is None and case.name not in NOT_IN_TORCH
    if "torch" not in case.without
    if not (case.name == "where" and "real" in str(case))  # PyTorch wants one dtype
]


@pytest.mark.parametrize("case", IN_TORCH, ids=str)
def test_complex_gradients_are_pytorchs(case):
    torch = pytest.importorskip("torch")
    xp = pytest.importorskip("array_api_compat.torch")
    point = Point(case, load("numpy"))
    theirs = [torch.tensor(x, requires_grad=True) for x in point.xs]
    outputs = case.run(xp, case.arguments(theirs, fixed=torch.tensor), raw=True)
    torch.autograd.backward(outputs, [torch.tensor(w) for w in point.weights])
    for got, want in zip(point.gradients, theirs, strict=True):
        g = torch.zeros_like(want) if want.grad is None else want.grad
        assert_matches(got, g.numpy(force=True), xp=point.xp, rtol=1e-12)


def test_a_mask_consists_of_booleans(xp):
    x = make(xp, [1.0, -2.0])
    assert to_numpy(xp.mask(x, True)).tolist() == [1.0, -2.0]
    assert to_numpy(xp.mask(x, False)).tolist() == [0.0, 0.0]
    assert to_numpy(xp.mask(x, (x > 0).data)).tolist() == [1.0, 0.0]
    assert to_numpy(xp.mask(x, np.asarray([False, True]))).tolist() == [0.0, -2.0]
    for condition in (1.0, 1, x, x.data, to_numpy(x), xp.astype(x, xp.int64)):
        with pytest.raises(TypeError, match="mask: the condition must be an array of booleans, not of"):
            xp.mask(x, condition)


def test_numbers_among_the_arguments(xp):
    x = make(xp, [1.0, 2.0])
    assert_matches(xp.gap(x, 1.0), [0.0, 1.0], xp=xp)
    assert_matches(xp.gap(1.0, x), [0.0, -1.0], xp=xp)
    assert_matches(xp.over_squares(1.0, x, 1.0), [0.5, 0.2], xp=xp)
    assert to_numpy(xp.searchsorted(x, 1.5)).tolist() == 1


def test_limits_are_of_one_kind_of_dtype(xp):
    assert xp.finfo(xp.float32).bits == 32
    assert xp.finfo(make(xp, [1.0])).bits in (32, 64)
    assert xp.iinfo(xp.int32).bits == 32
    with pytest.raises(ValueError, match="finfo: expected a floating-point dtype"):
        xp.finfo(xp.int32)
    with pytest.raises(ValueError, match="iinfo: expected an integer dtype"):
        xp.iinfo(xp.float32)
