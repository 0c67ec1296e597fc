"""Checks of the arguments that many layers share: sizes, probabilities, numbers for each axis, and the shape of an input."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer, integers
from xgrad.engine.operands import operand, together
from xgrad.nn.modulelike import ModuleLike


def size(layer: str, name: str, value: Any, least: int = 0) -> int:
    """A number of features, channels or elements as an int. ValueError for anything but an integer of at least `least`."""
    try:
        number = integer(layer, value, name)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(f"{layer}: {name} must be an integer, {least} or more, got {value!r}")
    return number


def each_axis(layer: str, name: str, value: Any, n: int, least: int = 1) -> tuple[int, ...]:
    """An integer for each of n spatial axes: one integer stands for all. ValueError for others, or another number of them."""
    try:
        numbers = integers(layer, value, name)
    except TypeError:
        numbers = ()
    if len(numbers) == 1:
        numbers *= n
    if len(numbers) != n or min(numbers) < least:
        several = f"or {n} of them, " if n > 1 else ""
        raise ValueError(f"{layer}: {name} must be an integer, {several}each {least} or more, got {value!r}")
    return numbers


def probability(layer: str, name: str, value: Any) -> float:
    """A probability as a float. ValueError for anything but a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{layer}: {name} must be a number from 0 to 1, got {value!r}")
    return float(value)


def array(name: str, value: Any, *others: Any) -> Any:
    """A tensor of an array, a number or nested lists of numbers; a tensor as it is.

    A NumPy array goes to where the `others` are, which may be None.
    """
    if isinstance(value, xg.Tensor):
        return value
    if not isinstance(value, list | tuple):
        value = operand(name, together(name, value, *others)[0])
    return value if isinstance(value, xg.Tensor) else xg.asarray(value)


def arrays(name: str, *values: Any) -> list[Any]:
    """The arrays of one call as tensors. The NumPy arrays among them go to where the others are; None stays None."""
    return [None if value is None else array(name, value) for value in together(name, *values)]


def input_of(layer: ModuleLike, value: Any) -> Any:
    """An input of a layer as a tensor. A NumPy array goes to where the layer's parameters are."""
    if isinstance(value, xg.Tensor):
        return value
    return array(type(layer).__name__, value, *layer.parameters(), *layer.buffers())


def wrong_shape(layer: Any, wanted: str, got: Any) -> ValueError:
    """The error for an input of a shape that a layer (or a function, by its name) cannot take.

    >>> wrong_shape("Conv2d", "(N, 3, H, W) or (3, H, W)", (5, 3))
    ValueError('Conv2d takes an input of shape (N, 3, H, W) or (3, H, W), got (5, 3)')
    """
    shape = tuple(got) if isinstance(got, tuple | list) else tuple(getattr(got, "shape", ()))
    return ValueError(f"{layer} takes an input of shape {wanted}, got {shape}")


NAMED_ERRORS = (ValueError, TypeError, IndexError)


def name_the_layer(layer: Any, error: Exception) -> None:
    """Put the name of the layer in front of an error's text, if it is one of xgrad's own and the text does not have it.

    Of layers inside each other, the innermost is named. The error of a user's layer stays as it is.
    """
    if getattr(error, "_has_layer", False) or type(error) not in NAMED_ERRORS:
        return
    error._has_layer = True  # type: ignore[attr-defined]
    name = type(layer).__name__
    if type(layer).__module__.startswith("xgrad.nn.") and name not in str(error):
        error.args = (f"{name}: {error}", *error.args[1:])


def part_of(owner: Any, name: str, kind: type, what: str) -> Any:
    """An attribute of a module, which must be of a kind; else AttributeError says that the module has no such `what`."""
    found = vars(owner).get(name)
    if not isinstance(found, kind):
        raise AttributeError(f"{type(owner).__name__} has no {what} {name!r}")
    return found
