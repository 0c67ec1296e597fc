"""Autocast: that values are those of half precision, that gradients arrive in the parameter's dtype, and where it holds."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, dtype_name, to_numpy
from xgrad import nn
from xgrad.amp import autocast
from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor

F = nn.functional
RNG = np.random.default_rng(0)
SINGLE = "float32"


def array(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.normal(size=shape).astype(np.float32)


def single(*shape: int) -> Any:
    return xg.asarray(array(*shape), requires_grad=True)


# --- values and gradients -----------------------------------------------------------------------------------------


def test_values_and_gradients_are_those_of_rounded_arguments(half):
    a, b = array(4, 5), array(5, 3)
    x, w = xg.asarray(a, requires_grad=True), xg.asarray(b, requires_grad=True)
    with autocast(half):
        loss = xg.sum((x @ w) ** 2)
    loss.backward()
    assert [dtype_name(t.dtype) for t in (loss, x.grad, w.grad)] == [SINGLE] * 3

    def rounded(values: Any) -> Any:
        return to_numpy(xg.asarray(np.asarray(values, np.float32)).astype(half).astype(SINGLE))

    ra, rb = rounded(a), rounded(b)
    y = rounded(ra @ rb)
    g = rounded(2 * y)  # the gradient in the dtype of the product
    tolerance = 2e-3 if half == "float16" else 2e-2
    assert_close(to_numpy(loss), np.sum(y.astype(np.float64) ** 2), tolerance)
    assert_close(to_numpy(w.grad), ra.T @ g, tolerance)
    assert_close(to_numpy(x.grad), g @ rb.T, tolerance)


def test_the_master_weights_keep_small_updates(half):
    w = xg.asarray([[1.0]], dtype=SINGLE, requires_grad=True)
    optimizer = xg.optim.SGD([w], lr=1e-4)
    x = xg.ones((1, 1), dtype=SINGLE)
    for _ in range(10):
        optimizer.zero_grad()
        with autocast(half):
            loss = xg.sum(x @ w)
        loss.backward()
        optimizer.step()
    assert w.item() == pytest.approx(1 - 1e-3, abs=1e-6)  # each update alone is lost in half precision


def test_a_parameter_of_float64_is_lowered_too(half, xp):
    w = xp.asarray(array(2, 2).astype(np.float64), requires_grad=True)
    with autocast(half):
        y = w @ w
    assert dtype_name(y.dtype) == half
    xg.sum(y).backward()
    assert dtype_name(w.grad.dtype) == "float64"


def test_a_gradient_of_a_gradient(half):
    x = xg.asarray(array(3, 3))

    def f(x: Any) -> Any:
        with autocast(half):
            return xg.sum((x @ x) ** 2)

    outer = xg.grad(lambda x: xg.sum(xg.grad(f)(x) ** 2))(x)
    plain = xg.grad(lambda x: xg.sum(xg.grad(lambda x: xg.sum((x @ x) ** 2))(x) ** 2))(x)
    assert dtype_name(outer.dtype) == SINGLE
    assert_close(to_numpy(outer), to_numpy(plain), 2e-2 if half == "float16" else 0.2)


def test_a_recorded_reverse_pass_inside_of_the_block_casts_nothing(half):
    x = xg.asarray(np.eye(3, dtype=np.float32) + 0.1 * array(3, 3))
    f = xg.grad(lambda x: xg.sum(xg.grad(lambda x: xg.sum(xg.linalg.inv(x)))(x) ** 2))  # its rules multiply matrices
    with autocast(half):
        inside = f(x)
    np.testing.assert_array_equal(to_numpy(inside), to_numpy(f(x)))


def test_vmap_and_forward_mode(half):
    xs, w = xg.asarray(array(4, 3)), xg.asarray(array(3, 2))
    with autocast(half):
        y = xg.vmap(lambda x: x @ w)(xs)
        together = xs @ w
        _, tangent = xg.jvp(lambda w: xs @ w, (w,), (w,))
    assert dtype_name(y.dtype) == dtype_name(tangent.dtype) == half
    assert_close(to_numpy(y.astype(SINGLE)), to_numpy(together.astype(SINGLE)), 1e-2)
    assert_close(to_numpy(tangent.astype(SINGLE)), to_numpy(together.astype(SINGLE)), 1e-2)


def test_a_checkpoint_runs_again_as_it_ran(half):
    x, w = single(4, 3), single(3, 3)
    seen: list[str] = []

    def block(x: Any) -> Any:
        y = xg.tanh(x @ w)
        seen.append(dtype_name(y.dtype))
        return y

    with autocast(half):
        xg.sum(xg.checkpoint(block)(x)).backward()
        inside, x.grad, w.grad = (to_numpy(x.grad), to_numpy(w.grad)), None, None
        loss = xg.sum(xg.checkpoint(block)(x))
    loss.backward()  # after the block
    assert seen == [half] * 4
    for found, want in zip((x.grad, w.grad), inside, strict=True):
        np.testing.assert_array_equal(to_numpy(found), want)

    with autocast(half), autocast(half, enabled=False):
        loss = xg.sum(xg.checkpoint(block)(x))
    with autocast(half):
        loss.backward()
    assert seen[-2:] == [SINGLE] * 2


def test_a_primitive_computes_in_the_dtypes_that_it_was_written_for(half):
    @xg.primitive
    def product(x, w):
        return x @ w

    product.defvjp(lambda g, y, x, w: g @ w.T, lambda g, y, x, w: x.T @ g)
    x, w = single(4, 3), single(3, 2)
    with autocast(half):
        y = product(x, w)
        xg.sum(y).backward()
    assert dtype_name(y.dtype) == dtype_name(w.grad.dtype) == SINGLE


# --- where it holds -------------------------------------------------------------------------------------------------


def dtype_here() -> str:
    return dtype_name((xg.ones((1, 1), dtype=SINGLE) @ xg.ones((1, 1), dtype=SINGLE)).dtype)


@pytest.fixture
def sixteen(backend):
    if not backend.has_dtype("float16"):
        pytest.skip(f"{backend.name} has no float16")


@pytest.mark.usefixtures("sixteen")
def test_blocks_may_be_nested_and_turned_off():
    block = autocast()
    with block:
        assert dtype_here() == "float16"
        with autocast(enabled=False):
            assert dtype_here() == SINGLE
            assert not xg.amp.is_autocast_enabled()
            assert xg.amp.get_autocast_dtype() is None
            with block:  # the same object again
                assert dtype_here() == "float16"
                assert xg.amp.is_autocast_enabled()
                assert xg.amp.get_autocast_dtype() == "float16"
            assert dtype_here() == SINGLE
        assert dtype_here() == "float16"
    assert dtype_here() == SINGLE


@pytest.mark.usefixtures("sixteen")
def test_it_decorates_functions():
    @autocast()
    def inside() -> str:
        return dtype_here()

    assert inside() == "float16"
    assert dtype_here() == SINGLE


@pytest.mark.usefixtures("sixteen")
def test_an_error_ends_the_block():
    with pytest.raises(ValueError, match="matmul"), autocast():
        xg.ones((2, 3), dtype=SINGLE) @ xg.ones((2, 3), dtype=SINGLE)
    assert dtype_here() == SINGLE
    assert Tensor in plain_types  # the fast path is on again


@pytest.mark.usefixtures("sixteen")
def test_it_holds_for_one_thread_and_one_task(backend):
    found = []

    def other() -> None:
        with xg.use_backend(backend.name, backend.device_name):
            found.append(dtype_here())

    with autocast():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert dtype_here() == "float16"
    assert found == [SINGLE]

    async def late(started: asyncio.Event) -> str:
        started.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return dtype_here()  # the block in which the task was started has ended

    async def both() -> str:
        started = asyncio.Event()
        with autocast():
            task = asyncio.create_task(late(started))
            await started.wait()
        with autocast():  # a block of this task, not of the other one
            return await task

    assert asyncio.run(both()) == SINGLE


@pytest.mark.usefixtures("sixteen")
def test_modules_that_are_first_imported_in_a_block_take_no_fast_path():
    from xgrad.engine import plain

    class Kind(Tensor):
        __slots__ = ()

    with autocast():
        plain.add(Kind)
        assert not plain_types
    assert Kind in plain_types
    plain_types.discard(Kind)


# --- arguments --------------------------------------------------------------------------------------------------------


def test_the_dtype_may_be_an_object_of_a_library(backend, half):
    for dtype in (half, getattr(xg, half), getattr(backend.library, half)):
        with autocast(dtype):
            assert dtype_here() == half


@pytest.mark.parametrize("dtype", [np.float32, "float64", "int16", None])
def test_another_dtype_is_an_error(dtype):
    with pytest.raises(TypeError, match=r"dtype must be one of float16, bfloat16, got"):
        autocast(dtype)


def test_pytorchs_first_argument_is_an_error_that_says_so():
    with pytest.raises(TypeError, match=r"the first argument is the dtype, not the device 'cuda'"):
        autocast("cuda")


def test_a_library_without_the_dtype_is_an_error_that_names_those_with_it(backend):
    lacking = [name for name in ("float16", "bfloat16") if not backend.has_dtype(name)]
    for name in lacking:
        with autocast(name), pytest.raises(xg.BackendError, match=rf"autocast: .* has no {name}.*torch, jax"):
            dtype_here()
        with pytest.raises(AttributeError, match=rf"has no {name}.*torch, jax"):
            getattr(xg, name)
        assert not hasattr(xg.get_backend().view, name)


def test_numpy_without_ml_dtypes_says_what_to_install(monkeypatch):
    from xgrad.backends import numpy_halves

    def missing(name: str) -> Any:
        raise ImportError(name)

    with xg.use_backend("numpy"):
        library = numpy_halves.Library()
        monkeypatch.setattr(numpy_halves, "import_module", missing)
        assert not hasattr(library, "bfloat16")
        monkeypatch.setattr(xg.get_backend(), "library", library)
        with autocast("bfloat16"), pytest.raises(xg.BackendError, match=r'pip install "xgrad\[half\]"'):
            dtype_here()
