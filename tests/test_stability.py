"""What networks compute stays finite and right for arguments of any size, in float32, without a warning."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy

BIG = [-1e30, -1e4, -100.0, 0.0, 100.0, 1e4, 1e30]
LOG2 = math.log(2)
HALF = [0, 0, 0, 0.5, 1, 1, 1]  # of a sigmoid at BIG
RAMP = [0, 0, 0, math.log(2), 100, 1e4, 1e30]

# name -> (function, its values at BIG, its derivatives there)
ELEMENTWISE = {
    "sigmoid": (lambda xp, x: xp.sigmoid(x), HALF, [0, 0, 0, 0.25, 0, 0, 0]),
    "softplus": (lambda xp, x: xp.softplus(x), RAMP, HALF),
    "logaddexp": (lambda xp, x: xp.logaddexp(x, xp.zeros_like(x)), RAMP, HALF),
    "relu": (lambda xp, x: xp.relu(x), [0, 0, 0, 0, 100, 1e4, 1e30], [0, 0, 0, 0, 1, 1, 1]),
    "leaky_relu": (
        lambda xp, x: xp.leaky_relu(x, 0.01),
        [-1e28, -100, -1, 0, 100, 1e4, 1e30],
        [0.01, 0.01, 0.01, 0.01, 1, 1, 1],
    ),
    "tanh": (lambda xp, x: xp.tanh(x), [-1, -1, -1, 0, 1, 1, 1], [0, 0, 0, 1, 0, 0, 0]),
}
FLOAT32 = 4 * 2.0**-23


def assert_each(xp, got, want, what):
    """Element by element: the largest would hide the others."""
    for i, w in enumerate(want):
        assert_matches(got[i, ...], w, xp=xp, dtype="float32", rtol=FLOAT32, floor=1e-35, what=what)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(xp, name):
    f, values, derivatives = ELEMENTWISE[name]
    x = make(xp, BIG, "float32", requires_grad=True)
    y = f(xp, x)
    assert_each(xp, y.detach(), values, f"{name} of {BIG}")
    y.backward(xp.ones_like(y))
    assert_each(xp, x.grad, derivatives, f"derivative of {name} at {BIG}")


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_second_derivatives_are_finite(xp, name):
    f = ELEMENTWISE[name][0]
    x = make(xp, BIG, "float32")

    def slope(x):
        return xp.sum(xg.grad(lambda x: xp.sum(f(xp, x)))(x))

    second = xg.grad(slope)(x)
    bend = {"sigmoid": 0.0, "tanh": 0.0, "softplus": 0.25, "logaddexp": 0.25}.get(name, 0.0)
    assert_matches(second, [0, 0, 0, bend, 0, 0, 0], xp=xp, dtype="float32", rtol=FLOAT32, floor=1e-35)


# --- tails ------------------------------------------------------------------------------------------

TAILS = [-50.0, -20.0, -5.0]  # exp(x) / (1 + exp(x)) to float32's digits, where 1 - sigmoid(-x) has none
SIGMOID = [1.9287498e-22, 2.0611537e-09, 6.6928509e-03]
INF = math.inf


def assert_tail(xp, got, want, sign=1.0):
    for i, w in enumerate(want):
        assert_matches(got[i, ...], sign * w, xp=xp, dtype="float32", rtol=FLOAT32)


def test_sigmoid_keeps_its_digits_where_it_is_small(xp):
    x = make(xp, TAILS, "float32", requires_grad=True)
    for f in (xp.sigmoid, xp.softplus):
        x.grad = None
        f(x).backward(xp.ones_like(x))
        if f is xp.sigmoid:
            assert_tail(xp, f(x).detach(), SIGMOID)
            assert_tail(xp, x.grad, [s * (1 - s) for s in SIGMOID])
        else:
            assert_tail(xp, x.grad, SIGMOID)
    assert_tail(xp, -xg.grad(lambda x: xp.sum(xg.nn.functional.logsigmoid(-x)))(x.detach()), SIGMOID)


def test_sigmoid_to_float64s_digits(xp):
    x = [-745.0, -700.0, -40.0, -1.0, 0.0, 1.0, 36.0, 40.0, 1e3, INF, -INF]
    want = [5e-324, 9.8596765437597708e-305, 4.248354255291589e-18, 0.2689414213699951, 0.5, 0.7310585786300049]
    want += [0.9999999999999998, 1.0, 1.0, 1.0, 0.0]
    for v, w in zip(x, want, strict=True):
        assert_matches(xp.sigmoid(make(xp, [v])), [w], xp=xp, rtol=4 * 2.0**-52, floor=1e-308)


@pytest.mark.parametrize(("name", "values", "slopes"), [("sigmoid", [0, 1], [0, 0]), ("softplus", [0, INF], [0, 1])])
def test_activations_of_infinities(xp, name, values, slopes):
    x = make(xp, [-INF, INF], requires_grad=True)
    y = getattr(xp, name)(x)
    assert_matches(y.detach(), np.asarray(values, float), xp=xp)
    y.backward(xp.ones_like(y))
    assert_matches(x.grad, np.asarray(slopes, float), xp=xp)


def logits(xp, x, target, dtype="float32", **options):
    """Values and gradients of binary cross-entropy with logits."""
    x = make(xp, x, dtype, requires_grad=True)
    loss = xg.nn.functional.binary_cross_entropy_with_logits(x, make(xp, target, dtype), reduction="none", **options)
    loss.backward(xp.ones_like(loss))
    return loss.detach(), x.grad


@pytest.mark.parametrize("weight", [None, 1.0])
def test_logits_keep_the_digits_of_a_small_loss(xp, weight):
    weight = weight and make(xp, [weight], "float32")
    for sign, target in ((1.0, 0.0), (-1.0, 1.0)):
        loss, slope = logits(xp, [sign * v for v in TAILS], [target] * 3, pos_weight=weight)
        assert_tail(xp, loss, np.log1p(np.exp(TAILS)))
        assert_tail(xp, slope, SIGMOID, sign)


@pytest.mark.parametrize("weight", [None, 2.0])
def test_infinite_logits_with_the_target_that_fits_lose_nothing(xp, weight):
    options = {"pos_weight": make(xp, [weight])} if weight else {}
    loss, slope = logits(xp, [INF, -INF, 0.0], [1.0, 0.0, 0.0], "float64", **options)
    assert_matches(loss, [0.0, 0.0, LOG2], xp=xp)
    assert_matches(slope, [0.0, 0.0, 0.5], xp=xp)
    loss, slope = logits(xp, [INF, -INF], [0.0, 1.0], "float64", **options)
    assert_matches(loss, [INF, INF], xp=xp)
    assert_matches(slope, [1.0, -(weight or 1.0)], xp=xp)


def test_logits_with_targets_between(xp):
    """A target has a gradient too; and at 0 the second derivative is a quarter."""
    x, t = make(xp, [-1.5, 0.0, 2.0]), make(xp, [0.3, 0.7, 0.2])
    loss = xg.nn.functional.binary_cross_entropy_with_logits
    first = xg.grad(lambda x, t: loss(x, t, reduction="sum"), argnums=(0, 1))
    s = 1 / (1 + np.exp([1.5, 0.0, -2.0]))
    assert_matches(first(x, t)[0], s - [0.3, 0.7, 0.2], xp=xp)
    assert_matches(first(x, t)[1], [1.5, 0.0, -2.0], xp=xp)
    assert_matches(xg.grad(lambda x: xp.sum(first(x, t)[0]))(x), s * (1 - s), xp=xp)


def test_logits_with_targets_of_other_dtypes(xp):
    x, t = make(xp, [-1.5, 2.0]), make(xp, [False, True])
    loss = xg.nn.functional.binary_cross_entropy_with_logits
    want = np.log1p(np.exp([-1.5, -2.0]))
    for target in (t, xp.astype(t, xp.uint8), xp.astype(t, xp.int64)):
        assert_matches(loss(x, target, reduction="none"), want, xp=xp)


def test_probabilities_of_nothing_at_minus_infinity(xp):
    x = make(xp, [[0.0, -INF, 0.0]], requires_grad=True)
    loss = xg.nn.functional.cross_entropy(x, make(xp, [[0.5, 0.0, 0.5]]))
    loss.backward()
    assert_matches(loss.detach(), LOG2, xp=xp)
    assert_matches(x.grad, [[0.0, 0.0, 0.0]], xp=xp, rtol=0, floor=1.0)


# --- over an axis -----------------------------------------------------------------------------------

ROWS = [
    [1e4, -1e4, 0.0],
    [1e4, 1e4, -1e4],
    [-1e4, -1e4, -2e4],
    [1e30, -1e30, 0.0],
    [1e30, 1e30, 1e30],
]
SOFTMAX = [[1, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]]
LOG_SOFTMAX = [
    [0, -2e4, -1e4],
    [-LOG2, -LOG2, -2e4 - LOG2],
    [-LOG2, -LOG2, -1e4 - LOG2],
    [0, -2e30, -1e30],
    [-math.log(3), -math.log(3), -math.log(3)],
]
LOGSUMEXP = [1e4, 1e4 + LOG2, -1e4 + LOG2, 1e30, 1e30]
WEIGHTS = np.asarray([[1.0, -2.0, 0.5]] * 5)


def test_softmax(xp):
    x = make(xp, ROWS, "float32", requires_grad=True)
    y = xp.softmax(x, axis=-1)
    assert_matches(y.detach(), SOFTMAX, xp=xp, dtype="float32", rtol=FLOAT32)
    y.backward(make(xp, WEIGHTS, "float32"))
    p = np.asarray(SOFTMAX)
    want = p * (WEIGHTS - np.sum(p * WEIGHTS, axis=1, keepdims=True))
    assert_matches(x.grad, want, xp=xp, dtype="float32", rtol=FLOAT32)


def test_log_softmax(xp):
    x = make(xp, ROWS, "float32", requires_grad=True)
    y = xp.log_softmax(x, axis=-1)
    for i, row in enumerate(LOG_SOFTMAX):
        assert_matches(y[i, ...].detach(), row, xp=xp, dtype="float32", rtol=FLOAT32)
    y.backward(make(xp, WEIGHTS, "float32"))
    want = WEIGHTS - np.asarray(SOFTMAX) * np.sum(WEIGHTS, axis=1, keepdims=True)
    assert_matches(x.grad, want, xp=xp, dtype="float32", rtol=FLOAT32)


def test_logsumexp(xp):
    x = make(xp, ROWS, "float32", requires_grad=True)
    y = xp.logsumexp(x, axis=-1)
    assert_each(xp, y.detach(), LOGSUMEXP, "logsumexp")
    y.backward(xp.ones_like(y))
    assert_matches(x.grad, SOFTMAX, xp=xp, dtype="float32", rtol=FLOAT32)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_what_is_masked_by_infinity_has_no_share(xp, name):
    x = make(xp, [0.0, -math.inf, 1.0], "float32", requires_grad=True)
    y = getattr(xp, name)(x, axis=-1)
    xp.sum(xp.where(xp.isfinite(y), y, xp.zeros_like(y))).backward()
    e = math.e
    p = np.asarray([1 / (1 + e), 0, e / (1 + e)])
    want = {"softmax": 0 * p, "log_softmax": np.asarray([1, 0, 1]) - 2 * p, "logsumexp": p}[name]
    assert_matches(x.grad, want, xp=xp, dtype="float32", rtol=1e-6, floor=1.0)


# --- norms of numbers whose squares overflow or underflow -------------------------------------------

SCALES = {"float32": [1e30, 1e-30], "float64": [1e200, 1e-200]}


@pytest.mark.parametrize("order", [2, 3, 1.5, -2])
@pytest.mark.parametrize("dtype", SCALES)
def test_the_norm_of_extreme_numbers(xp, dtype, order):
    for scale in SCALES[dtype]:
        x = make(xp, np.array([[3.0, -4.0], [0.5, 12.0]]) * scale, dtype, requires_grad=True)
        y = xp.linalg.vector_norm(x, axis=1, ord=order)
        unit = np.array([[3.0, -4.0], [0.5, 12.0]])
        norms = np.linalg.norm(unit, ord=order, axis=1)
        assert_matches(y.detach() / scale, norms, xp=xp, dtype=dtype, rtol=1e-6)
        xp.sum(y).backward()
        slopes = np.sign(unit) * (np.abs(unit) / norms[:, None]) ** (order - 1)
        assert_matches(x.grad, slopes, xp=xp, dtype=dtype, rtol=1e-6)


@pytest.mark.parametrize("dtype", SCALES)
def test_clipping_is_right_wherever_the_norm_is_representable(xp, dtype):
    for scale in SCALES[dtype]:
        w = make(xp, [1.0, 1.0], dtype, requires_grad=True)
        w.grad = make(xp, [3 * scale, 4 * scale], dtype)
        assert xg.nn.utils.clip_grad_norm_([w], 1.0).item() == pytest.approx(5 * scale, rel=1e-6)
        assert_matches(w.grad, np.array([0.6, 0.8]) * min(1.0, 5 * scale), xp=xp, dtype=dtype, rtol=1e-6)


def test_a_norm_of_what_is_not_finite_is_the_librarys(xp):
    for values, want in (([math.inf, 1.0], math.inf), ([math.nan, 1.0], math.nan), ([0.0, 0.0], 0.0)):
        assert_matches(xp.linalg.vector_norm(make(xp, values)), np.array(want), xp=xp)


# --- rows that are all infinite, and rows of nothing ------------------------------------------------


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("row", [[-math.inf, -math.inf], [math.inf, 0.0], [math.nan, 0.0]])
def test_where_there_are_no_shares_they_are_nan(xp, name, row):
    """PyTorch's values; and no warning."""
    x = make(xp, [row, [0.0, 0.0]], requires_grad=True)
    y = getattr(xp, name)(x, axis=1)
    first = max(row) if name == "logsumexp" else [math.nan, math.nan]
    last = {"softmax": [0.5, 0.5], "log_softmax": [-LOG2, -LOG2], "logsumexp": LOG2}[name]
    assert_matches(y.detach(), np.array([first, last]), xp=xp, rtol=1e-15)
    xp.sum(y).backward()
    share = 0.5 if name == "logsumexp" else 0.0
    first = [1.0, 0.0] if name == "logsumexp" and max(row) == math.inf else [math.nan, math.nan]
    assert_matches(x.grad, np.array([first, [share, share]]), xp=xp, rtol=1e-15)


