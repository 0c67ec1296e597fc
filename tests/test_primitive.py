"""`xg.primitive`: the derivative is what the user wrote, in both modes and to second order, and mistakes are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw, to_numpy

X = np.array([-2.0, 0.5, 3.0])


def cube(*, jvp: bool = False):
    f = xg.primitive(lambda x: x * x * x)
    f.defvjp(lambda g, out, x: g * 3.0 * x * x)
    if jvp:
        f.defjvp(lambda t, out, x: t * 3.0 * x * x)
    return f


# --- LeakyReLU, as the documentation has it -------------------------------------------------------


@xg.primitive
def leaky(x, *, slope=0.01):
    """A function of one's own."""
    return xg.where(x > 0, x, slope * x)


leaky.defvjp(lambda g, out, x, *, slope=0.01: xg.where(x > 0, g, slope * g))


def test_leaky_relu(xp):
    x = make(xp, X, requires_grad=True)
    y = leaky(x)
    assert_matches(y.detach(), np.where(X > 0, X, 0.01 * X), xp=xp)
    xp.sum(y).backward()
    assert_matches(x.grad, np.where(X > 0, 1, 0.01), xp=xp)
    x.grad = None
    xp.sum(leaky(x, slope=0.2) ** 2).backward()
    assert_matches(x.grad, 2 * np.where(X > 0, X, 0.04 * X), xp=xp)
    xg.check_grads(lambda x: leaky(x, slope=0.2) ** 3, make(xp, X), order=2)
    ours = xg.grad(lambda x: xp.sum(xp.leaky_relu(x, 0.2) ** 2))(make(xp, X))
    assert_matches(x.grad, to_numpy(ours), xp=xp)


def test_it_looks_like_the_function():
    assert leaky.name == vars(leaky)["__name__"] == "leaky"
    assert leaky.__doc__ == "A function of one's own."
    assert "leaky" in repr(leaky)


def test_it_is_not_among_xgrads_own():
    from xgrad.engine.op import OPS
    from xgrad.engine.registry import FUNCTIONS

    assert "leaky" not in OPS
    assert "leaky" not in FUNCTIONS


# --- both modes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("jvp", [False, True], ids=["by two vjps", "by its jvp"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_mode(xp, jvp, shape, dtype):
    f = cube(jvp=jvp)
    x, v = np.full(shape, 2.0, dtype), np.full(shape, 5.0, dtype)
    y, t = xg.jvp(f, (make(xp, x),), (make(xp, v),))
    assert_matches(y, x**3, xp=xp)
    assert_matches(t, 3 * x * x * v, xp=xp)


@pytest.mark.parametrize("jvp", [False, True], ids=["by two vjps", "by its jvp"])
def test_higher_orders(xp, jvp):
    f = cube(jvp=jvp)
    xg.check_grads(lambda x: xp.sin(f(x)) * x, make(xp, X / 3), order=3)
    x = make(xp, 2.0, requires_grad=True)
    f(x).backward(create_graph=True)
    first: Any = x.grad
    x.grad = None
    first.backward()
    assert_matches(x.grad, 12.0, xp=xp)


def test_the_rule_that_the_user_wrote_is_used(xp):
    f = xg.primitive(lambda x: x * 1.0)
    f.defvjp(lambda g, out, x: g * 7.0)
    f.defjvp(lambda t, out, x: t * 11.0)
    x = make(xp, X)
    assert_matches(xg.grad(lambda x: xp.sum(f(x)))(x), np.full(3, 7.0), xp=xp)
    assert_matches(xg.jvp(f, (x,), (x,))[1], 11 * X, xp=xp)


