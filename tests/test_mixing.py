"""Operations of tensors with numbers, other dtypes and other libraries' arrays, and in threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw, to_numpy
from xgrad.backends import backends, load

# --- dtypes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2), np.float32(2), np.int64(2)], ids=repr)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow", "maximum"])
def test_numbers_are_weak(xp, name, number):
    f = getattr(xp, name)
    x = make(xp, [1.5, 2.5], "float32", requires_grad=True)
    for y in (f(x, number), f(number, x)):
        assert xp.isdtype(y.dtype, xp.float32)
        g = xg.grad(lambda x: xp.sum(f(x, number) + f(number, x)))(x)
        assert xp.isdtype(g.dtype, xp.float32)


@pytest.mark.parametrize("scalar", [np.float64(2), np.float32(2), np.int64(2)], ids=repr)
def test_numpy_scalars_on_the_left(xp, scalar):
    x = make(xp, [1.5, 2.5], "float32", requires_grad=True)
    for y in (scalar + x, scalar - x, scalar * x, scalar / x, scalar**x):
        assert isinstance(y, xg.Tensor)
        assert xp.isdtype(y.dtype, xp.float32)
        assert y.requires_grad


def test_gradients_are_cast_back(xp):
    x = make(xp, [1.0, 2.0], "float32", requires_grad=True)
    y = make(xp, [3.0, 4.0], requires_grad=True)
    xp.sum(xp.astype(x, xp.float64) * y).backward()
    assert_matches(x.grad, [3, 4], xp=xp, dtype="float32")
    assert_matches(y.grad, [1.0, 2.0], xp=xp)


def test_mixed_dtypes_promote_as_the_backend_does(xp):
    x = make(xp, [1.0, 2.0], "float32", requires_grad=True)
    y = make(xp, [3.0, 4.0], requires_grad=True)
    z = x * y
    assert_matches(z.detach(), [3.0, 8.0], xp=xp)
    xp.sum(z).backward()
    assert_matches(x.grad, [3, 4], xp=xp, dtype="float32")
    assert_matches(y.grad, [1.0, 2.0], xp=xp)


# --- meeting other arrays ---------------------------------------------------------------------------------


def test_numpy_arrays_on_the_left(backend, xp):
    x = make(xp, np.ones((3, 3)), requires_grad=True)
    y = np.eye(3) + x
    assert isinstance(y, xg.Tensor)
    assert y.backend is backend
    assert y.requires_grad
    assert_matches(y.detach(), np.eye(3) + 1, xp=xp)


def test_no_tensor_becomes_a_numpy_array_by_itself(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="numpy"):
        np.asarray(x)
    with pytest.raises(TypeError, match="numpy"):
        np.spacing(x)


def test_two_backends_in_one_call_are_both_named(backend, xp):
    others = [name for name in backends() if name != backend.name]
    if not others:
        pytest.skip("there is one backend only")
    other = load(others[0])
    x, y = make(xp, [1.0, 2.0]), make(other.view, [1.0, 2.0])
    for call in (lambda: x + y, lambda: xp.concat([x, y]), lambda: xp.where(x > 0, x, y)):
        with pytest.raises(xg.MixedBackendsError) as caught:
            call()
        assert backend.name in str(caught.value)
        assert other.name in str(caught.value)


def test_an_array_of_the_backend_is_lifted(backend, xp):
    array = raw(backend, [1.0, 2.0])
    y = make(xp, [3.0, 4.0], requires_grad=True)
    for z in (y * array, xp.multiply(array, y), xp.where(y > 0, array * 1.0, y)):
        assert isinstance(z, xg.Tensor)


# --- what comes out ---------------------------------------------------------------------------------------


REDUCTIONS = ["sum", "mean", "prod", "max", "min", "std", "var", "logsumexp", "all", "any"]


@pytest.mark.parametrize("name", [*REDUCTIONS, "argmax", "argmin", "count_nonzero"])
def test_reductions_give_0d_tensors(backend, xp, name):
    x = make(xp, [True, False] if name in ("all", "any") else [1.0, 3.0])
    y = getattr(xp, name)(x)
    assert isinstance(y, xg.Tensor)
    assert y.shape == ()
    assert backend.owns(y.data)
    again = y[()]
    assert backend.owns(again.data)


def test_arithmetic_of_0d_tensors_stays_on_the_backend(xp):
    x = make(xp, 2.0, requires_grad=True)
    y = xp.sin(x * x + 1.0) / x
    assert_matches(y.detach(), np.sin(5.0) / 2, xp=xp)
    y.backward()
    assert_matches(x.grad, 2 * np.cos(5.0) - np.sin(5.0) / 4, xp=xp)


def test_an_index_out_of_range_raises(backend, xp):
    if backend.name == "cupy":
        pytest.skip("CuPy wraps indices")
    x = make(xp, [1.0, 2.0, 3.0])
    with pytest.raises(IndexError):
        x[3]
    if backend.checks_indices:
        with pytest.raises(IndexError):
            xp.take(x, make(xp, [0, 3]))


def test_the_users_torch_tensors_are_left_alone():
    torch = pytest.importorskip("torch")
    with xg.use_backend("torch"):
        theirs = torch.tensor([1.0, 2.0], requires_grad=True)
        ours = xg.asarray(theirs, requires_grad=True)
        xg.sum(ours * ours + theirs).backward()
    assert theirs.requires_grad
    assert theirs.grad is None
    assert theirs.tolist() == [1.0, 2.0]
    assert not ours.data.requires_grad
    assert to_numpy(ours.grad).tolist() == [2.0, 4.0]


# --- threads ----------------------------------------------------------------------------------------------


def test_first_use_is_safe_under_threads(xp):
    """Many threads meet operations and namespaces for the first time at once."""
    start, wrong = threading.Barrier(8), []

    def work():
        start.wait()
        try:
            g = xg.grad(lambda x: xp.sum(xp.sin(x) * xp.exp(x)))(make(xp, [0.0, 0.5]))
            assert_matches(g, np.exp([0, 0.5]) * (np.sin([0, 0.5]) + np.cos([0, 0.5])), xp=xp)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
