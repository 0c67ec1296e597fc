"""NumPy's own functions on tensors: NumPy's values, right derivatives, and no function that is forgotten."""

import re
from functools import partial

import numpy as np
import pytest

import xgrad as xg
from tests.cases.numpy_functions import CALLS, Call
from tests.support.arrays import to_numpy
from xgrad.rules.numpy_functions import protocol
from xgrad.rules.numpy_functions.refused import REFUSED
from xgrad.rules.numpy_functions.table import DERIVATIVE, TABLE

BY_NAME: dict[str, list[Call]] = {}
for _call in CALLS:
    BY_NAME.setdefault(_call.name, []).append(_call)


def label(case):
    return case.name


def flat(result):
    """All numbers of a result, which may be a tuple."""
    if isinstance(result, tuple | list):
        return np.concatenate([flat(part).reshape(-1) for part in result])
    return to_numpy(result) if isinstance(result, xg.Tensor) else np.asarray(result)


@pytest.mark.parametrize("name", BY_NAME)
def test_values_are_numpys(backend, name):
    for case in BY_NAME[name]:
        want = case.f(np, *case.arrays)
        got = case.f(np, *(xg.asarray(x) for x in case.arrays))
        for part in got if isinstance(got, tuple | list) else [got]:
            assert isinstance(part, xg.Tensor) or (name.startswith("atleast") and isinstance(part, np.ndarray))
        assert flat(got).shape == flat(want).shape
        np.testing.assert_allclose(flat(got), flat(want), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", BY_NAME)
def test_derivatives(name):
    with xg.use_backend("numpy"):
        for case in BY_NAME[name]:
            xg.check_grads(partial(weighted, case.f), *map(xg.asarray, case.arrays), order=1)


def weighted(f, *arrays):
    """A number from all that a call returns."""
    return sum_of(f(np, *arrays))


def sum_of(result):
    """A number from all parts of a result, with weights that differ."""
    parts = [xg.reshape(part, (-1,)) for part in (result if isinstance(result, tuple | list) else [result])]
    return xg.sum(xg.concat([part * xg.cos(xg.arange(part.shape[0], dtype=xg.float64)) for part in parts]))


def test_every_differentiated_function_has_a_call():
    called = {case.name for case in CALLS}
    assert (
        sorted(
            name for name, row in TABLE.items() if row.kind == DERIVATIVE and name not in called and name not in ALIASES
        )
        == []
    )


ALIASES = {"concat", "permute_dims", "around", "round", "fix"}


def test_every_function_of_numpys_is_there_or_refused():
    names = set()
    for module in (np, np.linalg, np.fft):
        names |= {protocol.name_of(f) for f in vars(module).values() if hasattr(f, "_implementation")}
    assert sorted(names - set(TABLE) - set(REFUSED)) == []
    assert not set(TABLE) & set(REFUSED)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_function_says_why(name):
    with pytest.raises(TypeError, match=re.escape(f"numpy.{name} of a tensor: ")):
        protocol.array_function(getattr(np, name), (xg.Tensor,), (), {})


WITHOUT_VMAP = {"piecewise", "trim_zeros", "roots"}  # their shapes depend on values


@pytest.mark.parametrize("case", CALLS[::7], ids=label)
def test_in_a_batch(case):
    """Under vmap each example has what it has alone."""
    if case.name in WITHOUT_VMAP:
        pytest.skip("its shapes depend on values")

    def f(*arrays):
        result = case.f(np, *arrays)
        return xg.concat([xg.reshape(x, (-1,)) for x in (result if isinstance(result, tuple | list) else [result])])

    with xg.use_backend("numpy"):
        pairs = [np.stack([x, x * 1.01 + 0.003]) for x in case.arrays]
        got = xg.vmap(f)(*map(xg.asarray, pairs))
        want = np.stack([f(*(xg.asarray(x[i]) for x in pairs)).numpy() for i in range(2)])
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", CALLS[3::19], ids=label)
def test_second_derivatives(case):
    with xg.use_backend("numpy"):
        xg.check_grads(lambda *a: sum_of(case.f(np, *a)), *map(xg.asarray, case.arrays), order=2)


def test_scipy_converts_by_atleast_1d(backend):
    """A tensor without a gradient on the host becomes a NumPy array, as by np.asarray; others stay tensors."""
    x = xg.asarray([1.0, 2.0])
    assert isinstance(np.atleast_1d(x), np.ndarray if backend.on_host else xg.Tensor)
    assert isinstance(np.atleast_1d(xg.asarray([1.0], requires_grad=True)), xg.Tensor)
    found = xg.vmap(lambda row: xg.sum(np.atleast_2d(row)))(xg.asarray([[1.0, 2.0], [3.0, 4.0]]))
    assert found.tolist() == [3.0, 7.0]
