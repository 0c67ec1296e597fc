"""check_grads finds a wrong derivative, says where it is, and accepts a right one."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make

X = np.array([[0.5, -1.5], [2.0, 0.3]])


def off_by(factor: float, *, where=(0, 0), jvp: float | None = None):
    """x^3, with a derivative that is wrong at one place."""
    f = xg.primitive(lambda x: x**3)

    def rule(scale):
        def scaled(g, out, x):
            h = g * x * x * 3.0
            h[where] = h[where] * scale
            return h

        return scaled

    f.defvjp(rule(factor))
    f.defjvp(rule(factor if jvp is None else jvp))
    return f


@pytest.mark.parametrize("order", [1, 2, 3])
def test_what_is_right_passes(xp, order):
    xg.check_grads(lambda x, y: (xp.sin(x) * y, {"sum": xp.sum(x * x)}), make(xp, X), make(xp, X + 1), order=order)
    xg.check_grads(lambda p: p["a"] * p["b"][0], {"a": make(xp, X), "b": [make(xp, 2.0)]}, order=order)
    xg.check_grads(lambda x: 3.0, make(xp, X), order=order)


def test_in_float32(xp):
    xg.check_grads(lambda x: xp.sin(x) * x, make(xp, X, "float32"), order=2)
    with pytest.raises(AssertionError):
        xg.check_grads(off_by(1.05, where=(1, 0)), make(xp, X, "float32"))


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("mode", ["rev", "fwd"])
def test_a_tenth_of_a_percent_is_seen(xp, factor, mode):
    with pytest.raises(AssertionError, match="reverse mode" if mode == "rev" else "forward mode"):
        xg.check_grads(off_by(factor), make(xp, X), modes=(mode,))


def test_the_worst_element_is_named(xp):
    with pytest.raises(AssertionError, match=r"argument 0: at \(1, 0\) the derivative is .* differences give"):
        xg.check_grads(off_by(1.01, where=(1, 0)), make(xp, X), modes=("rev",))


def test_each_mode_is_looked_at_by_itself(xp):
    wrong_back, wrong_forth = off_by(1.01, jvp=1.0), off_by(1.0, jvp=1.01)
    xg.check_grads(wrong_back, make(xp, X), modes=("fwd",))
    xg.check_grads(wrong_forth, make(xp, X), modes=("rev",))
    for f in (wrong_back, wrong_forth):
        with pytest.raises(AssertionError):
            xg.check_grads(f, make(xp, X))


def test_a_second_derivative_that_is_wrong(xp):
    """Right at first: the rule hides a factor from the next order."""
    f = xg.primitive(lambda x: x**3)
    f.defvjp(lambda g, out, x: g * x * x.detach() * 3.0)
    xg.check_grads(f, make(xp, X))
    with pytest.raises(AssertionError, match="next order after 1"):
        xg.check_grads(f, make(xp, X), order=2)


def test_bad_input(xp):
    for modes in ((), ("reverse",), ("rev", "bwd"), "rev"):
        with pytest.raises(ValueError, match="'rev' and 'fwd'"):
            xg.check_grads(xp.sin, make(xp, X), modes=modes)
    for order in (0, -1):
        with pytest.raises(ValueError, match="order"):
            xg.check_grads(xp.sin, make(xp, X), order=order)
    for values in ([1, 2], [True], [1j]):
        with pytest.raises(TypeError, match="real floating-point"):
            xg.check_grads(lambda x: x * 1, make(xp, values))
    with pytest.raises(TypeError, match="result must be real"):
        xg.check_grads(lambda x: x * 1j, make(xp, X))
    with pytest.raises(ValueError, match="no array to differentiate by"):
        xg.check_grads(xp.sin)


def test_tolerances_are_used_also_where_they_are_zero(xp):
    f = off_by(1 + 1e-6)
    with pytest.raises(AssertionError):
        xg.check_grads(f, make(xp, X))
    xg.check_grads(f, make(xp, X), rtol=1e-4)
    xg.check_grads(f, make(xp, X), atol=1e-3, rtol=0.0)
    with pytest.raises(AssertionError):
        xg.check_grads(lambda x: xp.sin(x), make(xp, X), atol=0.0, rtol=0.0)


def test_it_leaves_nothing_behind(xp):
    x = make(xp, X, requires_grad=True)
    xg.check_grads(lambda x: x * x, x, order=2)
    assert x.grad is None
