"""The registry of functions: their names and keywords, and errors that name the right keyword."""

from __future__ import annotations

import inspect

import pytest

import xgrad as xg
from tests.support.arrays import make
from xgrad.engine.registry import FUNCTIONS

WITH_AXIS = [name for name, function in FUNCTIONS.items() if "axis" in inspect.signature(function).parameters]


def test_there_are_many_with_an_axis():
    assert {"sum", "std", "softmax", "concat", "linalg.vector_norm", "sort", "squeeze"} <= set(WITH_AXIS)


@pytest.mark.parametrize("name", WITH_AXIS)
def test_pytorchs_word_is_answered_with_the_standards(name):
    with pytest.raises(
        TypeError, match=rf"{name.removeprefix('linalg.')}: unexpected argument 'dim': it is 'axis' here"
    ):
        FUNCTIONS[name](xg.ones((2, 2)), dim=0)


@pytest.mark.parametrize(
    ("word", "right"), [("keepdim", "keepdims"), ("ddof", "correction"), ("unbiased", "correction")]
)
def test_other_words(xp, word, right):
    with pytest.raises(TypeError, match=f"{word!r}: it is {right!r} here"):
        xg.std(make(xp, [1.0, 2.0]), **{word: 1})  # type: ignore[arg-type]


def test_other_errors_are_as_they_were(xp):
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        xp.sum(make(xp, [1.0]), colour=1)
    with pytest.raises(TypeError, match=r"dim= and axis= mean the same"):
        xg.nn.functional.softmax(make(xp, [1.0]), dim=0, axis=0)
    assert xg.nn.functional.softmax(make(xp, [1.0]), axis=0).shape == (1,)
    assert xg.nn.functional.log_softmax(make(xp, [1.0]), axis=-1).shape == (1,)
