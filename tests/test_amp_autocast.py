"""Autocast: which results are in half precision, that gradients arrive in the parameter's dtype, and where it holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
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


@pytest.fixture(params=["float16", "bfloat16"])
def half(request, backend):
    if backend.name == "jax" and request.param == "float16":
        pytest.skip("JAX compiles each operation for each dtype, which takes long: it has bfloat16")
    if not backend.has_dtype(request.param):
        pytest.skip(f"{backend.name} has no {request.param}")
    return request.param


# What is tried on JAX, which compiles each operation: the casts themselves do not depend on the library.
ON_JAX = {
    "operator",
    "linear",
    "conv2d",
    "softmax",
    "sum",
    "cross_entropy",
    "layer_norm",
    "gelu",
    "a number",
    "interpolate",
}


@pytest.fixture
def kind(half, backend, name):
    """As `half`, for a function of that name."""
    if backend.name == "jax" and name not in ON_JAX:
        pytest.skip("it takes long on JAX")
    return half


def single(*shape: int) -> Any:
    return xg.asarray(array(*shape), requires_grad=True)


def lstm(x: Any) -> Any:
    return nn.LSTM(4, 3, dtype=SINGLE, rng=xg.random.Generator(0))(x)[0]


# --- which dtype a result has -----------------------------------------------------------------------------------

# Of float32 arguments: half precision.
PRODUCTS: dict[str, Callable[[], Any]] = {
    "operator": lambda: single(2, 3) @ single(3, 4),
    "batched": lambda: single(5, 2, 3) @ single(5, 3, 4),
    "vector": lambda: single(3) @ single(3, 4),
    "matmul": lambda: xg.matmul(single(2, 3), single(3, 4)),
    "tensordot": lambda: xg.tensordot(single(2, 3), single(3, 4), axes=1),
    "linear": lambda: F.linear(single(2, 3), single(4, 3), single(4)),
    "linear of a sequence": lambda: F.linear(single(5, 2, 3), single(4, 3)),
    "bilinear": lambda: F.bilinear(single(2, 3), single(2, 4), single(5, 3, 4), single(5)),
    "conv1d": lambda: F.conv1d(single(2, 3, 6), single(4, 3, 3), single(4)),
    "conv2d": lambda: F.conv2d(single(2, 3, 6, 6), single(4, 3, 3, 3), single(4), stride=2, padding=1),
    "conv_transpose1d": lambda: F.conv_transpose1d(single(2, 3, 6), single(3, 4, 3), single(4)),
    "prelu": lambda: F.prelu(single(2, 3), single(3)),
    "attention": lambda: F.scaled_dot_product_attention(single(2, 3, 4), single(2, 5, 4), single(2, 5, 4)),
    "attention with a mask": lambda: F.scaled_dot_product_attention(
        single(3, 4), single(5, 4), single(5, 4), xg.asarray(array(3, 5))
    ),
    "lstm": lambda: lstm(single(5, 2, 4)),
    "a NumPy array": lambda: xg.matmul(array(2, 3), single(3, 4)),
}

# Of arguments in half precision: float32.
RAISED: dict[str, Callable[[Any], Any]] = {
    "softmax": lambda x: xg.softmax(x),
    "log_softmax": lambda x: F.log_softmax(x, dim=1),
    "logsumexp": lambda x: xg.logsumexp(x),
    "exp": lambda x: xg.exp(x),
    "log": lambda x: xg.log(xg.abs(x) + 1),
    "pow": lambda x: x**3,
    "sum": lambda x: xg.sum(x),
    "prod": lambda x: xg.prod(x),
    "cumulative_sum": lambda x: xg.cumulative_sum(x, axis=1),
    "vector_norm": lambda x: xg.linalg.vector_norm(x),
    "inv": lambda x: xg.linalg.inv(x[:3, :] + 4 * xg.eye(3, dtype=x.dtype)),
    "mse_loss": lambda x: F.mse_loss(x, x * 0),
    "l1_loss, none": lambda x: F.l1_loss(x, x * 0, reduction="none"),
    "huber_loss": lambda x: F.huber_loss(x, x * 0),
    "cross_entropy": lambda x: F.cross_entropy(x, xg.asarray([0, 1, 2, 0])),
    "nll_loss, none": lambda x: F.nll_loss(x, xg.asarray([0, 1, 2, 0]), reduction="none"),
    "binary_cross_entropy": lambda x: F.binary_cross_entropy(xg.sigmoid(x), xg.sigmoid(x).detach()),
    "with logits": lambda x: F.binary_cross_entropy_with_logits(x, xg.sigmoid(x).detach()),
    "kl_div": lambda x: F.kl_div(x, xg.abs(x), reduction="sum"),
    "cosine_similarity": lambda x: F.cosine_similarity(x, x),
    "pairwise_distance": lambda x: F.pairwise_distance(x, x * 2),
    "layer_norm": lambda x: F.layer_norm(x, (3,)),
    "rms_norm": lambda x: F.rms_norm(x, (3,)),
    "group_norm": lambda x: F.group_norm(x, 1),
    "batch_norm": lambda x: F.batch_norm(x, None, None, training=True),
}

# Of half precision: the same.
KEPT: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: x + x,
    "a number": lambda x: 2.0 * x - 1,
    "tanh": lambda x: xg.tanh(x),
    "relu": lambda x: F.relu(x),
    "gelu": lambda x: F.gelu(x),
    "dropout": lambda x: F.dropout(x, 0.5, rng=xg.random.Generator(0)),
    "max": lambda x: xg.max(x),
    "mean": lambda x: xg.mean(x),
    "max_pool1d": lambda x: F.max_pool1d(x[None], 2),
    "reshape": lambda x: xg.reshape(x, (-1,)),
    "concat": lambda x: xg.concat([x, x]),
}

# Of float32: the same, although they are computed by matrix products.
UNCAST: dict[str, Callable[[], Any]] = {
    "adaptive_avg_pool1d": lambda: F.adaptive_avg_pool1d(single(2, 3, 7), 3),
    "interpolate": lambda: F.interpolate(single(2, 3, 7), size=4, mode="linear"),
    "embedding": lambda: F.embedding(xg.asarray([0, 1]), single(3, 4)),
    "embedding_bag": lambda: F.embedding_bag(xg.asarray([0, 1, 2]), single(3, 4), xg.asarray([0, 2])),
    "rsample": lambda: xg.distributions.MultivariateNormal(single(2), scale_tril=xg.eye(2, dtype=xg.float32)).rsample(
        (3,), rng=xg.random.Generator(0)
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_is_in_half_precision(kind, name):
    outside = PRODUCTS[name]()
    assert dtype_name(outside.dtype) == SINGLE
    with autocast(kind):
        assert dtype_name(PRODUCTS[name]().dtype) == kind


@pytest.mark.parametrize("name", RAISED)
def test_what_needs_range_is_in_float32(kind, name):
    with autocast(kind):
        assert dtype_name(RAISED[name](xg.asarray(array(4, 3)).astype(kind)).dtype) == SINGLE


@pytest.mark.parametrize("name", KEPT)
def test_all_else_takes_what_it_gets(kind, name):
    with autocast(kind):
        assert dtype_name(KEPT[name](xg.asarray(array(4, 3)).astype(kind)).dtype) == kind


@pytest.mark.parametrize("name", UNCAST)
def test_a_product_inside_of_another_function_is_not_cast(kind, name):
    with autocast(kind):
        assert dtype_name(UNCAST[name]().dtype) == SINGLE


def test_integers_and_complex_numbers_are_not_cast(half, xp):
    numbers = xp.asarray([[1, 2], [3, 4]])
    complexes = xp.asarray([[1j, 2.0]])
    with autocast(half):
        assert (numbers @ numbers).dtype == numbers.dtype
        assert (complexes @ complexes.T).dtype == complexes.dtype


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


# --- the lists ----------------------------------------------------------------------------------------------------------


TORCHS: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": lambda F, x: x @ x.T,
    "linear": lambda F, x: F.linear(x, x),
    "softmax": lambda F, x: F.softmax(x @ x.T, -1),
    "mse_loss": lambda F, x: F.mse_loss(x @ x.T, x @ x.T),
    "relu": lambda F, x: F.relu(x @ x.T),
    "gelu": lambda F, x: F.gelu(x @ x.T),
    "add": lambda F, x: x @ x.T + x,
    "attention": lambda F, x: F.scaled_dot_product_attention(x, x, x),
}


@pytest.mark.parametrize("name", TORCHS)
def test_results_have_the_dtypes_and_values_of_pytorch(name):
    torch = pytest.importorskip("torch")
    values = array(4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        want = TORCHS[name](torch.nn.functional, torch.asarray(values))
    with xg.use_backend("torch"):
        x = xg.asarray(torch.asarray(values))
        with autocast("bfloat16"):
            found = TORCHS[name](F, x)
    if name not in ("softmax", "mse_loss"):  # on a GPU PyTorch computes these in float32, and on a CPU it does not
        assert found.data.dtype == want.dtype
    np.testing.assert_allclose(found.data.float().numpy(), want.float().numpy(), rtol=2e-2, atol=2e-2)
