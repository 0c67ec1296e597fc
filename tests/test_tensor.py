"""The tensor as an object: its leaves and gradients, its numbers, copies of it, and what it refuses to become."""

from __future__ import annotations

import copy
import operator
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw, to_numpy

# --- what it says of itself -----------------------------------------------------------------------


def test_attributes(backend, xp):
    x = make(xp, [[1.0, 2.0, 3.0]], "float32", requires_grad=True)
    assert (x.shape, x.ndim, x.size) == ((1, 3), 2, 3)
    assert type(x.shape) is tuple
    assert xp.isdtype(x.dtype, xp.float32)
    assert x.device == backend.device
    assert x.backend is backend
    assert backend.owns(x.data)
    assert x.__array_namespace__() is xp
    assert x.T.shape == x.mT.shape == (3, 1)
    assert len(x) == 1


def test_repr_says_where_it_is(backend, xp):
    x = make(xp, [1.0, 2.5], requires_grad=True)
    text = repr(x)
    assert text.startswith("Tensor([1. , 2.5]")
    assert f"backend='{backend.name}', device='{backend.device_name}'" in text
    assert "requires_grad=True" in text
    assert "requires_grad" not in repr(x.detach())
    assert len(repr(make(xp, np.zeros(100_000)))) < 300
    assert repr(make(xp, 1 + 2j)).startswith("ComplexTensor(")