@pytest.mark.parametrize("jvp", [False, True], ids=["by two vjps", "by its jvp"])
def test_several_arguments(xp, jvp):
    """One of them without a gradient, one a number, one not asked for."""
    f = xg.primitive(lambda x, y, k, mask: xg.where(mask, x * y**2 * k, x))
    f.defvjp(
        lambda g, out, x, y, k, mask: xg.where(mask, g * y**2 * k, g),
        lambda g, out, x, y, k, mask: xg.where(mask, g * x * 2.0 * y * k, 0.0 * g),
        None,
        None,
    )
    if jvp:
        f.defjvp(
            lambda t, out, x, y, k, mask: xg.where(mask, t * y**2 * k, t),
            lambda t, out, x, y, k, mask: xg.where(mask, t * x * 2.0 * y * k, 0.0 * t),
            None,
            None,
        )
    x, y, mask = make(xp, X), make(xp, X + 4), make(xp, X > 0)
    gx, gy = xg.grad(lambda x, y: xp.sum(f(x, y, 3.0, mask)), (0, 1))(x, y)
    assert_matches(gx, np.where(X > 0, 3 * (X + 4) ** 2, 1), xp=xp)
    assert_matches(gy, np.where(X > 0, 6 * X * (X + 4), 0), xp=xp)
    assert_matches(xg.grad(lambda y: xp.sum(f(x, y, 3.0, mask)))(y), to_numpy(gy), xp=xp)
    xg.check_grads(lambda x, y: f(x, y, 3.0, mask), x, y, order=2)
    for k in (make(xp, 3.0, requires_grad=True), make(xp, 3.0)):
        out = f(x, y, k, mask)
        assert not out.requires_grad or k.requires_grad
        g = xg.grad(lambda x, k=k: xp.sum(f(x, y, k, mask)))(x)
        assert_matches(g.detach(), to_numpy(gx), xp=xp)


def test_broadcasting_inside(xp):
    f = xg.primitive(lambda x, y: x * y)
    f.defvjp(
        lambda g, out, x, y: xg.sum(g * y, axis=1, keepdims=True),
        lambda g, out, x, y: xg.sum(g * x, axis=0),
    )
    x, y = make(xp, [[1.0], [2.0]]), make(xp, [3.0, 4.0, 5.0])
    xg.check_grads(lambda x, y: f(x, y) ** 2, x, y, order=2)
    gx, gy = xg.grad(lambda x, y: xp.sum(f(x, y)), (0, 1))(x, y)
    assert_matches(gx, [[12.0], [12.0]], xp=xp)
    assert_matches(gy, [3.0, 3.0, 3.0], xp=xp)


def test_used_twice_and_inside_others(xp):
    f = cube()
    g = xg.grad(lambda x: xp.sum(f(f(x)) + f(xp.sin(x)) * f(x)))(make(xp, X / 2))
    h = xg.grad(lambda x: xp.sum((x**3) ** 3 + xp.sin(x) ** 3 * x**3))(make(xp, X / 2))
    assert_matches(g, to_numpy(h), xp=xp, rtol=1e-11)


@pytest.mark.parametrize("jvp", [False, True], ids=["by two vjps", "by its jvp"])
def test_the_output_in_a_rule_is_no_constant(xp, jvp):
    """It came from x: the next derivative finds that out."""
    f = xg.primitive(lambda x: xg.exp(x))
    f.defvjp(lambda g, out, x: g * out)
    if jvp:
        f.defjvp(lambda t, out, x: t * out)
    x = make(xp, X / 2)
    xg.check_grads(f, x, order=3)
    second = xg.grad(lambda x: xp.sum(xg.grad(lambda x: xp.sum(f(x)))(x)))(x)
    assert_matches(second, np.exp(X / 2), xp=xp)
    leaf = make(xp, X / 2, requires_grad=True)
    xp.sum(f(leaf)).backward(create_graph=True)
    first: Any = leaf.grad
    leaf.grad = None
    xp.sum(first).backward()
    assert_matches(leaf.grad, np.exp(X / 2), xp=xp)


def test_a_0d_output_whose_gradient_comes_from_a_rule_of_ours(xp):
    f = xg.primitive(lambda x: x * 2.0)
    f.defvjp(lambda g, out, x: g + g)
    x = make(xp, 3.0, requires_grad=True)
    y = f(x)
    (y * y * xp.exp(y)).backward()
    assert_matches(x.grad, 2 * np.exp(6.0) * (12 + 36), xp=xp)


# --- how body and rules are called ----------------------------------------------------------------


