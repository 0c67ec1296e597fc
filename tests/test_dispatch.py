"""Dispatch, from a call to a node: the dtype of the result, and the words of errors."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, dtype_name, make, to_numpy
from xgrad.backends import load

# --- errors ---------------------------------------------------------------------------------------

# name: a call that fails, and the shapes that the error must name
WRONG_SHAPES: dict[str, tuple[Any, ...]] = {
    "add": (lambda xp, t: t(2, 3) + t(4), "(2, 3)", "(4,)"),
    "subtract": (lambda xp, t: t(2) - t(3), "(2,)", "(3,)"),
    "multiply": (lambda xp, t: t(2, 2) * t(3, 3), "(2, 2)", "(3, 3)"),
    "divide": (lambda xp, t: t(5) / t(4), "(5,)", "(4,)"),
    "pow": (lambda xp, t: t(5) ** t(4), "(5,)", "(4,)"),
    "maximum": (lambda xp, t: xp.maximum(t(5), t(4)), "(5,)", "(4,)"),
    "less": (lambda xp, t: t(5) < t(4), "(5,)", "(4,)"),
    "matmul": (lambda xp, t: t(2, 3) @ t(2, 3), "(2, 3)", "(2, 3)"),
    "linear": (lambda xp, t: xp.linear(t(2, 3), t(4, 5), t(4)), "(2, 3)", "(4, 5)"),
    "where": (lambda xp, t: xp.where(t(2) > 0, t(3), t(1)), "(2,)", "(3,)"),
    "concat": (lambda xp, t: xp.concat([t(2, 3), t(4, 5)]), "(2, 3)", "(4, 5)"),
    "stack": (lambda xp, t: xp.stack([t(2), t(3)]), "(2,)", "(3,)"),
    "reshape": (lambda xp, t: xp.reshape(t(3), (2,)), "(3,)"),
    "broadcast_to": (lambda xp, t: xp.broadcast_to(t(3), (2,)), "(3,)"),
    "vecdot": (lambda xp, t: xp.vecdot(t(3), t(2)), "(3,)", "(2,)"),
    "zeros": (lambda xp, t: xp.zeros((-1, 2)), "-1"),
}


@pytest.mark.parametrize("name", WRONG_SHAPES)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_shapes_that_do_not_fit(xp, name, requires_grad):
    """The same kind of error on every backend, with the operation and the shapes."""
    call, *shapes = WRONG_SHAPES[name]

    def t(*shape):
        return make(xp, np.ones(shape), requires_grad=requires_grad)

    with pytest.raises(ValueError, match=name) as caught:
        call(xp, t)
    for shape in shapes:
        assert shape in str(caught.value)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([(2, 3), (4, 3), (5,)], r"linear.*\(4, 3\).*\(5,\)"),
        ([(2, 3), (4, 3), (2, 4)], r"linear.*\(4, 3\).*\(2, 4\)"),
        ([(2, 3), (4, 3), (1,)], r"linear.*\(1,\)"),
        ([(2, 3), (4, 3), ()], r"linear.*\(\)"),
        ([(2, 3), (3,)], r"linear.*\(3,\)"),
        ([(2, 3), (2, 4, 3)], r"linear.*\(2, 4, 3\)"),
    ],
)
def test_linear_takes_a_matrix_and_a_vector(xp, shapes, said):
    """Others would broadcast on the way forward, and then the gradient would be another."""
    arrays = [make(xp, np.ones(shape), requires_grad=True) for shape in shapes]
    with pytest.raises(ValueError, match=said):
        xp.linear(*arrays)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("subtract", lambda xp: make(xp, [True]) - make(xp, [True])),
        ("negative", lambda xp: -make(xp, [True])),
        ("bitwise_and", lambda xp: make(xp, [1.0]) & make(xp, [1.0])),
    ],
)
def test_dtypes_that_do_not_fit(backend, xp, name, call):
    if (backend.name, name) == ("torch", "bitwise_and"):
        pytest.skip("the library takes it")
    with pytest.raises(TypeError, match=name):
        call(xp)


@pytest.mark.parametrize("wrong", ["a", None, [1.0, 2.0], object()], ids=lambda v: type(v).__name__)
def test_what_is_no_array(backend, xp, wrong):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    calls = (lambda: xp.add(x, wrong), lambda: xp.multiply(wrong, x), lambda: xp.exp(wrong), lambda: xp.sum(wrong))
    for call in calls:
        with pytest.raises((TypeError, AttributeError)) as caught:
            call()
        assert type(wrong).__name__ in str(caught.value)
    with pytest.raises(TypeError, match=f"backend {backend.name}|{backend!r}".replace("(", r"\(").replace(")", r"\)")):
        xp.add(x, wrong)


def test_an_axis_that_is_not_there(xp):
    x = make(xp, np.ones((2, 3)))
    calls = [xp.sum, xp.max, xp.mean, xp.prod, xp.var, xp.logsumexp, xp.softmax, xp.flip, xp.cumulative_sum, xp.sort]
    for call in calls:
        with pytest.raises((ValueError, IndexError), match="2"):
            call(x, axis=2)


def test_an_error_of_memory_stays_one():
    with xg.use_backend("numpy"):
        x = xg.ones((1, 1))
        with pytest.raises(MemoryError, match="zeros"):
            xg.zeros((2**40, 2**15))
        assert x.shape == (1, 1)


def test_an_error_keeps_its_cause(xp):
    with pytest.raises(ValueError, match="add") as caught:
        make(xp, [1.0, 2.0]) + make(xp, [1.0, 2.0, 3.0])
    assert caught.value.__cause__ is not None


# --- numbers are weak -----------------------------------------------------------------------------

NUMBERS = [2, 2.0, 0, -0.0, 1.5, np.float64(1.5), np.float32(1.5), np.int64(2), np.float16(1.5)]
OPERATIONS = ["add", "subtract", "multiply", "divide", "pow", "maximum", "minimum", "atan2", "hypot", "logaddexp"]


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
@pytest.mark.parametrize("name", OPERATIONS)
def test_numbers_keep_float32(xp, name, number):
    """Forward, in the gradient, in the tangent, and in the second derivative."""
    f, host = getattr(xp, name), np.array([[1.5, 2.5]], "float32")
    for side in (lambda x: f(x, number), lambda x: f(number, x)):
        if number == 0 and name in ("divide", "pow"):
            continue
        x = make(xp, host, requires_grad=True)
        y = side(x)
        xp.sum(y).backward()
        second = xg.grad(lambda x, g=side: xp.sum(xg.grad(lambda x: xp.sum(g(x)))(x)))(x.detach())
        for t in (y, x.grad, xg.jvp(side, (x.detach(),), (x.detach(),))[1], second):
            assert t is not None
            assert dtype_name(t.dtype) == "float32"
        wide = side(make(xp, host.astype("float64")))
        np.testing.assert_allclose(to_numpy(y), to_numpy(wide), rtol=1e-6)


def test_numbers_in_other_functions(xp):
    x = make(xp, [-1.0, 2.0], "float32", requires_grad=True)
    for y in (
        xp.where(x > 0, x, 0.0),
        xp.where(x > 0, np.float64(1), x),
        xp.clip(x, 0.0, np.float64(1)),
        xp.clip(x, np.int64(0), 1),
        xp.leaky_relu(x, np.float64(0.5)),
        xp.mean(x) * np.float64(3),
        xp.astype(x, xp.float32) + True * 1.0,
        xp.full_like(x, 3.0) * x,
    ):
        assert dtype_name(y.dtype) == "float32"
        x.grad = None
        xp.sum(y).backward()
        assert_matches(x.grad, to_numpy(x.grad), xp=xp, dtype="float32")


def test_signed_zero_and_nan_are_not_mixed_up(xp):
    """Numbers may be kept as arrays for the next time: 0.0 == -0.0, and nan is never found."""
    x = make(xp, [1.0, 2.0])
    for _ in range(2):
        assert to_numpy(xp.copysign(make(xp, [1.0, 1.0]), x * 0.0)).tolist() == [1.0, 1.0]
        assert to_numpy(xp.copysign(make(xp, [1.0, 1.0]), x * -0.0)).tolist() == [-1.0, -1.0]
        assert np.isnan(to_numpy(x * float("nan"))).all()
        assert to_numpy(x * 1).tolist() == to_numpy(x * 1.0).tolist() == [1.0, 2.0]
        assert_matches(make(xp, [1.0, 2.0], "float32") * 3.0, np.array([3.0, 6.0], "float32"), xp=xp)
        assert_matches(x * 3.0, [3.0, 6.0], xp=xp)


def test_a_thousand_numbers(xp):
    """More than are kept."""
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x * 0.0
    for k in range(1000):
        y = y + x * (k + 0.5)
    xp.sum(y).backward()
    assert_matches(x.grad, [500_000.0, 500_000.0], xp=xp)


# --- dtypes meet ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "pow", "maximum", "hypot", "matmul"])
def test_two_precisions(xp, name):
    """The wider one comes out, and each gradient has the dtype of its own."""
    a, b = np.array([[1.5, 2.0], [0.5, 1.0]]), np.array([[2.5, 0.5], [1.0, 3.0]])
    x, y = make(xp, a, "float32", requires_grad=True), make(xp, b, requires_grad=True)
    f = getattr(xp, name)
    z = f(x, y)
    assert dtype_name(z.dtype) == "float64"
    xp.sum(z).backward()
    gx, gy = xg.grad(lambda x, y: xp.sum(f(x, y)), (0, 1))(make(xp, a), make(xp, b))
    assert_matches(x.grad, to_numpy(gx).astype("float32"), xp=xp, rtol=1e-6)
    assert_matches(y.grad, to_numpy(gy), xp=xp, rtol=1e-6)
    _, t = xg.jvp(f, (x.detach(), y.detach()), (x.detach(), y.detach()))
    assert dtype_name(t.dtype) == "float64"


def test_a_conversion_in_the_middle(xp):
    x = make(xp, [1.5, 2.5], "float32", requires_grad=True)
    y = xp.sum(xp.astype(x, xp.float64) ** 2)
    assert dtype_name(y.dtype) == "float64"
    y.backward()
    assert_matches(x.grad, [3, 5], xp=xp, dtype="float32")
    assert not xp.astype(x, xp.int64).requires_grad
    assert not (x > 0).requires_grad


# --- complex numbers: PyTorch's convention --------------------------------------------------------

COMPLEX = {
    "abs": lambda xp, z, w: xp.abs(z) ** 2 * 0.5 + xp.abs(w),
    "real": lambda xp, z, w: xp.real(z * w),
    "imag": lambda xp, z, w: xp.imag(z * w * z),
    "conj": lambda xp, z, w: xp.real(xp.conj(z) * w) + xp.imag(xp.conj(w)),
    "multiply": lambda xp, z, w: xp.real(z * z * w * (1 + 2j)),
    "divide": lambda xp, z, w: xp.imag(z / w),
    "exp": lambda xp, z, w: xp.real(xp.exp(z) * w),
    "matmul": lambda xp, z, w: xp.real(xp.matmul(z, w)),
    "sum": lambda xp, z, w: xp.abs(xp.sum(z) * xp.sum(w)),
    "number": lambda xp, z, w: xp.real((3 - 1j) * z) + xp.imag(w - 2j * z),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradients_are_the_way_up(xp, name):
    """The gradient is df/d(real) + i df/d(imag): x - lr * gradient descends."""
    z, w = np.array([1 + 2j, -0.5 + 1j]), np.array([0.5 - 1j, 2 + 0.5j])

    def f(*arrays):
        return xp.sum(COMPLEX[name](xp, *arrays))

    def value(*hosts):
        return float(to_numpy(f(*(make(xp, h) for h in hosts))))

    leaves = [make(xp, host, requires_grad=True) for host in (z, w)]
    f(*leaves).backward()
    h = 1e-6
    for k, leaf in enumerate(leaves):
        want = np.zeros(2, complex)
        for place in range(2):
            for unit in (1.0, 1j):
                step = [np.zeros(2, complex), np.zeros(2, complex)]
                step[k][place] = unit * h
                ahead, behind = value(z + step[0], w + step[1]), value(z - step[0], w - step[1])
                want[place] += unit * (ahead - behind) / (2 * h)
        assert_matches(leaf.grad, want, xp=xp, rtol=1e-8)


def test_a_real_argument_of_a_complex_function_has_a_real_gradient(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    z = make(xp, [1 + 2j, 3j])
    xp.sum(xp.real(x * z) + xp.imag((x + 1j) * z)).backward()
    assert_matches(x.grad, [3.0, 3.0], xp=xp)
    y = make(xp, [1.0, 2.0], "float32", requires_grad=True)
    xp.sum(xp.abs(y * (3 + 4j))).backward()
    assert_matches(y.grad, [5, 5], xp=xp, dtype="float32", rtol=1e-6)


# --- the quick path -------------------------------------------------------------------------------


def test_backends_in_turns(xp):
    """What the quick path keeps at hand for one backend is not used for another."""
    others = [make(load(name).view, [1.0, 2.0], requires_grad=True) for name in xg.backends()]
    x = make(xp, [1.0, 2.0], requires_grad=True)
    for t in [x, *others, x, *reversed(others)]:
        ns = t.__array_namespace__()
        y = ns.exp(t) * t + 2.0 - 1.0 / t
        t.grad = None
        ns.sum(y).backward()
        host = np.array([1.0, 2.0])
        assert_matches(t.grad, np.exp(host) * (host + 1) + 1 / host**2, xp=ns)


def test_backends_in_turns_in_threads():
    """The same, when threads change it for each other."""
    wrong = []

    def work(name):
        try:
            xp = load(name).view
            x = make(xp, [1.0, 2.0], requires_grad=True)
            for _ in range(200):
                x.grad = None
                xp.sum(xp.exp(x) * x + 2.0).backward()
                assert_matches(x.grad, np.exp([1.0, 2.0]) * [2.0, 3.0], xp=xp)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in [*xg.backends()] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_shapes_in_turns(xp):
    """What is known of one tensor is not taken for another: same shape and other dtype, same size and other shape."""
    arrays = [
        make(xp, np.ones(shape), dtype)
        for shape in ((2, 2), (4,), (1, 2), (2, 1), (), (1,))
        for dtype in ("float32", "float64")
    ]
    for x in arrays:
        for y in arrays:
            try:
                want = np.ones(np.broadcast_shapes(x.shape, y.shape))
            except ValueError:
                with pytest.raises(ValueError, match="add"):
                    x + y
                continue
            g = xg.grad(lambda x, y: xp.sum(xp.exp(x) * 0.0 + x + y * 2.0), (0, 1))(x, y)
            assert (x + y).shape == want.shape
            for t, like, k in zip(g, (x, y), (1, 2), strict=True):
                count = want.size / max(like.size, 1)
                assert_matches(t, np.full(like.shape, k * count, dtype_name(like.dtype)), xp=xp)
