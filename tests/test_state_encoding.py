"""Trees of Python values and arrays as JSON, and what cannot be saved."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict, namedtuple
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xgrad as xg
from xgrad.state.decoding import Decoder, strictly
from xgrad.state.encoding import Encoder


def there_and_back(value: Any) -> Any:
    encoder = Encoder()
    text = json.dumps(encoder.encode(value), allow_nan=False)
    return Decoder(lambda name, dtype, order: encoder.arrays[name].raw).decode(strictly(text))


def same(a: Any, b: Any) -> bool:
    """Whether two trees are equal, with the same types, signs of zeros and order of keys."""
    if isinstance(a, dict):
        return type(b) is dict and same(list(a.items()), list(b.items()))
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if type(a) is int:
        return type(b) is int and a == b
    return type(a) is type(b) and repr(a) == repr(b)


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text())
KEYS = st.recursive(LEAVES, lambda keys: st.lists(keys, max_size=2).map(tuple), max_leaves=3)
TREES = st.recursive(
    LEAVES,
    lambda trees: st.one_of(
        st.lists(trees, max_size=3), st.lists(trees, max_size=3).map(tuple), st.dictionaries(KEYS, trees, max_size=3)
    ),
    max_leaves=12,
)


@given(TREES)
@settings(max_examples=40)
def test_trees_return_as_they_were(tree):
    assert same(there_and_back(tree), tree)


@pytest.mark.parametrize(
    "value",
    [
        *(2**53, 2**53 + 1, -(2**53) - 1, 2**64, -(2**200), 10**5000),
        *(0.1, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf),
        *(complex(-0.0, math.nan), complex(math.inf, -0.0)),
        *("", "\ud800", "\0", "中", {"$tensor": "x"}, {"$": 1, "a": 2}, {"": {"": ()}}),
        *({2: "a", None: "b", (1, (2.5, "x")): "c", True: "d"}, {1.5: 0, 2j: 1}, ([],), [()], {}),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else f"{value.bit_length()} bits",
)
def test_values_are_exact(value):
    assert same(there_and_back(value), value)


def test_subclasses_return_as_their_base():
    class Size(IntEnum):
        LARGE = 3

    point = namedtuple("point", "x y")
    given = [
        Size.LARGE,
        point(1, 2),
        OrderedDict(b=1, a=2),
        Counter("aab"),
        MappingProxyType({"a": 1}),
        np.float64(0.5),
    ]
    wanted = [3, (1, 2), {"b": 1, "a": 2}, {"a": 2, "b": 1}, {"a": 1}, 0.5]
    assert same(there_and_back(given), wanted)
    assert same(
        there_and_back([np.float32(0.1), np.int64(3), np.bool_(True), np.complex64(1j)]),
        [float(np.float32(0.1)), 3, True, 1j],
    )


def test_arrays_are_named_by_their_keys():
    x = np.zeros(2)
    encoder = Encoder()
    encoder.encode({"model": {"0.weight": x}, "state": {0: {"m": x}}, "list": [x, (x,)], "flag": {True: x}})
    assert list(encoder.arrays) == ["model.0.weight", "state.0.m", "list.0", "list.1.0", "flag.True"]


def test_names_are_unique_and_harmless():
    x = [np.full(1, float(i)) for i in range(8)]
    tree = {
        "a": {"b": x[0]},
        "a.b": x[1],
        "__metadata__": x[2],
        "../up": x[3],
        "/root": x[4],
        "..": x[5],
        "\ud800": x[6],
        "\n": x[7],
    }
    encoder = Encoder()
    encoder.encode(tree)
    assert list(encoder.arrays) == [
        *("a.b", "a.b~2", "__metadata__~2", "_..%2Fup", "_%2Froot", "_..", "_%5Cud800", "_%0A"),
    ]
    found = there_and_back(tree)
    assert list(found) == list(tree)
    assert [float(each[0]) for each in (found["a"]["b"], found["a.b"], found["../up"])] == [0.0, 1.0, 3.0]


def test_a_lone_array_has_a_name():
    encoder = Encoder()
    assert encoder.encode(np.zeros(2)) == {"$tensor": "tensor"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (lambda: 0, "is a value of type function"),
        (object(), "is a value of type object"),
        (b"bytes", "is a value of type bytes"),
        ({1, 2}, "is a value of type set"),
        (xg.nn.Linear, "is the class Linear"),
        ({object(): 1}, "a key of the dict at 'a'[1] is a value of type object"),
        ({(1, b"x"): 1}, "a key of the dict at 'a'[1] is a value of type tuple"),
        (np.asarray(["text"]), "is a ndarray of dtype <U4"),
        (np.asarray([None]), "is a ndarray of dtype object"),
        (np.zeros(2, dtype=[("x", "f4")]), "is a ndarray of dtype [('x', '<f4')]"),
        (np.zeros(2, dtype="M8[s]"), "is a ndarray of dtype datetime64[s]"),
        (np.zeros(2, dtype=np.longdouble), "is an array of dtype"),
        (np.longdouble(1), "is a number of dtype"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_saved_is_named_with_its_place(value, said):
    with pytest.raises(TypeError) as caught:
        Encoder().encode({"a": [0, value]})
    assert "'a'[1]" in str(caught.value)
    assert said in str(caught.value)


def test_an_object_whose_state_is_no_dict():
    class Odd:
        def state_dict(self):
            return self

    with pytest.raises(TypeError, match=r"'a': state_dict\(\) of Odd must return a dict, not Odd"):
        Encoder().encode({"a": Odd()})


def test_trees_that_never_end():
    tree: list[Any] = []
    tree.append({"a": (tree,)})
    with pytest.raises(ValueError, match=r"^xg.save: 0\['a'\]\[0\] contains itself"):
        Encoder().encode(tree)
    shared = [1]
    assert there_and_back([shared, shared]) == [[1], [1]]
    deep: Any = 0
    for _ in range(100):
        deep = [deep]
    assert there_and_back(deep) == deep
    with pytest.raises(ValueError, match="nested more than 100 levels deep"):
        Encoder().encode([[deep]])
