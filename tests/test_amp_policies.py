"""The lists of autocast: which functions give half precision, and which float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import dtype_name
from xgrad import nn
from xgrad.amp import autocast

F = nn.functional
RNG = np.random.default_rng(0)
SINGLE = "float32"


def array(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.normal(size=shape).astype(np.float32)


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
