"""A new activation is one class: fit, diagnose and init find it without another entry.

test_nn_parity.py compares values with PyTorch's. Here are those far out, those of random activations, and wrong arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn
from xgrad.cli import parser
from xgrad.diagnose import watch
from xgrad.diagnose.look import look
from xgrad.diagnose.without import without_output_activation
from xgrad.fit import Config, FitError, fit
from xgrad.fit.network import ACTIVATIONS
from xgrad.nn.activations import BY_NAME, Activation


@pytest.fixture
def bent() -> Iterator[type[Activation]]:
    """x / (1 + |x|), with a name of its own."""

    class Bent(Activation):
        name = "bent"
        reach = (-1.0, 1.0)
        idle = "saturated"

        def forward(self, input: Any) -> xg.Tensor:
            output: xg.Tensor = input / (1 + xg.abs(input))
            return output

        @staticmethod
        def slope(xp: Any, y: Any) -> Any:
            return (1 - xp.abs(y)) ** 2

        @staticmethod
        def gain(param: float | None = None) -> float:
            return 2.0

    yield Bent
    del BY_NAME["bent"]


def test_fit_offers_and_trains_a_new_activation(bent: type[Activation]) -> None:
    result = fit(function="x", range=(-1, 1), activation="bent", output_activation="bent", steps=3, hidden=(4,))
    assert [type(layer).__name__ for layer in result.model] == ["Linear", "Bent", "Linear", "Bent"]
    assert [layer.idle for layer in result.record.layers] == ["saturated", "saturated"]
    assert all(0 <= share < 1 for layer in result.record.layers for share in layer.share)
    assert parser().parse_args(["fit", "--activation", "bent"]).activation == "bent"


def test_a_class_that_is_gone_is_unknown_to_fit() -> None:
    with pytest.raises(FitError, match="'bent' is unknown; there are none, sigmoid, tanh, relu, leaky_relu, softplus"):
        Config(activation="bent")


def test_only_elementwise_activations_are_offered() -> None:
    assert "softmax" in BY_NAME
    assert "softmax" not in ACTIVATIONS
    offered = [activation.__name__ for activation in ACTIVATIONS.values() if activation is not None]
    assert offered == [
        *("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Softplus"),
        *("ELU", "SELU", "CELU", "Hardtanh", "ReLU6", "Hardswish", "Hardsigmoid", "Hardshrink", "Softshrink"),
        *("PReLU", "RReLU", "GELU", "SiLU", "Mish", "LogSigmoid", "Softsign", "Tanhshrink"),
    ]
    assert len(ACTIVATIONS) == 1 + len(offered)


def test_diagnose_sees_a_new_activation_as_a_whole(bent: type[Activation]) -> None:
    model = nn.Sequential(nn.Linear(1, 4, dtype=xg.float64), bent(), nn.Linear(4, 1, dtype=xg.float64), bent())
    x = xg.reshape(xg.linspace(-1000.0, 1000.0, 10, dtype=xg.float64), (10, 1))
    seen = look(0, lambda: model(x), lambda module: str(list(model).index(module)))
    assert [(a.kind, a.where, a.is_output) for a in seen.activities] == [
        ("bent", "0", False),
        ("bent", "2", True),
    ]
    assert seen.activities[0].flat > 0.5
    assert seen.activities[0].input_std == pytest.approx(float(xg.std(model[0](x)).item()))


def test_diagnose_knows_what_a_new_output_reaches(bent: type[Activation]) -> None:
    model = nn.Sequential(nn.Linear(1, 1, dtype=xg.float64), bent())
    x = xg.asarray([[0.0], [1.0]])
    y, loss, optimizer = 5 * x, nn.MSELoss(), xg.optim.SGD(model.parameters(), lr=0.01)
    watching = watch(model, optimizer, loss=loss, x=x, y=y)
    loss(model(x), y).backward()
    optimizer.step()
    (found,) = [finding for finding in watching.report().findings if finding.rule == "OUTPUT_RANGE"]
    assert "[-1, 1], the range of bent" in found.says
    watching.close()


def test_diagnose_takes_a_new_output_activation_off(bent: type[Activation]) -> None:
    model = nn.Sequential(nn.Linear(1, 1), bent())
    shorter = without_output_activation(model)
    assert shorter is not None
    assert len(shorter) == 1
    assert without_output_activation(nn.Sequential(nn.Linear(1, 2), nn.Softmax(1))) is None


def test_init_knows_the_gain_of_a_new_activation(bent: type[Activation]) -> None:
    assert nn.init.calculate_gain("bent") == 2.0
    with pytest.raises(ValueError, match=r"'softplus'; there is one for linear, .*sigmoid, .*, selu, .*bent"):
        nn.init.calculate_gain("softplus")


def test_an_output_of_softplus_is_seen_as_the_output() -> None:
    model = nn.Sequential(nn.Linear(1, 1, dtype=xg.float64), nn.Softplus(beta=2.0))
    seen = look(0, lambda: model(xg.asarray([[0.0], [1.0]])), lambda module: "layer")
    assert [(a.kind, a.is_output) for a in seen.activities] == [("softplus", True)]


# --- values, dtypes and derivatives -------------------------------------------------------------------------

F = nn.functional
ELEMENTWISE = [name for name, activation in BY_NAME.items() if activation.is_elementwise and name != "rrelu"]
X = [[-2.5, -0.7, 0.3], [0.9, 2.1, -1.3]]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_dtype_stays_and_derivatives_are_right(backend, xp, name):
    made = BY_NAME[name]()
    assert made.to(dtype="float32")(make(xp, X, "float32")).dtype == xp.float32
    made.to(dtype="float64")
    xg.check_grads(made, make(xp, X, "float64"), order=2)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_batched_derivatives(name):
    made, x = BY_NAME[name]().to(dtype="float64"), xg.asarray(X, dtype=xg.float64)
    slopes = xg.vmap(xg.vmap(xg.grad(made)))(x)
    assert_close(to_numpy(slopes), to_numpy(xg.grad(lambda x: xg.sum(made(x)))(x)), 1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_keeps_its_digits_far_to_the_left(backend, xp, dtype):
    mpmath = pytest.importorskip("mpmath")
    if backend.name == "torch":
        pytest.skip("PyTorch's own function, which has none there")
    host = np.concatenate([np.linspace(-9, 9, 61), [-1e-3, 1e-3, -13.0]]).astype(dtype)
    x = make(xp, host, dtype, requires_grad=True)
    y = xg.gelu(x)
    xg.sum(y).backward()
    with mpmath.workdps(40):
        cdf = [mpmath.ncdf(float(v)) for v in host]
        values = [float(v) * c for v, c in zip(host, cdf, strict=True)]
        slopes = [c + float(v) * mpmath.npdf(float(v)) for v, c in zip(host, cdf, strict=True)]
        eps = float(np.finfo(dtype).eps)
        for v, got, want in zip(host, to_numpy(y), values, strict=True):
            assert abs(float(got) - want) <= (10 + float(v) ** 2) * eps * abs(want), v
        for v, got, want in zip(host, to_numpy(x.grad), slopes, strict=True):
            assert abs(float(got) - want) <= (20 + float(v) ** 2) * eps * max(abs(want), mpmath.npdf(float(v))), v


@pytest.mark.parametrize("name", ["gelu", "silu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_and_silu_at_zero_and_at_infinities(xp, name, dtype):
    x = make(xp, [0.0, 1e-40, np.inf, 1e30, -1e30, np.nan], dtype, requires_grad=True)
    y = getattr(F, name)(x)
    xg.sum(y).backward()
    assert_close(to_numpy(y), [0.0, 0.0, np.inf, 1e30, 0.0, np.nan], 1e-6)
    slopes = to_numpy(x.grad)
    np.testing.assert_allclose(slopes[[0, 1, 3, 4]], [0.5, 0.5, 1.0, 0.0], atol=1e-6)


def test_gelu_of_large_arrays_is_that_of_small_ones():
    x = xg.asarray(np.linspace(-8.0, 8.0, 100_001).reshape(-1, 1) * np.ones((1, 2)))
    for function in (xg.gelu, lambda x: xg.gelu(x, approximate="tanh"), xg.silu, xg.gelu_slope):
        whole, parts = function(x), [function(x[i : i + 7]) for i in (0, 50_000, 99_990)]
        for i, part in zip((0, 50_000, 99_990), parts, strict=True):
            assert_close(to_numpy(part), to_numpy(whole)[i : i + 7], 1e-15)


def test_a_transposed_input_of_gelu():
    x = xg.asarray(np.linspace(-3.0, 3.0, 12).reshape(3, 4))
    assert_close(to_numpy(xg.gelu(x.T)), to_numpy(xg.gelu(x)).T, 1e-16)
    got = xg.grad(lambda x: xg.sum(xg.gelu(x.T) * xg.ones((4, 3))))(x)
    assert_close(to_numpy(got), to_numpy(xg.gelu_slope(x)), 1e-15)


# --- random activations -------------------------------------------------------------------------------------


def test_rrelu_draws_a_slope_for_each_element(backend):
    layer = nn.RReLU(0.25, 0.5, rng=xg.random.Generator(3))
    x = xg.asarray(np.full((40, 50), -1.0), requires_grad=True)
    y = layer(x)
    xg.sum(y).backward()
    slopes = np.random.default_rng(3).uniform(0.25, 0.5, (40, 50))
    assert_close(to_numpy(y), -slopes, 1e-6)
    assert_close(to_numpy(x.grad), slopes, 1e-6)
    assert to_numpy(layer.eval()(x))[0, 0] == pytest.approx(-0.375)
    assert to_numpy(layer.train()(xg.asarray([2.0]))).tolist() == [2.0]


def test_gumbel_softmax_chooses_with_the_probabilities_of_the_softmax(backend):
    logits = xg.asarray(np.tile(np.log([0.5, 0.2, 0.3]), (4000, 1)), requires_grad=True)
    hard = F.gumbel_softmax(logits, tau=0.7, hard=True, rng=xg.random.Generator(0))
    soft = F.gumbel_softmax(logits, tau=0.7, rng=xg.random.Generator(0))
    chosen = to_numpy(hard)
    assert np.unique(chosen).tolist() == [0.0, 1.0]
    assert (chosen.sum(axis=1) == 1).all()
    assert (chosen.argmax(axis=1) == to_numpy(soft).argmax(axis=1)).all()
    np.testing.assert_allclose(chosen.mean(axis=0), [0.5, 0.2, 0.3], atol=0.03)
    weights = xg.asarray([1.0, 2.0, 3.0], dtype=logits.dtype)

    def slope(is_hard: bool) -> Any:
        def weighted(x: xg.Tensor) -> xg.Tensor:
            return xg.sum(F.gumbel_softmax(x, 0.7, is_hard, rng=xg.random.Generator(0)) * weights)

        return to_numpy(xg.grad(weighted)(logits))

    assert_close(slope(True), slope(False), 1e-6)
    assert np.abs(slope(True)).sum() > 1


# --- wrong arguments ----------------------------------------------------------------------------------------

BAD = [
    (lambda: nn.GELU("erf"), ValueError, "GELU.*'erf'"),
    (lambda: F.gelu(xg.zeros(2), "erf"), ValueError, "gelu: .*'erf'"),
    (lambda: nn.CELU(0.0), ValueError, "CELU: alpha"),
    (lambda: F.celu(xg.zeros(2), 0.0), ValueError, "celu: alpha"),
    (lambda: nn.RReLU(0.5, 0.25), ValueError, "RReLU: lower .* 0.5 and 0.25"),
    (lambda: F.rrelu(xg.zeros(2), 0.5, 0.25), ValueError, "rrelu: lower"),
    (lambda: nn.Hardtanh(1.0, 1.0), ValueError, "Hardtanh: max_val"),
    (lambda: F.hardtanh(xg.zeros(2), 1.0, 0.0), ValueError, "hardtanh: min_val"),
    (lambda: nn.Softshrink(-1.0), ValueError, "Softshrink: lambd .*-1.0"),
    (lambda: F.softshrink(xg.zeros(2), -1.0), ValueError, "softshrink: lambd .*-1.0"),
    (lambda: nn.PReLU(0), ValueError, "PReLU: num_parameters .*0"),
    (lambda: nn.PReLU(3)(xg.zeros((2, 4))), ValueError, r"prelu: weight .* 4 channels .*\(2, 4\), got shape \(3,\)"),
    (lambda: F.prelu(xg.zeros((2, 4)), xg.zeros((2, 2))), ValueError, "prelu: weight"),
    (lambda: nn.Softmax2d()(xg.zeros((2, 4))), ValueError, r"Softmax2d takes an input of shape .*, got \(2, 4\)"),
    (lambda: nn.GLU()(xg.zeros((2, 3))), ValueError, r"glu: .*even.* dim -1, got shape \(2, 3\)"),
    (lambda: F.glu(xg.zeros((2, 4)), 2), ValueError, "glu: .*dim 2"),
    (lambda: F.gumbel_softmax(xg.zeros(2), tau=0), ValueError, "tau"),
    (lambda: F.silu("x"), TypeError, "silu"),
    (lambda: F.hardtanh("x"), TypeError, "hardtanh"),
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_wrong_arguments(backend, call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_the_old_words_of_hardtanh_warn():
    with pytest.warns(FutureWarning, match="max_val"):
        assert nn.Hardtanh(max_value=2.0).max_val == 2.0


def test_integers_become_floats(backend):
    for name in ("gelu", "silu", "mish", "elu", "hardtanh", "hardshrink", "softsign", "relu6"):
        y = getattr(F, name)(xg.asarray([-1, 0, 2]))
        assert y.dtype == xg.asarray(0.5).dtype, name


def test_prelu_starts_anew():
    layer = nn.PReLU(2, 0.5)
    with xg.no_grad():
        layer.weight[...] = 3.0
    layer.reset_parameters()
    assert to_numpy(layer.weight).tolist() == [0.5, 0.5]
