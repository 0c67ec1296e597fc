"""Functions under vmap that close over tensors, differentiate, write or call other code: as in a loop, or an error."""

from __future__ import annotations

from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import xgrad as xg
from tests.support.allocations import traced_peak
from tests.support.arrays import assert_matches, make, to_numpy

X = np.asarray([1.0, 2.0, 3.0])


# --- derivatives inside, of what is the same for all examples ---------------------------------------------------
#
# They are one for each example, not their sum: so the tensor must be taken in, wherever and whenever the function runs.


def test_of_a_number_while_another_backend_is_current(xp):
    def f(x):
        with xg.use_backend(xp._backend):
            return xg.grad(lambda w: w * x * w)(5.0)

    np.testing.assert_allclose(to_numpy(xg.vmap(f)(make(xp, X))), 10 * X)


def test_in_a_checkpoint_that_runs_again_when_vmap_has_returned(xp):
    w = make(xp, 5.0)

    def f(x):
        return xg.checkpoint(lambda x: x * xg.grad(lambda w: w * x * w)(w))(x)  # 10 x^2

    x = make(xp, X)
    assert_matches(xg.grad(lambda x: xg.sum(xg.vmap(f)(x)))(x), 20 * X, xp=xp)
    assert_matches(xg.jvp(xg.vmap(f), (x,), (x,))[1], 20 * X**2, xp=xp)
    assert_matches(xg.hessian(lambda x: xg.sum(xg.vmap(f)(x)))(x), np.diag([20.0] * 3), xp=xp)


def test_in_a_rule_that_runs_when_vmap_has_returned(xp):
    c = make(xp, 3.0)
    f = xg.primitive(lambda x: c * x * x)
    f.defvjp(lambda g, out, x: 2 * g * x * xg.grad(lambda c: c * x)(c) / x * c)
    x = make(xp, X)
    assert_matches(xg.vmap(xg.grad(f))(x), 6 * X, xp=xp)
    assert_matches(xg.grad(lambda x: xg.sum(xg.vmap(f)(x)))(x), 6 * X, xp=xp)
    assert_matches(xg.jvp(xg.vmap(f), (x,), (x,))[1], 6 * X**2, xp=xp)


def test_under_a_vmap_of_another_library():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict", "device1"):
        others = xg.asarray([1.0, 2.0])
    with xg.use_backend("numpy"):
        x, w, found = xg.asarray(X), xg.asarray(5.0), []

        def f(x):
            def g(other):
                found.append(xg.grad(lambda w: w * x * w)(w))
                return other

            xg.vmap(g)(others)
            return found[0]

        np.testing.assert_array_equal(to_numpy(xg.vmap(f)(x)), 10 * X)


def test_a_custom_function_and_its_rule_may_close_over_what_is_inside_and_outside(xp):
    x, w = make(xp, X), make(xp, 5.0)

    def times(x):
        f = xg.primitive(lambda w: w * x)
        f.defvjp(lambda g, out, w: g * x)
        return f

    assert_matches(xg.vmap(lambda x: times(x)(w))(x), 5 * X, xp=xp)
    assert_matches(xg.vmap(lambda x: times(x)(w.data))(x), 5 * X, xp=xp)
    assert_matches(xg.grad(lambda w: xg.sum(xg.vmap(lambda x: times(x)(w))(x)))(w), 6.0, xp=xp)
    constant = xg.primitive(lambda x: w)
    constant.defvjp(lambda g, out, x: w)
    assert_matches(xg.vmap(constant)(x), [5.0] * 3, xp=xp)
    assert_matches(xg.vmap(xg.grad(constant))(x), [5.0] * 3, xp=xp)


# --- what leaves by the back door -------------------------------------------------------------------------------


def leaked(xp):
    found = []
    xg.vmap(lambda x: found.append(2 * x))(make(xp, X))
    return found[0]


@pytest.mark.parametrize(
    "use",
    [
        lambda y: y.numpy(),
        lambda y: xg.vmap(lambda x: x + y)(y.__array_namespace__().ones(3)).numpy(),
        lambda y: xg.grad(lambda w: w * y * w)(5.0),
        lambda y: xg.jvp(lambda w: w * y * w, (5.0,), (1.0,)),
    ],
)
def test_a_tensor_that_is_used_after_its_vmap_is_an_error(xp, use):
    with pytest.raises((TypeError, RuntimeError), match="after its return, or in another thread"):
        use(leaked(xp))


def test_a_derivative_in_another_thread_is_an_error(xp):
    """It knows of no vmap, and would be a sum over the examples."""
    w = make(xp, 5.0)

    def f(x):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: xg.grad(lambda w: w * x * w)(w)).result()

    with pytest.raises(RuntimeError, match="in another thread"):
        xg.vmap(f)(make(xp, X))


def test_an_array_from_inside_is_no_numpy_array():
    with xg.use_backend("numpy"):
        for convert in (np.asarray, np.from_dlpack):
            with pytest.raises(TypeError, match="another value for each example"):
                xg.vmap(lambda x, convert=convert: convert(x.data))(xg.asarray(X))


