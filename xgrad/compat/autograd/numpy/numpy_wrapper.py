"""What `autograd.numpy` has in its own way."""

from __future__ import annotations

from typing import Any

import numpy

import xgrad.numpy as ours
from xgrad.compat.autograd.numpy.lists import of_iterable, of_list
from xgrad.compat.autograd.numpy.numpy_vjps import metadata as metadata
from xgrad.compat.autograd.values import getval
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions import selecting
from xgrad.rules.numpy_functions.face import leaves

array, asarray, asanyarray, ascontiguousarray = ours.array, ours.asarray, ours.asanyarray, ours.ascontiguousarray
full, full_like, ones_like, zeros_like, empty_like = (
    ours.full, ours.full_like, ours.ones_like, ours.zeros_like, ours.empty_like,
)  # fmt: skip
r_, c_, vectorize = ours.r_, ours.c_, ours.vectorize
concatenate, stack, hstack = of_iterable(numpy.concatenate), of_iterable(numpy.stack), of_iterable(numpy.hstack)
vstack, column_stack, dstack = of_iterable(numpy.vstack), of_iterable(numpy.column_stack), of_iterable(numpy.dstack)
row_stack = vstack


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """NumPy's `append`, which takes lists in which some values are traced."""
    one, other = (ours.array(x) if isinstance(x, list | tuple) else x for x in (arr, values))
    return numpy.append(one, other, axis=axis)


mean, std, var, sum, prod = (of_list(f) for f in (numpy.mean, numpy.std, numpy.var, numpy.sum, numpy.prod))
max, min, amax, amin = (of_list(f) for f in (numpy.max, numpy.min, numpy.amax, numpy.amin))


def where(condition: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's `where`. Where no argument is an array, the result has Python's types."""
    if len(args) == 2 and not kwargs and (isinstance(args[0], Tensor) or isinstance(args[1], Tensor)):
        return selecting.where(condition, *args)
    if not args and not kwargs:
        return numpy.where(condition)
    given = (*args, *kwargs.values())
    if len(given) != 2:
        raise ValueError("either both or neither of x and y should be given")
    x = args[0] if args else kwargs["x"]
    y = args[1] if len(args) > 1 else kwargs["y"]
    found = numpy.where(condition, *(ours.array(v) if isinstance(v, list | tuple) else v for v in (x, y)))
    if isinstance(found, Tensor):
        return found
    is_array = any(isinstance(v, numpy.ndarray | numpy.generic) for v in leaves((condition, x, y)))
    return found if is_array else found.tolist()


def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:  # noqa: N803 (HIPS autograd's name)
    """Diagonal matrices with the last axis of D on their diagonals.

    Raises:
        NotImplementedError: for other axes than `offset=0, axis1=-1, axis2=-2`.
    """
    if (offset, axis1, axis2) != (0, -1, -2):
        raise NotImplementedError("make_diagonal supports offset=0, axis1=-1, axis2=-2 only")
    return D[..., None] * numpy.eye(numpy.shape(D)[-1])


def _integer(kind: Any) -> Any:
    class Integer(kind):  # type: ignore[misc]
        def __new__(cls, value: Any = 0, *args: Any) -> Any:
            return kind(getval(value), *args)

    Integer.__name__ = Integer.__qualname__ = kind.__name__
    return Integer


# As dtypes these are NumPy's. As functions they take traced values, of which they have no derivative.
int8, int16, int32, int64 = (_integer(kind) for kind in (numpy.int8, numpy.int16, numpy.int32, numpy.int64))

__all__ = [
    *(
        "array",
        "asarray",
        "asanyarray",
        "ascontiguousarray",
        "full",
        "full_like",
        "ones_like",
        "zeros_like",
        "empty_like",
    ),
    *(
        "r_",
        "c_",
        "vectorize",
        "concatenate",
        "stack",
        "hstack",
        "vstack",
        "column_stack",
        "dstack",
        "row_stack",
        "append",
    ),
    *("mean", "std", "var", "sum", "prod", "max", "min", "amax", "amin", "where", "make_diagonal", "metadata"),
    *("int8", "int16", "int32", "int64"),
]
