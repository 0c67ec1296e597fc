"""Averages of weights: PyTorch's numbers, what is saved and refused, and new running statistics."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

import xgrad as xg
from tests.data import averages as reference
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn
from xgrad.optim import swa_utils

SLOW = {"jax", "dask", "dpnp", "strict"}


def array(values):
    return make(xg, values, str(np.asarray(values).dtype))


@pytest.mark.parametrize("name", reference.AVERAGES)
def test_averages_are_pytorchs(backend, name):
    if backend.name in SLOW and name not in ("mean", "moving, buffers"):
        pytest.skip("two of them show that the library can do it")
    got = reference.run(xg, array, to_numpy, name)
    rounded = name == "mean, several"  # PyTorch computes the weight of this one in float32
    assert_close(got, reference.stored()[name], 1e-7 if rounded else 1e-12)
    if rounded:
        assert_close(got, reference.stored()["mean"], 1e-12)


@pytest.mark.parametrize("name", reference.SCHEDULES)
def test_learning_rates_are_pytorchs(name):
    np.testing.assert_allclose(reference.run_schedule(xg, name), reference.stored()[name], rtol=1e-12)


def test_running_statistics_are_pytorchs(backend):
    assert_close(reference.run_statistics(xg, array, to_numpy), reference.stored()["statistics"], 1e-12)


def test_stored_numbers_are_what_pytorch_computes():
    pytest.importorskip("torch")
    for name, numbers in reference.torch_runs().items():
        assert_close(reference.stored()[name], numbers, 1e-13, name)


@pytest.mark.parametrize("name", swa_utils.__all__)
def test_arguments_and_defaults_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(getattr(torch.optim.swa_utils, name)).parameters
    ours = inspect.signature(getattr(swa_utils, name)).parameters
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]
    assert set(swa_utils.__all__) == set(torch.optim.swa_utils.__all__)


def test_the_state_has_pytorchs_names():
    torch = pytest.importorskip("torch")
    states = [lib.optim.swa_utils.AveragedModel(reference.model(lib)).state_dict() for lib in (torch, xg)]
    assert list(states[0]) == list(states[1])


# --- an average -----------------------------------------------------------------------------------


def test_the_count_is_saved_and_goes_on(backend):
    model = reference.model(xg)
    runs = [swa_utils.AveragedModel(model) for _ in range(2)]
    rng = np.random.default_rng(0)
    for step in range(6):
        with xg.no_grad():
            reference.set_state(model, array, rng)
        runs[0].update_parameters(model)
        if step == 3:
            runs[1].load_state_dict(runs[0].state_dict())
            runs[1].load_state_dict({name: to_numpy(value) for name, value in runs[0].state_dict().items()})
        elif step > 3:
            runs[1].update_parameters(model)
    assert runs[1].n_averaged.item() == 6
    np.testing.assert_array_equal(reference.state_of(runs[0], to_numpy), reference.state_of(runs[1], to_numpy))


def test_the_model_and_earlier_states_stay_what_they_are(backend):
    model = nn.Linear(1, 1, bias=False)
    average = swa_utils.AveragedModel(model)
    states = []
    for value in (1.0, 3.0):
        with xg.no_grad():
            model.weight[...] = value
        average.update_parameters(model)
        states.append(average.state_dict())
    assert [state["module.weight"].item() for state in states] == [1.0, 2.0]
    assert [state["n_averaged"].item() for state in states] == [1, 2]
    assert model.weight.item() == 3.0
    x = make(xg, [[2.0]], "float32")
    assert average(x).item() == 4.0
    assert average.eval().module.training is False


def test_it_is_averaged_while_training(backend):
    layer = nn.Linear(2, 1, dtype=xg.float64)
    optimizer = xg.optim.Adam(layer.parameters(), lr=0.1)
    average = swa_utils.AveragedModel(layer, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5))
    want = None
    x = make(xg, [[1.0, 2.0], [0.5, -1.0]])
    for _ in range(4):
        optimizer.zero_grad()
        xg.sum(layer(x) ** 2).backward()
        optimizer.step()
        average.update_parameters(layer)
        now = to_numpy(layer.weight)
        want = now if want is None else 0.5 * want + 0.5 * now
    assert_close(to_numpy(average.module.weight), want, 1e-14)
    assert average.module.weight.grad is None
    assert average.module.weight.requires_grad


def test_lists_of_one_dtype_are_given(backend):
    model = nn.Sequential(nn.Linear(1, 2, dtype=xg.float32), nn.Linear(2, 1, dtype=xg.float64))
    given = []
    average = swa_utils.AveragedModel(
        model, multi_avg_fn=lambda averaged, current, n: given.append((averaged, current, n))
    )
    average.update_parameters(model)
    average.update_parameters(model)
    assert [({str(t.dtype) for t in averaged}, len(averaged), n) for averaged, _, n in given] == [
        ({str(model[0].weight.dtype)}, 2, 1),
        ({str(model[1].weight.dtype)}, 2, 1),
    ]


def test_what_is_wrong_is_refused():
    with pytest.raises(ValueError, match="takes avg_fn or multi_avg_fn, not both"):
        swa_utils.AveragedModel(
            nn.Linear(1, 1), avg_fn=swa_utils.get_swa_avg_fn(), multi_avg_fn=swa_utils.get_swa_multi_avg_fn()
        )
    average = swa_utils.AveragedModel(nn.Linear(1, 1))
    for other in (nn.Linear(2, 1), nn.Linear(1, 1, bias=False)):
        with pytest.raises(ValueError, match="the model has other parameters or buffers"):
            average.update_parameters(other)
    assert average.n_averaged.item() == 0
    for make_it in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"must be from 0 to 1, got 1.5"):
            make_it(1.5)


# --- running statistics ---------------------------------------------------------------------------


class Own(nn.Module):
    """A layer with running statistics that is none of xgrad's."""

    def __init__(self):
        self.momentum, self.batches, self.running_mean = 0.25, [], None

    def reset_running_stats(self):
        self.batches.clear()

    def forward(self, x):
        self.batches.append((self.momentum, self.training))
        return x