def test_a_write_into_what_is_outside_is_an_error_and_writes_nothing(xp):
    y = make(xp, [1.0, 2.0])

    def add(x):
        z = y
        z += x

    with pytest.raises(TypeError, match="made outside of the function"):
        xg.vmap(add)(make(xp, X))
    assert_matches(y, [1.0, 2.0], xp=xp)


@pytest.mark.parametrize("make_it", ["zeros", "zeros_like", "asarray"])
def test_a_namespace_from_outside_makes_arrays_inside(xp, make_it):
    """That of an argument that is the same for all examples is one, or that of what is closed over: it is one for all of them."""
    w = make(xp, [10.0, 20.0])

    def f(x, w):
        assert x.__array_namespace__() is w.__array_namespace__() is xg.sin(w).__array_namespace__()
        made = {
            "zeros": lambda: xp.zeros((2,), dtype=w.dtype),
            "zeros_like": lambda: xp.zeros_like(w),
            "asarray": lambda: xp.asarray(w, copy=True),
        }[make_it]()
        made[0] = x
        return made * w

    untouched = 20.0 if make_it == "asarray" else 0.0
    want = np.stack([[x, untouched] for x in X]) * [10, 20]
    assert_matches(xg.vmap(f, (0, None))(make(xp, X), w), want, xp=xp)


# --- looking at values ----------------------------------------------------------------------------------------------


def test_what_is_the_same_for_all_examples_may_be_looked_at(xp):
    """As a library does that checks its arguments: all examples then go the same way."""
    x = make(xp, [[1.0, 2.0], [3.0, 4.0], [5.0, 1.0]])

    def f(x):
        assert xp.all(xp.isfinite(x))
        largest, n = float(xp.max(x * 0 + 2.0)), int(xp.sum(xp.astype(x > 0, xp.int64)))
        return x * largest if x[0] > 0 else x[:n]

    assert_matches(xg.vmap(f)(x), 2 * to_numpy(x), xp=xp)
    for different in (lambda x: bool(x[0] > 2), lambda x: float(x[0]), lambda x: x.numpy()):
        with pytest.raises(TypeError, match="another value for each example"):
            xg.vmap(different)(x)
    with pytest.raises(TypeError, match="another value for each example"):
        xg.vmap(lambda x: bool(x[0] > 2))(x[:0, ...])  # of no examples, none says which way to go


def test_a_mask_that_is_the_same_for_all_examples_selects(xp):
    if "nonzero" in xp._backend.cannot:
        pytest.skip("what a mask selects has no known shape there")
    x = make(xp, [[1.0, -2.0, 3.0], [3.0, -4.0, 7.0]])
    assert_matches(xg.vmap(lambda x: x[x > 0] * 2)(x), [[2.0, 6.0], [6.0, 14.0]], xp=xp)
    g = xg.vmap(xg.grad(lambda x: xp.sum(x[x > 0] ** 2)))(x)
    assert_matches(g, [[2.0, 0.0, 6.0], [6.0, 0.0, 14.0]], xp=xp)
    through = xg.grad(lambda x: xp.sum(xg.vmap(lambda x: x[x > 0] ** 2)(x)))(x)
    assert_matches(through, to_numpy(g), xp=xp)
    with pytest.raises(NotImplementedError, match="a mask that differs"):
        xg.vmap(lambda x: x[x > 2])(x)


# --- backward() inside --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
def test_backward_inside_gives_a_leaf_from_outside_the_sum(xp, create_graph):
    for w in (make(xp, 5.0, requires_grad=True), make(xp, [5.0, 1.0], requires_grad=True)):

        def f(x, w=w):
            (xg.sum(w * x) ** 2).backward(create_graph=create_graph)  # the gradient: 2 sum(w) x^2

        assert xg.vmap(f)(make(xp, X)) is None
        want = np.full(w.shape, 28.0) * np.sum(to_numpy(w))
        assert_matches(w.grad, want, xp=xp)
        if create_graph:
            assert_matches(xg.grad(lambda s, w=w: xg.sum(s * w.grad))(make(xp, 1.0)), np.sum(want), xp=xp)
            grad, w.grad = w.grad, None
            xg.sum(grad).backward()
            assert_matches(w.grad, np.full(w.shape, 28.0) * w.size, xp=xp)


def test_a_gradient_that_went_through_vmap_shares_its_memory_with_nothing():
    with xg.use_backend("numpy") as backend:
        for shape in ((3,), (1,)):
            x, seed = xg.ones(shape).requires_grad_(), xg.ones(shape)
            xg.vmap(lambda x: x)(x).backward(seed)
            assert not np.shares_memory(x.grad.data, seed.data)
        x.grad = None
        xg.vmap(lambda x: x)(x).backward()
        assert not np.shares_memory(x.grad.data, backend.one((1,), x.dtype))


def test_backward_inside_and_a_leaf_inside(xp):
    w = make(xp, 5.0)

    def f(x):
        v = x.detach().requires_grad_()
        y = v * w
        y.retain_grad()
        (y * y * y).backward()
        return v.grad, y.grad

    grad, retained = xg.vmap(f)(make(xp, X))
    assert_matches(grad, 375 * X**2, xp=xp)
    assert_matches(retained, 75 * X**2, xp=xp)


