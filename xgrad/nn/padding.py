"""Layers that add elements at the ends of the last axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from xgrad.backends.data import is_scalar
from xgrad.engine.integers import integers
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import input_of, wrong_shape
from xgrad.nn.module import Module


class _Padding(Module):
    """The base class. `n_axes` axes are padded, and the mode is that of `pad`."""

    n_axes: int
    mode: str
    takes: ClassVar = {1: "(N, C, W) or (C, W)", 2: "(N, C, H, W) or (C, H, W)"}

    def __init__(self, padding: int | Sequence[int]) -> None:
        name, wanted = type(self).__name__, 2 * self.n_axes
        try:
            numbers = integers(name, padding, "padding")
        except TypeError:
            numbers = ()
        if len(numbers) == 1 and not isinstance(padding, Sequence):
            numbers *= wanted
        if len(numbers) != wanted:
            raise ValueError(f"{name}: padding must be an integer, or {wanted} of them, got {padding!r}")
        self.padding = numbers

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        if x.ndim not in (self.n_axes + 1, self.n_axes + 2):
            raise wrong_shape(self, self.takes[self.n_axes], x)
        try:
            return F.pad(x, self.padding, self.mode)
        except ValueError as error:
            raise ValueError(f"{self} got an input of shape {tuple(x.shape)}. {error}") from error

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPadding(_Padding):
    """The base class of layers that pad by one number. They take an input of any number of axes that has those to pad."""

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        if not is_scalar(value):
            raise TypeError(f"{type(self).__name__}: value must be a number, not {type(value).__name__}")
        self.value = value

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        if x.ndim < self.n_axes:
            raise wrong_shape(self, "(..., W)" if self.n_axes == 1 else "(..., H, W)", x)
        try:
            return F.pad(x, self.padding, "constant", self.value)
        except ValueError as error:
            raise ValueError(f"{self} got an input of shape {tuple(x.shape)}. {error}") from error

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadding):
    """Adds a number at the ends of the last axis.

    Call it with an array of shape (..., W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for both ends, or (left, right). Negative numbers take away.
        value: the number.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes.
        TypeError: for a value that is not a number.

    >>> import xgrad as xg
    >>> xg.nn.ConstantPad1d(1, 7.0)(xg.asarray([1.0, 2.0, 3.0])).tolist()
    [7.0, 1.0, 2.0, 3.0, 7.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html
    """

    n_axes = 1


class ConstantPad2d(_ConstantPadding):
    """Adds a number at the ends of the last two axes.

    Call it with an array of shape (..., H, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for all sides, or (left, right, top, bottom). Negative numbers take away.
        value: the number.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes.
        TypeError: for a value that is not a number.

    >>> import xgrad as xg
    >>> xg.nn.ConstantPad2d((1, 0, 0, 0), 7.0)(xg.asarray([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[7.0, 1.0, 2.0], [7.0, 3.0, 4.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html
    """

    n_axes = 2


class ZeroPad1d(_ConstantPadding):
    """Adds zeros at the ends of the last axis.

    Call it with an array of shape (..., W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for both ends, or (left, right). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes.

    >>> import xgrad as xg
    >>> xg.nn.ZeroPad1d(1)(xg.asarray([1.0, 2.0, 3.0])).tolist()
    [0.0, 1.0, 2.0, 3.0, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html
    """

    n_axes = 1

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class ZeroPad2d(_ConstantPadding):
    """Adds zeros at the ends of the last two axes.

    Call it with an array of shape (..., H, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for all sides, or (left, right, top, bottom). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes.

    >>> import xgrad as xg
    >>> xg.nn.ZeroPad2d((1, 0, 0, 0))(xg.asarray([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[0.0, 1.0, 2.0], [0.0, 3.0, 4.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html
    """

    n_axes = 2

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class ReflectionPad1d(_Padding):
    """Adds the neighbours of the edge, mirrored at it at the ends of the last axis.

    Call it with an array of shape (N, C, W) or (C, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for both ends, or (left, right). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes,
            or one with as few elements along an axis as are added, or fewer.

    >>> import xgrad as xg
    >>> xg.nn.ReflectionPad1d((2, 0))(xg.asarray([[1.0, 2.0, 3.0]])).tolist()
    [[3.0, 2.0, 1.0, 2.0, 3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html
    """

    n_axes = 1
    mode = "reflect"


class ReflectionPad2d(_Padding):
    """Adds the neighbours of the edge, mirrored at it at the ends of the last two axes.

    Call it with an array of shape (N, C, H, W) or (C, H, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for all sides, or (left, right, top, bottom). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes,
            or one with as few elements along an axis as are added, or fewer.

    >>> import xgrad as xg
    >>> xg.nn.ReflectionPad2d((1, 0, 0, 0))(xg.asarray([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[[2.0, 1.0, 2.0], [4.0, 3.0, 4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html
    """

    n_axes = 2
    mode = "reflect"


class ReplicationPad1d(_Padding):
    """Adds the element at the edge at the ends of the last axis.

    Call it with an array of shape (N, C, W) or (C, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for both ends, or (left, right). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes,
            or one without elements along an axis.

    >>> import xgrad as xg
    >>> xg.nn.ReplicationPad1d(1)(xg.asarray([[1.0, 2.0, 3.0]])).tolist()
    [[1.0, 1.0, 2.0, 3.0, 3.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html
    """

    n_axes = 1
    mode = "replicate"


class ReplicationPad2d(_Padding):
    """Adds the element at the edge at the ends of the last two axes.

    Call it with an array of shape (N, C, H, W) or (C, H, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for all sides, or (left, right, top, bottom). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes,
            or one without elements along an axis.

    >>> import xgrad as xg
    >>> xg.nn.ReplicationPad2d((1, 0, 0, 0))(xg.asarray([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[[1.0, 1.0, 2.0], [3.0, 3.0, 4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html
    """

    n_axes = 2
    mode = "replicate"


class CircularPad1d(_Padding):
    """Adds the elements of the other end at the ends of the last axis.

    Call it with an array of shape (N, C, W) or (C, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for both ends, or (left, right). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes,
            or one with fewer elements along an axis than are added.

    >>> import xgrad as xg
    >>> xg.nn.CircularPad1d(1)(xg.asarray([[1.0, 2.0, 3.0]])).tolist()
    [[3.0, 1.0, 2.0, 3.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html
    """

    n_axes = 1
    mode = "circular"


class CircularPad2d(_Padding):
    """Adds the elements of the other end at the ends of the last two axes.

    Call it with an array of shape (N, C, H, W) or (C, H, W) and of any dtype.

    Args:
        padding: how many elements to add: an integer for all sides, or (left, right, top, bottom). Negative numbers take away.

    Raises:
        ValueError: for a padding that is neither; when called, for an input of another number of axes,
            or one with fewer elements along an axis than are added.

    >>> import xgrad as xg
    >>> xg.nn.CircularPad2d((1, 0, 0, 0))(xg.asarray([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[[2.0, 1.0, 2.0], [4.0, 3.0, 4.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html
    """

    n_axes = 2
    mode = "circular"
