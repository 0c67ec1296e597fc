"""How the values of a tensor get to the host: as a NumPy array, as numbers, and as text.

`numpy()`, `item()`, `tolist()`, `print` and formats always give the values. `np.asarray(t)`, and the libraries that call it, get
them only where no gradient is lost and no silent transfer from a device takes place.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from xgrad.engine import tape
from xgrad.engine.views import chain_of, family_of

if TYPE_CHECKING:
    from xgrad.backends.base import Backend


class Values:
    """The methods of a tensor that return its values on the host."""

    __slots__ = ()

    if TYPE_CHECKING:
        backend: Backend
        node: Any

        @property
        def data(self) -> Any: ...
        @property
        def shape(self) -> tuple[int, ...]: ...
        @property
        def dtype(self) -> Any: ...

    def numpy(self) -> Any:
        """A copy of the values on the host, as a NumPy array. No gradient goes through it."""
        return self.backend.to_numpy(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """The values for `np.asarray(t)`. Raises TypeError if the tensor requires a gradient or is on a device.

        On NumPy it is the tensor's own memory, unless another tensor or a value saved for backward uses that memory. So a library
        that writes its result to it (`scipy.ndimage.sobel(x, output=t)`) writes to the tensor. Otherwise it is a copy.

        >>> import numpy as np
        >>> import xgrad as xg
        >>> t = xg.zeros(2)
        >>> np.asarray(t)[0] = 1.0
        >>> t.tolist()
        [1.0, 0.0]
        """
        if self.node is not None:
            raise TypeError(
                "a tensor that requires a gradient does not turn into a NumPy array by itself: its gradient would be lost "
                "silently. Call t.detach() first, or t.numpy() for a copy of the values."
            )
        if not self.backend.on_host:
            raise self.backend.not_on_host()
        if not copy and dtype in (None, self.dtype):
            family = family_of(chain_of(self)) or [self]
            lent = self.backend.lend([each._data for each in family])
            if lent is not None:
                return lent
        if copy is False:
            raise ValueError(
                "np.asarray(t, copy=False) needs a tensor on NumPy of the same dtype whose memory no other tensor, array or "
                "saved value uses. Leave out copy=False for a copy."
            )
        values = self.numpy()
        return values if dtype is None else values.astype(dtype, copy=False)

    def item(self) -> Any:
        """The one element as a Python number. Raises ValueError if there is not exactly one."""
        values = self.data
        if count(values.shape) != 1:
            raise ValueError(
                f"item(): a tensor of shape {self.shape} has {count(values.shape)} elements, not one; "
                "t.tolist() gives them all"
            )
        return self.backend.to_numpy(values).item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers; of a 0-d tensor, the number."""
        return self.numpy().tolist()

    def _number(self, kind: str) -> Any:
        if self.shape != ():
            raise TypeError(f"{kind}() of a tensor of shape {self.shape}: only a 0-d tensor is one number")
        if self.node is not None and tape.is_recording():
            warnings.warn(
                f"{kind}() of a tensor that requires a gradient: the number does not carry the gradient on. "
                "Use t.item() or t.detach() to say that this is meant.",
                stacklevel=3,
            )
        return self.item()

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __complex__(self) -> complex:
        return complex(self._number("complex"))

    def __bool__(self) -> bool:
        if self.shape != ():
            raise TypeError(f"the truth of a tensor of shape {self.shape} is ambiguous: reduce it to 0-d first")
        return bool(self.item())

    def __index__(self) -> int:
        value = self.item() if self.shape == () else None
        if type(value) is not int:
            raise TypeError(f"only a 0-d integer tensor is an index, not shape {self.shape} of {self.dtype}")
        return value

    def __format__(self, spec: str) -> str:
        """The number in a 0-d tensor, formatted; without a format, any tensor as `str` gives it.

        >>> import xgrad as xg
        >>> loss = xg.sum(xg.asarray([1.0, 2.0], requires_grad=True))
        >>> f"{loss:.4f}"
        '3.0000'
        """
        if not spec:
            return str(self)
        if self.shape != ():
            raise TypeError(
                f"the format {spec!r} is one for numbers, and a tensor of shape {self.shape} is not one: "
                "format an element, or the numbers in t.tolist()"
            )
        return format(self.item(), spec)

    def __round__(self, ndigits: int | None = None) -> Any:
        """`round(loss, 3)`: the number in a 0-d tensor, rounded. (The derivative of a rounded number is zero.)"""
        if self.shape != ():
            raise TypeError(
                f"round() of a tensor of shape {self.shape}: only a 0-d tensor is one number; "
                "xgrad.round(t) and t.round(decimals) round each element"
            )
        return round(self.item(), ndigits)


class Size(int):
    """The number of elements, as in NumPy and the standard. A call of it returns the shape, as in PyTorch.

    >>> import xgrad as xg
    >>> x = xg.zeros((2, 3))
    >>> x.size, x.size(), x.size(-1)
    (6, (2, 3), 3)
    """

    lengths: Any

    def __call__(self, dim: int | None = None) -> Any:
        shape = tuple(self.lengths)
        return shape if dim is None else shape[dim]

    def __reduce__(self) -> Any:
        return int, (int(self),)


# --- arrays that `.data` gave out -------------------------------------------------------------------------------
#
# For `t.data -= x` with a tensor x, NumPy asks x to do the operation (see rules/ufuncs.py). It must not write to the array of a
# tensor in place, which may be saved for backward. It must do so with an array of the user's own. This tells them apart.

_handed_out: dict[int, ref[Any]] = {}  # by the id of an array. (A WeakValueDictionary takes four times as long.)


def hand_out(array: Any) -> None:
    """Keep a weak reference to this array, as the data of a tensor."""
    if is_handed_out(array):
        return
    key = id(array)
    try:  # noqa: SIM105 (`suppress` costs as much as the rest)
        _handed_out[key] = ref(array, partial(_gone, key))
    except TypeError:  # a NumPy scalar has no weak references, and cannot be written to
        pass


def _gone(key: int, array: ref[Any], known: dict[int, ref[Any]] = _handed_out) -> None:
    if known.get(key) is array:
        del known[key]


def is_handed_out(array: Any) -> bool:
    known = _handed_out.get(id(array))
    return known is not None and known() is array


# --- sizes ------------------------------------------------------------------------------------------------------

_sizes: dict[Any, Size] = {}


def size_of(shape: Any) -> Size:
    """The number of elements of an array of that shape. A lookup is faster than a new Size."""
    size = _sizes.get(shape)
    if size is None:
        if len(_sizes) > 1000:
            _sizes.clear()
        size = Size(count(shape))
        size.lengths = shape
        _sizes[shape] = size
    return size


def count(shape: Any) -> int:
    """The number of elements of an array of that shape."""
    number: int = 1
    for n in shape:
        number *= n
    return number
