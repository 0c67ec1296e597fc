"""Where random numbers go, and the parameters of a draw: numbers, or arrays that stay where they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from xgrad.backends import get_backend
from xgrad.backends.data import check, described, is_scalar
from xgrad.engine.integers import integers
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.creation import asarray
from xgrad.rules.data_type import astype
from xgrad.rules.manipulation import broadcast_arrays, broadcast_to

Shape = int | tuple[int, ...]
Parameter = float | Tensor


class Place:
    """The backend, device and dtype of a draw. They are checked before the draw, so that an error leaves the stream as it was."""

    def __init__(self, kind: str, dtype: Any, device: Any, like: Any = None) -> None:
        if like is not None and not isinstance(like, Tensor):
            raise TypeError(f"like must be a tensor, not {described(like)}")
        self.backend = get_backend() if like is None else like.backend
        if device is not None:
            self.backend = self.backend.on_device(device)
        if dtype is None and like is not None and self.backend.library.isdtype(like.dtype, kind):
            dtype = like.dtype
        if dtype is None and kind != "bool":
            dtype = self.backend.default_dtypes()[kind]
        self.dtype = self.backend.as_dtype(dtype)

    def tensor(self, drawn: Any) -> Tensor:
        return wrap(self.backend.asarray(drawn, dtype=self.dtype), self.backend)

    def from_host(self, draw: Callable[..., Any], *parameters: Tensor) -> Tensor:
        """Numbers that only the host can draw: the parameters, of one shape, are copied there, which waits for a device.

        Inside vmap, each example gets numbers of its own.
        """
        backend = parameters[0].backend
        base, _ = backend.bare(parameters[0].data)
        if base is backend:
            return self.tensor(draw(*(each.numpy().astype("float64") for each in parameters)))
        # Inside vmap. The sum of all parameters has the hidden axes of all of them, which come first in the library's array.
        zero = parameters[0] * 0.0
        for each in parameters[1:]:
            zero = zero + each * 0.0
        hosts = [base.to_numpy(backend.bare((each + zero).data)[1]) for each in parameters]
        drawn = draw(*(each.astype("float64") for each in hosts))
        return wrap(zero.data.like(base.asarray(drawn, dtype=self.dtype)), backend)


def real(name: str, value: Any, what: str) -> float:
    """The argument `what` as a float: a Python or NumPy number, or a 0-d array."""
    with suppress(TypeError):
        if check(name, value) == () or is_scalar(value):
            return float(value)
    raise TypeError(f"{name}: {what} must be a real number, not {described(value)}")


def sizes(name: str, shape: Shape | None, what: str = "shape") -> tuple[int, ...]:
    found = () if shape is None else integers(name, shape, what)
    if any(n < 0 for n in found):
        raise ValueError(f"{name}: the lengths in a {what} must be 0 or more, got {shape!r}")
    return found


def is_array(value: Any) -> bool:
    """Whether a parameter is an array, and not a number: any tensor is, so that no value is copied from a device."""
    return isinstance(value, Tensor | list | tuple) or (not is_scalar(value) and getattr(value, "shape", ()) != ())


class Parameters:
    """The parameters of a draw, by name: all numbers, or all tensors of the shape of the draw."""

    def __init__(self, name: str, shape: Shape | None, what: str = "shape", /, **given: Any) -> None:
        self.name = name
        self.given = given
        self.sizes = sizes(name, shape, what)
        self.values: list[Any]
        self.like: Tensor | None = None
        if not any(map(is_array, given.values())):
            self.values = [real(name, value, key) for key, value in given.items()]
            return
        arrays = [asarray(v) if isinstance(v, list | tuple) else v for v in given.values()]
        tensors = [each.detach() for each in broadcast_arrays(*arrays)]
        if shape is None:
            self.sizes = tensors[0].shape
        else:
            tensors = [broadcast_to(each, self.sizes) for each in tensors]
        self.values = tensors
        self.like = next((t for t in tensors if _is_floating(t)), tensors[0])

    def check(self, test: Callable[..., Any], must: str) -> None:
        """Raise ValueError if the parameters fail the test. Arrays on a device, and those not computed yet, are not looked at."""
        passed = test(*self.values)
        if passed if self.like is None else all_true(passed) in (True, None):
            return
        got = " and ".join(repr(each) for each in self.given.values())
        raise ValueError(f"{self.name}: {must}, got {got}")

    def place(self, kind: str, dtype: Any, device: Any, like: Any) -> Place:
        return Place(kind, dtype, device, like if self.like is None else self.like)

    def on(self, place: Place) -> list[Tensor]:
        """The tensors in the dtype of the draw."""
        return [astype(each, place.dtype, copy=False) for each in self.values]


def _is_floating(t: Tensor) -> bool:
    return bool(t.backend.library.isdtype(t.dtype, "real floating"))


def all_true(condition: Tensor) -> bool | None:
    """Whether all elements are True, as far as that is known without waiting: None on a device, and on a lazy backend."""
    base, value = condition.backend.bare(condition.data)
    if not base.on_host or base.defers:
        return None
    return bool(base.to_numpy(value).all())


def holds(test: Callable[[Any], Any], t: Tensor, elementwise: Callable[[Any], Any] | None = None) -> bool | None:
    """Whether all elements of `test(t)` are True; None, without computing it, where that would have to be waited for.

    `elementwise` is the same test, if it consists of operators: it is made on the library's array, which is faster.
    """
    base, value = t.backend.bare(t.data)
    if not base.on_host or base.defers:
        return None
    if elementwise is not None:
        return bool(base.xp.all(elementwise(value)))
    return all_true(test(t.detach()))


def is_finite(value: Parameter) -> Any:
    """Whether a number, or each element of a tensor, is finite."""
    return math.isfinite(value) if isinstance(value, float) else (value - value) == 0
