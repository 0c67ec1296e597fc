"""vmap gives what a loop over the examples gives, for every function on every backend, without looping."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES
from tests.cases.case import Case
from tests.laws import ROUNDING
from tests.point import numbers_like
from tests.support.arrays import Host, assert_matches, make, to_numpy
from xgrad.backends.base import Backend

EXAMPLES = 3

# What gives another shape for each example, and so has no form for many.
WITHOUT = {
    **dict.fromkeys(
        ("unique_values", "unique_counts", "unique_inverse", "unique_all"), (NotImplementedError, "unique")
    ),
    "arange": (TypeError, "another value for each example"),
}


def example(x: Host, number: int) -> Host:
    """An array like x, of the same domain: its elements in another order, and a little nearer to 0."""
    return (np.roll(x.reshape(-1), number).reshape(x.shape) * (1 - number / 64)).astype(x.dtype)


class Batch:
    """A case at several points at once: the function, and what is to come out of it by a loop."""

    def __init__(self, case: Case, backend: Backend, mapped: Sequence[bool]) -> None:
        self.case = case
        self.xp = backend.view
        inputs = case.inputs()
        self.mapped = [mapped[i % len(mapped)] for i in range(len(inputs))]
        self.in_axes = tuple(0 if maps else None for maps in self.mapped)
        self.examples = [
            [example(x, number) if maps else x for x, maps in zip(inputs, self.mapped, strict=True)]
            for number in range(EXAMPLES)
        ]
        self.xs = [
            np.stack([each[i] for each in self.examples]) if maps else x
            for i, (x, maps) in enumerate(zip(inputs, self.mapped, strict=True))
        ]
        self.weights = [
            numbers_like(y, i + 23) for i, y in enumerate(to_host(self.one(*self.tensors(self.examples[0]))))
        ]
        self.directions = [numbers_like(x, i + 11) for i, x in enumerate(inputs)]

    def tensors(self, arrays: Sequence[Host]) -> list[xg.Tensor]:
        return [make(self.xp, array) for array in arrays]

    def one(self, *xs: xg.Tensor) -> tuple[xg.Tensor, ...]:
        """The function of one example."""
        return self.case.run(self.xp, self.case.arguments(xs, lambda array: make(self.xp, array)))

    def gradient(self, *xs: xg.Tensor) -> tuple[xg.Tensor, ...]:
        pulled: tuple[xg.Tensor, ...] = xg.vjp(self.one, *xs)[1](tuple(self.tensors(self.weights)))
        return pulled

    def tangent(self, *xs: xg.Tensor) -> tuple[xg.Tensor, ...]:
        moved: tuple[xg.Tensor, ...] = xg.jvp(self.one, xs, tuple(self.tensors(self.directions)))[1]
        return moved

    def by_loop(self, f: Callable[..., Sequence[xg.Tensor]]) -> list[Host]:
        found = [to_host(f(*self.tensors(each))) for each in self.examples]
        return [np.stack(each) for each in zip(*found, strict=True)]

    def assert_equal(self, what: str, got: Sequence[xg.Tensor], want: Sequence[Host]) -> None:
        for g, w in zip(got, want, strict=True):
            assert_matches(g, w, xp=self.xp, rtol=ROUNDING, what=f"{self.case}, mapped {self.mapped}: {what}")

    def check(self) -> None:
        xs = self.tensors(self.xs)
        gradients = self.by_loop(self.gradient)
        for what, f, want in (
            ("value", self.one, self.by_loop(self.one)),
            ("gradient of each example", self.gradient, gradients),
            ("tangent of each example", self.tangent, self.by_loop(self.tangent)),
        ):
            self.assert_equal(what, xg.vmap(f, self.in_axes)(*xs), want)
        weights = tuple(xg.stack([w] * EXAMPLES) for w in self.tensors(self.weights))
        through = xg.vjp(xg.vmap(self.one, self.in_axes), *xs)[1](weights)
        summed = [g if maps else np.sum(g, axis=0) for g, maps in zip(gradients, self.mapped, strict=True)]
        self.assert_equal("gradient through vmap", through, summed)


def to_host(tensors: Sequence[xg.Tensor]) -> list[Host]:
    return [to_numpy(t) for t in tensors]


@pytest.mark.parametrize("name", sorted(CASES))
def test_vmap_is_a_loop(backend, name):
    for case in CASES[name][:: 2 if backend.name == "strict" else 1]:  # which takes long, and has no rules of its own
        if name in backend.cannot or backend.name in case.without or not case.inputs():
            continue
        for mapped in ((True,), (True, False), (False, True))[: 1 + 2 * (len(case.inputs()) > 1)]:
            batch = Batch(case, backend, mapped)
            if name not in WITHOUT:
                batch.check()
                continue
            kind, message = WITHOUT[name]
            with pytest.raises(kind, match=message):
                xg.vmap(batch.one, batch.in_axes)(*batch.tensors(batch.xs))


# --- not a loop -----------------------------------------------------------------------------------------


def calls(f: Callable[[], Any]) -> int:
    """How many functions are called, Python's and built-in ones."""
    count = 0

    def seen(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    f()  # what is done once
    gc.disable()  # it may call back
    sys.setprofile(seen)
    try:
        f()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


@pytest.mark.parametrize("name", sorted(set(CASES) - set(WITHOUT)))
def test_the_work_is_the_same_for_any_number_of_examples(name):
    with xg.use_backend("numpy") as backend:
        for case in CASES[name]:
            if not case.inputs():
                continue
            batch = Batch(case, backend, (True,))

            def run(count: int, batch: Batch = batch) -> int:
                xs = [xg.asarray(np.stack([x[0]] * count)) for x in batch.xs]
                return calls(lambda: xg.vmap(batch.gradient)(*xs))

            # A backend may compute larger arrays in another way, which is a few calls.
            assert run(303) < run(3) + 150, case


# --- axes -----------------------------------------------------------------------------------------------


def test_axes_may_be_anywhere(xp):
    x = make(xp, np.arange(24.0).reshape(2, 3, 4))

    def f(x):
        return xg.cumulative_sum(x, axis=0)

    for at in (0, 1, 2, -1, -2):
        for to in (0, 1, 2, -1):
            got = to_numpy(xg.vmap(f, at, to)(x))
            want = np.moveaxis(np.cumsum(np.moveaxis(to_numpy(x), at, 0), axis=1), 0, to)
            np.testing.assert_array_equal(got, want, f"from {at} to {to}")


def test_arguments_and_results_are_trees(xp):
    p = {"w": make(xp, np.ones((3, 2))), "b": make(xp, [1.0, 2.0])}
    x = make(xp, np.arange(6.0).reshape(2, 3))

    def f(p, x, n, *, scale):
        assert n == 2
        return {"y": xg.sum(p["w"] * scale) * x, "b": p["b"], "same": xg.sum(p["b"])}, (x,)

    out, (y,) = xg.vmap(f, ({"w": 0, "b": None}, 1, None), ({"y": 0, "b": 1, "same": None}, 0))(p, x, 2, scale=10.0)
    np.testing.assert_array_equal(to_numpy(out["y"]), 20 * to_numpy(x).T)
    np.testing.assert_array_equal(to_numpy(out["b"]), [[1, 1, 1], [2, 2, 2]])
    assert to_numpy(out["same"]) == 3
    np.testing.assert_array_equal(to_numpy(y), to_numpy(x).T)


def test_raw_arrays_and_numbers(xp):
    backend = xp._backend
    x = backend.asarray(np.arange(3.0))
    got = xg.vmap(lambda x, c: x * c + x.size, (0, None))(x, 2.0)
    np.testing.assert_array_equal(to_numpy(got), [1, 3, 5])
    np.testing.assert_array_equal(to_numpy(xg.vmap(lambda x: 5.0)(x)), [5, 5, 5])
    np.testing.assert_array_equal(
        to_numpy(xg.vmap(lambda t: t + x)(backend.asarray(np.arange(2.0)))), [[0, 1, 2], [1, 2, 3]]
    )


def test_no_example_and_one(xp):
    for count in (0, 1):
        x = make(xp, np.ones((count, 2)))
        assert xg.vmap(lambda x: xg.sum(x) * x)(x).shape == (count, 2)
        assert xg.vmap(xg.grad(lambda x: xg.sum(x @ x)))(x).shape == (count, 2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: xg.vmap(xg.sum, 2)(x), ValueError, r"no axis 2 .* shape \(2, 3\)"),
        (lambda x: xg.vmap(xg.sum)(1.0), ValueError, r"no axis 0 .* in_axes=None"),
        (lambda x: xg.vmap(xg.add)(x, x.T), ValueError, r"different lengths: axis 0 of shape \(2, 3\), axis 0 of shape \(3, 2\)"),
        (lambda x: xg.vmap(xg.sum, None)(x), ValueError, "nothing to map over"),
        (lambda x: xg.vmap(xg.add, (0,))(x, x), ValueError, "in_axes does not fit"),
        (lambda x: xg.vmap(xg.sum, 0, None)(x), ValueError, "out_axes is None"),
        (lambda x: xg.vmap(xg.sum, 0, 1)(x), ValueError, "out_axes: axis 1 of an array with 1 axes"),
        (lambda x: xg.vmap(lambda x: "text")(x), TypeError, "result of the function under vmap"),
        (lambda x: xg.vmap(lambda x: x if x[0] > 0 else -x)(x), TypeError, "where instead of if"),
        (lambda x: xg.vmap(lambda x: float(xg.sum(x)))(x), TypeError, "another value for each example"),
        (lambda x: xg.vmap(lambda x: x[x > 0])(x), NotImplementedError, "a mask that differs from example to example"),
        (lambda x: xg.vmap(xg.nonzero)(x), NotImplementedError, "nonzero"),
        (lambda x: xg.vmap(lambda x: xg.sum(x, axis=-2))(x), ValueError, "axis -2 of an array with 1 axes"),
        (lambda x: xg.vmap(xg.matrix_transpose)(x), ValueError, r"matrix_transpose of \(3,\)"),
        (lambda x: xg.vmap(xg.linalg.inv)(x), ValueError, r"inv of \(3,\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error(xp, call, error, words):
    with pytest.raises(error, match=words):
        call(make(xp, np.arange(6.0).reshape(2, 3)))


def test_two_backends_are_an_error():
    with xg.use_backend("strict", "device1"):
        y = xg.asarray([1.0, 2.0])
    with xg.use_backend("numpy"):
        x = xg.asarray([1.0, 2.0])
    for call in (lambda: xg.vmap(xg.add)(x, y), lambda: xg.vmap(lambda x: x + y)(x)):
        with pytest.raises(TypeError, match="met"):
            call()


# --- nesting --------------------------------------------------------------------------------------------


def test_vmap_inside_vmap(xp):
    x, y = make(xp, np.arange(1.0, 4.0)), make(xp, np.arange(1.0, 3.0))
    table = xg.vmap(lambda a: xg.vmap(lambda b: a * b + xg.sum(y))(y))(x)
    np.testing.assert_array_equal(to_numpy(table), np.outer([1, 2, 3], [1, 2]) + 3)
    swapped = xg.vmap(xg.vmap(xg.multiply, (None, 0)), (0, None), 1)(x, y)
    np.testing.assert_array_equal(to_numpy(swapped), np.outer([1, 2], [1, 2, 3]))


def test_a_gradient_inside_is_that_of_each_example(xp):
    """Of an argument, of what comes from outside, and of what an outer vmap has."""
    x, w = make(xp, [1.0, 2.0, 3.0]), make(xp, [10.0, 20.0])
    inner = xg.vmap(lambda x: xg.grad(lambda w: xg.sum(w * x))(w))(x)
    np.testing.assert_array_equal(to_numpy(inner), [[1, 1], [2, 2], [3, 3]])
    constant = xg.vmap(lambda x: xg.grad(lambda w: xg.sum(w))(w))(x)
    np.testing.assert_array_equal(to_numpy(constant), np.ones((3, 2)))
    twice = xg.vmap(lambda a: xg.vmap(lambda b: xg.grad(lambda a: a * b)(a))(w))(x)
    np.testing.assert_array_equal(to_numpy(twice), [[10, 20]] * 3)


def test_a_gradient_from_outside_is_a_sum_over_the_examples(xp):
    x = make(xp, [1.0, 2.0, 3.0])

    def total(w):
        return xg.sum(xg.vmap(lambda x: w * x)(x))

    def unused(w):
        return xg.sum(xg.vmap(lambda x: w * 2)(x))

    assert xg.grad(total)(5.0).item() == 6
    assert xg.grad(unused)(5.0).item() == 6
    np.testing.assert_array_equal(to_numpy(xg.vmap(xg.grad(total))(make(xp, [0.0, 1.0]))), [6, 6])
    w = make(xp, 5.0, requires_grad=True)
    total(w).backward()
    assert to_numpy(w.grad) == 6


@pytest.mark.parametrize("vectors", [True, False])
def test_products_with_a_matrix_from_outside(xp, vectors):
    """Their gradients, which go another way than those of a matrix that is taken in."""
    shape = (2, 3, 4) if vectors else (2, 3, 5, 4)
    x, w, b = (make(xp, np.cos(np.arange(np.prod(s)).reshape(s))) for s in (shape, (6, 4), (6,)))

    def by_vmap(f):
        return lambda w, b, x: xg.sum(xg.sin(xg.vmap(xg.vmap(lambda row: f(w, b, row)))(x)))

    def linear(w, b, row):
        return xg.nn.functional.linear(row, w, b) + xg.nn.functional.linear(row, w)

    def right(w, b, row):
        return row @ w.mT + b

    def left(w, b, row):
        return (w @ row if row.ndim == 1 else (w @ row.mT).mT) + b

    for f in (linear, right, left):
        got = xg.grad(by_vmap(f), (0, 1, 2))(w, b, x)
        want = xg.grad(
            lambda w, b, x, f=f: xg.sum(xg.sin(right(w, b, x) + float(f is linear) * (x @ w.mT))), (0, 1, 2)
        )(w, b, x)
        for one, other in zip(got, want, strict=True):
            np.testing.assert_allclose(to_numpy(one), to_numpy(other), rtol=1e-12)
        tangent = xg.jvp(by_vmap(f), (w, b, x), (w, b, x))[1].item()
        assert (
            abs(tangent - sum(np.sum(to_numpy(g) * to_numpy(t)) for g, t in zip(got, (w, b, x), strict=True))) < 1e-10
        )
        second = xg.hvp(by_vmap(f), (w, b, x), (w, b, x))
        inner = xg.grad(lambda w, b, x, f=f: xg.jvp(by_vmap(f), (w, b, x), (w, b, x))[1])(w, b, x)
        assert np.isfinite(to_numpy(inner)).all()
        xg.check_grads(by_vmap(f), w, b, x, order=2)
        assert second[0].shape == w.shape


def test_second_derivatives_in_every_order(xp):
    x = make(xp, [[0.3, 0.5], [0.7, 1.1], [0.2, 0.4]])

    def f(x):
        return xg.sum(xg.sin(x) * xg.prod(x))

    want = np.stack([to_numpy(xg.hessian(f)(row)) for row in x])
    np.testing.assert_allclose(to_numpy(xg.vmap(xg.hessian(f))(x)), want, rtol=1e-13)
    reverse = xg.vmap(lambda row: xg.jacobian(xg.grad(f))(row))(x)
    np.testing.assert_allclose(to_numpy(reverse), want, rtol=1e-13)
    whole = to_numpy(xg.hessian(lambda x: xg.sum(xg.vmap(f)(x)))(x))
    for i in range(3):
        np.testing.assert_allclose(whole[i, :, i, :], want[i], rtol=1e-13)
        whole[i, :, i, :] = 0
    assert not whole.any()
    through = xg.jacobian(xg.vmap(xg.grad(f)))(x)
    np.testing.assert_allclose(to_numpy(xg.sum(through, axis=2)), want, rtol=1e-13)
    product = xg.vmap(lambda row, v: xg.hvp(f, (row,), (v,))[0])(x, x)
    np.testing.assert_allclose(to_numpy(product), np.einsum("bij,bj->bi", want, to_numpy(x)), rtol=1e-13)


def test_a_pullback_takes_a_batch_of_cotangents(xp):
    """Also through a vmap that is on the tape already: its examples and the cotangents are not mixed up."""
    x = make(xp, [[0.3, 0.5], [0.7, 1.1]])

    def f(x):
        y = xg.checkpoint(lambda x: xg.tanh(x) * xg.sigmoid(x))(x)
        return xg.vmap(lambda row: xg.sin(row) * xg.sum(row) * xg.tanh(row))(y)

    _, pull = xg.vjp(f, x)
    _, push = xg.linearize(f, x)
    want = to_numpy(xg.jacobian(f)(x)).reshape(4, 4)
    basis = xg.reshape(make(xp, np.eye(4)), (4, 2, 2))
    np.testing.assert_allclose(to_numpy(xg.vmap(lambda e: pull(e)[0])(basis)).reshape(4, 4), want, rtol=1e-13)
    np.testing.assert_allclose(to_numpy(xg.vmap(push)(basis)).reshape(4, 4).T, want, rtol=1e-13)


def test_perturbations_do_not_mix(xp):
    zs, x = make(xp, [1.0, 2.0, 3.0]), make(xp, [1.0, 2.0])
    inside = xg.vmap(lambda x: x * xg.grad(lambda y: xg.sum(xg.vmap(lambda z: z * y + x)(zs)))(1.0))(x)
    np.testing.assert_array_equal(to_numpy(inside), [6, 12])
    trap = xg.vmap(xg.grad(lambda x: x * xg.grad(lambda y: x + y)(1.0)))(x)
    np.testing.assert_array_equal(to_numpy(trap), [1, 1])


def test_custom_rules_and_checkpoints_are_mapped_too(xp):
    @xg.primitive
    def cube(x):
        return x**3

    cube.defvjp(lambda g, out, x: 3 * g * x * x)
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])
    for f in (cube, xg.checkpoint(lambda x: x * x * x)):
        np.testing.assert_allclose(to_numpy(xg.vmap(xg.grad(lambda x, f=f: xg.sum(f(x))))(x)), 3 * to_numpy(x) ** 2)
        np.testing.assert_allclose(
            to_numpy(xg.grad(lambda x, f=f: xg.sum(xg.vmap(f)(x)))(x)), 3 * to_numpy(x) ** 2
        )  # fmt: skip
        tangent = xg.jvp(xg.vmap(f), (x,), (x,))[1]
        np.testing.assert_allclose(to_numpy(tangent), 3 * to_numpy(x) ** 3)


