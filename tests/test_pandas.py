"""Tables and columns of pandas as operands: their values are NumPy's, and the result is a tensor with its gradient."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make

pd = pytest.importorskip("pandas")
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt, operator.ge]


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("kind", ["series", "index", "frame"])
def test_operators_on_both_sides(xp, op, kind):
    values = np.array([[1.5, 2.0], [3.0, 0.5]]) if kind == "frame" else np.array([1.5, 2.0])
    table = {"series": pd.Series, "index": pd.Index, "frame": pd.DataFrame}[kind](values)
    x = make(xp, [2.0, 3.0])
    with xg.use_backend(x.backend):
        assert_matches(op(x, table), op(np.array([2.0, 3.0]), values), xp=xp)
        assert_matches(op(table, x), op(values, np.array([2.0, 3.0])), xp=xp)


def test_the_gradient(xp):
    x = make(xp, [2.0, 3.0], requires_grad=True)
    weights, mask = pd.Series([0.5, 4.0], index=["a", "b"]), pd.Series([False, True])
    (xg.sum(weights * x) + xg.sum(x[mask]) + np.multiply(weights, x).sum() + np.where(mask, x, 0.0).sum()).backward()
    assert_matches(x.grad, [1.0, 10.0], xp=xp)


def test_products_and_functions(xp):
    x, table = make(xp, [2.0, 3.0]), pd.DataFrame([[1.0, 2.0], [3.0, 4.0]])
    assert_matches(x @ table, [11.0, 16.0], xp=xp)
    assert_matches(np.dot(table, x), [8.0, 18.0], xp=xp)
    assert_matches(xg.maximum(x, table[0]), [2.0, 3.0], xp=xp)


def test_whole_numbers_that_may_be_missing_and_words(xp):
    x = make(xp, [2.0, 3.0])
    assert_matches(x * pd.Series([1, 2], dtype="Int64"), [2.0, 6.0], xp=xp)
    with pytest.raises(TypeError, match="holds no numbers"):
        x * pd.Series(["a", "b"])
    with pytest.raises(TypeError, match="holds no numbers"):
        x * pd.DataFrame({"a": [1.0, 2.0], "b": ["c", "d"]})
