"""Layers and activations: their values, their gradients, and how Linear draws its weights."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn
from xgrad.nn.activations import BY_NAME

F = nn.functional
X = np.array([[-2.0, -0.5, 0.3], [0.0, 1.5, 30.0]])


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


# name -> module, function, what it computes
ACTIVATIONS: dict[str, tuple[Any, Any, Any]] = {
    "sigmoid": (nn.Sigmoid(), F.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (nn.Tanh(), F.tanh, np.tanh),
    "relu": (nn.ReLU(), F.relu, lambda x: np.maximum(x, 0)),
    "leaky_relu": (nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "softplus": (nn.Softplus(), F.softplus, lambda x: np.where(x > 20, x, np.log1p(np.exp(x)))),
    "softplus2": (
        nn.Softplus(2.0, 1.0),
        lambda x: F.softplus(x, beta=2.0, threshold=1.0),
        lambda x: np.where(2 * x > 1, x, np.log1p(np.exp(2 * x)) / 2),
    ),
    "softmax": (nn.Softmax(1), lambda x: F.softmax(x, 1), lambda x: softmax(x, 1)),
    "log_softmax": (nn.LogSoftmax(0), lambda x: F.log_softmax(x, 0), lambda x: np.log(softmax(x, 0))),
    "logsigmoid": (F.logsigmoid, F.logsigmoid, lambda x: -np.log1p(np.exp(-x))),
    "identity": (nn.Identity(54, any=1), lambda x: x, lambda x: x),
    "flatten": (nn.Flatten(0), F.flatten, lambda x: x.reshape(-1)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations(xp, name, dtype):
    module, function, expected = ACTIVATIONS[name]
    x = make(xp, X, dtype)
    for apply in (module, function):
        y = apply(x)
        assert y.dtype == x.dtype
        assert_close(to_numpy(y), expected(X), 1e-14 if dtype == "float64" else 1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_of_activations(xp, name):
    xg.check_grads(ACTIVATIONS[name][0], make(xp, [[-2.0, -0.5, 0.3], [0.1, 1.5, 2.0]]))


@pytest.mark.parametrize("name", ["Linear", "LogSoftmax", "Flatten", *(cls.__name__ for cls in BY_NAME.values())])
def test_arguments_and_defaults_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    theirs = dict(inspect.signature(getattr(torch.nn, name)).parameters)
    if set(theirs) == {"args", "kwargs"}:  # a class without __init__
        theirs = {}
    ours = inspect.signature(getattr(nn, name)).parameters
    assert set(ours) - set(theirs) <= {"rng"}
    assert set(theirs) <= set(ours)
    for argument, parameter in theirs.items():
        assert ours[argument].default == parameter.default, argument


def test_softmax_without_an_axis_warns(backend):
    x = xg.zeros((2, 3))
    with pytest.warns(UserWarning, match="softmax without dim="):
        assert to_numpy(F.softmax(x))[0, 0] == pytest.approx(1 / 3)


def test_flatten(backend):
    x = xg.zeros((2, 3, 4, 5))
    assert F.flatten(x, 1).shape == (2, 60)
    assert F.flatten(x, 1, 2).shape == (2, 12, 5)
    assert F.flatten(x, -2, -1).shape == (2, 3, 20)
    assert F.flatten(xg.zeros(())).shape == (1,)
    with pytest.raises(IndexError, match=r"\(2, 3, 4, 5\).*from 2 to 1"):
        F.flatten(x, 2, 1)
    with pytest.raises(IndexError, match="from 0 to 4"):
        F.flatten(x, 0, 4)


# --- Linear ---------------------------------------------------------------------------------------


def test_linear_draws_the_weight_transposed_then_the_bias(backend):
    rng = xg.random.Generator(0)
    first = nn.Linear(1, 32, dtype=xg.float64, rng=rng)
    second = nn.Linear(32, 4, dtype=xg.float64, rng=rng)
    host = np.random.default_rng(0)
    for layer, (fan_in, fan_out) in ((first, (1, 32)), (second, (32, 4))):
        bound = 1 / np.sqrt(fan_in)
        weight = host.uniform(-bound, bound, (fan_in, fan_out)).T
        bias = host.uniform(-bound, bound, fan_out)
        assert layer.weight.shape == (fan_out, fan_in)
        np.testing.assert_allclose(to_numpy(layer.weight), weight, rtol=1e-15)
        np.testing.assert_allclose(to_numpy(layer.bias), bias, rtol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(xp, shape, bias):
    layer = nn.Linear(3, 2, bias, dtype=xp.float64)
    x = make(xp, np.arange(np.prod(shape)).reshape(shape) / 10, requires_grad=True)
    y = layer(x)
    w, b = to_numpy(layer.weight), to_numpy(layer.bias) if bias else 0
    assert_close(to_numpy(y), to_numpy(x) @ w.T + b, 1e-14)
    xp.sum(y * y).backward()
    for p in layer.parameters():
        assert p.grad is not None
        assert p.grad.shape == p.shape
        assert p.grad.backend is p.backend
    g = 2 * to_numpy(y).reshape(-1, 2)
    assert_close(to_numpy(layer.weight.grad), g.T @ to_numpy(x).reshape(-1, 3), 1e-13)
    if layer.bias is not None:
        assert_close(to_numpy(layer.bias.grad), g.sum(0), 1e-13)


def test_linear_takes_dtype_and_device(backend):
    layer = nn.Linear(2, 3, dtype=xg.float32, device=backend.device)
    assert [p.dtype for p in layer.parameters()] == [xg.float32] * 2
    assert layer.weight.backend is backend
    default = xg.asarray([0.5]).dtype
    assert nn.Linear(2, 3).weight.dtype == default


def test_linear_says_which_layer_and_both_shapes(backend):
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2))
    with pytest.raises(ValueError, match="in_features=5") as caught:
        net(xg.zeros((7, 3)))
    for part in ("Linear(in_features=5, out_features=2, bias=True)", "(2, 5)", "(7, 4)"):
        assert part in str(caught.value)
    with pytest.raises(ValueError, match=r"shape \(\)"):
        nn.Linear(3, 1)(xg.asarray(1.0))


@pytest.mark.parametrize(("sizes", "says"), [((-1, 2), "in_features"), ((1, 2.5), "out_features"), ((1, "2"), "'2'")])
def test_linear_refuses_bad_sizes(sizes, says):
    with pytest.raises(ValueError, match=says):
        nn.Linear(*sizes)


def test_linear_of_nothing(backend):
    layer = nn.Linear(0, 2)
    assert to_numpy(layer(xg.zeros((3, 0)))).shape == (3, 2)


# --- errors name the layer ---------------------------------------------------------------------------------

X34 = (3, 4)
REFUSED: list[tuple[Any, tuple[Any, ...]]] = [
    (lambda: nn.Conv1d(2, 3, 7), ((1, 2, 4),)),
    (lambda: nn.MaxPool2d(5), ((1, 2, 3, 3),)),
    (lambda: nn.Flatten(1, 5), ((2, 3),)),
    (lambda: nn.Upsample(size=(3, 3)), ((2, 3, 4),)),
    (lambda: nn.PReLU(3), ((2, 4),)),
    (lambda: nn.Softmax(dim=3), ((2, 4),)),
    (lambda: nn.Unfold(5), ((1, 2, 3, 3),)),
    (lambda: nn.MultiheadAttention(4, 2), ((3, 2, 4), (4, 2, 4), (5, 2, 4))),
    (lambda: nn.Sequential(nn.ReLU(), nn.GLU()), ((2, 3),)),
    (lambda: nn.MSELoss(), (X34, (3, 5))),
    (lambda: nn.KLDivLoss(reduction="sum"), (X34, (2, 4))),
    (lambda: nn.CosineEmbeddingLoss(), (X34, (3, 5), (3,))),
    (lambda: nn.BCEWithLogitsLoss(pos_weight=xg.ones(3)), (X34, X34)),
    (lambda: nn.BCELoss(weight=xg.ones(3)), (X34, X34)),
    (lambda: nn.SmoothL1Loss(), (X34, (3, 5))),
    (lambda: nn.HuberLoss(), (X34, (3, 5))),
    (lambda: nn.MarginRankingLoss(), ((3,), (4,), (3,))),
    (lambda: nn.TripletMarginLoss(), (X34, (2, 4), X34)),
    (lambda: nn.PoissonNLLLoss(), (X34, (3, 5))),
    (lambda: nn.GaussianNLLLoss(), (X34, (3, 5), X34)),
    (lambda: nn.HingeEmbeddingLoss(), (X34, (3, 5))),
    (lambda: nn.SoftMarginLoss(), (X34, (3, 5))),
    (lambda: nn.CosineSimilarity(), (X34, (3, 5))),
    (lambda: nn.PairwiseDistance(), (X34, (3, 5))),
]


@pytest.mark.parametrize(("built", "shapes"), REFUSED)
def test_a_wrong_shape_is_refused_by_the_layer_s_name_with_what_it_got(built, shapes):
    with xg.use_backend("numpy"):
        layer = built()
        with pytest.raises((ValueError, IndexError)) as caught:
            layer(*(xg.ones(shape) for shape in shapes))
    innermost = type(layer[-1] if isinstance(layer, nn.Sequential) else layer).__name__
    assert str(caught.value).startswith(innermost)
    assert "Sequential" not in str(caught.value)
    got = [part for shape in shapes for part in (str(shape), f"({shape[-1]},)", f"{len(shape)} axes")]
    assert any(part in str(caught.value) for part in got)


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (F.mse_loss, ((3,), (4,))),
        (F.smooth_l1_loss, ((3,), (4,))),
        (F.kl_div, ((3,), (4,))),
        (F.cosine_embedding_loss, ((2, 3), (2, 4), (2,))),
        (F.margin_ranking_loss, ((3,), (4,), (3,))),
        (F.triplet_margin_loss, ((2, 3), (2, 4), (2, 3))),
        (F.hinge_embedding_loss, ((3,), (4,))),
        (F.pairwise_distance, ((2, 3), (2, 4))),
        (F.cosine_similarity, ((2, 3), (2, 4))),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_function_names_itself_and_the_shapes_that_do_not_broadcast(function, shapes):
    with pytest.raises(ValueError, match=rf"^{function.__name__}: the shapes .*4.* do not broadcast$"):
        function(*(xg.ones(shape) for shape in shapes))


def test_the_error_of_a_user_s_layer_stays_as_it_is():
    class Mine(nn.Module):
        def forward(self, x: Any) -> Any:
            raise ValueError("no", 3)

    with pytest.raises(ValueError, match="no") as caught:
        nn.Sequential(Mine())(xg.ones(2))
    assert caught.value.args == ("no", 3)
