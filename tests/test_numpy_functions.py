"""NumPy's own functions on tensors: NumPy's values, right derivatives, and no function that is forgotten."""

import re
from functools import partial
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases.numpy_functions import CALLS, EXACT_CALLS, Call
from tests.support.arrays import to_numpy
from xgrad.rules.numpy_functions import protocol
from xgrad.rules.numpy_functions.refused import REFUSED
from xgrad.rules.numpy_functions.table import TABLE

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


def compared(backend, case):
    """Whether a call has NumPy's values, on the backend of its tensors, whatever the current backend is."""
    want = case.f(np, *case.arrays)
    tensors = [xg.asarray(x) for x in case.arrays]
    with xg.use_backend("numpy"):
        got = case.f(np, *tensors)
    for part in got if isinstance(got, tuple | list) else [got]:
        if case.name.startswith("atleast") and isinstance(part, np.ndarray):
            continue
        assert isinstance(part, xg.Tensor)
        assert part.backend is backend
    assert flat(got).shape == flat(want).shape
    np.testing.assert_allclose(flat(got), flat(want), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", BY_NAME)
def test_values_are_numpys(backend, name):
    for case in BY_NAME[name]:
        compared(backend, case)


@pytest.mark.parametrize("case", EXACT_CALLS, ids=label)
def test_values_without_a_derivative_are_numpys(backend, case):
    compared(backend, case)


ANSWERS = {
    "allclose": lambda np, x: np.allclose(x, x + 1e-12),
    "array_equal": lambda np, x: (np.array_equal(x, x), np.array_equal(x, x[:1])),
    "array_equiv": lambda np, x: (np.array_equiv(x, x[:1]), np.array_equiv(x, x)),
    "can_cast": lambda np, x: np.can_cast(x.dtype, np.float64),
    "iscomplexobj": lambda np, x: np.iscomplexobj(x),
    "isrealobj": lambda np, x: np.isrealobj(x),
    "ndim": lambda np, x: np.ndim(x),
    "shape": lambda np, x: np.shape(x),
    "size": lambda np, x: (np.size(x), np.size(x, 1)),
    "einsum_path": lambda np, x: np.einsum_path("ij,jk->ik", x, x.T)[0][0],
    "array_str": lambda np, x: np.array_str(x),
    "array_repr": lambda np, x: np.array_repr(x),
    "array2string": lambda np, x: np.array2string(x),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_numpys(name):
    with xg.use_backend("numpy"):
        x = np.arange(6.0).reshape(2, 3)
        assert ANSWERS[name](np, xg.asarray(x)) == ANSWERS[name](np, x)


@pytest.mark.parametrize("name", BY_NAME)
def test_float32_stays_float32(name):
    """Where NumPy gives float32 for float32 arrays, so do tensors."""
    with xg.use_backend("numpy"):
        for case in BY_NAME[name]:
            arrays = [np.float32(x) for x in case.arrays]
            want = case.f(np, *arrays)
            got = case.f(np, *map(xg.asarray, arrays))
            pairs = zip(got, want, strict=True) if isinstance(want, tuple | list) else [(got, want)]
            for one, other in pairs:
                if other.dtype == np.float32:
                    assert one.dtype == np.float32, case.name


@pytest.mark.parametrize("name", ["quantile", "nanquantile", "percentile", "nanpercentile"])
def test_quantiles_outside_of_their_range(name):
    for q in (-0.5, 150.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            getattr(np, name)(xg.asarray([1.0, 2.0]), q)


def test_linear_algebra_keeps_its_digits_under_autocast():
    with xg.use_backend("numpy"):
        a: Any = xg.asarray([[1e5, 1.0], [2.0, 3.0]], dtype=xg.float32)
        b: Any = xg.asarray([1e5, 2.0], dtype=xg.float32)
        want: Any = np.linalg.lstsq(a, b)[0]
        with xg.amp.autocast("float16"):
            got: Any = np.linalg.lstsq(a, b)[0]
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got.numpy(), want.numpy())


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


def test_every_function_has_a_call():
    called = {case.name for case in (*CALLS, *EXACT_CALLS)} | set(ANSWERS)
    assert sorted(set(TABLE) - called - ALIASES - ELSEWHERE) == []


ALIASES = {"concat", "permute_dims"}
ELSEWHERE = {"common_type", "copy", "empty_like", "min_scalar_type", "result_type"}
ELSEWHERE |= {"save", "savez", "savez_compressed", "savetxt"}
ELSEWHERE |= {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"}  # test_numpy_placing.py


def test_files_have_the_values(tmp_path):
    x = xg.asarray([[1.0, 2.0]])
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    np.savez_compressed(tmp_path / "y.npz", x=x)
    np.savetxt(tmp_path / "x.txt", x)
    for found in (np.load(tmp_path / "x.npy"), np.load(tmp_path / "x.npz")["x"], np.load(tmp_path / "y.npz")["x"]):
        np.testing.assert_array_equal(found, to_numpy(x))
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "x.txt"), [1.0, 2.0])


def test_dtypes_that_follow():
    with xg.use_backend("numpy"):
        x, i = xg.ones(2, dtype=xg.float32), xg.ones(2, dtype=xg.int64)
        assert np.result_type(x, i) == np.float64
        assert np.common_type(x) == np.float32
        assert np.min_scalar_type(x) == np.float32
        assert np.empty_like(i).dtype == np.int64


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
