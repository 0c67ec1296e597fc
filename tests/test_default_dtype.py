"""One default dtype on every backend: for Python's floats, new arrays, random numbers, parameters; and for integers, where
they become floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.processes import output
from xgrad import nn, optim
from xgrad.backends import BackendError

COMPLEX = {"float64": "complex128", "float32": "complex64"}


@pytest.fixture(params=["float64", "float32"])
def chosen(request: pytest.FixtureRequest, backend: Any) -> Iterator[str]:
    """A default dtype, while the test runs."""
    xg.set_default_dtype(request.param)
    yield request.param
    xg.set_default_dtype(None)


MADE = {
    "float": lambda: xg.asarray(0.5),
    "list": lambda: xg.asarray([1.0, 2.0]),
    "nested": lambda: xg.asarray([[1, 2], [3, 4.5]]),
    "empty list": lambda: xg.asarray([]),
    "zeros": lambda: xg.zeros(2),
    "ones": lambda: xg.ones((2, 2)),
    "empty": lambda: xg.empty(2),
    "eye": lambda: xg.eye(2),
    "full": lambda: xg.full((2,), 0.5),
    "linspace": lambda: xg.linspace(0, 1, 3),
    "arange": lambda: xg.arange(0.0, 1.0, 0.25),
    "fftfreq": lambda: xg.fft.fftfreq(4),
    "normal": lambda: xg.random.Generator(0).normal((2,)),
    "uniform": lambda: xg.random.Generator(0).uniform((2,)),
    "parameter": lambda: nn.Parameter([1.0, 2.0]),
    "layer": lambda: nn.Linear(2, 2).weight,
    "argument": lambda: xg.grad(lambda x: x * x)(2.0),
    "two numbers": lambda: xg.add(1.0, 2.0),
}


@pytest.mark.parametrize("what", MADE)
def test_what_is_made_has_it(backend, xp, chosen, what):
    assert MADE[what]().dtype == getattr(xp, chosen)


def test_values_are_not_rounded_on_the_way(backend, chosen):
    assert to_numpy(xg.asarray([0.1])).tolist() == [float(np.dtype(chosen).type(0.1))]


def test_a_list_with_numpys_numbers_has_the_dtype_that_numpy_gives_it(backend, xp, chosen):
    for mixed in ([np.float64(0.1), 1.0], [[np.float64(0.1)], [1.0]], [np.array(0.1), 2.0]):
        assert xg.asarray(mixed).dtype == xp.float64
    if backend.name != "strict":  # which takes a list of NumPy's numbers for Python's
        assert xg.asarray([np.float32(0.5), np.float32(1)]).dtype == xp.float32


def test_complex_numbers_have_that_precision(backend, xp, chosen):
    for z in (xg.asarray(1j), xg.asarray([1.0, 2j]), xg.full((2,), 1j)):
        assert z.dtype == getattr(xp, COMPLEX[chosen])


def test_integers_truth_values_and_arrays_are_not_affected(backend, xp, chosen):
    integer = xp.__array_namespace_info__().default_dtypes()["integral"]
    for n in (xg.asarray(1), xg.asarray([[1, 2]]), xg.arange(3), xg.full((2,), 3), xg.random.Generator(0).integers(5)):
        assert n.dtype == integer
    assert xg.asarray([True, False]).dtype == xp.bool
    for dtype in ("float32", "float64"):
        assert xg.asarray(np.ones(2, dtype)).dtype == getattr(xp, dtype)
        x = make(xp, [1.0, 2.0], dtype)
        assert (x * 0.5 + 1).dtype == getattr(xp, dtype)
        assert xg.zeros_like(x).dtype == getattr(xp, dtype)
        assert xg.mean(x).dtype == getattr(xp, dtype)
        assert xg.sum(xg.asarray([1, 2]), dtype=getattr(xp, dtype)).dtype == getattr(xp, dtype)


BECOME_FLOATS = {
    "divide": lambda i: i / 2,
    "divide by itself": lambda i: i / i,
    "times": lambda i: 0.5 * i,
    "plus": lambda i: i + 0.5,
    "0-d plus": lambda i: i[0] + 0.5,
    "power": lambda i: i**0.5,
    "sqrt": xg.sqrt,
    "exp of 0-d": lambda i: xg.exp(i[0]),
    "sigmoid": xg.sigmoid,
    "softmax": lambda i: xg.softmax(i, axis=0),
    "mean": xg.mean,
    "mean of an axis": lambda i: xg.mean(i, axis=0),
    "std": xg.std,
    "norm": xg.linalg.vector_norm,
    "erf": xg.special.erf,
    "where": lambda i: xg.where(i > 1, i, 0.5),
    "floor_divide": lambda i: i // 0.5,
    "truth values": lambda i: (i > 1) * 0.5,
}


@pytest.mark.parametrize("what", BECOME_FLOATS)
def test_integers_become_floats_of_it(backend, xp, chosen, what):
    if "special.erf" in backend.cannot and what == "erf":
        pytest.skip(backend.cannot["special.erf"])
    values = np.array([1, 2, 3])
    y = BECOME_FLOATS[what](make(xp, values))
    want = to_numpy(BECOME_FLOATS[what](make(xp, values.astype(chosen)))) if what != "truth values" else [0, 0.5, 0.5]
    assert y.dtype == getattr(xp, chosen)
    np.testing.assert_allclose(to_numpy(y), want, rtol=1e-6)


def test_an_error_about_integers_is_still_the_librarys(backend, xp):
    with pytest.raises((TypeError, ValueError, RuntimeError, IndexError), match="divide"):
        xg.divide(make(xp, [1, 2]), make(xp, [1, 2, 3]))


def test_a_training_keeps_it(backend, xp, chosen):
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    loss = nn.functional.mse_loss(model(xg.ones((4, 2))), xg.zeros((4, 1)))
    loss.backward()
    optimizer.step()
    for tensor in (*model.parameters(), loss):
        assert tensor.dtype == getattr(xp, chosen)


# --- how it is chosen -------------------------------------------------------------------------------------


def test_it_is_float64_where_nothing_is_said(backend, xp):
    assert xg.get_default_dtype() == xp.float64
    assert xp.__array_namespace_info__().default_dtypes()["real floating"] == xp.float64
    assert xp.__array_namespace_info__().default_dtypes()["complex floating"] == xp.complex128


@pytest.mark.parametrize("given", ["float32", "the backend's", "NumPy's type", "NumPy's dtype"])
def test_it_may_be_given_as(backend, xp, given):
    dtype = {"float32": "float32", "the backend's": xp.float32, "NumPy's type": np.float32}.get(
        given, np.dtype("float32")
    )
    try:
        xg.set_default_dtype(dtype)
        assert xg.get_default_dtype() == xp.float32
        assert xp.__array_namespace_info__().default_dtypes()["complex floating"] == xp.complex64
    finally:
        xg.set_default_dtype(None)
    assert xg.get_default_dtype() == xp.float64


def test_by_the_environment(backend, xp, monkeypatch):
    for value, dtype in (("float32", xp.float32), ("", xp.float64)):
        monkeypatch.setenv("XGRAD_DTYPE", value)
        xg.set_default_dtype(None)
        assert xg.zeros(1).dtype == dtype
    monkeypatch.setenv("XGRAD_DTYPE", "double")
    with pytest.raises(ValueError, match=r"XGRAD_DTYPE is one of float64, float32, float16, bfloat16, not 'double'"):
        xg.set_default_dtype(None)
    monkeypatch.delenv("XGRAD_DTYPE")
    xg.set_default_dtype(None)


@pytest.mark.parametrize("wrong", ["int64", "real", "complex64", 32, np.int32])
def test_what_is_no_real_floating_dtype_is_refused(backend, xp, wrong):
    with pytest.raises(TypeError, match="real floating"):
        xg.set_default_dtype(wrong)
    assert xg.zeros(1).dtype == xp.float64


def test_one_that_the_backend_does_not_have():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict"):
        with pytest.raises(BackendError, match=r"float16, which Backend\(strict, device1\) does not have.*XGRAD_DTYPE"):
            xg.set_default_dtype("float16")
        assert xg.zeros(1).dtype == xg.float64


def test_jax_gets_its_64_bits_by_the_variable_alone():
    """Complex numbers too: the gradient of z * (2 + i) is the cotangent times 2 - i."""
    pytest.importorskip("jax")
    source = """
        import xgrad as xg
        z = xg.asarray([1 + 2j])
        g = xg.vjp(lambda z: z * (2 + 1j), z)[1](xg.asarray([1j]))[0]
        print(xg.zeros(1).dtype, g.dtype, g.tolist())
    """
    said = output(source, XGRAD_BACKEND="jax", XGRAD_DTYPE="float64", JAX_ENABLE_X64="0")
    assert said == "float64 complex128 [(1+2j)]"


# --- dtypes by other names --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float32", "float64", "int32", "bool", "complex64"])
def test_a_dtype_may_be_numpys_or_a_name(backend, xp, name):
    want = getattr(xp, name)
    for dtype in (name, np.dtype(name), np.dtype(name).type):
        assert xg.zeros(2, dtype=dtype).dtype == want
        assert xg.asarray([1, 0], dtype=dtype).dtype == want
        assert xg.asarray(make(xp, [1, 0]), dtype=dtype).dtype == want
        assert xg.astype(make(xp, [1, 0]), dtype).dtype == want
        assert xg.zeros_like(make(xp, [1, 0]), dtype=dtype).dtype == want
        assert xg.isdtype(want, dtype)
    assert xg.sum(make(xp, [1, 2]), dtype="float32").dtype == xp.float32
    assert xg.zeros(2, dtype="f4").dtype == xp.float32  # one of NumPy's codes
    with pytest.raises(TypeError, match=r"has no dtype 'float65'; it has .*float64"):
        xg.zeros(2, dtype="float65")
    assert xg.finfo("float32").bits == 32
    assert xg.random.Generator(0).normal(2, dtype="float32").dtype == xp.float32


def test_pythons_types_are_the_default_dtypes(backend, xp, chosen):
    assert xg.zeros(2, dtype=float).dtype == getattr(xp, chosen)
    assert xg.zeros(2, dtype=complex).dtype == getattr(xp, COMPLEX[chosen])
    assert xg.zeros(2, dtype=int).dtype == xp.__array_namespace_info__().default_dtypes()["integral"]
    assert xg.zeros(2, dtype=bool).dtype == xp.bool
