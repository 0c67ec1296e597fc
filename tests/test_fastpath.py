"""The fast path: it registers itself, it can be switched off, and it gives what general dispatch gives."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from xgrad.engine import fastpath
from xgrad.engine.dispatch import apply, fast_paths
from xgrad.engine.op import OPS, Elementwise, Op, parameters
from xgrad.engine.tape import OP

ON = bool(fast_paths)  # the suite runs both ways


def is_of_arrays(op: Any) -> bool:
    """Whether the rules of an elementwise operation need arrays only, and no static arguments."""
    known = {*op.arguments, "y"}
    return type(op) is Elementwise and all(set(parameters(rule)) <= known for rule in op.rules if rule is not None)


OF_ARRAYS = sorted(name for name, op in OPS.items() if is_of_arrays(op) and len(op.arguments) <= 2 and name != "imag")

PROGRAM = """
import numpy as np
import xgrad as xg
from xgrad.engine import fastwalk, tape
from xgrad.engine.dispatch import fast_paths

x = xg.asarray(np.linspace(0.1, 1, 6).reshape(2, 3), requires_grad=True)
w = xg.asarray(np.linspace(-1, 1, 6).reshape(2, 3), requires_grad=True)
y = xg.mean(xg.linear(xg.exp(x) * 2 - w / 3, w, xg.ones(2)) @ xg.ones((2, 4))) + xg.sum(x * x)
y.backward()
print(sorted(fast_paths), tape.walk_back is fastwalk.walk_back, type(xg.exp(x).node[2]).__name__)
print(y.item().hex(), *(g.hex() for g in (x.grad.numpy() + w.grad.numpy()).ravel().tolist()))
"""


def told(value: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "XGRAD_FASTPATH": value},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_variable_leaves_it_out_and_the_numbers_stay():
    fast, plain = told("1"), told("0")
    assert fast[0] == "['affine', 'binary', 'choice', 'element', 'matrix_product', 'reduce_all', 'unary'] True Leaf"
    assert plain[0] == "[] False tuple"
    numbers = [[float.fromhex(word) for word in lines[1].split()] for lines in (fast, plain)]
    np.testing.assert_allclose(numbers[0], numbers[1], rtol=1e-15)


@pytest.mark.skipif(not ON, reason="the fast path is off")
@pytest.mark.parametrize("name", OF_ARRAYS)
def test_an_elementwise_node_holds_what_its_rule_needs(name):
    """The fast node's gradient is the general one's, for each argument alone and for both."""
    op: Any = OPS[name]
    function = fastpath.unary if len(op.arguments) == 1 else fastpath.binary

    def general(*arrays: Any) -> Any:
        return apply(op, arrays)

    fast = function(op, general)
    with xg.use_backend("numpy"), np.errstate(all="ignore"):
        values = [np.linspace(0.15, 0.85, 4), np.linspace(0.9, 0.3, 4)][: len(op.arguments)]
        for moving in ([True] * len(values), *([i == j for i in range(len(values))] for j in range(len(values)))):
            found = []
            for run in (fast, general):
                xs = [make(xg, v, requires_grad=m) for v, m in zip(values, moving, strict=True)]
                y = run(*xs)
                node: Any = y.node
                assert isinstance(node[OP], fastpath.Plain) == (run is fast)
                xg.sum(y).backward()
                found.append([None if x.grad is None else to_numpy(x.grad) for x in xs])
            for one, other in zip(*found, strict=True):
                assert (one is None) == (other is None)
                if one is not None:
                    np.testing.assert_allclose(one, other, rtol=1e-14)


def test_rules_that_change_reach_the_fast_nodes():
    op: Any = OPS["sinh"]
    single = fastpath.Single(op, 0)
    rules = op.rules
    try:
        op.set_rules((lambda xp, g: g * 3.0,))
        assert single.only(None, 2.0, None) == 6.0
        assert single.needs == []
    finally:
        op.set_rules(rules)
    assert single.needs == [0]


def test_what_is_packed():
    class Fake(Op):
        pass

    try:
        op = Fake("a_fake", ("x1", "x2"), (lambda xp, g, x2, y: g, lambda xp, g: g))
        first, second = fastpath.Single(op, 0), fastpath.Single(op, 1)
        _, pack = fastpath.packer(first)
        assert pack is not None
        assert pack("a", "b", "y") == ("b", "y")
        assert fastpath.packer(second) == (None, None)  # nothing is saved
        assert fastpath.packer_of_all(op)("a", "b", "y") == (None, "b", "y")
    finally:
        del OPS["a_fake"]