def test_statistics_of_any_layer_are_updated():
    model = nn.Sequential(Own(), nn.Dropout(0.0)) if hasattr(nn, "Dropout") else nn.Sequential(Own())
    model.eval()
    model[0].batches.append("old")
    swa_utils.update_bn([xg.zeros(1), (xg.zeros(1), 3)], model, device=xg.zeros(1).device)
    assert model[0].batches == [(None, True)] * 2
    assert (model[0].momentum, model.training, model[0].training) == (0.25, False, False)


def test_momentum_and_mode_come_back_after_an_error():
    layer = nn.BatchNorm1d(2, momentum=0.3)
    layer.eval()
    with pytest.raises(ValueError, match="BatchNorm1d"):
        swa_utils.update_bn([xg.zeros((3, 5))], layer)
    assert (layer.momentum, layer.training) == (0.3, False)


def test_data_are_not_read_for_nothing():
    swa_utils.update_bn(iter(lambda: pytest.fail("read"), None), nn.Linear(1, 1))


# --- the schedule ---------------------------------------------------------------------------------


def sgd():
    return xg.optim.SGD([nn.Parameter(xg.zeros(1))], lr=1.0)


def test_a_schedule_is_saved():
    runs = [(optimizer, swa_utils.SWALR(optimizer, 0.5, 6)) for optimizer in (sgd(), sgd())]
    (first, one), (second, other) = runs
    for _ in range(3):
        first.step()
        one.step()
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    second.load_state_dict(first.state_dict())
    for optimizer, scheduler in runs:
        optimizer.step()
        scheduler.step()
    assert one.get_last_lr() == other.get_last_lr()


def test_a_wrong_schedule_is_refused():
    for options, text in (
        ({"swa_lr": [1.0, 2.0]}, "swa_lr must have a value for each of 1 param groups, got 2"),
        ({"swa_lr": 1.0, "anneal_strategy": "up"}, "anneal_strategy must be 'cos' or 'linear', got 'up'"),
        ({"swa_lr": 1.0, "anneal_epochs": -1}, "anneal_epochs must be an integer, 0 or more, got -1"),
    ):
        with pytest.raises(ValueError, match=text):
            swa_utils.SWALR(sgd(), **options)
    with pytest.raises(TypeError, match="SWALR: expected an Optimizer, got NoneType"):
        swa_utils.SWALR(None, 0.1)  # type: ignore[arg-type]