def test_backward_outside_leaves_gradients_with_what_lives_inside(xp):
    """Where nobody can look, but where an error would be in the way."""
    inside: list[xg.Tensor] = []

    def f(x):
        v = xg.asarray(2.0, requires_grad=True)
        y = x * v
        y.retain_grad()
        inside.extend((v, y))
        return y * y

    x = make(xp, X, requires_grad=True)
    xg.sum(xg.vmap(f)(x)).backward()
    assert_matches(x.grad, 8 * X, xp=xp)
    assert all("3 examples" in repr(t.grad) for t in inside)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
def test_a_training_for_each_example(xp, name):
    """Of a model and by an optimizer that are made inside."""

    def trained(x):
        rng = xg.random.Generator(0)
        model = xg.nn.Sequential(xg.nn.Linear(4, 3, rng=rng), xg.nn.Tanh(), xg.nn.Linear(3, 1, rng=rng))
        optimizer = getattr(xg.optim, name)(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            xg.sum((model(x) - xg.sum(x)) ** 2).backward()
            xg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        return model[0].weight.detach()

    with xg.use_backend(xp._backend):
        x = make(xp, np.cos(np.arange(8.0)).reshape(2, 4), "float32")
        want = np.stack([to_numpy(trained(x[i, ...])) for i in range(2)])
        np.testing.assert_allclose(to_numpy(xg.vmap(trained)(x)), want, rtol=1e-5, atol=1e-6)


# --- arguments and results ----------------------------------------------------------------------------------------


def test_a_number_that_is_returned_keeps_its_kind(xp):
    for value, kind in ((2, "integral"), (True, "bool"), (2.5, "real floating"), (1j, "complex floating")):
        y = xg.vmap(lambda x, value=value: value)(make(xp, X))
        assert y.shape == (3,)
        assert xp.isdtype(y.dtype, kind)
        assert (to_numpy(y) == value).all()


def test_trees_with_names_and_holes(xp):
    Pair = namedtuple("Pair", "a b")
    x, w = make(xp, X), make(xp, 5.0)
    out = xg.vmap(lambda p, q: Pair(p.a * q["w"], None), (Pair(0, None), {"w": None, "n": 0}))(
        Pair(x, None), {"w": w, "n": None}
    )
    assert type(out) is Pair
    assert out.b is None
    assert_matches(out.a, 5 * X, xp=xp)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: xg.vmap(xg.add, (0,))(x, x), ValueError, "has 1 entries, and there are 2 positional arguments"),
        (lambda x: xg.vmap(lambda p: p["x"], {"x": 0})({"x": x}), TypeError, "a tuple with an entry for each argument"),
        (lambda x: xg.vmap(xg.sin, 0.0)(x), TypeError, "an entry of in_axes must be an integer or None, not 0.0"),
        (lambda x: xg.vmap(xg.sin, (True,))(x), TypeError, "an entry of in_axes must be an integer or None, not True"),
        (lambda x: xg.vmap(xg.sin, 0, "0")(x), TypeError, "an entry of out_axes must be an integer or None, not '0'"),
        (lambda x: xg.vmap(lambda x: x)(x=x), ValueError, "keyword arguments are the same for all examples"),
        (lambda x: xg.vmap(lambda x: (y for y in (x, x)))(x), TypeError, "got generator"),
    ],
)
def test_typical_mistakes(xp, call, error, words):
    with pytest.raises(error, match=words):
        call(make(xp, X))


def test_a_shape_that_does_not_fit_is_named_as_the_function_has_it():
    with (
        xg.use_backend("numpy"),
        pytest.raises(ValueError, match=r"add of \(2,\) .* and \(5,\) .*the 3 examples come first"),
    ):
        xg.vmap(lambda x: x + xg.ones(5))(xg.ones((3, 2)))


def test_an_axis_may_be_a_numpy_integer(xp):
    assert_matches(xg.vmap(xg.sin, np.int64(0), np.int64(0))(make(xp, X)), np.sin(X), xp=xp)


def test_isin_of_a_number(xp):
    assert_matches(xg.vmap(lambda x: xp.isin(x, 2))(make(xp, [1, 2, 3])), [False, True, False], xp=xp)


def test_what_the_namespace_says_of_devices_is_the_librarys(xp):
    seen = []
    xg.vmap(lambda x: seen.append(x.__array_namespace__().__array_namespace_info__()))(make(xp, X))
    outside = xp.__array_namespace_info__()
    assert seen[0].devices() == outside.devices()
    assert seen[0].dtypes(device=xp._backend.device) == outside.dtypes(device=xp._backend.device)


def test_what_is_closed_over_is_not_copied():
    with xg.use_backend("numpy"):
        w, x = xg.ones(1_000_000), xg.ones((50, 10))
        assert traced_peak(lambda: xg.vmap(lambda x, v: x * w[:10] + xg.sum(v), (0, None))(x, w)) < 1_000_000
