"""JSON that no encoder makes is one error."""

from __future__ import annotations

from typing import Any

import pytest

from xgrad.state import StateError
from xgrad.state.decoding import Decoder, strictly


def decode(node):
    return Decoder(lambda name, dtype, order: [name, dtype, order]).decode(node)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[1,]", "nul", "{'a': 1}", '{"a": 1} x', "\ufeff{}"),
        *("NaN", "-Infinity", '{"a": Infinity}', '{"a": 1, "a": 2}', '[{"b": {"c": 0, "c": 0}}]'),
        *("[" * 100_000, '{"a":' * 100_000, "1" * 5000),
    ],
    ids=lambda text: text[:20],
)
def test_no_json(text):
    with pytest.raises(ValueError, match=r"."):
        strictly(text)


@pytest.mark.parametrize(
    "node",
    [
        *(
            {"$tensor": 3},
            {"$tensor": "x", "size": 1},
            {"$tuple": {}},
            {"$tuple": [], "a": 1},
            {"$unknown": 1},
            {"$": []},
        ),
        *({"$dict": 1}, {"$dict": [1]}, {"$dict": [[1]]}, {"$dict": [[1, 2], [1, 3]]}, {"$dict": [[[1], 2]]}),
        *({"$dict": [[{"$dict": []}, 2]]}, {"$dict": [[{"$tensor": "x"}, 2]]}, {"$dict": [[{"$tuple": [[]]}, 2]]}),
        *({"$int": "x"}, {"$int": 3}, {"$int": ""}, {"$float": "0x1"}, {"$float": 1}, {"$float": []}),
        *({"$complex": [1]}, {"$complex": [1, "2"]}, {"$complex": [1, 2]}, {"$complex": [True, 1.0]}, {"$complex": 1}),
        *({"$state": {}}, {"$state": {}, "class": 3}, {"$state": {"$state": {}, "class": "A"}, "class": "B"}),
        *({"a": [{"$none": 0}]}, {"a": 1, "$tuple": []}),
    ],
    ids=repr,
)
def test_nodes_that_are_none_of_the_format(node):
    with pytest.raises(StateError, match="none of this format") as caught:
        decode({"up": [node]})
    assert "'up'[0]" in str(caught.value)


def test_what_is_nested_too_deeply():
    node: Any = 0
    for _ in range(150):
        node = [node]
    with pytest.raises(StateError, match="more than 100 levels"):
        decode(node)


def test_a_long_integer_takes_no_time():
    assert decode({"$int": "-0x" + "f" * 1_000_000}) == 1 - 16**1_000_000


def test_classes_of_objects_are_noted():
    decoder = Decoder(lambda *args: 0)
    assert decoder.decode({"a": [{"$state": {"x": 1}, "class": "Adam"}]}) == {"a": [{"x": 1}]}
    assert decoder.classes == {("a", 0): "Adam"}