def test_the_raw_array_is_always_an_array(backend, xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    zero_d = (xp.sum(x), xp.max(x), x[0], x[0] * 2.0, x[0] * x[1], -x[0], xp.matmul(x, x), xp.vecdot(x, x))
    for y in (*zero_d, xp.exp(xp.sum(x)), xp.all(x > 0), xp.argmax(x)):
        assert backend.owns(y.data)
        assert y.shape == ()


def test_data_must_be_of_the_backend(backend, xp):
    x = make(xp, [1.0, 2.0])
    for wrong in ([1.0, 2.0], 1.0, "values"):
        with pytest.raises(TypeError, match=backend.name):
            x.data = wrong
    x.data = raw(backend, [3.0])
    assert_matches(x * x, [9.0], xp=xp)


def test_hash_is_by_identity(xp):
    x, y = make(xp, [1.0]), make(xp, [1.0])
    assert hash(x) != hash(y)
    assert {x: 1, y: 2}[x] == 1
    assert len({x, y, x}) == 2
    assert weakref.ref(x)() is x


# --- leaves ---------------------------------------------------------------------------------------


def test_requires_grad_both_ways(xp):
    x = make(xp, [1.0, 2.0])
    assert not x.requires_grad
    assert x.is_leaf
    assert (x * x).is_leaf  # nothing was recorded
    assert x.requires_grad_() is x
    assert x.requires_grad
    y = x * x
    assert not y.is_leaf
    xp.sum(y).backward()
    assert_matches(x.grad, [2.0, 4.0], xp=xp)
    x.requires_grad = False
    assert not (x * x).requires_grad
    with pytest.raises(RuntimeError, match="detach"):
        y.requires_grad_(False)
    assert y.requires_grad_() is y


def test_a_parameter_that_is_frozen_for_a_while(xp):
    """It keeps its gradient, and what a graph from before has for it still arrives."""
    w, v = make(xp, [1.0, 2.0], requires_grad=True), make(xp, [3.0, 4.0], requires_grad=True)
    before = xp.sum(w * w)
    w.grad = make(xp, [1.0, 1.0])
    w.requires_grad_(False)
    assert_matches(w.grad, [1.0, 1.0], xp=xp)
    xp.sum(w * v).backward()
    assert_matches(v.grad, [1.0, 2.0], xp=xp)
    assert_matches(w.grad, [1.0, 1.0], xp=xp)
    w.requires_grad_(True)
    before.backward()
    xp.sum(w * v).backward()
    assert_matches(w.grad, [6.0, 9.0], xp=xp)


@pytest.mark.parametrize("dtype", ["int64", "int8", "bool"])
def test_integers_have_no_gradient(xp, dtype):
    x = make(xp, [1, 0], dtype)
    for ask in (x.requires_grad_, lambda: xp.asarray(x, requires_grad=True), lambda: xg.grad(xp.sum)(x)):
        with pytest.raises(TypeError, match=rf"{dtype}.*floating"):
            ask()
    assert not x.requires_grad


def test_detach(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x.detach()
    assert y.data is x.data
    assert not y.requires_grad
    xp.sum(x * x.detach()).backward()
    assert_matches(x.grad, [1.0, 2.0], xp=xp)


def test_asarray_keeps_the_graph(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    assert xp.asarray(x) is x
    assert xp.asarray(x, requires_grad=False) is x
    copied = xp.asarray(x, copy=True)
    assert copied.data is not x.data
    xp.sum(copied * copied + xp.asarray(x, dtype=xp.float32)).backward()
    assert_matches(x.grad, [3.0, 5.0], xp=xp)
    stacked = xp.asarray([[x[0], 5.0], [x[1], x[0]]])
    x.grad = None
    xp.sum(stacked * make(xp, [[1.0, 2.0], [3.0, 4.0]])).backward()
    assert_matches(x.grad, [5.0, 3.0], xp=xp)


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "complex128"])
def test_a_copy_is_one(backend, xp, dtype):
    x = make(xp, [1, 0], dtype)
    y = xp.asarray(x, copy=True)
    assert_matches(y, np.asarray([1, 0], dtype), xp=xp, rtol=0)
    if backend.name == "torch":
        assert y.data.data_ptr() != x.data.data_ptr()
    elif backend.name == "numpy":
        assert not np.shares_memory(x.data, y.data)


# --- .grad ----------------------------------------------------------------------------------------


def test_grad_can_be_set(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    assert x.grad is None
    x.grad = g = make(xp, [5.0, 6.0])
    assert x.grad is g
    xp.sum(x * x).backward()
    assert_matches(x.grad, [7.0, 10.0], xp=xp)
    assert_matches(g, [5.0, 6.0], xp=xp)
    x.grad = None
    assert x.grad is None


def test_grad_must_fit(backend, xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    cases: list[tuple[Any, type[Exception]]] = [
        (make(xp, [1.0]), ValueError),
        (make(xp, [1.0, 2.0], "float32"), ValueError),
        (raw(backend, [1.0, 2.0]), TypeError),
        (1.0, TypeError),
        ([1.0, 2.0], TypeError),
    ]
    for wrong, error in cases:
        with pytest.raises(error, match="grad"):
            x.grad = wrong
    assert x.grad is None
    for t in (x.detach(), x * x):
        t.grad = None
        with pytest.raises(RuntimeError, match="leaf"):
            t.grad = make(xp, [1.0, 2.0])


def test_grad_has_the_shape_dtype_and_device_of_its_tensor(xp):
    for shape in ((), (1,), (2, 0), (1, 3)):
        for dtype in ("float32", "float64"):
            x = make(xp, np.ones(shape), dtype, requires_grad=True)
            y = x * 2.0 + make(xp, np.ones((4, *shape)))
            xp.sum(y).backward()
            assert_matches(x.grad, np.full(shape, 8.0, dtype), xp=xp)


# --- numbers out of it ----------------------------------------------------------------------------


def test_item_and_numpy(xp):
    x = make(xp, [[2.5]])
    assert x.item() == 2.5
    assert type(x.item()) is float
    assert make(xp, 3).item() == 3
    assert make(xp, True).item() is True
    for size in (0, 2):
        with pytest.raises(ValueError, match=f"{size} elements"):
            make(xp, np.ones(size)).item()
    host = x.numpy()
    assert type(host) is np.ndarray
    host[0, 0] = 7.0
    assert x.item() == 2.5


def test_numbers_from_0d_tensors(xp):
    assert float(make(xp, 2.5)) == 2.5
    assert int(make(xp, 2)) == 2
    assert complex(make(xp, 2.5)) == 2.5 + 0j
    assert bool(make(xp, 2.5)) is True
    assert bool(make(xp, False)) is False
    assert operator.index(make(xp, 2)) == 2
    assert [10, 20, 30][make(xp, 1)] == 20
    assert list(range(make(xp, 3))) == [0, 1, 2]


@pytest.mark.parametrize("kind", [float, int, complex, bool])
@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0], []])
def test_other_tensors_are_not_numbers(xp, kind, values):
    with pytest.raises(TypeError, match=r"shape \("):
        kind(make(xp, values))


