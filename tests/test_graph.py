"""Walking a graph, and drawing it."""

from __future__ import annotations

import re

import pytest

import xgrad as xg
from tests.support.arrays import make


def names_of(fn):
    """The names beneath a step, as nested lists."""
    return [fn.name(), *[None if each is None else names_of(each) for each, _ in fn.next_functions]]


def test_grad_fn_walks_down_to_the_leaves(xp):
    x, w = make(xp, [1.0, 2.0], requires_grad=True), make(xp, [3.0, 4.0], requires_grad=True)
    y = xp.sum(xp.exp(x) * w + 1.0)
    leaf = ["AccumulateGrad"]
    assert names_of(y.grad_fn) == ["sum", ["add", ["multiply", ["exp", leaf], leaf]]]
    assert all(number == 0 for _, number in y.grad_fn.next_functions)
    assert repr(y.grad_fn) == "<sum>"


def test_what_was_not_recorded_has_none(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    assert x.grad_fn is None
    assert make(xp, [1.0]).grad_fn is None
    with xg.no_grad():
        assert (x * 2).grad_fn is None
    assert (x * 2).detach().grad_fn is None
    y = xp.concat([x, make(xp, [1.0]), x])
    assert [None if fn is None else fn.name() for fn, _ in y.grad_fn.next_functions] == [
        "AccumulateGrad", None, "AccumulateGrad",
    ]  # fmt: skip


def test_a_step_is_known_again(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    h = xp.exp(x)
    y = h * xp.sin(h)
    (one, _), (sine, _) = y.grad_fn.next_functions
    assert one == h.grad_fn == sine.next_functions[0][0]
    assert hash(one) == hash(h.grad_fn)
    assert one != sine
    assert len({one, h.grad_fn, sine}) == 2
    with pytest.raises(AttributeError):
        h.grad_fn = None
    with pytest.raises(AttributeError):
        h.grad_fn.next_functions = ()


def test_looking_changes_nothing(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = xp.sum(x * x * x)
    names_of(y.grad_fn)
    xg.draw_graph(y)
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 12.0]


def test_a_freed_step_says_so(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = xp.sum(xp.exp(x))
    assert not y.grad_fn.freed
    y.backward()
    assert y.grad_fn.freed
    assert y.grad_fn.next_functions == ()
    assert "dashed" in xg.draw_graph(y)


def boxes(text):
    return dict(re.findall(r'(\d+) \[label="((?:[^"\\]|\\.)*)"', text))


def test_a_picture(xp):
    w, b = make(xp, [[1.0, 2.0], [3.0, 4.0]], requires_grad=True), make(xp, [1.0, 2.0], requires_grad=True)
    y = xp.sum(xp.sigmoid(xp.ones((5, 2)) @ xp.astype(w, xp.float64) + b) * 2.0)
    text = xg.draw_graph(y, names={"w": w, "b": b})
    found = boxes(text)
    assert text.startswith("digraph {\n")
    assert text.endswith("\n}")
    assert {r"sum\n()", r"multiply\n(5, 2)", r"sigmoid\n(5, 2)", r"w\n(2, 2)", r"b\n(2,)"} <= set(found.values())
    arrows = {(found[a].split("\\n")[0], found[b].split("\\n")[0]) for a, b in re.findall(r"(\d+) -> (\d+)", text)}
    assert {("multiply", "sum"), ("sigmoid", "multiply"), ("add", "sigmoid"), ("b", "add"), ("w", "cast")} <= arrows
    assert "leaf" in xg.draw_graph(y)


def test_labels_are_escaped(xp):
    w = make(xp, [1.0], requires_grad=True)
    text = xg.draw_graph(xp.sum(w), names={'layer "1"\\\nw': w})
    assert r'label="layer \"1\"\\\nw\n(1,)"' in text
    assert len(text.splitlines()) == 5


def test_kept_gradients_writes_and_higher_orders(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    h = x * 2.0
    h.retain_grad()
    h[0] = 3.0
    y = xp.sum(h * h)
    assert {"retain_grad", "setitem"} <= {label.split("\\n")[0] for label in boxes(xg.draw_graph(y)).values()}
    y.backward(create_graph=True)
    assert x.grad is not None
    assert x.grad.grad_fn is not None
    assert "digraph" in xg.draw_graph(x.grad)


def test_deep_graphs_need_no_recursion(xp):
    x = make(xp, [1.0], requires_grad=True)
    y = x
    for _ in range(3000 if xp.zeros(1).backend.name == "numpy" else 30):
        y = y * 0.5 + x
    text = xg.draw_graph(y)
    assert text.count("multiply") > 20


def test_what_cannot_be_drawn(xp):
    with pytest.raises(ValueError, match="does not require a gradient"):
        xg.draw_graph(make(xp, [1.0]))
    with pytest.raises(TypeError, match="expected a tensor, got list"):
        xg.draw_graph([1.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'w' is of type int"):
        xg.draw_graph(xp.sum(make(xp, [1.0], requires_grad=True)), names={"w": 1})  # type: ignore[dict-item]
