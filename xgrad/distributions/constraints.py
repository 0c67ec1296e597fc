"""What the parameters and the values of a distribution must be: `constraints.positive.check(x)`, with PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor


class Constraint:
    """A set of values. `check(value)` says for each event whether it belongs to the set, as a tensor of booleans.

    `event_dim` is the number of axes that one event has, and `is_discrete` whether the set is one of separate points.
    `elementwise` is the check of one element, if it consists of operators.
    """

    def __init__(
        self,
        name: str,
        check: Callable[[Any], Any],
        *,
        event_dim: int = 0,
        is_discrete: bool = False,
        elementwise: Callable[[Any], Any] | None = None,
        words: str = "",
    ) -> None:
        self.name = name
        self.check = check
        self.event_dim = event_dim
        self.is_discrete = is_discrete
        self.elementwise = elementwise
        self.words = words or name.replace("_", " ")

    def __repr__(self) -> str:
        return self.name


def _all(condition: Any, ndim: int = 1) -> Tensor:
    return xg.all(condition, axis=tuple(range(-ndim, 0)))


def _whole(value: Any) -> Any:
    return value == xg.floor(value) if xg.isdtype(value.dtype, "real floating") else True


# --- of one number


def greater_than(lower_bound: Any) -> Constraint:
    """The numbers above a bound."""
    return Constraint(f"greater_than({lower_bound})", lambda v: v > lower_bound, words=f"above {lower_bound}")


def greater_than_eq(lower_bound: Any) -> Constraint:
    """The numbers from a bound on."""
    return Constraint(f"greater_than_eq({lower_bound})", lambda v: v >= lower_bound, words=f"{lower_bound} or more")


def less_than(upper_bound: Any) -> Constraint:
    """The numbers below a bound."""
    return Constraint(f"less_than({upper_bound})", lambda v: v < upper_bound, words=f"below {upper_bound}")


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """The numbers from one bound to another, both included."""
    words = f"from {lower_bound} to {upper_bound}"
    return Constraint(
        f"interval({lower_bound}, {upper_bound})", lambda v: (v >= lower_bound) & (v <= upper_bound), words=words
    )


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """The integers from one bound to another, both included."""
    words = f"integers from {lower_bound} to {upper_bound}"
    return Constraint(
        f"integer_interval({lower_bound}, {upper_bound})",
        lambda v: _whole(v) & (v >= lower_bound) & (v <= upper_bound),
        is_discrete=True,
        words=words,
    )


def _of_elements(name: str, check: Callable[[Any], Any], words: str, *, is_discrete: bool = False) -> Constraint:
    return Constraint(name, check, is_discrete=is_discrete, elementwise=check, words=words)


real = _of_elements("real", lambda v: v == v, "real numbers, not nan")
positive = _of_elements("positive", lambda v: v > 0, "above 0")
nonnegative = _of_elements("nonnegative", lambda v: v >= 0, "0 or more")
unit_interval = _of_elements("unit_interval", lambda v: (v >= 0) & (v <= 1), "from 0 to 1")
boolean = _of_elements("boolean", lambda v: (v == 0) | (v == 1), "0 or 1", is_discrete=True)
nonnegative_integer = Constraint(
    "nonnegative_integer", lambda v: _whole(v) & (v >= 0), is_discrete=True, words="integers, 0 or more"
)
positive_integer = Constraint(
    "positive_integer", lambda v: _whole(v) & (v >= 1), is_discrete=True, words="integers, 1 or more"
)

# --- of vectors and matrices


def independent(base_constraint: Constraint, reinterpreted_batch_ndims: int) -> Constraint:
    """Arrays with so many axes whose elements all belong to the set."""
    ndim = reinterpreted_batch_ndims
    return Constraint(
        f"independent({base_constraint}, {ndim})",
        lambda v: _all(base_constraint.check(v), ndim) if ndim else base_constraint.check(v),
        event_dim=base_constraint.event_dim + ndim,
        is_discrete=base_constraint.is_discrete,
        elementwise=base_constraint.elementwise,
        words=base_constraint.words,
    )


def multinomial(upper_bound: Any) -> Constraint:
    """Vectors of counts with that sum."""
    return Constraint(
        f"multinomial({upper_bound})",
        lambda v: _all(_whole(v) & (v >= 0)) & (xg.sum(v, axis=-1) == upper_bound),
        event_dim=1,
        is_discrete=True,
        words=f"counts, with the sum {upper_bound}",
    )


def _is_simplex(value: Any) -> Any:
    return _all(value >= 0) & (xg.abs(xg.sum(value, axis=-1) - 1) < 1e-6)


def _is_one_hot(value: Any) -> Any:
    return _all((value == 0) | (value == 1)) & (xg.sum(value, axis=-1) == 1)


def _is_lower_cholesky(value: Any) -> Any:
    return _all(xg.tril(value) == value, 2) & _all(xg.linalg.diagonal(value) > 0)


def _is_positive_definite(value: Any) -> Any:
    turned = xg.matrix_transpose(value)
    symmetric = _all(xg.abs(value - turned) <= 1e-6 * (1 + xg.abs(turned)), 2)
    lower, upper = xg.tril(value), xg.matrix_transpose(xg.tril(value, k=-1))
    return symmetric & _all(xg.linalg.eigvalsh(lower + upper) > 0)


real_vector = independent(real, 1)
simplex = Constraint("simplex", _is_simplex, event_dim=1, words="0 or more, with the sum 1 along the last axis")
one_hot = Constraint("one_hot", _is_one_hot, event_dim=1, is_discrete=True, words="1 at one place, and 0 elsewhere")
lower_cholesky = Constraint(
    "lower_cholesky", _is_lower_cholesky, event_dim=2, words="lower triangular, with a positive diagonal"
)
positive_definite = Constraint(
    "positive_definite", _is_positive_definite, event_dim=2, words="symmetric and positive definite"
)
