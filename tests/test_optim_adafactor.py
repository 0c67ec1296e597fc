"""Adafactor: PyTorch's numbers for any number of axes, and a state whose arrays have shapes of their own.

test_optim.py compares every combination of options for a matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from tests.test_optim import stepped
from tests.test_out_of_memory import refuse_each, refused

SHAPES = ((), (3,), (2, 3), (2, 3, 2), (1, 1), (4, 1))


def gradients(shape: tuple[int, ...], count: int = 5) -> list[Any]:
    rng = np.random.default_rng(3)
    return [np.asarray(rng.normal(size=shape)) for _ in range(count)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", [{}, {"maximize": True, "eps": (1e-2, 0.5), "weight_decay": 0.1}])
def test_follows_pytorch_for_any_shape(backend, shape, options):
    torch = pytest.importorskip("torch")
    start, *given = gradients(shape)
    p, q = make(xg, start, "float64", requires_grad=True), torch.tensor(start, requires_grad=True)
    ours, theirs = xg.optim.Adafactor([p], **options), torch.optim.Adafactor([q], **options)
    for g in given:
        q.grad = torch.tensor(g)
        theirs.step()
    assert_close(stepped(ours, p, *given), q.detach().numpy(), 1e-12)
    assert p.shape == shape
    state = ours.state_dict()["state"][0]
    assert set(state) == {"step", *(("row_var", "col_var") if len(shape) > 1 else ("variance",))}
    assert all(to_numpy(v).shape == theirs.state[q][name].shape for name, v in state.items() if name != "step")


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_a_state_goes_to_pytorch_and_back(shape):
    torch = pytest.importorskip("torch")
    with xg.use_backend("numpy"):
        start, *given = gradients(shape, 7)
        p = make(xg, start, "float64", requires_grad=True)
        ours = xg.optim.Adafactor([p])
        stepped(ours, p, *given[:2])
        saved = ours.state_dict()
        state = {name: v if name == "step" else torch.tensor(to_numpy(v)) for name, v in saved["state"][0].items()}
        q = torch.tensor(to_numpy(p), requires_grad=True)
        theirs = torch.optim.Adafactor([q])
        theirs.load_state_dict({"state": {0: state}, "param_groups": saved["param_groups"]})
        for g in given[2:4]:
            q.grad = torch.tensor(g)
            theirs.step()
        assert_close(stepped(ours, p, *given[2:4]), q.detach().numpy(), 1e-12)
        saved = theirs.state_dict()
        resumed = xg.optim.Adafactor([p], lr=5.0)
        state = {name: v.numpy() for name, v in saved["state"][0].items()}
        resumed.load_state_dict({"state": {0: state}, "param_groups": saved["param_groups"]})
        q.grad = torch.tensor(given[4])
        theirs.step()
        assert_close(stepped(resumed, p, given[4]), q.detach().numpy(), 1e-12)


def test_the_shapes_of_a_loaded_state_are_checked(backend):
    p, v = (make(xg, np.ones(shape), "float64", requires_grad=True) for shape in ((2, 3), (3,)))
    optimizer = xg.optim.Adafactor([p, v])
    stepped(optimizer, p, np.ones((2, 3)))
    saved = optimizer.state_dict()
    kept = saved["state"][0]

    def refused_with(says: str, number: int, state: Any) -> None:
        with pytest.raises(ValueError, match=f"Adafactor: in the loaded state of parameter {number}, {says}"):
            optimizer.load_state_dict({**saved, "state": {number: state}})

    refused_with(
        r"row_var has shape \(2, 3\), but its parameter needs \(2, 1\)", 0, {**kept, "row_var": xg.ones((2, 3))}
    )
    refused_with("variance is unknown", 0, {**kept, "variance": xg.ones((2, 3))})
    refused_with("col_var is missing", 0, {name: kept[name] for name in ("step", "row_var")})
    refused_with("row_var, col_var is unknown", 1, kept)
    refused_with("variance is missing", 1, {"step": 1})


def test_the_state_follows_a_parameter_that_changes_dtype(backend):
    p = xg.nn.Parameter(make(xg, np.ones((2, 3)), "float32"))
    module = xg.nn.Module()
    module.p = p
    optimizer = xg.optim.Adafactor([p])
    stepped(optimizer, p, np.ones((2, 3)))
    module.to(dtype=xg.float64)
    stepped(optimizer, p, np.ones((2, 3)))
    assert optimizer.state[p]["row_var"].dtype == p.dtype == xg.float64


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"d": 0.5}, "1 or more, got 0.5"),
        ({"beta2_decay": 0.5}, "0 or less, got 0.5"),
        ({"eps": (-1, 1e-3)}, "may be None"),
        ({"eps": (None, None)}, "may be None"),
        ({"eps": 1e-3}, "two numbers"),
    ],
)
def test_a_bad_option_is_refused(options, says):
    with pytest.raises(ValueError, match=f"Adafactor: .*{says}"):
        xg.optim.Adafactor([xg.asarray([1.0], requires_grad=True)], **options)


def test_complex_parameters_are_refused(backend):
    with pytest.raises(ValueError, match=r"Adafactor: parameters must be real, got one of dtype .*complex128"):
        xg.optim.Adafactor([make(xg, [1j], "complex128", requires_grad=True)])


def test_a_step_is_finished_by_the_next_call():
    pytest.importorskip("array_api_strict")
    start, g = gradients((2, 3), 2)
    with xg.use_backend("strict") as strict:

        def attempt(k: int | None) -> bool:
            p = make(xg, start, "float64", requires_grad=True)
            optimizer = xg.optim.Adafactor([p], weight_decay=0.1)
            p.grad = make(xg, g, "float64")
            happened = refused(strict, k, optimizer.step)
            if happened:
                optimizer.step()
            results.append(to_numpy(p))
            return happened

        results: list[Any] = []
        assert refuse_each(attempt) > 10
        for got in results:
            np.testing.assert_array_equal(got, results[-1])
