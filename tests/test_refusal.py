"""Functions that a library cannot compute: the error says so. (test_rules.py checks it for each of them.)"""

from __future__ import annotations

from typing import Any

import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make
from xgrad.backends import BUILT_IN, backend_class
from xgrad.backends.numpy import NumPy
from xgrad.backends.refusal import refuse
from xgrad.engine.registry import FUNCTIONS


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_a_backend_cannot_do_is_a_function_of_xgrads_and_has_a_reason(name):
    cannot = backend_class(name).cannot
    assert set(cannot) <= set(FUNCTIONS)
    assert all(reason and reason[-1] != "." for reason in cannot.values())


@pytest.fixture
def crippled(monkeypatch):
    """NumPy, if it could not sort, and not decompose."""
    monkeypatch.setattr(
        NumPy, "cannot", {"argsort": "it is too old", "linalg.eigh": "it has no LAPACK", "sign": "who knows"}
    )
    backend = NumPy("crippled", "cpu")
    with xg.use_backend(backend):
        yield backend


def test_it_says_which_function_on_what_which_backend_and_why(crippled):
    x = make(crippled.view, [[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    for function, said in (
        (xg.argsort, r"argsort of \(2, 2\) float64: backend 'crippled' cannot do argsort: it is too old"),
        (xg.linalg.eigh, "backend 'crippled' cannot do linalg.eigh: it has no LAPACK"),
        (xg.sign, "backend 'crippled' cannot do sign: who knows"),
    ):
        with pytest.raises(NotImplementedError, match=said):
            function(x)
        with pytest.raises(NotImplementedError, match=said.rpartition("backend")[2]):
            xg.grad(lambda x, function=function: xg.sum(function(x)[0]))(x)


def test_what_is_made_of_it_says_it_too(crippled):
    with pytest.raises(NotImplementedError, match="cannot do argsort: it is too old"):
        xg.sort(make(crippled.view, [2.0, 1.0], requires_grad=True))


def test_all_else_works(crippled):
    x = make(crippled.view, [[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    xg.linalg.det(x).backward()
    assert_matches(x.grad, [[1.0, 0.0], [0.0, 2.0]], xp=crippled.view)
    assert crippled.xp.linalg.inv is crippled.library.linalg.inv
    with pytest.raises(AttributeError):
        crippled.xp.linalg.eighh  # noqa: B018


def test_a_library_without_the_extension():
    class Empty:
        fft: Any

    xp = Empty()
    refuse(xp, "small", {"fft.fft": "it has no transforms", "fft.ifft": "it has no transforms"})
    for name in ("fft", "ifft"):
        with pytest.raises(NotImplementedError, match=f"backend 'small' cannot do fft.{name}: it has no transforms"):
            getattr(xp.fft, name)(None)