def test_body_and_rules_get_tensors_and_keywords(backend, xp):
    seen = []

    def note(name, *args, **kwargs):
        seen.append((name, [type(a) for a in args], [getattr(a, "requires_grad", None) for a in args], kwargs))

    def body(x, k, *, power):
        note("body", x, k, power=power)
        return x**power * k

    f = xg.primitive(body)

    def rule(g, out, x, k, *, power):
        note("rule", g, out, x, k, power=power)
        return g * (x ** (power - 1) * power * k)

    f.defvjp(rule, None)
    x = make(xp, X, requires_grad=True)
    xp.sum(f(x, 2.0, power=3)).backward()
    assert_matches(x.grad, 6 * X**2, xp=xp)
    tensor = xg.Tensor
    assert seen == [
        ("body", [tensor, float], [False, None], {"power": 3}),
        ("rule", [tensor, tensor, tensor, float], [False, False, False, None], {"power": 3}),
    ]
    y = f(raw(backend, X), 2.0, power=2)
    assert isinstance(y, xg.Tensor)
    assert not y.requires_grad


def test_the_body_is_not_recorded(xp):
    w, seen = make(xp, 2.0, requires_grad=True), []

    def body(x):
        y = x * w
        seen.append(y.requires_grad)
        return y

    f = xg.primitive(body)
    f.defvjp(lambda g, out, x: g)
    x = make(xp, X, requires_grad=True)
    y = f(x)
    assert y.requires_grad
    assert seen == [False]
    xp.sum(y).backward()
    assert w.grad is None
    with xg.no_grad():
        assert not f(x).requires_grad


# --- mistakes -------------------------------------------------------------------------------------


def test_without_a_derivative(xp):
    f = xg.primitive(lambda x: x * 1.0)
    x = make(xp, X, requires_grad=True)
    y = f(x)
    assert_matches(y.detach(), X, xp=xp)
    with pytest.raises(NotImplementedError, match="defvjp"):
        xp.sum(y).backward()
    with pytest.raises(NotImplementedError, match="defvjp"):
        xg.jvp(f, (make(xp, X),), (make(xp, X),))


@pytest.mark.parametrize("define", ["defvjp", "defjvp"])
def test_a_wrong_number_of_rules(xp, define):
    def rule(g, out, *args):
        return g

    f = xg.primitive(lambda x, y: x * y)
    for rules in ((), (rule,), (rule, rule, rule)):
        getattr(f, define)(*rules)
        with pytest.raises(TypeError, match=rf"{define} was given {len(rules)} rules, the call has 2 arguments"):
            f(make(xp, X), make(xp, X))


@pytest.mark.parametrize("jvp", [False, True])
@pytest.mark.parametrize(
    ("result", "error", "said"),
    [
        (lambda x: x[0], ValueError, r"returned \(\).*\(3,\)"),
        (lambda x: x[None, ...], ValueError, r"returned \(1, 3\)"),
        (lambda x: xg.astype(x, x.__array_namespace__().float32), ValueError, "float32.*float64"),
        (lambda x: x.data, TypeError, "must return a tensor or None, not"),
        (lambda x: 1.0, TypeError, "not float"),
        (lambda x: (x,), TypeError, "not tuple"),
    ],
)
def test_a_rule_that_returns_something_else(xp, jvp, result, error, said):
    f = xg.primitive(lambda x: x * 1.0)
    (f.defjvp if jvp else f.defvjp)(lambda g, out, x: result(x))
    x = make(xp, X)
    with pytest.raises(error, match=said):
        xg.jvp(f, (x,), (x,)) if jvp else xg.vjp(f, x)[1](x)


@pytest.mark.parametrize(
    ("result", "said"), [(lambda x: x.data, "not"), (lambda x: (x, x), "tuple"), (lambda x: None, "None")]
)
def test_a_body_that_returns_something_else(xp, result, said):
    with pytest.raises(TypeError, match=f"one tensor.*{said}"):
        xg.primitive(result)(make(xp, X))


def test_a_keyword_that_requires_a_gradient(xp):
    """It would get none, without a word."""
    f = xg.primitive(lambda x, *, scale: x * scale)
    f.defvjp(lambda g, out, x, *, scale: g * scale)
    scale = make(xp, 2.0, requires_grad=True)
    with pytest.raises(TypeError, match="scale= requires a gradient"):
        f(make(xp, X), scale=scale)
    with pytest.raises(TypeError, match="scale="):
        xg.grad(lambda s: xp.sum(f(make(xp, X), scale=s)))(make(xp, 2.0))
    x = make(xp, X, requires_grad=True)
    xp.sum(f(x, scale=scale.detach())).backward()
    assert_matches(x.grad, [2.0] * 3, xp=xp)
    with xg.no_grad():
        f(x, scale=scale)


