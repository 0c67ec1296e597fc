"""Trees: a plain row of arrays, which needs no optree, is what optree makes of it."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import optree
import pytest

from xgrad.engine.trees import Row, flatten, structure

A = np.ones(2)
Typed = namedtuple("Typed", "dtype shape")
ROWS: list[Any] = [(), [], (A,), [A, 2.0], (A, 3, A)]
OTHERS: list[Any] = [(A, None), [(A,)], {"a": A}, (A, "x"), [Typed(A, A)], Typed(A, A), ({},)]


@pytest.mark.parametrize("tree", ROWS + OTHERS, ids=repr)
def test_leaves_and_back(tree):
    leaves, rebuild = flatten(tree)
    want, spec = optree.tree_flatten(tree)
    assert len(leaves) == len(want)
    assert all(leaf is other for leaf, other in zip(leaves, want, strict=True))
    numbers: list[Any] = list(range(len(leaves)))
    assert rebuild(numbers) == optree.tree_unflatten(spec, numbers)
    assert type(rebuild(numbers)) is type(tree)


@pytest.mark.parametrize("tree", ROWS + OTHERS, ids=repr)
def test_structures(tree):
    """Equal to those of trees of the same shape, whichever way they were found."""
    found, spec = structure(tree), optree.tree_structure(tree)
    assert isinstance(found, Row) == any(tree is row for row in ROWS)
    assert found == spec
    assert spec == found
    assert repr(found) == repr(spec)
    assert hash(found) == hash(spec)
    for other in ROWS + OTHERS:
        assert (found == structure(other)) == (spec == optree.tree_structure(other))
    assert found != structure(A)


def test_a_row_is_copied():
    tree = [A, A]
    leaves, _ = flatten(tree)
    leaves.clear()
    assert len(tree) == 2
