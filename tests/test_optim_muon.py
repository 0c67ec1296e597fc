"""Muon: its rule in NumPy for every combination of options, and PyTorch's loosely, which iterates in bfloat16."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.data.make_torch_reference import optimizer_cases
from tests.support import optimizer_rules
from tests.support.arrays import assert_close, make, to_numpy
from tests.test_out_of_memory import refuse_each, refused

SHAPES = ((4, 3), (2, 5), (3, 3))
STEPS = 20


def recorded(shape: tuple[int, int]) -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    return rng.normal(size=shape), rng.normal(size=(STEPS, *shape))


def trained(start: Any, gradients: Any, dtype: str = "float64", **options: Any) -> Any:
    p = make(xg, start, dtype, requires_grad=True)
    optimizer = xg.optim.Muon([p], **options)
    for g in gradients:
        p.grad = make(xg, g, dtype)
        optimizer.step()
    return p


@pytest.mark.parametrize("index", range(len(optimizer_cases("Muon"))))
def test_follows_its_rule(backend, index, request):
    options = optimizer_cases("Muon")[index]
    start, gradients = recorded(SHAPES[(index + index // 3) % 3])  # each value of each option with each shape
    if request.node.callspec.params["backend"] != "numpy":
        gradients = gradients[:4]
    (want,) = optimizer_rules.weights("Muon", options, start, gradients, (len(gradients),))
    assert_close(to_numpy(trained(start, gradients, **options)), want, 1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("adjust_lr_fn", [None, "match_rms_adamw"])
def test_is_near_pytorchs(shape, adjust_lr_fn):
    torch = pytest.importorskip("torch")
    start, gradients = recorded(shape)
    q = torch.tensor(start, requires_grad=True)
    theirs = torch.optim.Muon([q], lr=0.01, adjust_lr_fn=adjust_lr_fn)
    for g in gradients[:5]:
        q.grad = torch.tensor(g)
        theirs.step()
    with xg.use_backend("numpy"):
        p = trained(start, gradients[:5], lr=0.01, adjust_lr_fn=adjust_lr_fn)
    np.testing.assert_allclose(to_numpy(p) - start, q.detach().numpy() - start, atol=5e-3)


def test_arguments_and_defaults_are_pytorchs():
    torch = pytest.importorskip("torch")
    theirs, ours = (inspect.signature(cls).parameters for cls in (torch.optim.Muon, xg.optim.Muon))
    assert list(ours) == list(theirs)
    assert all(ours[name].default == theirs[name].default for name in ours)


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_the_dtype_stays(backend, kind):
    if not hasattr(backend.xp, kind):
        pytest.skip(f"{backend.name} has no {kind}")
    start, gradients = recorded((4, 3))
    p = trained(start, gradients[:3], kind, lr=0.01)
    assert p.dtype == getattr(backend.xp, kind)
    (want,) = optimizer_rules.weights(
        "Muon", {**optimizer_cases("Muon")[0], "weight_decay": 0.1}, start, gradients[:3], (3,)
    )
    np.testing.assert_allclose(to_numpy(p), want, rtol=1e-2, atol=1e-2 if kind == "float16" else 1e-4)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ns_coefficients": (1.0, 2.0)}, "three finite numbers"),
        ({"ns_steps": 100}, "0 to 99"),
        ({"ns_steps": 1.5}, "0 to 99"),
        ({"adjust_lr_fn": "other"}, "None or 'original' or 'match_rms_adamw', got 'other'"),
        ({"momentum": -1}, "-1"),
    ],
)
def test_a_bad_option_is_refused(options, says):
    with pytest.raises(ValueError, match=f"Muon: .*{says}"):
        xg.optim.Muon([xg.asarray([[1.0]], requires_grad=True)], **options)


def test_only_real_matrices_are_taken(backend):
    matrix = make(xg, [[1.0]], "float64", requires_grad=True)
    optimizer = xg.optim.Muon([matrix])
    vector = make(xg, [1.0], "float64", requires_grad=True)
    of_complex = make(xg, [[1.0]], "complex128", requires_grad=True)
    for wrong, says in ((vector, r"shape \(1,\)"), (of_complex, "complex128")):
        with pytest.raises(ValueError, match=f"Muon: parameters must be real and 2-d, .*{says}"):
            xg.optim.Muon([wrong])
        with pytest.raises(ValueError, match="2-d"):
            optimizer.add_param_group({"params": [wrong]})
    assert len(optimizer.param_groups) == 1


def test_a_step_is_finished_by_the_next_call():
    pytest.importorskip("array_api_strict")
    start, gradients = recorded((2, 3))
    with xg.use_backend("strict") as strict:
        want = to_numpy(trained(start, gradients[:1], lr=0.1))

        def attempt(k: int | None) -> bool:
            p = make(xg, start, "float64", requires_grad=True)
            optimizer = xg.optim.Muon([p], lr=0.1)
            p.grad = make(xg, gradients[0], "float64")
            happened = refused(strict, k, optimizer.step)
            if happened:
                optimizer.step()
            np.testing.assert_array_equal(to_numpy(p), want)
            return happened

        assert refuse_each(attempt) > 10
