"""checkpoint gives the same derivatives of every kind with less memory."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.allocations import traced_peak
from tests.support.arrays import assert_close, assert_matches, make, to_numpy


def layer(x, w):
    xp = x.__array_namespace__()
    return xp.tanh(x @ w) * xp.exp(-x * x)


def twice(f):
    def network(x, w):
        y = f(f(x, w), w)
        return y.__array_namespace__().sum(y**2)

    return network


def both(xp):
    x, w = make(xp, [[0.3, -0.5]]), make(xp, [[0.2, 1.0], [-0.7, 0.4]])
    return x, w, (twice(layer), twice(xg.checkpoint(layer)))


def test_gradients_are_the_same(xp):
    x, w, (plain, kept_less) = both(xp)
    for got, want in zip(xg.grad(kept_less, (0, 1))(x, w), xg.grad(plain, (0, 1))(x, w), strict=True):
        assert_close(to_numpy(got), to_numpy(want), 1e-14)


def test_forward_mode_is_the_same(xp):
    x, w, (plain, kept_less) = both(xp)
    tangents = (make(xp, [[1.0, -2.0]]), make(xp, [[0.5, 0.0], [1.0, 1.0]]))
    assert_close(to_numpy(xg.jvp(kept_less, (x, w), tangents)[1]), to_numpy(xg.jvp(plain, (x, w), tangents)[1]), 1e-14)


def test_second_order_is_the_same(xp):
    x, w, (plain, kept_less) = both(xp)
    for argnums in (0, 1):
        got, want = (to_numpy(xg.hessian(f, argnums)(x, w)) for f in (kept_less, plain))
        assert_close(got, want, 1e-13)
    v = (make(xp, [[1.0, -2.0]]), make(xp, [[0.5, 0.0], [1.0, 1.0]]))
    for got, want in zip(xg.hvp(kept_less, (x, w), v), xg.hvp(plain, (x, w), v), strict=True):
        assert_close(to_numpy(got), to_numpy(want), 1e-13)


def test_derivatives_by_two_arguments_in_two_modes_are_the_same(xp):
    """A pass over one argument is differentiated by the other, which gets no gradient in the first one."""
    x, w, (plain, kept_less) = both(xp)
    t = make(xp, [[0.5, 0.0], [1.0, 1.0]])

    def by_w(f, x):
        return xg.grad(lambda w: f(x, w))(w), xg.jvp(lambda w: f(x, w), (w,), (t,))[1]

    for outer in (lambda f: xg.jacobian(f)(x), lambda f: xg.jvp(f, (x,), (make(xp, [[1.0, -2.0]]),))[1]):
        for got, want in zip(*(outer(lambda x, f=f: by_w(f, x)) for f in (kept_less, plain)), strict=True):
            assert np.any(to_numpy(want))
            assert_close(to_numpy(got), to_numpy(want), 1e-13)


def test_arguments_of_several_shapes_that_get_no_gradient_in_the_inner_pass(xp):
    f = xg.checkpoint(lambda a, b, c: xp.sum(a) * xp.sum(b * b) * xp.sum(c**3))
    a, b, c = (make(xp, [0.5] * n) for n in (2, 3, 4))
    g = xg.grad(lambda a, b: xp.sum(xg.grad(lambda c: f(a, b, c))(c)), (0, 1))(a, b)
    assert_close(to_numpy(g[0]), [0.75 * 3.0] * 2, 1e-14)
    assert_close(to_numpy(g[1]), [3.0] * 3, 1e-14)


def test_what_the_function_closes_over_gets_its_gradient(xp):
    x, w = make(xp, [[0.3, -0.5]], requires_grad=True), make(xp, [[0.2, 1.0], [-0.7, 0.4]], requires_grad=True)
    scaled = w * 2.0  # a node, not a leaf
    f = xg.checkpoint(lambda x: xp.tanh(x @ scaled) @ w)
    xp.sum(f(f(x))).backward()
    got = [to_numpy(x.grad), to_numpy(w.grad)]

    def plain(x, w):
        def g(x):
            return xp.tanh(x @ (w * 2.0)) @ w

        return xp.sum(g(g(x)))

    for g, want in zip(got, xg.grad(plain, (0, 1))(x.detach(), w.detach()), strict=True):
        assert_close(g, to_numpy(want), 1e-14)


def test_trees_keywords_and_results_without_a_gradient(xp):
    @xg.checkpoint
    def f(p, *, scale):
        return {"y": p["a"] * scale, "n": xp.argmax(p["a"]), "same": 3}

    a = make(xp, [1.0, 2.0], requires_grad=True)
    out = f({"a": a}, scale=make(xp, 3.0))
    assert out["same"] == 3
    assert not out["n"].requires_grad
    xp.sum(out["y"]).backward()
    assert to_numpy(a.grad).tolist() == [3.0, 3.0]


def test_nothing_to_differentiate_is_just_a_call(xp):
    y = xg.checkpoint(lambda x: x * 2.0)(make(xp, 1.0))
    assert not y.requires_grad
    x = make(xp, 1.0, requires_grad=True)
    with xg.no_grad():
        assert not xg.checkpoint(lambda x: x * 2.0)(x).requires_grad


def test_a_second_backward_is_refused(xp):
    x = make(xp, 1.0, requires_grad=True)
    y = xg.checkpoint(xp.exp)(x)
    y.backward()
    with pytest.raises(xg.GraphFreedError):
        y.backward()


def peak(pieces: int) -> int:
    """Of a chain of 200 layers in so many pieces: bytes traced over forward and backward."""
    x = xg.asarray(np.linspace(0.1, 1.0, 20_000), requires_grad=True)

    def piece(x):
        for _ in range(200 // pieces):
            x = xg.tanh(x)
        return x

    run = xg.checkpoint(piece) if pieces > 1 else piece

    def both_ways():
        y = x
        for _ in range(pieces):
            y = run(y)
        xg.sum(y).backward()

    return traced_peak(both_ways)


def test_memory_of_a_chain_falls_to_its_square_root():
    with xg.use_backend("numpy"):
        assert peak(14) < 0.25 * peak(1)  # 14 + 14 arrays and some, of 200


def test_arguments_that_are_written_to(xp):
    """By the function, or by the caller after the call: it is run again with the values that it was given."""

    @xg.checkpoint
    def f(x, c):
        x *= 2.0
        c *= 2.0
        return xp.exp(x * c)

    x, c = make(xp, [0.5, 1.0], requires_grad=True), make(xp, [1.0, 1.0])
    y = x * 1.0
    z = xp.sum(f(y, c))
    y += 1.0
    c += 5.0
    z.backward()
    assert_matches(x.grad, 4.0 * np.exp([2.0, 4.0]), xp=xp)


def test_a_weight_that_was_changed_since_is_refused(xp):
    """To run the function again with the new weight would give the gradient of another function."""
    w, x = make(xp, [2.0], requires_grad=True), make(xp, [3.0], requires_grad=True)
    f = xg.checkpoint(lambda x: xp.exp(x * w))
    y = xp.sum(f(x))
    w.grad = make(xp, [1.0])
    xg.optim.SGD([w], lr=0.5).step()
    with pytest.raises(RuntimeError, match="closes over"):
        y.backward()
    assert x.grad is None
    xp.sum(f(x)).backward()
    assert_matches(x.grad, 1.5 * np.exp([4.5]), xp=xp)
    xp.sum(xg.checkpoint(lambda x, w: x * w)(x, w)).backward()


# --- what is found again, and what is not -------------------------------------------------------------------


def written(c, value):
    c[...] = value


def assigned(c, value):
    c.data = value.data


def added(c, value):
    c += value


def stepped(c, value):
    c.requires_grad_()
    c.grad = value
    xg.optim.SGD([c], lr=1.0).step()


@pytest.mark.parametrize("change", [written, assigned, added, stepped])
@pytest.mark.parametrize(
    "f",
    [
        lambda xp, x, c: x * c,
        lambda xp, x, c: xp.exp(x + c),
        lambda xp, x, c: x * xp.sum(c * 2.0),
        lambda xp, x, c: xp.where(c > 0.0, x, -x),
        lambda xp, x, c: x[xp.argsort(c)] * c,
        lambda xp, x, c: x * c.detach(),
        lambda xp, x, c: x * xp.sum(c).item(),
        lambda xp, x, c: x @ c,
        lambda xp, x, c: xg.nn.functional.linear(x, xp.stack([c, c])),
        lambda xp, x, c: xg.checkpoint(lambda x: x * c)(x),
    ],
)
def test_a_constant_that_was_changed_since_is_refused(xp, f, change):
    x, c = make(xp, [0.5, 1.0], requires_grad=True), make(xp, [1.0, 2.0])
    y = xp.sum(xg.checkpoint(lambda x: f(xp, x, c))(x))
    change(c, make(xp, [-3.0, -1.0]))
    with pytest.raises(RuntimeError, match=r"checkpoint: .* reads .* closes over"):
        y.backward()
    assert x.grad is None
    y = xg.checkpoint(lambda x: f(xp, x, c))(x)
    xp.sum(y).backward()
    assert_matches(x.grad, to_numpy(xg.grad(lambda x: xp.sum(f(xp, x, c)))(x.detach())), xp=xp)


def test_a_computed_tensor_that_was_changed_since_is_refused(xp):
    x, w = make(xp, [0.5, 1.0], requires_grad=True), make(xp, [1.0, 2.0], requires_grad=True)
    c = w * 2.0
    f = xg.checkpoint(lambda x: x * c)
    y = f(x)
    c[0] = 7.0
    with pytest.raises(RuntimeError, match="closes over"):
        xp.sum(y).backward()
    y = f(x)
    c = w * 2.0
    with pytest.raises(RuntimeError, match="closes over"):
        xp.sum(y).backward()


@pytest.mark.parametrize("module", ["frozen", "loaded", "moved"])
def test_a_module_that_was_changed_since_is_refused(backend, xp, module):
    net = xg.nn.Sequential(xg.nn.Linear(2, 3, rng=xg.random.Generator(0)), xg.nn.Tanh()).to(dtype="float64")
    other = xg.nn.Sequential(xg.nn.Linear(2, 3, rng=xg.random.Generator(1)), xg.nn.Tanh()).to(dtype="float64")
    x = make(xp, [[0.5, 1.0]], requires_grad=True)
    if module == "frozen":
        net.requires_grad_(False)
    y = xp.sum(xg.checkpoint(net)(x))
    if module == "moved":
        net.to(dtype="float32")
    else:
        net.load_state_dict(other.state_dict())
    with pytest.raises((RuntimeError, TypeError), match="closes over"):
        y.backward()
    net.to(dtype="float64")
    y = xp.sum(xg.checkpoint(net)(x))
    net.load_state_dict(net.state_dict())  # the values that are there already
    y.backward()
    assert_matches(x.grad, to_numpy(xg.grad(lambda x: xp.sum(net(x)))(x.detach())), xp=xp)


@pytest.mark.parametrize("what", ["number", "array", "tensor", "generator"])
def test_what_a_name_stands_for_must_stay(xp, what):
    """A number, an array or a tensor that a name stands for, and another by the time of backward."""
    values = {
        "number": (2.0, 3.0),
        "array": (make(xp, 2.0).data, make(xp, 3.0).data),
        "tensor": (make(xp, 2.0), make(xp, 3.0)),
        "generator": (np.random.default_rng(0), np.random.default_rng(1)),
    }[what]
    x = make(xp, [0.5, 1.0], requires_grad=True)
    c = values[0]

    def f(x):
        return x * (xp.asarray(c.normal(size=2)) if what == "generator" else c)

    y = xp.sum(xg.checkpoint(f)(x))
    c = values[1]
    with pytest.raises(RuntimeError, match="closes over"):
        y.backward()


def test_swapped_tensors_are_refused(xp):
    x, a, b = make(xp, [0.5], requires_grad=True), make(xp, [1.0]), make(xp, [2.0])
    y = xp.sum(xg.checkpoint(lambda x: x * a - b)(x))
    a, b = b, a
    with pytest.raises(RuntimeError, match="closes over"):
        y.backward()


def test_forward_mode_refuses_what_was_changed(xp):
    c, x = make(xp, [1.0, 2.0]), make(xp, [0.5, 1.0])
    _, push = xg.linearize(xg.checkpoint(lambda x: xp.exp(x * c)), x)
    push(x)
    c[0] = 5.0
    with pytest.raises(RuntimeError, match="closes over"):
        push(x)


def test_under_vmap_what_was_changed_is_refused(xp):
    c, x = make(xp, [1.0, 2.0]), make(xp, [[0.5, 1.0], [2.0, 3.0]], requires_grad=True)
    f = xg.vmap(xg.checkpoint(lambda x: xp.exp(x * c)))
    xp.sum(f(x)).backward()
    assert_matches(x.grad, np.exp(to_numpy(x) * [1.0, 2.0]) * [1.0, 2.0], xp=xp)
    y = xp.sum(f(x))
    c[0] = 5.0
    with pytest.raises(RuntimeError, match="closes over"):
        y.backward()


def test_what_does_not_matter_may_change(xp):
    """What the function did not read, or only the shape of; a leaf that begins or ceases to require a gradient."""
    x, c, w = make(xp, [0.5, 1.0], requires_grad=True), make(xp, [1.0, 2.0]), make(xp, [3.0, 4.0])
    read_later, zero = make(xp, [1.0]), xp.zeros(2)

    def f(x):
        y = xp.zeros(2) + 1.0
        y[0] = 2.0
        return x * y * w + xp.zeros(c.shape) + zero

    y = xp.sum(xg.checkpoint(f)(x))
    c[0] = 9.0
    read_later += 1.0
    w.requires_grad_()
    y.backward()
    assert_matches(x.grad, [6.0, 4.0], xp=xp)
    assert w.grad is None


def test_what_the_function_puts_aside_is_found_again(xp):
    """A table that is made when it is first asked for."""
    aside: dict[str, xg.Tensor] = {}
    start = make(xp, [1.0, 2.0])

    @xg.checkpoint
    def f(x):
        if not aside:
            aside["table"] = xp.cumulative_sum(start * 3.0)
        return x * aside["table"] * 2.0

    x = make(xp, [0.5, 1.0], requires_grad=True)
    xp.sum(f(x)).backward()
    assert_matches(x.grad, [6.0, 18.0], xp=xp)
    y = xp.sum(f(x))
    aside["table"] += 1.0
    with pytest.raises(RuntimeError, match="closes over"):
        y.backward()


def test_nothing_is_noted_outside(xp):
    from xgrad.engine.plain import plain_types
    from xgrad.engine.reading import noting

    with pytest.raises(ZeroDivisionError):
        xg.checkpoint(lambda x: x * (1 // 0))(make(xp, [0.5], requires_grad=True))
    x = make(xp, [0.5, 1.0], requires_grad=True)
    xp.sum(xg.checkpoint(lambda x: x * 2.0)(x)).backward()
    assert not noting
    assert plain_types


# --- random numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["closed over", "global", "made inside", "made inside without a seed", "reseeded"])
@pytest.mark.parametrize("nested", [False, True])
def test_random_numbers_are_drawn_again(xp, source, nested):
    """The mask that the value was computed with is the gradient's; the generators stand where the call left them."""
    closed_over = xg.random.Generator(3)
    xg.random.seed(4)
    drawn = []

    def generator():
        if source == "reseeded":
            xg.random.seed(7)
        return {
            "closed over": lambda: closed_over,
            "global": xg.random.default_generator,
            "made inside": lambda: xg.random.Generator(5),
            "made inside without a seed": xg.random.Generator,
            "reseeded": xg.random.default_generator,
        }[source]()

    def f(x):
        rng = generator()
        mask = rng.uniform((4,), dtype=xp.float64)
        drawn.append(to_numpy(mask))
        return x * mask + rng.normal((4,), dtype=xp.float64) * x

    def outer(x):
        shift = generator().normal((4,), dtype=xp.float64)
        return xg.checkpoint(f)(x * shift) + xg.checkpoint(f)(x)

    run = outer if nested else f
    x = make(xp, [1.0, 2.0, 3.0, 4.0], requires_grad=True)
    y = xg.checkpoint(run)(x)
    after = to_numpy(closed_over.normal((2,))), to_numpy(xg.random.default_generator().normal((2,)))
    y.backward(make(xp, [1.0, 1.0, 1.0, 1.0]), retain_graph=True)
    y.backward(make(xp, [1.0, 1.0, 1.0, 1.0]))
    later = to_numpy(closed_over.normal((2,))), to_numpy(xg.random.default_generator().normal((2,)))
    assert_matches(x.grad, 2.0 * to_numpy(y) / to_numpy(x), xp=xp)  # f is linear
    calls = 2 if nested else 1
    for i, mask in enumerate(drawn[calls:]):
        assert any(np.array_equal(mask, first) for first in drawn[:calls]), i

    closed_over = xg.random.Generator(3)
    xg.random.seed(4)
    run(x)
    again = to_numpy(closed_over.normal((2,))), to_numpy(xg.random.default_generator().normal((2,)))
    for one, other in zip(after, again, strict=True):
        np.testing.assert_array_equal(one, other)
    more = to_numpy(closed_over.normal((2,))), to_numpy(xg.random.default_generator().normal((2,)))
    for one, other in zip(later, more, strict=True):
        np.testing.assert_array_equal(one, other)


