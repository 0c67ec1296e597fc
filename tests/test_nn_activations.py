"""A new activation is one class: fit, diagnose and init find it without another entry. Values are in test_nn_layers.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import xgrad as xg
from xgrad import nn
from xgrad.diagnose import watch
from xgrad.diagnose.look import look
from xgrad.diagnose.without import without_output_activation
from xgrad.fit import Config, FitError, fit
from xgrad.fit.network import ACTIVATIONS
from xgrad.fit.options import parser
from xgrad.nn.activations import BY_NAME, Activation


@pytest.fixture
def softsign() -> Iterator[type[Activation]]:
    """x / (1 + |x|), which is no operation of xgrad's, as a class."""

    class Softsign(Activation):
        name = "softsign"
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

    yield Softsign
    del BY_NAME["softsign"]


def test_fit_offers_and_trains_a_new_activation(softsign: type[Activation]) -> None:
    result = fit(function="x", range=(-1, 1), activation="softsign", output_activation="softsign", steps=3, hidden=(4,))
    assert [type(layer).__name__ for layer in result.model] == ["Linear", "Softsign", "Linear", "Softsign"]
    assert [layer.idle for layer in result.record.layers] == ["saturated", "saturated"]
    assert all(0 <= share < 1 for layer in result.record.layers for share in layer.share)
    assert parser().parse_args(["fit", "--activation", "softsign"]).activation == "softsign"


def test_a_class_that_is_gone_is_unknown_to_fit() -> None:
    with pytest.raises(
        FitError, match="'softsign' is unknown; there are none, sigmoid, tanh, relu, leaky_relu, softplus"
    ):
        Config(activation="softsign")


def test_only_elementwise_activations_are_offered() -> None:
    assert "softmax" in BY_NAME
    assert "softmax" not in ACTIVATIONS
    assert [*ACTIVATIONS] == ["none", "sigmoid", "tanh", "relu", "leaky_relu", "softplus"]
    assert len(ACTIVATIONS) == 6


def test_diagnose_sees_a_new_activation_as_a_whole(softsign: type[Activation]) -> None:
    model = nn.Sequential(nn.Linear(1, 4, dtype=xg.float64), softsign(), nn.Linear(4, 1, dtype=xg.float64), softsign())
    x = xg.reshape(xg.linspace(-1000.0, 1000.0, 10, dtype=xg.float64), (10, 1))
    seen = look(0, lambda: model(x), lambda module: str(list(model).index(module)))
    assert [(a.kind, a.where, a.is_output) for a in seen.activities] == [
        ("softsign", "0", False),
        ("softsign", "2", True),
    ]
    assert seen.activities[0].flat > 0.5
    assert seen.activities[0].input_std == pytest.approx(float(xg.std(model[0](x)).item()))


def test_diagnose_knows_what_a_new_output_reaches(softsign: type[Activation]) -> None:
    model = nn.Sequential(nn.Linear(1, 1, dtype=xg.float64), softsign())
    x = xg.asarray([[0.0], [1.0]])
    y, loss, optimizer = 5 * x, nn.MSELoss(), xg.optim.SGD(model.parameters(), lr=0.01)
    watching = watch(model, optimizer, loss=loss, x=x, y=y)
    loss(model(x), y).backward()
    optimizer.step()
    (found,) = [finding for finding in watching.report().findings if finding.rule == "OUTPUT_RANGE"]
    assert "[-1, 1], the range of softsign" in found.says
    watching.close()


def test_diagnose_takes_a_new_output_activation_off(softsign: type[Activation]) -> None:
    model = nn.Sequential(nn.Linear(1, 1), softsign())
    shorter = without_output_activation(model)
    assert shorter is not None
    assert len(shorter) == 1
    assert without_output_activation(nn.Sequential(nn.Linear(1, 2), nn.Softmax(1))) is None


def test_init_knows_the_gain_of_a_new_activation(softsign: type[Activation]) -> None:
    assert nn.init.calculate_gain("softsign") == 2.0
    with pytest.raises(ValueError, match=r"'softplus'; there is one for linear, selu, sigmoid, .*, softsign"):
        nn.init.calculate_gain("softplus")


def test_an_output_of_softplus_is_seen_as_the_output() -> None:
    model = nn.Sequential(nn.Linear(1, 1, dtype=xg.float64), nn.Softplus(beta=2.0))
    seen = look(0, lambda: model(xg.asarray([[0.0], [1.0]])), lambda module: "layer")
    assert [(a.kind, a.is_output) for a in seen.activities] == [("softplus", True)]
