"""One-hot codes of words and numbers, and back."""

import json
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from xgrad.data import OneHot

WORDS = ["dog", "cat", "dog", "eel"]
CODES = np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)


def test_words(xp):
    code = OneHot(dtype="float64").fit(WORDS)
    assert code.categories == ["cat", "dog", "eel"]
    assert_matches(code(WORDS), CODES, xp=xp)
    assert code.inverse(code(WORDS)) == WORDS
    assert code.inverse(make(xp, CODES.reshape(2, 2, 3))) == [WORDS[:2], WORDS[2:]]
    of_numpy = code(np.array(WORDS).reshape(2, 2))
    assert type(of_numpy) is np.ndarray
    assert (of_numpy == CODES.reshape(2, 2, 3)).all()
    assert (code.inverse(of_numpy) == np.array(WORDS).reshape(2, 2)).all()


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", "bool"])
def test_numbers(xp, dtype):
    values = np.array([1, 0, 1, 1]) if dtype == "bool" else np.array([7, 3, 7, 200])
    wanted = values[:, None] == np.unique(values)
    for given in (make(xp, values, dtype), values.astype(dtype)):
        code = OneHot(dtype="float64").fit(given)
        assert code.categories == np.unique(values).tolist()
        z = code(given)
        assert (to_numpy(z) == wanted).all()
        back = code.inverse(z)  # of the dtype of Python's numbers
        assert type(back) is type(given)
        assert (to_numpy(back) == values).all()
    assert_matches(code(make(xp, values, dtype)), wanted.astype(float), xp=xp)


def test_values_of_another_dtype_than_the_categories(xp):
    code = OneHot([1, 300, 2.5], unknown="ignore", dtype="float64")
    assert_matches(code(make(xp, [1, 2], "int64")), np.array([[1.0, 0, 0], [0, 0, 0]]), xp=xp)
    assert_matches(code(make(xp, [1, 44], "uint8")), np.array([[1.0, 0, 0], [0, 0, 0]]), xp=xp)  # 300 is 44 in uint8
    whole = OneHot([1, 300], unknown="ignore", dtype="float64")
    assert_matches(whole(make(xp, [1, 44], "uint8")), np.array([[1.0, 0], [0, 0]]), xp=xp)
    assert_matches(code(make(xp, [2.5, 300.0])), np.array([[0.0, 0, 1], [0, 1, 0]]), xp=xp)


def test_the_order_that_is_given():
    code = OneHot(["b", "a"])
    assert code(["a", "b"]).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert OneHot().fit([3, 1, 3]).categories == [1, 3]


def test_the_inverse_takes_the_largest(xp):
    code = OneHot([10, 20, 30])
    assert_matches(code.inverse(make(xp, [[0.1, 0.7, 0.2], [-5.0, -9.0, -1.0]])), np.array([20, 30]), xp=xp)


def test_unknown_values(backend):
    code = OneHot([1, 2])
    with pytest.raises(ValueError, match=r"none of the categories \[1, 2\]"):
        code(np.array([1, 3]))
    if backend.on_host and not backend.defers:
        with pytest.raises(ValueError, match="none of the categories"):
            code(make(backend.view, [1, 3], "int64"))
    with pytest.raises(ValueError, match="'cow' is none of the categories"):
        OneHot().fit(WORDS)(["cow"])
    ignoring = OneHot(["a"], unknown="ignore", dtype="float64")
    assert_matches(ignoring(["a", "b"]), np.array([[1.0], [0.0]]), xp=backend.view)


def test_the_state():
    for values in (WORDS, [3, 1, 2], [0.5, 0.25], [True, False]):
        code, other = OneHot().fit(values), OneHot()
        other.load_state_dict(json.loads(json.dumps(code.state_dict())))
        assert other.categories == code.categories
        assert other(values).tolist() == code(values).tolist()
    bad: Any
    for bad in ({}, None, {"categories": []}, {"categories": ["a", 1]}, {"categories": ["a", "a"]}, {"categories": 3}):
        with pytest.raises(ValueError, match="OneHot"):
            other.load_state_dict(bad)
    assert other.categories == code.categories


def test_what_is_wrong():
    for use in (lambda c: c(["a"]), lambda c: c.inverse([[1.0]]), lambda c: c.state_dict()):
        with pytest.raises(RuntimeError, match="call fit"):
            use(OneHot())
    with pytest.raises(ValueError, match="unknown must be"):
        OneHot(unknown="skip")
    with pytest.raises(ValueError, match="no values, so no categories"):
        OneHot().fit([])
    with pytest.raises(ValueError, match="nan and complex"):
        OneHot().fit([1.0, float("nan")])
    with pytest.raises(TypeError, match="all words or all numbers"):
        OneHot().fit(["a", 1])
    with pytest.raises(TypeError):
        OneHot().fit([None])
    with pytest.raises(ValueError, match="the category 'a' comes twice"):
        OneHot(["a", "b", "a"])
    with pytest.raises(ValueError, match="last axis must have length 2"):
        OneHot(["a", "b"]).inverse(xg.zeros((3, 3)))
