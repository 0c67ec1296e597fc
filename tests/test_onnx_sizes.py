"""Numbers that differ between traces, as polynomials of named sizes."""

from __future__ import annotations

import itertools

import pytest

from xgrad.onnx.sizes import Named, Size, design, others, polynomial, size, value_at

NAMED = Named(("n", "t"), design((4, 10), (5, 7), (7, 12)))


def sampled(f):
    return size([f(*point) for point in NAMED.points])


@pytest.mark.parametrize(
    ("f", "terms"),
    [
        (lambda n, t: n, {(0,): 1}),
        (lambda n, t: 4 * t - 3, {(1,): 4, (): -3}),
        (lambda n, t: n * t, {(0, 1): 1}),
        (lambda n, t: 2 * (n + 1) * (t - 1), {(0, 1): 2, (0,): -2, (1,): 2, (): -2}),
    ],
)
def test_a_polynomial_is_found(f, terms):
    found = polynomial(sampled(f), NAMED)
    assert found is not None
    assert found == terms
    for point in itertools.product(range(2, 9), repeat=2):
        assert value_at(found, point) == f(*point)


@pytest.mark.parametrize(
    "f", [lambda n, t: t // 2, lambda n, t: (t + 1) // 2 * 2, lambda n, t: n * n, lambda n, t: max(n, 5)]
)
def test_what_is_no_polynomial_is_found_out(f):
    assert polynomial(sampled(f), NAMED) is None


def test_equal_numbers_are_an_int():
    assert size([3, 3, 3]) == 3
    assert isinstance(size([3, 3, 4]), Size)


def test_arithmetic_is_trace_by_trace():
    n = Size((4, 5))
    assert (n + 1, 1 + n, n - 1, 9 - n) == (Size((5, 6)), Size((5, 6)), Size((3, 4)), Size((5, 4)))
    assert (2 * n, n * n, -n, n // 2) == (Size((8, 10)), Size((16, 25)), Size((-4, -5)), 2)
    assert n - n == 0
    assert n == Size((4, 5)) != Size((4, 6))
    assert len({n, Size((4, 5))}) == 1


@pytest.mark.parametrize("n", range(2, 70))
def test_there_are_odd_and_even_sizes_for_every_example(n):
    for attempt in (0, 1):
        found = {n, *others(n, attempt)}
        assert len(found) == 3
        assert {k % 2 for k in found} == {0, 1}
    assert [k % n for k in others(n, 2)] == [0, 0]
