"""Arrays of a given shape, or of the shape of another array: zeros, ones, empty, full, eye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends import is_host_data
from xgrad.backends.data import check, is_scalar
from xgrad.engine.arguments import as_scalar, unwrap
from xgrad.engine.integers import integer, integers, or_none
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.creation import CREATES, from_tensor, make
from xgrad.rules.declare import BOUND, of_backend
from xgrad.rules.manipulation import repeated


@of_backend(CREATES)
def zeros(backend: Any, shape: int | Sequence[int], *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of zeros.

    >>> import xgrad as xg
    >>> xg.zeros((2, 3), dtype=xg.int64).tolist()
    [[0, 0, 0], [0, 0, 0]]

    Args:
        dtype: the dtype of the result; None means the default floating-point dtype of the backend.

    Returns:
        A tensor of that shape and dtype.

    Raises:
        TypeError: for a length that is no integer; for a dtype that the backend does not have.
        ValueError: for a negative length.
    """
    return make(backend, "zeros", integers("zeros", shape, "shape"), dtype=dtype, device=device)


@of_backend(CREATES)
def ones(backend: Any, shape: int | Sequence[int], *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of ones.

    >>> import xgrad as xg
    >>> xg.ones(3).tolist()
    [1.0, 1.0, 1.0]

    Args:
        dtype: the dtype of the result; None means the default floating-point dtype of the backend.

    Returns:
        A tensor of that shape and dtype.

    Raises:
        TypeError: for a length that is no integer; for a dtype that the backend does not have.
        ValueError: for a negative length.
    """
    return make(backend, "ones", integers("ones", shape, "shape"), dtype=dtype, device=device)


@of_backend(CREATES)
def empty(backend: Any, shape: int | Sequence[int], *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array whose values are not set: they are whatever the memory held.

    >>> import xgrad as xg
    >>> xg.empty((2, 0)).shape
    (2, 0)

    Args:
        dtype: the dtype of the result; None means the default floating-point dtype of the backend.

    Returns:
        A tensor of that shape and dtype.

    Raises:
        TypeError: for a length that is no integer; for a dtype that the backend does not have.
        ValueError: for a negative length.
    """
    return make(backend, "empty", integers("empty", shape, "shape"), dtype=dtype, device=device)


@of_backend("composition")
def full(backend: Any, shape: int | Sequence[int], fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array with one value everywhere.

    >>> import xgrad as xg
    >>> xg.grad(lambda value: xg.sum(xg.full((2, 3), value)))(xg.asarray(1.0)).item()
    6.0

    Args:
        fill_value: a number, or an array that broadcasts to the shape (the standard has numbers only).
        dtype: the dtype of the result; None means that of the array, and for a number the default of its kind.

    Returns:
        A tensor of that shape and dtype.

    Derivative:
        A tensor as fill_value gets the sum of the cotangents of the elements that it fills.

    Raises:
        TypeError: for a fill_value that is neither a number nor an array; for a length that is no integer; for a dtype that the
            backend does not have.
        ValueError: for a negative length; for a fill_value that does not broadcast to the shape.
    """
    shape = integers("full", shape, "shape")
    if is_host_data(fill_value):
        fill_value = wrap(backend.adopt(fill_value), backend)
    if isinstance(fill_value, Tensor):
        value = from_tensor(fill_value, dtype, device, None, False)
        return repeated(value, shape)
    check("full", fill_value)
    if is_scalar(fill_value):
        fill_value = as_scalar(backend, fill_value)
    return make(backend, "full", shape, fill_value, dtype=dtype, device=device)


@of_backend(CREATES)
def eye(
    backend: Any, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """A matrix with ones on one diagonal, and zeros elsewhere.

    >>> import xgrad as xg
    >>> xg.eye(2, 3, k=1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

    Args:
        n_rows: the number of rows.
        n_cols: the number of columns; None means that of the rows.
        k: the diagonal: 0 is the main one, positive ones lie above it, negative ones below.
        dtype: the dtype of the result; None means the default floating-point dtype of the backend.

    Returns:
        A tensor of shape (n_rows, n_cols).

    Raises:
        TypeError: for a size or a k that is no integer; for a dtype that the backend does not have.
        ValueError: for a negative size.
    """
    rows, columns = integer("eye", n_rows, "n_rows"), or_none("eye", n_cols, "n_cols")
    return make(backend, "eye", rows, columns, k=integer("eye", k, "k"), dtype=dtype, device=device)


# --- like another -------------------------------------------------------------------------------------------


def _like(name: str, x: Any, *args: Any, dtype: Any = None, device: Any = None) -> Tensor:
    backend, (raw,), _ = unwrap(name, (x,))
    return make(
        backend.here(), name.removesuffix("_like"), tuple(raw.shape), *args, dtype=dtype or raw.dtype, device=device
    )


@public("zeros_like", CREATES)
def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros in the shape of an array.

    >>> import xgrad as xg
    >>> xg.zeros_like(xg.asarray([1, 2])).tolist()
    [0, 0]

    Args:
        dtype: the dtype of the result; None means that of x.

    Returns:
        A tensor of the shape of x, on its backend. It requires no gradient.
    """
    return _like("zeros_like", x, dtype=dtype, device=device)


@public("ones_like", CREATES)
def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones in the shape of an array.

    >>> import xgrad as xg
    >>> xg.ones_like(xg.asarray([1.0, 2.0]), dtype=xg.bool).tolist()
    [True, True]

    Args:
        dtype: the dtype of the result; None means that of x.

    Returns:
        A tensor of the shape of x, on its backend. It requires no gradient.
    """
    return _like("ones_like", x, dtype=dtype, device=device)


@public("empty_like", CREATES)
def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array in the shape of another whose values are not set: they are whatever the memory held.

    >>> import xgrad as xg
    >>> xg.empty_like(xg.asarray([[1.0, 2.0]])).shape
    (1, 2)

    Args:
        dtype: the dtype of the result; None means that of x.

    Returns:
        A tensor of the shape of x, on its backend. It requires no gradient.
    """
    return _like("empty_like", x, dtype=dtype, device=device)


@public("full_like", "composition")
def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """One value everywhere, in the shape of an array.

    >>> import xgrad as xg
    >>> xg.full_like(xg.asarray([1.0, 2.0]), 7).tolist()
    [7.0, 7.0]

    Args:
        fill_value: a number, or an array that broadcasts to the shape of x (the standard has numbers only).
        dtype: the dtype of the result; None means that of x.

    Returns:
        A tensor of the shape of x, on its backend.

    Derivative:
        A tensor as fill_value gets the sum of the cotangents of the elements that it fills. x gets none.

    Raises:
        ValueError: for a fill_value that does not broadcast to the shape of x.
        TypeError: for an x or a fill_value that is neither an array nor a number; for a dtype that the backend does not have.
    """
    backend, (raw,), _ = unwrap("full_like", (x,))
    made: Tensor = BOUND["full"](backend, tuple(raw.shape), fill_value, dtype=dtype or raw.dtype, device=device)
    return made
