"""grad, vjp, jvp and linearize: trees, arguments, results and their graphs, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw

X = np.array([0.5, -1.5, 2.0])


def square(xp):
    return lambda x: xp.sum(x * x)


# --- grad and value_and_grad ----------------------------------------------------------------------


def test_grad(xp):
    x = make(xp, X)
    assert_matches(xg.grad(square(xp))(x), 2 * X, xp=xp)
    value, g = xg.value_and_grad(square(xp))(x)
    assert_matches(value, np.sum(X * X), xp=xp)
    assert_matches(g, 2 * X, xp=xp)
    assert not value.requires_grad
    assert not g.requires_grad


def test_argnums(xp):
    x, y = make(xp, X), make(xp, 3.0)

    def f(x, y, k=1.0):
        return xp.sum(x * x * y) * k

    assert_matches(xg.grad(f)(x, y), 6 * X, xp=xp)
    for last in (1, -1):
        assert_matches(xg.grad(f, last)(x, y), np.sum(X * X), xp=xp)
    for both in ((0, 1), [0, 1], (0, -1)):
        gx, gy = xg.grad(f, both)(x, y, k=2.0)
        assert_matches(gx, 12 * X, xp=xp)
        assert_matches(gy, 2 * np.sum(X * X), xp=xp)
    gy, gx = xg.grad(f, (1, 0))(x, y)
    assert gy.shape == ()
    (only,) = xg.grad(f, (0,))(x, y)
    assert_matches(only, 6 * X, xp=xp)
    assert xg.grad(f, ())(x, y) == ()


@pytest.mark.parametrize("argnums", [2, -3, (0, 5)])
def test_argnums_that_there_are_not(xp, argnums):
    for transform in (xg.grad, xg.value_and_grad, xg.jacobian):
        with pytest.raises(ValueError, match=r"argnums=.*2 positional"):
            transform(lambda x, y: x * y, argnums)(1.0, 2.0)


@pytest.mark.parametrize("argnums", [(0, 0), (1, -1)])
def test_an_argument_named_twice(xp, argnums):
    with pytest.raises(ValueError, match="twice"):
        xg.grad(lambda x, y: x * y, argnums)(1.0, 2.0)


def test_the_same_tensor_as_two_arguments(xp):
    x = make(xp, 3.0)
    gx, gy = xg.grad(lambda x, y: x * x * y, (0, 1))(x, x)
    assert_matches(gx, 18.0, xp=xp)
    assert_matches(gy, 9.0, xp=xp)
    g = xg.grad(lambda pair: pair[0] * pair[0] * pair[1])([x, x])
    assert [t.item() for t in g] == [18.0, 9.0]


def test_has_aux(xp):
    def f(x):
        y = x * x
        return xp.sum(y), {"y": y, "note": "kept", "number": 7}

    g, aux = xg.grad(f, has_aux=True)(make(xp, X))
    (value, again), h = xg.value_and_grad(f, has_aux=True)(make(xp, X))
    assert_matches(value, np.sum(X * X), xp=xp)
    for t in (g, h):
        assert_matches(t, 2 * X, xp=xp)
    for a in (aux, again):
        assert_matches(a["y"], X * X, xp=xp)
        assert (a["note"], a["number"]) == ("kept", 7)
        assert not a["y"].requires_grad
    for wrong in (lambda x: xp.sum(x), lambda x: (xp.sum(x), 1, 2), lambda x: [xp.sum(x), 1]):
        with pytest.raises(TypeError, match=r"pair \(output, aux\)"):
            xg.grad(wrong, has_aux=True)(make(xp, X))


def test_trees(xp):
    def f(params, data):
        return xp.sum(params["w"] * data[0] + params["more"][0]) * params["more"][1]["scale"]

    params = {"w": make(xp, X), "more": (make(xp, [1.0]), {"scale": make(xp, 2.0)})}
    data = [make(xp, X + 1)]
    g = xg.grad(f)(params, data)
    assert type(g) is dict
    assert type(g["more"]) is tuple
    assert_matches(g["w"], 2 * (X + 1), xp=xp)
    assert_matches(g["more"][0], [6.0], xp=xp)
    assert_matches(g["more"][1]["scale"], np.sum(X * (X + 1) + 1), xp=xp)
    gp, gd = xg.grad(f, (0, 1))(params, data)
    assert type(gd) is list
    assert_matches(gd[0], 2 * X, xp=xp)
    assert_matches(gp["w"], 2 * (X + 1), xp=xp)


def test_numbers_and_raw_arrays_are_lifted(backend, xp):
    for number in (3, 3.0, True + 2, np.float32(3), np.int64(3)):
        g = xg.grad(lambda x: x**2)(number)
        assert isinstance(g, xg.Tensor)
        assert g.item() == 6.0
        assert xp.isdtype(g.dtype, xp.asarray(1.0).dtype)
    array = raw(backend, X)
    kinds = []

    def f(x, y):
        kinds.extend([type(x), type(y)])
        return xp.sum(x * y)

    assert_matches(xg.grad(f)(array, array), X, xp=xp)
    assert kinds == [xg.Tensor, xg.Tensor]
    assert_matches(xg.jvp(lambda x: x * x, (array,), (array,))[1], 2 * X * X, xp=xp)
    assert_matches(xg.vjp(lambda x: x * x, array)[1](array)[0], 2 * X * X, xp=xp)


def test_inputs_that_are_not_used(xp):
    x, y = make(xp, X, "float32"), make(xp, [[1.0]])
    gx, gy = xg.grad(lambda x, y: xp.sum(x), (0, 1))(x, y)
    assert_matches(gx, np.ones(3, "float32"), xp=xp)
    assert_matches(gy, [[0.0]], xp=xp)
    assert_matches(xg.grad(lambda x: 3.0)(x), np.zeros(3, "float32"), xp=xp)
    assert_matches(xg.grad(lambda x: xp.sum(y))(x), np.zeros(3, "float32"), xp=xp)
    assert_matches(xg.grad(lambda x: xp.sum(x.detach()))(x), np.zeros(3, "float32"), xp=xp)
    _, t = xg.jvp(lambda x: y, (x,), (x,))
    assert_matches(t, [[0.0]], xp=xp)
    assert_matches(xg.jacobian(lambda x: y)(x), np.zeros((1, 1, 3), "float32"), xp=xp)
    assert_matches(xg.hessian(lambda x: xp.sum(x))(y), np.zeros((1, 1, 1, 1)), xp=xp)
    (h,) = xg.hvp(lambda x: xp.sum(x), (y,), (y,))
    assert_matches(h, [[0.0]], xp=xp)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_stay(xp, dtype):
    x = make(xp, X, dtype)

    def f(x):
        return xp.sum(xp.sin(x) * 2.5 + x**2 / 3)

    for t in (xg.grad(f)(x), *xg.hvp(f, (x,), (x,)), xg.hessian(f)(x), xg.jvp(f, (x,), (x,))[1], xg.jacobian(f)(x)):
        assert xp.isdtype(t.dtype, x.dtype)


# --- the graph around -----------------------------------------------------------------------------


def test_no_transform_touches_grad(xp):
    x, w = make(xp, X, requires_grad=True), make(xp, 2.0, requires_grad=True)

    def f(x):
        return xp.sum(w * x * x)

    xg.grad(f)(x)
    xg.value_and_grad(f)(x)
    xg.vjp(f, x)[1](make(xp, 1.0))
    xg.jvp(f, (x,), (x,))
    xg.jacobian(f)(x)
    xg.hessian(f)(x)
    xg.hvp(f, (x,), (x,))
    xg.check_grads(lambda x, w: xp.sum(w * x * x), x, w)
    assert x.grad is None
    assert w.grad is None


def results(f, x, t):
    """Something of every transform, of a function of one array with one number as its result."""
    one = xg.ones_like(f(t))
    return {
        "grad": xg.grad(f)(x),
        "value": xg.value_and_grad(f)(x)[0],
        "vjp value": xg.vjp(f, x)[0],
        "vjp": xg.vjp(f, x)[1](one)[0],
        "jvp value": xg.jvp(f, (x,), (t,))[0],
        "jvp": xg.jvp(f, (x,), (t,))[1],
        "linearize": xg.linearize(f, x)[1](t),
        "jacobian": xg.jacobian(f)(x),
        "hessian": xg.hessian(f)(x),
        "hvp": xg.hvp(f, (x,), (t,))[0],
    }


def test_results_are_constants_if_nothing_outside_requires_a_gradient(xp):
    found = results(lambda x: xp.sum(x**3), make(xp, X), make(xp, X))
    assert [name for name, r in found.items() if r.requires_grad] == []


def test_results_are_connected_to_an_argument(xp):
    x = make(xp, X, requires_grad=True)
    found = results(lambda x: xp.sum(x**3), x, make(xp, X))
    assert [name for name, r in found.items() if not r.requires_grad] == []
    for name, want in {
        "grad": 6 * X,
        "value": 3 * X**2,
        "vjp": 6 * X,
        "jvp": 6 * X * X,
        "hvp": 6 * X,
        "jacobian": 6 * X,
    }.items():
        x.grad = None
        xp.sum(found[name]).backward(retain_graph=True)
        assert_matches(x.grad, want, xp=xp)


def test_results_are_connected_to_what_is_closed_over(xp):
    w = make(xp, 2.0, requires_grad=True)
    found = results(lambda x: xp.sum(x**3) * w, make(xp, X), make(xp, X))
    for name, want in {
        "grad": np.sum(3 * X**2),
        "value": np.sum(X**3),
        "jvp": np.sum(3 * X**3),
        "hvp": np.sum(6 * X * X),
        "hessian": np.sum(6 * X),
    }.items():
        w.grad = None
        xp.sum(found[name]).backward(retain_graph=True)
        assert_matches(w.grad, want, xp=xp)


def test_results_are_connected_to_cotangents_and_tangents(xp):
    c = make(xp, X, requires_grad=True)
    (g,) = xg.vjp(lambda x: x * x, make(xp, X))[1](c)
    xp.sum(g).backward()
    assert_matches(c.grad, 2 * X, xp=xp)
    c.grad = None
    _, t = xg.jvp(lambda x: x * x, (make(xp, X),), (c,))
    xp.sum(t).backward()
    assert_matches(c.grad, 2 * X, xp=xp)


def test_under_no_grad(xp):
    x = make(xp, X, requires_grad=True)
    with xg.no_grad():
        found = results(lambda x: xp.sum(x**3), x, make(xp, X))
    assert [name for name, r in found.items() if r.requires_grad] == []
    for name, want in {"grad": 3 * X**2, "jvp": np.sum(3 * X**3), "hvp": 6 * X * X, "hessian": np.diag(6 * X)}.items():
        assert_matches(found[name], want, xp=xp)


def test_aux_is_connected_as_a_result_is(xp):
    w = make(xp, 2.0, requires_grad=True)

    def f(x):
        return xp.sum(x * x), (w * x, x * 3.0)

    _, (with_w, without) = xg.grad(f, has_aux=True)(make(xp, X))
    assert with_w.requires_grad
    assert not without.requires_grad
    xp.sum(with_w).backward()
    assert_matches(w.grad, np.sum(X), xp=xp)


# --- vjp, jvp, linearize --------------------------------------------------------------------------


def test_vjp_can_be_pulled_again(xp):
    y, pull = xg.vjp(lambda a, b: {"product": a * b, "sum": a + b}, make(xp, X), make(xp, X + 1))
    assert_matches(y["product"], X * (X + 1), xp=xp)
    for k in (1.0, 2.0):
        ga, gb = pull({"product": make(xp, np.full(3, k)), "sum": make(xp, np.ones(3))})
        assert_matches(ga, k * (X + 1) + 1, xp=xp)
        assert_matches(gb, k * X + 1, xp=xp)


def test_primals_may_be_a_list(xp):
    x, t = make(xp, [1.0, 2.0]), make(xp, [1.0, 1.0])
    assert_matches(xg.jvp(lambda x: x * x, [x], (t,))[1], np.asarray([2.0, 4.0]), xp=xp)
    assert_matches(xg.hvp(lambda x: xp.sum(x * x), [x], (t,))[0], np.asarray([2.0, 2.0]), xp=xp)


def test_jvp_of_trees(xp):
    def f(params, k):
        return [params["a"] * k, (xp.sum(params["b"]),)]

    primals = {"a": make(xp, X), "b": make(xp, X)}, make(xp, 2.0)
    tangents = {"a": make(xp, np.ones(3)), "b": make(xp, 3 * np.ones(3))}, make(xp, 5.0)
    y, t = xg.jvp(f, primals, tangents)
    assert type(t) is list
    assert type(t[1]) is tuple
    assert_matches(y[0], 2 * X, xp=xp)
    assert_matches(t[0], 2 + 5 * X, xp=xp)
    assert_matches(t[1][0], 9.0, xp=xp)


def test_linearize(xp):
    runs = []

    def f(x):
        runs.append(1)
        return xp.exp(x) * x

    y, push = xg.linearize(f, make(xp, X))
    assert_matches(y, np.exp(X) * X, xp=xp)
    for v in (np.ones(3), X):
        assert_matches(push(make(xp, v)), np.exp(X) * (X + 1) * v, xp=xp)
    assert len(runs) == 1


def test_cotangents_and_tangents_must_fit(backend, xp):
    x = make(xp, X)
    _, pull = xg.vjp(lambda x: {"a": x, "b": (x, x * 2.0)}, x)
    _, push = xg.linearize(lambda pair: pair[0] * pair[1], (x, x))
    trees: list[Any] = [
        x,
        {"a": x},
        {"a": x, "c": (x, x)},
        {"a": x, "b": [x, x]},
        {"a": x, "b": (x, (x,))},
        (x, (x, x)),
    ]
    for wrong in trees:
        with pytest.raises(ValueError, match=r"vjp: the cotangent must be a tree like .*'a'"):
            pull(wrong)
    for wrong in [x, [x, x], (x,), (x, (x,))]:
        with pytest.raises(ValueError, match="linearize: the tangent must be a tree like"):
            push(wrong)
    _, pull = xg.vjp(lambda x: x * x, x)
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        pull(make(xp, [1.0, 2.0]))
    with pytest.raises(TypeError, match="float32"):
        pull(make(xp, X, "float32"))
    with pytest.raises(ValueError, match=r"\(\).*\(3,\)"):
        pull(1.0)
    with pytest.raises(ValueError, match="1 tangents for 2"):
        xg.jvp(lambda a, b: a * b, (x, x), (x,))
    with pytest.raises(TypeError, match="float32"):
        xg.jvp(lambda a: a * a, (x,), (make(xp, X, "float32"),))
    assert_matches(pull(np.ones(3))[0], 2 * np.asarray(X), xp=xp)  # NumPy's arrays are host data


# --- bad input ------------------------------------------------------------------------------------


def test_results_that_have_no_gradient(xp):
    x = make(xp, X)
    for f, said in (
        (lambda x: x * x, r"0-d result.*\(3,\)"),
        (lambda x: xp.sum(x, keepdims=True), r"\(1,\)"),
        (lambda x: (xp.sum(x), xp.sum(x)), "one 0-d result"),
        (lambda x: {}, "one 0-d result"),
        (lambda x: xp.argmax(x), "int"),
        (lambda x: xp.any(x > 0), "bool"),
        (lambda x: xp.sum(x) * 1j, "complex"),
        (lambda x: None, "NoneType"),
        (lambda x: "loss", "str"),
    ):
        for transform in (xg.grad, xg.value_and_grad):
            with pytest.raises(TypeError, match=said):
                transform(f)(x)


def test_arguments_that_have_no_gradient(xp):
    for wrong, said in ((make(xp, [1, 2]), "int64"), (make(xp, [True]), "bool"), ("x", "str"), (None, "0-d|NoneType")):
        with pytest.raises(TypeError, match=said):
            xg.grad(lambda x: xp.sum(xp.asarray(x)))(wrong)
    with pytest.raises(TypeError, match="object"):
        xg.grad(lambda x: xp.sum(x[0]))([make(xp, X), object()])


def test_an_error_in_the_function_is_the_functions_own(xp):
    from xgrad.engine.tape import is_recording

    def f(x):
        raise KeyError("mine")

    for transform in (xg.grad, xg.jacobian, xg.hessian):
        with pytest.raises(KeyError, match="mine"), xg.no_grad():
            transform(f)(make(xp, X))
    assert is_recording()


# --- what is left behind --------------------------------------------------------------------------


def test_what_the_function_lets_out_can_still_be_used(xp):
    """The walk frees what nobody else can reach, and no more."""
    kept: list[Any] = []

    def f(x):
        y, pull = xg.vjp(xp.sin, x)
        kept.extend((y, pull))
        return xp.sum(y * y)

    x = make(xp, X)
    first = xg.grad(f)(x)
    y, pull = kept
    assert_matches(first, np.sin(2 * np.asarray(X)), xp=xp)
    assert_matches(pull(make(xp, [1.0, 1.0, 1.0]))[0], np.cos(X), xp=xp)
    z = make(xp, X, requires_grad=True)
    xp.sum(y * z).backward()
    assert_matches(z.grad, np.sin(X), xp=xp)
    assert_matches(xg.grad(lambda x: xp.sum(y * x))(x), np.sin(X), xp=xp)


def test_an_output_that_is_an_input_and_one_that_comes_twice(xp):
    x = make(xp, X)

    def f(x):
        y = x * x
        return x, y, y, x

    _, pull = xg.vjp(f, x)
    for _ in range(2):
        (g,) = pull(tuple(make(xp, [k, k, k]) for k in (1.0, 2.0, 3.0, 4.0)))
        assert_matches(g, 5 + 10 * np.asarray(X), xp=xp)


def test_an_input_at_the_end_of_a_chain_and_beside_it(xp):
    """A chain may be walked without the heap, but what has reached an input already must not be lost."""

    def f(x, w):
        y = x
        for _ in range(3):
            y = xp.sin(y * w)
        return xp.sum(y)

    def by_hand(x, w):
        y, gx, gw = x, 1.0, 0.0
        for _ in range(3):
            c = np.cos(y * w)
            y, gx, gw = np.sin(y * w), gx * c * w, c * (y + w * gw)
        return gx, gw

    host = np.asarray(X)
    found = xg.grad(f, argnums=(0, 1))(make(xp, X), make(xp, [0.5, 1.5, 2.5]))
    for g, want in zip(found, by_hand(host, np.array([0.5, 1.5, 2.5])), strict=True):
        assert_matches(g, want, xp=xp)