# --- networks -------------------------------------------------------------------------------------------


def test_the_gradient_of_each_sample_of_a_network(xp):
    with xg.use_backend(xp._backend):
        rng = xg.random.Generator(0)
        model = xg.nn.Sequential(xg.nn.Linear(3, 8, rng=rng), xg.nn.Tanh(), xg.nn.Linear(8, 4, rng=rng))
        x, y = rng.normal((5, 3)), xp.asarray(np.asarray([0, 1, 2, 3, 1]))

        def loss(weight, x, y):
            hidden = xg.tanh(xg.nn.functional.linear(x[None, :], weight, model[0].bias))
            return xg.nn.functional.cross_entropy(model[2](hidden), y[None])

        weight = model[0].weight.detach()
        each = xg.vmap(xg.grad(loss), (None, 0, 0))(weight, x, y)
        for i in range(5):
            want = xg.grad(loss)(weight, x[i, ...], y[i])
            np.testing.assert_allclose(to_numpy(each)[i], to_numpy(want), rtol=1e-6, atol=1e-7)
        model.zero_grad()
        xg.mean(xg.vmap(lambda x, y: loss(weight, x, y))(x, y)).backward()
        by_sample = to_numpy(model[2].weight.grad)
        model.zero_grad()
        hidden = xg.tanh(xg.nn.functional.linear(x, weight, model[0].bias))
        xg.nn.functional.cross_entropy(model[2](hidden), y).backward()
        np.testing.assert_allclose(by_sample, to_numpy(model[2].weight.grad), rtol=1e-5, atol=1e-7)


def test_what_is_made_inside_lives_inside(xp):
    x = make(xp, [1.0, 2.0])
    got = xg.vmap(lambda x: xg.ones((2,)) * x + xp.asarray([0.0, 1.0]) + xg.random.Generator(0).uniform(()) * 0)(x)
    np.testing.assert_array_equal(to_numpy(got), [[1, 2], [2, 3]])


def test_nothing_is_left_behind(xp):
    x = make(xp, [1.0, 2.0])
    before = xg.get_backend()
    with pytest.raises(ZeroDivisionError):
        xg.vmap(lambda x: 1 / 0)(x)
    assert xg.get_backend() is before
    for _ in range(3):
        xg.vmap(xg.grad(lambda x: x * xg.sin(x)))(x)
    from xgrad.transforms.batching.backend import _scoped

    gc.collect()
    alive = len(_scoped)
    for _ in range(20):
        xg.vmap(xg.grad(lambda x: x * xg.sin(x)))(x)
    gc.collect()
    assert len(_scoped) <= alive


def test_an_anomaly_inside_is_named(xp):
    x = make(xp, [1.0, 0.0])
    with pytest.raises(Exception, match="log"), xg.detect_anomaly():
        xg.vmap(lambda x: xg.log(x))(x)
