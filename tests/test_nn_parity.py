"""Layers, functions and losses give PyTorch's results for random arguments: outputs, gradients, names and shapes of the state.

Where PyTorch is installed it computes them; elsewhere stored sums of its results are compared with.
"""

from __future__ import annotations

import importlib.util
import inspect
import warnings
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from bench.reference import public_names
from tests.parity import cases, stored
from tests.parity.case import CASES, Layer, drawn
from tests.parity.run import Results, Torch, XGrad, run
from tests.support.arrays import assert_close
from xgrad import nn

cases.load()

# PyTorch warns of the default of kl_div, and so does xgrad.
pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides", 'ignore:kl_div. "mean" divides')

HAVE_TORCH = importlib.util.find_spec("torch") is not None
SEEDS = range(4) if HAVE_TORCH else stored.SEEDS
# Backends on which each draw takes long. One draw runs there, of some cases: every so many, from which on.
SLOW = {"dpnp": (2, 0), "jax": (4, 1), "dask": (4, 2)}
TOO_SLOW = {("dask", "TransformerDecoder")}  # half a minute: its layer is a case of its own
TOLERANCE = 1e-10


@cache
def pytorchs(name: str, seed: int) -> Results:
    with warnings.catch_warnings(action="ignore"):  # PyTorch's hints on speed
        return run(Torch(), name, seed)


@pytest.mark.filterwarnings(
    "ignore:Increasing number of chunks"
)  # of dask, where indices have more chunks than what they read
@pytest.mark.parametrize("name", CASES)
def test_results_are_pytorchs(backend, name):
    seeds: Iterable[int] = SEEDS
    if backend.name in SLOW:
        every, first = SLOW[backend.name]
        if list(CASES).index(name) % every != first or (backend.name, name) in TOO_SLOW:
            pytest.skip("most cases do not run where each takes long")
        seeds = SEEDS[:1]
    for seed in seeds:
        got = run(XGrad(), name, seed)
        if HAVE_TORCH:
            want = pytorchs(name, seed)
            assert list(got) == list(want), f"draw {seed}"
            for key, array in want.items():
                assert got[key].dtype == array.dtype, f"{key} of draw {seed}"
                assert_close(got[key], array, TOLERANCE, f"{key} of draw {seed}", floor=1e-6)
        else:
            compare_with_stored(name, seed, got)


@pytest.mark.parametrize("name", CASES)
def test_what_is_made_on_the_way_is_where_the_input_is(name):
    """Zeros, masks and indices follow the input, whatever the current backend is."""
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict"):
        got, want = run(XGrad("numpy"), name, 0), run(XGrad(), name, 0)
    for key, array in want.items():
        assert_close(got[key], array, 1e-15, key)


@pytest.mark.filterwarnings("ignore:kl_div")
@pytest.mark.parametrize("name", [name for name in CASES if "packed" not in name])
def test_numpy_arrays_go_where_the_others_are(name):
    """NumPy arrays are host data: they move to a layer's parameters, or to the tensors among a function's arguments."""
    pytest.importorskip("array_api_strict")
    it = drawn(name, 0)
    if isinstance(it, Layer):
        with xg.use_backend("strict"):
            module = it.build(nn) if it.build else getattr(nn, name.split()[0])(*it.args, **it.options)
        if any(True for _ in module.parameters()):
            assert backends_of(module.train(it.training)(*it.inputs, **it.keywords)) == {"strict"}
        return
    places = [i for i, value in enumerate(it.inputs) if isinstance(value, np.ndarray)]
    for place in places if name != "instance_norm" else ():  # whose running statistics are written
        inputs: list[Any] = list(it.inputs)
        with xg.use_backend("strict"):
            inputs[place] = xg.asarray(inputs[place])
        assert backends_of(getattr(nn.functional, name.split()[0])(*inputs, **it.keywords)) == {"strict"}


def backends_of(output: Any) -> set[str]:
    """The names of the backends of all tensors in an output."""
    if isinstance(output, tuple | list):
        return {name for part in output for name in backends_of(part)}
    return {output.backend.name} if isinstance(output, xg.Tensor) else set()


