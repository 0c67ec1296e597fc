"""Tests that need a CUDA device. `pytest -m gpu` runs them; without a device they are skipped, with a reason.

`python -m bench.gpu` runs it with all the rest. None of it has been run on a device yet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from tests.support.cupy_traffic import counted
from tests.support.training import OPTIMIZERS_BY_OPTION, PAIRS, stepper
from xgrad import nn, optim
from xgrad.backends import BackendError, load, usable
from xgrad.engine.arguments import MixedBackendsError

pytestmark = pytest.mark.gpu


@pytest.fixture
def cupy() -> Iterator[Any]:
    """CuPy, with its backend current while the test runs."""
    try:
        usable("cupy")
    except BackendError as error:
        pytest.skip(str(error))
    import cupy

    with xg.use_backend("cupy"):
        yield cupy


def network(dtype: Any) -> tuple[nn.Module, xg.Tensor, xg.Tensor]:
    rng = xg.random.Generator(0)
    x = rng.normal((64, 3), dtype=dtype)
    model = nn.Sequential(
        nn.Linear(3, 16, rng=rng, dtype=dtype), nn.ReLU(), nn.Linear(16, 16, rng=rng, dtype=dtype), nn.Sigmoid(),
        nn.Linear(16, 1, rng=rng, dtype=dtype),
    )  # fmt: skip
    return model, x, xg.sum(xg.sin(x), axis=1, keepdims=True)


def train(dtype_name: str, steps: int, make_optimizer: Callable[..., Any] = optim.Adam, **options: Any) -> list[Any]:
    model, x, y = network(getattr(xg, dtype_name))
    optimizer = make_optimizer(model.parameters(), lr=0.01, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return [to_numpy(p) for p in model.parameters()]


# --- the same answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-9), ("float32", 1e-3)])
def test_training_matches_the_host(cupy, dtype, rtol):
    there = train(dtype, 50)
    with xg.use_backend("numpy"):
        here = train(dtype, 50)
    for got, want in zip(there, here, strict=True):
        assert_close(got, want, rtol)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS_BY_OPTION)
def test_an_update_in_one_kernel_matches_the_host(cupy, name, options):
    there = train("float64", 5, getattr(optim, name), **options)
    with xg.use_backend("numpy"):
        here = train("float64", 5, getattr(optim, name), **options)
    for got, want in zip(there, here, strict=True):
        assert_close(got, want, 1e-11)


def test_an_update_leaves_alone_what_others_hold(cupy):
    p = xg.asarray(np.ones(4), requires_grad=True)
    held, before = p.data, to_numpy(p)
    p.grad = xg.asarray(np.ones(4))
    optim.Adam([p], lr=0.1).step()
    np.testing.assert_array_equal(to_numpy(held), before)
    np.testing.assert_array_equal(to_numpy(p.grad), 1.0)
    assert (to_numpy(p) != before).all()


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "leaky_relu", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_kernel_gives_what_the_composition_gives(cupy, name, dtype):
    values = np.array([-1e4, -20.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 20.0, 1e4], dtype=dtype)
    there = to_numpy(getattr(xg, name)(xg.asarray(values)))
    with xg.use_backend("numpy"):
        here = to_numpy(getattr(xg, name)(xg.asarray(values)))
    assert there.dtype == here.dtype
    np.testing.assert_allclose(there, here, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_repeated_indices_accumulate(cupy, dtype):
    x = xg.asarray(np.zeros(4, dtype=dtype), requires_grad=True)
    y = xg.sum(x[xg.asarray(np.array([1, 1, 3]))])
    y.backward(xg.ones_like(y))
    assert to_numpy(x.grad).tolist() == [0.0, 2.0, 0.0, 1.0]


def test_the_last_value_written_to_a_place_stays(cupy):
    n = 100_000
    places, values = np.arange(n) % 7, np.arange(n, dtype=np.float64)
    v = xg.asarray(values, requires_grad=True)
    x = xg.zeros((7,))
    x[xg.asarray(places)] = v
    want = np.zeros(7)
    want[places] = values
    np.testing.assert_array_equal(to_numpy(x), want)
    xg.sum(x).backward()
    g = to_numpy(v.grad)
    np.testing.assert_array_equal(g[-7:], 1.0)
    assert g.sum() == 7


def test_python_numbers_are_weak_and_reductions_are_arrays(cupy):
    x = xg.asarray(np.ones((2, 3), dtype=np.float32), requires_grad=True)
    for y in (x * 2, 2.5 * x, x + 1, x**2, 1 - x, x / 3, xg.where(x > 0, x, 0.0), xg.clip(x, 0, 1), xg.maximum(x, 0.5)):
        assert y.dtype == xg.float32
    for y in (xg.sum(x), xg.mean(x), xg.max(x), xg.std(x), xg.sum(x) * 2, -xg.sum(x)):
        assert isinstance(y.data, cupy.ndarray)
        assert (y.shape, y.dtype) == ((), xg.float32)
    (xg.sum(x) * xg.mean(x)).backward()
    assert x.grad is not None
    assert x.grad.dtype == xg.float32


def test_tf32_is_off(cupy):
    """In TF32 a product keeps 10 bits of each factor: it would be wrong in the fourth digit."""
    a = np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    got = to_numpy(xg.asarray(a) @ xg.asarray(a))
    want = a.astype(np.float64) @ a.astype(np.float64)
    assert float(np.abs(got - want).max() / np.abs(want).max()) < 1e-5


@pytest.mark.parametrize("index", [4, -5])
def test_an_index_out_of_range_raises_under_debug(cupy, index):
    x, i = xg.asarray(np.zeros(4)), xg.asarray(np.array([0, index]))
    with xg.debug():
        for read in (
            lambda: x[i],
            lambda: xg.take(x, i),
            lambda: xg.take_along_axis(x, i),
            lambda: xg.scatter(i, i, (4,)),
        ):
            with pytest.raises(IndexError):
                read()
        with pytest.raises(IndexError):
            x[i] = 1.0


# --- the same bits ----------------------------------------------------------------------------------------


def test_runs_are_bit_identical_under_use_deterministic(cupy):
    rng = np.random.default_rng(0)
    values, places = rng.standard_normal(200_000).astype(np.float32), rng.integers(0, 17, 200_000)

    def run() -> bytes:
        x = xg.asarray(values, requires_grad=True)
        i = xg.asarray(places)
        added = xg.at(xg.zeros((17,), dtype=xg.float32), i).add(x)
        table = xg.asarray(values[:17], requires_grad=True)
        xg.sum(table[i] * x.detach() + xg.take(table, i) + xg.cumulative_sum(x.detach())).backward()
        return b"".join(to_numpy(a).tobytes() for a in (added, table.grad))

    with xg.use_deterministic(True):
        assert len({run() for _ in range(5)}) == 1


# --- no traffic -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "name"), PAIRS)
def test_a_step_moves_nothing_and_waits_for_nothing(cupy, loss, name):
    step = stepper(loss, name)
    step()  # compiles kernels
    step()
    with counted() as traffic:
        step()
    assert not traffic.seen


@pytest.mark.parametrize(
    "leak",
    [
        lambda x: float(xg.sum(x)),
        lambda x: xg.sum(x).item(),
        lambda x: x.numpy(),
        lambda x: repr(x),
        lambda x: bool(xg.any(x > 0)),
        lambda x: x[x > 0],
        lambda x: xg.nonzero(x),
        lambda x: xg.asarray(np.ones(3)),
    ],
)
def test_what_is_traffic_is_counted(cupy, leak):
    x = xg.asarray(np.ones(4))
    leak(x)
    with counted() as traffic:
        leak(x)
    assert traffic.seen


# --- NumPy arrays are host data ---------------------------------------------------------------------------


def test_numpy_arrays_move_to_the_tensors_they_meet(cupy):
    """Operands, keys, values that are written, cotangents, and arguments of transforms."""
    a, index, mask = np.arange(6.0).reshape(2, 3), np.array([1, 0]), np.array([True, False])
    x = xg.asarray(a + 1, requires_grad=True)
    with xg.use_backend("numpy"):
        for y in (
            x * a,
            a * x,
            a @ x.T,
            x[index],
            x[mask],
            xg.where(a > 1, x, a),
            xg.grad(lambda x, b: xg.sum(x * b))(x, a),
        ):
            assert isinstance(y.data, cupy.ndarray)
        z = x * 1.0
        z[0] = np.ones(3)
        z += a
        (z * x).backward(np.full((2, 3), 2.0))
    want = 2 * np.vstack([1 + a[0], 2 * (a[1] + 1) + a[1]])
    assert_close(to_numpy(x.grad), want, 1e-12)


def test_alone_they_go_to_the_device(cupy):
    a = np.arange(3.0)
    for y in (xg.sin(a), xg.grad(lambda x: xg.sum(x * a))(a), xg.vmap(xg.sin)(a), nn.Parameter(a)):
        assert isinstance(y.data, cupy.ndarray)
        assert y.dtype == np.float64


def test_each_move_is_one_copy_through_pinned_memory(cupy):
    """CuPy copies through its pool of pinned memory, on the current stream."""
    x, a = xg.asarray(np.ones(1000)), np.ones(1000)
    x * a
    with counted() as traffic:
        x * a
    assert traffic.seen == ["a copy from the host"]
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        y = x * np.arange(1000.0)
    stream.synchronize()
    np.testing.assert_array_equal(to_numpy(y), np.arange(1000.0))


def test_the_guard_finds_a_move_in_a_step(cupy):
    model, x, y = network(xg.float32)
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x: Any) -> None:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()

    with xg.transfer_guard("error"):
        step(x)
        with pytest.raises(xg.TransferError, match=r"moves to Backend\(cupy, .*test_gpu\.py, line"):
            step(to_numpy(x))


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_the_default_dtype_is_the_hosts(cupy, name):
    xg.set_default_dtype(name)
    try:
        for made in (xg.asarray([0.5]), xg.zeros(2), xg.random.Generator(0).normal((2,)), nn.Linear(2, 2).weight):
            assert made.dtype == np.dtype(name)
        assert xg.sqrt(xg.asarray([1, 2])).dtype == (xg.asarray([1, 2]) / 2).dtype == np.dtype(name)
    finally:
        xg.set_default_dtype(None)


# --- streams ----------------------------------------------------------------------------------------------


def test_an_array_made_on_one_stream_is_used_on_another(cupy):
    a, b = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Stream(non_blocking=True)
    with a:
        x = xg.asarray(cupy.ones((1000, 1000)), requires_grad=True)
        y = x @ x
        done = a.record()
    with b:
        b.wait_event(done)
        xg.sum(y).backward()
    b.synchronize()
    np.testing.assert_array_equal(to_numpy(x.grad), 2000.0)


def test_backward_on_another_stream_needs_no_event(cupy):
    """Ordinary streams: backward waits for forward, and what backward gives back is not written to before it is done."""
    a, b = cupy.cuda.Stream(), cupy.cuda.Stream()
    for _ in range(20):
        with a:
            x = xg.asarray(cupy.ones((1500, 1500)), requires_grad=True)
            y = x
            for _ in range(4):
                y = xg.tanh(y) @ x * 1e-3
        with b:
            xg.sum(y).backward()
        with a:
            for _ in range(4):
                cupy.full((1500, 1500), cupy.nan)  # takes the memory that backward gave back
        cupy.cuda.Device().synchronize()
        assert np.isfinite(to_numpy(x.grad)).all()


# --- memory -----------------------------------------------------------------------------------------------


def test_out_of_memory_says_how_much_there_is_and_can_be_tried_again(cupy):
    pool = cupy.get_default_memory_pool()
    w = xg.asarray(cupy.ones((1000, 1000), dtype="float32"), requires_grad=True)
    optimizer = optim.Adam([w])

    def step() -> None:
        optimizer.zero_grad()
        xg.sum(xg.sigmoid(w @ w)).backward()
        optimizer.step()

    step()
    before = to_numpy(w)
    pool.free_all_blocks()
    pool.set_limit(size=pool.used_bytes() + 3 * w.data.nbytes)
    try:
        with pytest.raises(
            MemoryError, match=r"bytes.*CuPy's pool holds [\d,]+ bytes, of which [\d,]+ are in use.*free"
        ):
            step()
        np.testing.assert_array_equal(to_numpy(w), before)
    finally:
        pool.set_limit(size=0)
    step()
    assert (to_numpy(w) != before).any()


# --- devices ----------------------------------------------------------------------------------------------


def test_a_device_that_is_not_there_is_an_error(cupy):
    there = cupy.cuda.runtime.getDeviceCount()
    with pytest.raises(BackendError, match=f"no device '{there}'"):
        load("cupy", there)


def test_auto_takes_the_device(cupy, capsys):
    assert load("auto").name == "cupy"
    assert "took cupy" in capsys.readouterr().err


@pytest.fixture
def two(cupy) -> tuple[Any, Any]:
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("needs two CUDA devices")
    return load("cupy", 0), load("cupy", 1)


def test_training_on_the_second_device(two):
    with xg.use_backend("cupy", device=1):
        there = train("float64", 10)
    with xg.use_backend("cupy", device=0):
        here = train("float64", 10)
    for got, want in zip(there, here, strict=True):
        assert_close(got, want, 1e-11)


def test_an_operation_runs_where_its_arrays_are(two):
    with xg.use_backend("cupy", device=1):
        x = xg.asarray(np.ones(3), requires_grad=True)

    def work() -> None:
        y = xg.sum(xg.exp(x) * x)
        y.backward()
        assert y.data.device.id == 1
        assert x.grad is not None
        assert x.grad.data.device.id == 1

    with xg.use_backend("cupy", device=0):
        work()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_two_devices_in_one_operation_are_an_error(two):
    with xg.use_backend("cupy", device=0):
        a = xg.asarray(np.ones(3))
    with xg.use_backend("cupy", device=1):
        b = xg.asarray(np.ones(3))
    with pytest.raises(MixedBackendsError, match=r"cupy, 0.*cupy, 1"):
        a + b
