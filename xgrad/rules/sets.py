"""The distinct elements of an array, and whether an element is among others."""

from __future__ import annotations

from typing import Any

from xgrad.engine.arguments import backend_of
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.declare import NOT_CONTINUOUS, untracked
from xgrad.rules.elementwise import logical_not
from xgrad.rules.manipulation import reshape
from xgrad.rules.searching import several
from xgrad.rules.taking import take


@public("isin", NOT_CONTINUOUS)
def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """For each element of x1, whether it is among those of x2. nan is equal to nothing, not even to nan.

    >>> import xgrad as xg
    >>> xg.isin(xg.asarray([1, 2, 3]), xg.asarray([2, 5])).tolist()
    [False, True, False]

    Args:
        x1: an array of integers, or one. Most libraries take other dtypes too.
        x2: an array of integers, or one, of any shape, or a list of them.
        invert: whether to ask for the elements that are not in x2.

    Returns:
        A tensor of the shape of x1, of dtype bool.

    Raises:
        TypeError: for a value that is neither an array nor a number.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    if isinstance(x2, list | tuple):
        backend = backend_of("isin", (x1,))
        x2 = wrap(backend.asarray(x2), backend)
    found = untracked("isin", (x1, x2))
    return logical_not(found) if invert else found  # array-api-strict 2.6 has `invert`, and ignores it


@public("unique_values", "composition")
def unique_values(x: Any, /) -> Tensor:
    """The distinct elements, in ascending order. Each nan counts alone.

    >>> import xgrad as xg
    >>> xg.unique_values(xg.asarray([2.0, 1.0, 2.0])).tolist()
    [1.0, 2.0]
    >>> xg.grad(lambda x: xg.sum(xg.unique_values(x)))(xg.asarray([2.0, 1.0, 2.0])).tolist()
    [1.0, 1.0, 0.0]

    Returns:
        A tensor of shape (n,) and the dtype of x, where n is how many distinct elements there are.

    Derivative:
        The cotangent of each goes to where it occurs first.

    Raises:
        NotImplementedError: on dask, where the shape of a result cannot depend on values.
    """
    return _unique("unique_inverse", x)[0]


@public("unique_counts", "composition")
def unique_counts(x: Any, /) -> tuple[Tensor, ...]:
    """The distinct elements, in ascending order, and how often each occurs. Each nan counts alone.

    >>> import xgrad as xg
    >>> values, counts = xg.unique_counts(xg.asarray([2.0, 1.0, 2.0]))
    >>> values.tolist(), counts.tolist()
    ([1.0, 2.0], [1, 2])

    Returns:
        values, of shape (n,) and the dtype of x, and counts, of shape (n,) and the default integer dtype; a named tuple where the
        library has one.

    Derivative:
        The cotangent of each value goes to where it occurs first. The counts have none.

    Raises:
        NotImplementedError: on dask, where the shape of a result cannot depend on values.
    """
    return _unique("unique_counts", x)


@public("unique_inverse", "composition")
def unique_inverse(x: Any, /) -> tuple[Tensor, ...]:
    """The distinct elements, in ascending order, and which of them each element of x is. Each nan counts alone.

    >>> import xgrad as xg
    >>> values, inverse = xg.unique_inverse(xg.asarray([2.0, 1.0, 2.0]))
    >>> values.tolist(), inverse.tolist()
    ([1.0, 2.0], [1, 0, 1])

    Returns:
        values, of shape (n,) and the dtype of x, and inverse_indices, of the shape of x and the default integer dtype, with which
        values[inverse_indices] is x; a named tuple where the library has one.

    Derivative:
        The cotangent of each value goes to where it occurs first. The indices have none.

    Raises:
        NotImplementedError: on dask, where the shape of a result cannot depend on values.
    """
    return _unique("unique_inverse", x)


@public("unique_all", "composition")
def unique_all(x: Any, /) -> tuple[Tensor, ...]:
    """The distinct elements, in ascending order, and where and how often they occur. Each nan counts alone.

    >>> import xgrad as xg
    >>> values, indices, inverse, counts = xg.unique_all(xg.asarray([2.0, 1.0, 2.0]))
    >>> values.tolist(), indices.tolist(), inverse.tolist(), counts.tolist()
    ([1.0, 2.0], [1, 0], [1, 0, 1], [1, 2])

    Returns:
        values, of shape (n,) and the dtype of x; indices, where each occurs first in the flattened array, counts, how often, both
        of shape (n,); and inverse_indices, of the shape of x. The order is values, indices, inverse_indices, counts; all but the
        values have the default integer dtype. It is a named tuple where the library has one.

    Derivative:
        The cotangent of each value goes to where it occurs first. The others have none.

    Raises:
        NotImplementedError: on PyTorch, which does not say where an element occurs first, and on dask, where the shape of a
            result cannot depend on values.
    """
    return _unique("unique_all", x)


def _unique(name: str, x: Any) -> tuple[Tensor, ...]:
    """The result of the library. If x requires a gradient, its distinct elements are taken from x, which is differentiable."""
    found = several(name, x)
    if not getattr(x, "requires_grad", False):
        return found
    xp = x.backend.xp
    which = xp.reshape(xp.unique_inverse(x.data)[1], (-1,))
    order = xp.argsort(which, stable=True)
    first = xp.take(order, xp.searchsorted(xp.take(which, order, axis=0), xp.arange(found[0].size)), axis=0)
    values = take(reshape(x, (-1,)), wrap(first, x.backend), axis=0)
    return type(found)(values, *found[1:]) if hasattr(found, "_fields") else (values, *found[1:])