@pytest.mark.parametrize("values", [1.0, True, [1]])
def test_what_is_not_an_index(xp, values):
    with pytest.raises(TypeError, match="index"):
        operator.index(make(xp, values))


@pytest.mark.parametrize("kind", [float, int, complex])
def test_a_number_that_loses_a_gradient_warns_where_it_is_taken(xp, kind):
    x = make(xp, 2.0, requires_grad=True)
    with pytest.warns(UserWarning, match=kind.__name__) as caught:
        assert kind(x) == 2
    assert caught[0].filename == __file__
    with xg.no_grad():
        kind(x)
    assert x.item() == 2.0
    assert bool(x) is True


# --- a sequence -----------------------------------------------------------------------------------


def test_iteration_and_length(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    assert len(x) == 3
    a, b, c = x
    xp.sum(a * b * c).backward()
    assert_matches(x.grad, [[15, 24.0], [5, 12], [3, 8]], xp=xp)
    assert [t.shape for t in make(xp, [1.0, 2.0])] == [(), ()]
    for ask in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            ask(make(xp, 1.0))


# --- copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
def test_copies(xp, make_copy, dtype):
    x = make(xp, [[1, 2, 3]], dtype, requires_grad=dtype != "int64")
    if x.requires_grad:
        x.grad = make(xp, [[4, 5, 6]], dtype)
    y = make_copy(x)
    assert type(y) is type(x)
    assert_matches(y, np.asarray([[1, 2, 3]], dtype), xp=xp, rtol=0)
    assert y.data is not x.data
    assert y.requires_grad == x.requires_grad
    if not x.requires_grad:
        return
    assert_matches(y.grad, np.asarray([[4, 5, 6]], dtype), xp=xp, rtol=0)
    xp.sum(xp.abs(y)).backward()
    assert_matches(x.grad, np.asarray([[4, 5, 6]], dtype), xp=xp, rtol=0)


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_computed_tensor_is_computed_from_it(xp, make_copy):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x * 3.0
    z = make_copy(y)
    z[0] = 0.0
    assert_matches(y.detach(), [3.0, 6.0], xp=xp)
    xp.sum(z * z).backward()
    assert_matches(x.grad, [0.0, 36.0], xp=xp)
    assert_matches(xg.jvp(lambda x: make_copy(x * 3.0), (x,), (x,))[1].detach(), [3.0, 6.0], xp=xp)
    with xg.no_grad():
        assert not make_copy(y).requires_grad


def test_a_computed_tensor_is_pickled_as_its_values(xp):
    """Without how it was made, and without a gradient that it kept."""
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x * 2.0
    y.retain_grad()
    xp.sum(y).backward()
    loaded = pickle.loads(pickle.dumps(y))
    assert_matches(loaded, [2.0, 4.0], xp=xp)
    assert not loaded.requires_grad
    assert loaded.grad is None
    assert copy.deepcopy(y).requires_grad  # a copy is computed from it


def test_what_is_shared_stays_shared_in_a_deep_copy(xp):
    x = make(xp, [1.0], requires_grad=True)
    first, second, other = copy.deepcopy([x, x, x.detach()])
    assert first is second
    assert first is not other
    assert first is not x


# --- other libraries ------------------------------------------------------------------------------


def test_numpy_gets_no_copy_unasked(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    for ask in (
        np.asarray,
        np.array,
        lambda t: np.array([t[0], t[1]]),
        lambda t: np.array([t[0], t[1]], dtype=float),
    ):
        with pytest.raises(TypeError):
            ask(x)
    functions: list[Any] = [
        np.exp,
        lambda t: np.add(np.ones(2), t),
        lambda t: np.concatenate([t, t]),
        lambda t: np.where(True, t, t),
        lambda t: np.linspace(t[0], 1.0, 3),
        lambda t: np.multiply.outer(t, t),
    ]
    for function in functions:  # these are made of the namespace's functions, and give no copy
        assert function(x).requires_grad


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_numpy_on_the_left(operation):
    with xg.use_backend("numpy") as backend:
        xp = backend.view
        host = np.eye(2) + 1
        for left in (host, np.float64(2), np.float32(2), np.int64(2), host[0]):
            t = make(xp, host * 2, requires_grad=True)
            y = operation(left, t)
            assert type(y) is xg.Tensor
            assert_matches(y.detach(), np.broadcast_to(operation(left, host * 2), (2, 2)), xp=xp)
            g = xg.grad(lambda t, left=left: xp.sum(operation(xp.asarray(left, dtype=xp.float64), t)))(t.detach())
            xp.sum(y).backward()
            assert_matches(t.grad, to_numpy(g), xp=xp)
        assert all(isinstance(y, xg.Tensor) for y in (host @ t, host == t, host < t))
        with pytest.raises(TypeError, match="cannot keep the gradient"):
            host += t


def test_dlpack_with_numpy():
    with xg.use_backend("numpy"):
        host = np.arange(3.0)
        x = xg.from_dlpack(host)
        assert isinstance(x, xg.Tensor)
        assert np.shares_memory(x.data, host)
        assert np.shares_memory(np.from_dlpack(x), host)
        assert xg.from_dlpack(x).numpy().tolist() == [0.0, 1.0, 2.0]
        with pytest.raises(xg.BackendError, match="no device 'mars'"):
            xg.from_dlpack(host, device="mars")


def test_dlpack_with_torch():
    torch = pytest.importorskip("torch")
    with xg.use_backend("torch"):
        theirs = torch.arange(3.0)
        x = xg.from_dlpack(theirs)
        assert x.data.data_ptr() == theirs.data_ptr()
        assert torch.from_dlpack(x).data_ptr() == theirs.data_ptr()
        assert np.from_dlpack(x).tolist() == [0.0, 1.0, 2.0]
    with xg.use_backend("numpy"):
        across = xg.from_dlpack(theirs)
        assert across.backend.name == "numpy"
        assert across.numpy().tolist() == [0.0, 1.0, 2.0]


def test_dlpack_loses_no_gradient(backend, xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    for ask in (lambda: x.__dlpack__(), lambda: np.from_dlpack(x), lambda: xp.from_dlpack(x)):
        with pytest.raises(BufferError, match="detach"):
            ask()
    if backend.name != "strict":  # its arrays do not go to the host so
        assert xp.from_dlpack(x.detach()).shape == (2,)


# --- retain_grad and writes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_kept_gradient_is_that_of_the_value_after_a_write(xp, create_graph):
    """As in PyTorch: in place or at a key, and what was kept before the write is added to."""
    x = make(xp, [1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2.0
    y.retain_grad()
    z = y * 5.0  # of the old value
    y[0] = 7.0
    y *= 10.0
    (xp.sum(y * y) + xp.sum(z)).backward(create_graph=create_graph)
    of_y: Any = y.grad
    of_x: Any = x.grad
    assert_matches(of_y.detach(), [140.0, 80.0, 120.0], xp=xp)
    assert_matches(of_x.detach(), [10.0, 1610.0, 2410.0], xp=xp)
    if create_graph:
        x.grad = None
        xp.sum(of_y).backward()
        assert_matches(x.grad, [0.0, 40.0, 40.0], xp=xp)


def test_a_kept_gradient_grows_across_a_write(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x * 2.0
    y.retain_grad()
    xp.sum(y).backward(retain_graph=True)
    y += 1.0
    xp.sum(y * 3.0).backward()
    assert_matches(y.grad, [4.0, 4.0], xp=xp)
    y.grad = None
    assert y.grad is None