@pytest.mark.parametrize("part", [lambda xp: xp, lambda xp: xp.special], ids=["main", "special"])
@pytest.mark.parametrize(
    ("row", "want"),
    [
        ([math.inf, 0.0], [1.0, 0.0]),
        ([-math.inf, math.inf], [0.0, 1.0]),
        ([-math.inf, 0.0], [0.0, 1.0]),
        ([math.inf, math.inf], [0.5, 0.5]),
        ([1e308, 1e308], [0.5, 0.5]),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_infinite_has_all_of_a_logsumexp(backend, xp, part, row, want, dtype):
    """The limit, where there is one; equal ones share it, as in logaddexp. There is nothing left for the second derivative."""
    if part(xp) is not xp and backend.name in ("strict", "dask"):
        pytest.skip("its logarithm of 0 warns")
    if dtype == "float32":
        row = [3e38 if each == 1e308 else each for each in row]
    x, t = make(xp, [row, [0.0, 0.0]], dtype), make(xp, [[1.0, 2.0], [0.0, 0.0]], dtype)
    for axis in (1, (1,)):

        def f(x, axis=axis):
            return xp.sum(part(xp).logsumexp(x, axis=axis))

        assert_matches(xg.grad(f)(x), np.array([want, [0.5, 0.5]]), xp=xp, dtype=dtype, rtol=1e-6)
        assert_matches(xg.jvp(f, (x,), (t,))[1], want[0] + 2 * want[1], xp=xp, dtype=dtype, rtol=1e-6)
        assert np.isfinite(to_numpy(xg.hvp(f, (x,), (t,))[0])).all()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize(("shape", "axis"), [((2, 0), 1), ((0,), 0), ((0, 2), 0), ((0, 2), 1)])
def test_along_an_empty_axis(xp, name, shape, axis):
    """PyTorch's values: nothing, and the logarithm of an empty sum."""
    x = make(xp, np.zeros(shape), requires_grad=True)

    def f(x):
        return getattr(xp, name)(x, axis=axis)

    want = np.full(tuple(n for i, n in enumerate(shape) if i != axis), -math.inf)
    assert_matches(f(x).detach(), want if name == "logsumexp" else np.zeros(shape), xp=xp)
    xp.sum(f(x)).backward()
    assert_matches(x.grad, np.zeros(shape), xp=xp)
    if name != "logsumexp":
        assert_matches(xg.jvp(f, (x,), (x,))[1].detach(), np.zeros(shape), xp=xp)
    xp.sum(xg.hvp(lambda x: xp.sum(f(x)), (x.detach(),), (x.detach(),))[0])


# --- products of zeros and huge numbers ----------------------------------------------------------------------

HUGE = ([0.0, 1e200, 1e200, 1e200], [1e200, 1e200, 0.0, 2.0], [1e200, 0.0, 1e200, 1e200], [0.0, 0.0, 1e300, 1e300])


def product_of_others(x: list[float], i: int) -> float:
    exact = math.prod(Fraction(each) for j, each in enumerate(x) if j != i)
    return float(exact) if exact < Fraction(1.7e308) else math.inf


@pytest.mark.parametrize("values", HUGE, ids=str)
@pytest.mark.parametrize("name", ["prod", "cumulative_prod"])
def test_a_zero_beside_products_that_overflow(xp, values, name):
    def f(x):
        return xp.prod(x) if name == "prod" else xp.cumulative_prod(x)[-1]

    x = make(xp, values)
    want = [product_of_others(values, i) for i in range(4)]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert to_numpy(xg.grad(f)(x)).tolist() == want
        tangents = [xg.jvp(f, (x,), (make(xp, row),))[1].item() for row in np.eye(4)]
    assert tangents == want