def test_arguments_that_are_no_arrays(xp):
    for wrong in ("a", [1.0], None):
        with pytest.raises(TypeError, match="cube"):
            xg.primitive(named_cube)(wrong)


def named_cube(x):
    return x**3


def test_another_backend_in_the_body_or_a_rule():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict") as strict:
        x = make(strict.view, X)
    f = xg.primitive(lambda x: xg.ones(3))
    with pytest.raises(xg.MixedBackendsError, match=r"strict.*numpy"):
        f(x)
    f = xg.primitive(lambda x: x * 1.0)
    f.defvjp(lambda g, out, x: xg.ones(3))
    with pytest.raises(xg.MixedBackendsError, match=r"strict.*numpy"):
        xg.vjp(f, x)[1](x)


def test_an_error_in_a_rule_is_the_users(xp):
    f = xg.primitive(lambda x: x * 1.0)
    f.defvjp(lambda g, out, x: dict[str, Any]()["mine"])
    with pytest.raises(KeyError, match="mine"):
        xg.grad(lambda x: xp.sum(f(x)))(make(xp, X))


# --- rules that return what somebody else holds -------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("keeping", [False, True])
@pytest.mark.parametrize("returned", ["g", "argument", "output", "constant", "one array for both"])
def test_a_gradient_shares_memory_with_nothing(returned, keeping, create_graph):
    """Whatever a rule returns; also through retain_grad, and for two arguments."""
    with xg.use_backend("numpy"):
        constant = xg.asarray([5.0, 7.0])
        kept: list[Any] = []

        def both(g, out, a, b):
            kept.append(g * 2.0 if not kept else kept[0])
            return kept[0]

        rule = {
            "g": lambda g, out, a, b: g,
            "argument": lambda g, out, a, b: a,
            "output": lambda g, out, a, b: out,
            "constant": lambda g, out, a, b: constant,
            "one array for both": both,
        }[returned]
        f = xg.primitive(lambda a, b: a * b)
        f.defvjp(rule, rule)
        a, b = (xg.asarray(v, requires_grad=True) for v in ([1.0, 2.0], [3.0, 4.0]))
        seed = xg.asarray([1.0, 10.0], requires_grad=create_graph)
        a_here, b_here = a, b
        if keeping:
            a_here, b_here = a + 0.0, b + 0.0
            a_here.retain_grad()
            b_here.retain_grad()
        y = f(a_here, b_here)
        y.backward(seed, create_graph=create_graph)
        want = {
            "g": [1.0, 10.0],
            "argument": [1.0, 2.0],
            "output": [3.0, 8.0],
            "constant": [5.0, 7.0],
            "one array for both": [2.0, 20.0],
        }[returned]
        leaves = [a, b, *([a_here, b_here] if keeping else [])]
        others = [a, b, y, seed, constant, *kept, *([a_here, b_here] if keeping else [])]
        for i, leaf in enumerate(leaves):
            np.testing.assert_array_equal(leaf.grad.data, want)
            for other in [*others, *(each.grad for each in leaves[:i])]:
                assert not np.shares_memory(leaf.grad.data, other.data)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_gradient_that_passes_through_shares_no_memory_with_its_seed(create_graph):
    """Through an operation that hands it on, and through checkpoint."""
    with xg.use_backend("numpy"):
        for f in (lambda x: x + 1.0, xg.checkpoint(lambda x: x + 1.0), xg.checkpoint(lambda x: x)):
            x = xg.asarray([1.0, 2.0], requires_grad=True)
            seed = xg.asarray([1.0, 10.0], requires_grad=create_graph)
            f(x).backward(seed, create_graph=create_graph)
            assert x.grad.data.tolist() == [1.0, 10.0]
            assert not np.shares_memory(x.grad.data, seed.data)
            if create_graph:
                xg.sum(x.grad**2).backward()
                assert seed.grad.data.tolist() == [2.0, 20.0]


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a function, got int"):
        xg.primitive(3)  # type: ignore[arg-type]
