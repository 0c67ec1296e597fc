"""Signatures: `fits` says yes only where the keys are equal, and for the usual arguments exactly there."""

import numpy as np
import pytest

import xgrad as xg
from xgrad.compile.errors import CompileError
from xgrad.compile.signature import Signature, Static, difference, key_of

ARGUMENTS = [
    1.0, 2.0, 1, True, 0, False, "a", "b", None, np.float64(1.0), np.float32(1.0), (1, 2),
    np.zeros(3), np.zeros(3, np.float32), np.zeros((3, 1)), np.ones(3), np.zeros(3, np.int64), np.zeros(()),
    xg.zeros(3), xg.ones(3), xg.zeros(3, dtype=xg.float32), xg.asarray(np.zeros(3), requires_grad=True),
    Static(1.0), Static(2.0), Static(1),
]  # fmt: skip


@pytest.mark.parametrize("one", ARGUMENTS, ids=lambda a: f"{type(a).__name__}-{a}"[:30])
def test_fits_against_the_key(one):
    first = Signature([one, 1.0], 2, key_of([one, 1.0], 2))
    for other in ARGUMENTS:
        key = key_of([other, 1.0], 2)
        fits = first.fits([other, 3.0], 2)
        assert not fits or key == first.key
        if type(one) in (float, int, bool, str, type(None), np.ndarray, xg.Tensor) and type(other) is type(one):
            assert fits == (key == first.key)


def test_what_else_decides():
    leaves = [np.zeros(3)]
    signature = Signature(leaves, 1, key_of(leaves, 1))
    assert signature.fits(leaves, 1)
    assert not signature.fits(leaves, 2)
    with xg.no_grad():
        assert not signature.fits(leaves, 1)
    pytest.importorskip("array_api_strict")
    with xg.use_backend("numpy" if xg.get_backend().name != "numpy" else "strict"):
        assert not signature.fits(leaves, 1)


def test_an_argument_that_is_not_hashable():
    with pytest.raises(CompileError, match="type set is static, and cannot be told from others"):
        key_of([{1}], 1)


def test_how_two_calls_differ():
    keys = [key_of([x, 1], 2) for x in (np.zeros(3), np.zeros(4))]
    assert difference(keys[0], keys[1], ("x", "n")) == (
        "argument x is ndarray of shape (4,) and dtype float64, and was ndarray of shape (3,) and dtype float64"
    )