@pytest.mark.parametrize("name", CASES)
def test_single_precision_stays_single(backend, name):
    if backend.name in SLOW:
        pytest.skip("each draw takes long there")
    for key, array in run(XGrad(dtype="float32"), name, 0).items():
        assert array.dtype != np.float64, key


def compare_with_stored(name: str, seed: int, got: Results) -> None:
    want = stored.stored(name, seed)
    assert list(got) == list(want), f"draw {seed}"
    for key, (shape, sums) in want.items():
        assert list(got[key].shape) == shape, f"{key} of draw {seed}"
        scale = np.abs(got[key]).sum() + 1e-6
        np.testing.assert_allclose(
            stored.sums(got[key]), sums, rtol=0, atol=TOLERANCE * scale, err_msg=f"{key} of draw {seed}"
        )


@pytest.mark.parametrize("name", CASES)
def test_stored_sums_are_of_what_pytorch_computes(name):
    pytest.importorskip("torch")
    for seed in stored.SEEDS:
        compare_with_stored(name, seed, pytorchs(name, seed))


# --- names, arguments and defaults ---

# Arguments of PyTorch's that are not here: where the parameters are made is said by keywords of ours, and some are deprecated.
NOT_OURS = {"device", "dtype", "size_average", "reduce", "_stacklevel", "generator"}
OURS = {"rng", "dtype", "device", "axis"}  # by keyword only
# PyTorch's fans are private, its flatten is torch.flatten, and its users install a package for summary.
ONLY_OURS = {"xgrad.nn.init.fans", "xgrad.nn.functional.flatten", "xgrad.nn.utils.summary"}
# Names whose signature PyTorch does not say: its functions in C, and those that dispatch.
UNTOLD = {"args", "kwargs"}


def name_of(default: Any) -> Any:
    """A default, or its name where it is a function: each library has its own."""
    return default.__name__ if inspect.isfunction(default) else default


def theirs(module: ModuleType) -> dict[str, tuple[Any, Any]]:
    """Each public name of a module of ours, with the object of ours and the one of PyTorch's."""
    torch = pytest.importorskip("torch")
    there: Any = torch
    for part in module.__name__.split(".")[1:]:
        there = getattr(there, part)
    return {name: (getattr(module, name), getattr(there, name, None)) for name in public_names(module.__name__)}


@pytest.mark.parametrize(
    "module", [nn, nn.functional, nn.init, nn.utils, nn.utils.rnn], ids=lambda module: module.__name__
)
def test_arguments_and_defaults_are_pytorchs(module):
    wrong = []
    for name, (mine, other) in theirs(module).items():
        if other is None:
            if f"{module.__name__}.{name}" not in ONLY_OURS:
                wrong.append(f"{name}: PyTorch has no such name")
            continue
        try:
            expected = dict(inspect.signature(other).parameters)
        except ValueError:  # a function in C
            continue
        given = inspect.signature(mine).parameters
        if set(expected) <= UNTOLD:
            continue
        wrong += [f"{name}: {extra}" for extra in set(given) - set(expected) - OURS]
        for argument, parameter in expected.items():
            if argument in NOT_OURS:
                continue
            if argument not in given:
                wrong.append(f"{name} lacks {argument}")
            elif name_of(given[argument].default) != name_of(parameter.default):
                wrong.append(f"{name}: {argument} is {given[argument].default!r}, in PyTorch {parameter.default!r}")
    assert wrong == []


def test_every_layer_and_function_has_a_case():
    public = set(public_names("xgrad.nn")) | set(public_names("xgrad.nn.functional"))
    assert sorted(public - {name.split()[0] for name in CASES} - WITHOUT_CASE) == []


# What has no results of its own to compare, or is compared elsewhere.
WITHOUT_CASE = {
    "flatten",  # test_nn_layers.py
    *("Module", "Parameter"),  # tests/test_nn_module.py
    *("ModuleDict", "ModuleList", "ParameterDict", "ParameterList"),  # tests/test_nn_containers.py
    "gumbel_softmax",  # test_nn_activations.py
}