def test_random_numbers_of_derivatives_of_every_kind(xp):
    """Forward mode, second order and vmap draw the same too."""
    rng = xg.random.Generator(1)

    def f(x):
        return xp.sum(xp.exp(x * rng.uniform((3,), dtype=xp.float64)))

    x, t = make(xp, [0.1, 0.2, 0.3]), make(xp, [1.0, -1.0, 2.0])
    mask = to_numpy(xg.random.Generator(1).uniform((3,), dtype=xp.float64))
    e = np.exp(to_numpy(x) * mask)
    for derivative, want in (
        (lambda g: xg.jvp(g, (x,), (t,))[1], np.sum(mask * e * to_numpy(t))),
        (lambda g: xg.hvp(g, (x,), (t,))[0], mask**2 * e * to_numpy(t)),
        (lambda g: xg.hessian(g)(x), np.diag(mask**2 * e)),
        (lambda g: xg.vmap(xg.grad(g))(xp.stack([x, x])), np.stack([mask * e] * 2)),
    ):
        rng = xg.random.Generator(1)
        assert_matches(derivative(xg.checkpoint(f)), want, xp=xp)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_mean_loss_whose_count_is_a_number_of_the_library(xp, weighted):
    """NumPy's sum of an array is a scalar, and no array: the second run must know it again."""
    target, weight = make(xp, [0, 1], "int64"), make(xp, [1.0, 2.0]) if weighted else None

    def loss(x):
        return xg.nn.functional.nll_loss(xp.log_softmax(x, axis=-1), target, weight)

    x = make(xp, [[1.0, 2.0], [3.0, 1.0]])
    p = np.exp(to_numpy(x)) / np.sum(np.exp(to_numpy(x)), axis=-1, keepdims=True)
    shares = np.asarray([[1.0], [2.0]]) / 3 if weighted else 0.5
    assert_matches(xg.grad(xg.checkpoint(loss))(x), (p - np.eye(2)) * shares, xp=xp)
