"""Sizes that differ from call to call, such as that of a batch.

A function is traced several times, with other sizes in each trace. A number that is not the same in all traces is a `Size`: it
holds what the number was in each. What it is in terms of the named sizes ("batch", "time") is found from these: a polynomial such
as 4 * batch, or batch * time. One trace more than the polynomial has coefficients checks it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

Monomial = tuple[int, ...]  # positions of named sizes, ascending; () is the constant
Polynomial = dict[Monomial, int]


class Size:
    """An integer that differs between traces. `at` has its value in each. Arithmetic is trace by trace."""

    __slots__ = ("at",)

    def __init__(self, at: Sequence[int]) -> None:
        self.at = tuple(at)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self.at == other.at

    def __hash__(self) -> int:
        return hash(self.at)

    def __repr__(self) -> str:
        return f"Size({', '.join(map(str, self.at))})"

    def _with(self, other: Dim, f: Callable[[int, int], int]) -> Dim:
        others = other.at if isinstance(other, Size) else (other,) * len(self.at)
        return size([f(a, b) for a, b in zip(self.at, others, strict=True)])

    def __add__(self, other: Dim) -> Dim:
        return self._with(other, operator.add)

    def __radd__(self, other: int) -> Dim:
        return self._with(other, operator.add)

    def __sub__(self, other: Dim) -> Dim:
        return self._with(other, operator.sub)

    def __rsub__(self, other: int) -> Dim:
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other: Dim) -> Dim:
        return self._with(other, operator.mul)

    def __rmul__(self, other: int) -> Dim:
        return self._with(other, operator.mul)

    def __floordiv__(self, other: Dim) -> Dim:
        return self._with(other, operator.floordiv)

    def __neg__(self) -> Dim:
        return self._with(-1, operator.mul)


Dim = int | Size


def size(at: Sequence[int]) -> Dim:
    """The number that has these values in the traces: an int if they are all the same."""
    return at[0] if len(set(at)) == 1 else Size(at)


class Named(NamedTuple):
    """The named sizes, and what they are in each trace: `points[trace][position]`."""

    names: tuple[str, ...]
    points: tuple[tuple[int, ...], ...]


def design(base: Sequence[int], other: Sequence[int], check: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The sizes to trace with: each named size as in the example or another, in all combinations, and one point to check."""
    if not base:
        return ((),)
    n = len(base)
    points = [
        tuple(other[i] if i in changed else base[i] for i in range(n))
        for count in range(n + 1)
        for changed in combinations(range(n), count)
    ]
    return (*points, tuple(check))


def polynomial(number: Size, named: Named) -> Polynomial | None:
    """The number as a polynomial of the named sizes with integer coefficients, each size at most once in a product.

    None if there is none: for a number that is rounded, such as half of an odd size.
    """
    points, n = named.points, len(named.names)
    base = points[0]
    subsets = [c for count in range(n + 1) for c in combinations(range(n), count)]
    values = dict(zip(subsets, number.at, strict=False))
    found: dict[Monomial, Fraction] = {}
    other = points[len(subsets) - 1]
    for subset in subsets:
        # The coefficient of the product of (n_i - base_i) over the subset.
        total = Fraction(
            sum(
                (-1) ** (len(subset) - len(part)) * values[part]
                for k in range(len(subset) + 1)
                for part in combinations(subset, k)
            )
        )
        for i in subset:
            total /= other[i] - base[i]
        # That product, multiplied out.
        for k in range(len(subset) + 1):
            for part in combinations(subset, k):
                factor = Fraction(1)
                for i in set(subset) - set(part):
                    factor *= -base[i]
                found[part] = found.get(part, Fraction(0)) + total * factor
    terms = {monomial: coefficient for monomial, coefficient in found.items() if coefficient}
    if any(coefficient.denominator != 1 for coefficient in terms.values()):
        return None
    whole = {monomial: int(coefficient) for monomial, coefficient in terms.items()}
    return whole if value_at(whole, points[-1]) == number.at[-1] else None


def value_at(terms: Polynomial, point: Sequence[int]) -> int:
    total = 0
    for monomial, coefficient in terms.items():
        for i in monomial:
            coefficient *= point[i]
        total += coefficient
    return total


def is_prime(n: int) -> bool:
    return n > 1 and all(n % k for k in range(2, int(n**0.5) + 1))


ATTEMPTS = 3


def others(n: int, attempt: int) -> tuple[int, int]:
    """Two other sizes for an axis of n elements.

    The first is a prime below n, or above it: a prime is not mistaken for another number of the program. Among the three sizes
    are odd and even ones, because halves are rounded. A function that refuses such sizes may need more elements (attempt 1), or
    multiples (attempt 2).
    """
    if attempt == 2:
        return 2 * n, 3 * n
    below = [k for k in range(n - 1, 3, -1) if is_prime(k)]
    if below and attempt == 0:
        return below[0], below[0] - 1
    above = next(k for k in range(max(n + 1, 3), 2 * n + 4) if is_prime(k))
    return above, above + 1
