"""NumPy arrays that remember how they were computed from random draws, so that the same can be computed from new draws."""

from __future__ import annotations

from typing import Any

import numpy as np


class Part:
    """An operand in a recipe that has a recipe itself. It does not keep the array."""

    __slots__ = ("recipe",)

    def __init__(self, recipe: Any) -> None:
        self.recipe = recipe


class Remembered(np.ndarray[Any, Any]):
    """A NumPy array that was drawn, or computed from such arrays by ufuncs.

    `recipe` is what was drawn (any object), or a tuple (ufunc, operands, options), where an operand
    may be a Part; None if that is not known.
    """

    recipe: Any = None

    def __array_finalize__(self, obj: Any) -> None:
        self.recipe = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, Remembered) else x for x in inputs]
        if options.get("out") is not None:
            return getattr(ufunc, method)(*plain, **options)
        found = getattr(ufunc, method)(*plain, **options)
        known = method == "__call__" and all(x.recipe is not None for x in inputs if isinstance(x, Remembered))
        if not known or isinstance(found, tuple):
            return found
        parts = [Part(x.recipe) if isinstance(x, Remembered) else x for x in inputs]
        return remembering(found, (ufunc, parts, options))


def remembering(array: Any, recipe: Any) -> Any:
    """The array with its recipe."""
    found = np.asarray(array).view(Remembered)
    found.recipe = recipe
    return found


def recipe_of(array: Any) -> Any:
    """The recipe of an array; None for any other value, and for an array whose recipe is not known."""
    return array.recipe if isinstance(array, Remembered) else None


def plain(array: Any) -> Any:
    """The array as a plain one."""
    return array.view(np.ndarray) if isinstance(array, Remembered) else array


def drawn(recipe: Any, draws: Any) -> Any:
    """What the recipe gives, if `draws(what)` is the array for what was drawn."""
    if not isinstance(recipe, tuple):
        return draws(recipe)
    ufunc, parts, options = recipe
    return ufunc(*[drawn(x.recipe, draws) if isinstance(x, Part) else x for x in parts], **options)


def sources(recipe: Any) -> list[Any]:
    """What was drawn for a recipe."""
    if not isinstance(recipe, tuple):
        return [recipe]
    return [each for x in recipe[1] if isinstance(x, Part) for each in sources(x.recipe)]
