"""Trees of arrays: tuples, lists, dicts and what optree knows. optree is imported for the first tree that is not a flat row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rebuild = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a tree, and a function that builds such a tree from other leaves."""
    if not isinstance(tree, tuple | list | dict):
        return [tree], _only
    if _is_row(tree):
        return list(tree), type(tree)
    import optree

    leaves, treedef = optree.tree_flatten(tree)  # type: ignore[arg-type, var-annotated]
    return leaves, lambda new: optree.tree_unflatten(treedef, new)


def _only(leaves: list[Any]) -> Any:
    return leaves[0]


def _is_row(tree: Any) -> bool:
    """Whether this is a plain tuple or list that holds only arrays and numbers, as most arguments are. It needs no optree."""
    if type(tree) is not tuple and type(tree) is not list:
        return False
    return all(type(leaf) is float or type(leaf) is int or _is_array(leaf) for leaf in tree)


def _is_array(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and hasattr(leaf, "shape") and not isinstance(leaf, tuple | list | dict)


def structure(tree: Any) -> Any:
    """The structure of a tree, to compare trees by. It prints with a * for each leaf."""
    if not isinstance(tree, tuple | list | dict):
        return "*"
    return Row(type(tree), len(tree)) if _is_row(tree) else _structure(tree)


def _structure(tree: Any) -> Any:
    import optree

    return optree.tree_structure(tree)


class Row:
    """The structure of a plain tuple or list of leaves. It equals optree's structure, and prints as that does."""

    __slots__ = ("count", "kind")

    def __init__(self, kind: type, count: int) -> None:
        self.kind = kind
        self.count = count

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Row):
            return self.kind is other.kind and self.count == other.count
        return bool(self._whole() == other)

    def __hash__(self) -> int:
        return hash(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def _whole(self) -> Any:
        return _structure(self.kind([0] * self.count))


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])


def prefix_leaves(prefix: Any, tree: Any, what: str) -> list[Any]:
    """For each leaf of the tree, the entry of `prefix` that holds for it.

    A prefix is a tree whose entries stand in the place of leaves or whole branches. None is an entry. Raises ValueError,
    beginning with `what`, if the prefix does not fit.
    """
    leaves, rebuild = flatten(tree)
    if not isinstance(prefix, tuple | list | dict):
        return [prefix] * len(leaves)
    import optree

    numbered: Any = rebuild(list(range(len(leaves))))
    try:
        entries: list[Any] = optree.broadcast_prefix(prefix, numbered, none_is_leaf=True)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"{what} does not fit: {error}") from error
    numbers = optree.tree_leaves(numbered, none_is_leaf=True)
    return [entry for entry, number in zip(entries, numbers, strict=True) if number is not None]
