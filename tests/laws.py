"""The laws, which hold for every derivative: each is a function of a Point and compares two ways to the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

import xgrad as xg
from tests.cases.case import Case
from tests.point import Arrays, Point, along, gradient, inner, to_hosts
from tests.support.arrays import Host
from xgrad.backends import load
from xgrad.engine.registry import DERIVATIVES

# The largest difference between two ways, relative to the largest element:
EQUAL = 2.0**-50  # the same computation (NumPy rounds some complex scalars differently from arrays)
ROUNDING = 1e-12  # two computations in float64
DIFFERENCES = 1e-9  # a derivative and differences, relative to 1 where all elements are smaller
FLOAT32 = 64 * 2.0**-23  # one in float32 and one in float64: 64 eps


def value_is_the_librarys(p: Point) -> None:
    """The value on tensors is that of the library's function on its arrays, and that of NumPy (or of the reference)."""
    got = p.function(*p.tensors(p.xs))
    exact = DERIVATIVES.get(p.case.name) == "rule"
    want = p.values
    assert all(np.isfinite(y).all() for y in want), f"{p.case}: not a smooth point"
    p.assert_equal("the library's value", got, want, 0 if exact else ROUNDING)
    p.assert_equal("NumPy's value", got, reference_value(p.case), ROUNDING)
    recorded = p.function(*p.tensors(p.xs, requires_grad=True))
    assert all(y.requires_grad for y in recorded), f"{p.case}: the result does not require a gradient"
    p.assert_equal("the value, recorded", recorded, to_hosts(got), 0 if exact else ROUNDING)


def reference_value(case: Case) -> Arrays:
    if case.reference is not None:
        args = case.arguments(case.inputs(), fixed=lambda array: array)
        found = case.reference(np, *args, **case.static)
        return [np.asarray(part) for part in (found if isinstance(found, tuple) else (found,))]
    return Point(case, load("numpy")).value(library=True)


def vjp_is_the_differences(p: Point) -> None:
    want = gradient(on_numpy(p).value, p.xs, p.weights)
    p.assert_equal("vjp against differences", p.gradients, want, DIFFERENCES, floor=1.0)


def jvp_is_the_differences(p: Point) -> None:
    want = along(on_numpy(p).value, p.xs, p.directions)
    p.assert_equal("jvp against differences", p.tangents, want, DIFFERENCES, floor=1.0)


def on_numpy(p: Point) -> Point:
    """The same point on NumPy. Differences are of NumPy's numbers, which are every library's by other laws, and the fastest."""
    return Point(p.case, load("numpy"), p.dtype)


def jvp_and_vjp_are_transposes(p: Point) -> None:
    gradients, tangents = to_hosts(p.gradients), to_hosts(p.tangents)
    forward, backward = inner(tangents, p.weights), inner(gradients, p.directions)
    size = sum(float(np.abs(t * w).sum()) for t, w in zip(tangents, p.weights, strict=True))
    error = abs(forward - backward)
    assert error <= ROUNDING * (1 + size), f"{p.case}: <jvp, w> = {forward}, but <t, vjp> = {backward}"


def recorded_is_raw(p: Point) -> None:
    """A recorded derivative (through xgrad's namespace) equals the raw one (through the library's), by each transform."""
    for way, got, want in each_way(p):
        p.assert_equal(way, got, want, ROUNDING if p.case.rounding else EQUAL)


def each_way(p: Point) -> Iterator[tuple[str, Sequence[xg.Tensor], Arrays]]:
    """The ways to a derivative: a name, the recorded derivative, and the raw one."""
    want = to_hosts(p.gradients)
    xs = p.tensors(p.xs)
    _, pull = xg.vjp(p.function, *xs)
    yield "vjp, recorded", pull(tuple(p.tensors(p.weights, requires_grad=True))), want
    ts = tuple(p.tensors(p.directions, requires_grad=True))
    yield "jvp, recorded", xg.jvp(p.function, xs, ts)[1], to_hosts(p.tangents)
    for create_graph in (False, True):
        leaves = p.tensors(p.xs, requires_grad=True)
        outputs = p.function(*leaves)
        for y, w in zip(outputs, p.tensors(p.weights), strict=True):
            y.backward(w, retain_graph=y is not outputs[-1], create_graph=create_graph)
        grads = [p.xp.zeros_like(t) if t.grad is None else t.grad for t in leaves]
        yield f"backward(create_graph={create_graph})", grads, want


def second_order(p: Point) -> None:
    """Second order, by every combination of the two modes, is the difference of the first derivative."""
    xs, ts, ws = p.tensors(p.xs), tuple(p.tensors(p.directions)), tuple(p.tensors(p.weights))
    host = on_numpy(p)
    of_gradient = along(host.on_host(host.vjp), p.xs, p.directions)
    of_tangent = along(host.on_host(host.jvp), p.xs, p.directions)
    for law, got, want in (
        ("reverse over reverse", xg.vjp(p.vjp, *xs)[1](ts), of_gradient),  # Hessians are symmetric
        ("forward over reverse", xg.jvp(p.vjp, xs, ts)[1], of_gradient),
        ("reverse over forward", xg.vjp(p.jvp, *xs)[1](ws), of_gradient),
        ("forward over forward", xg.jvp(p.jvp, xs, ts)[1], of_tangent),
    ):
        p.assert_equal(law, got, want, DIFFERENCES, floor=1.0)


def gradient_is_the_same_as_on_numpy(p: Point) -> None:
    host = on_numpy(p)
    rtol = FLOAT32 if p.dtype == "float32" else ROUNDING
    p.assert_equal("gradient on NumPy", p.gradients, to_hosts(host.gradients), rtol)
    p.assert_equal("tangent on NumPy", p.tangents, to_hosts(host.tangents), rtol)


def float32_stays_float32(p: Point) -> None:
    """The value, gradient and tangent of float32 arguments are float32, and equal those of float64 to that precision."""
    single, double = Point(p.case, p.backend, "float32"), Point(p.case, p.backend)
    for name in ("xs", "directions", "weights"):
        setattr(double, name, [in_double(a) for a in getattr(single, name)])
    value = single.function(*single.tensors(single.xs))
    for law, got, want in (
        ("value in float32", value, double.values),
        ("gradient in float32", single.gradients, to_hosts(double.gradients)),
        ("tangent in float32", single.tangents, to_hosts(double.tangents)),
    ):
        single.assert_equal(law, got, [in_single(w) for w in want], FLOAT32)


def in_double(a: Host) -> Host:
    return a.astype(np.result_type(a, np.float64))


def in_single(a: Host) -> Host:
    return a.astype(np.complex64 if np.iscomplexobj(a) else np.float32)


LAWS = (
    value_is_the_librarys,
    vjp_is_the_differences,
    jvp_is_the_differences,
    jvp_and_vjp_are_transposes,
    recorded_is_raw,
    second_order,
    gradient_is_the_same_as_on_numpy,
    float32_stays_float32,
)
