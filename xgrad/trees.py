"""Trees of arrays (tuples, lists, dicts ...), through optree, which is imported when a tree is first met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rebuild = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a tree, and the function that puts such leaves back into its shape."""
    if not isinstance(tree, tuple | list | dict):
        return [tree], _only
    import optree

    leaves, treedef = optree.tree_flatten(tree)  # type: ignore[arg-type, var-annotated]
    return leaves, lambda new: optree.tree_unflatten(treedef, new)


def _only(leaves: list[Any]) -> Any:
    return leaves[0]


def structure(tree: Any) -> Any:
    """What trees of one shape have equal, leaves apart; it prints with a * for each leaf."""
    if not isinstance(tree, tuple | list | dict):
        return "*"
    import optree

    return optree.tree_structure(tree)  # type: ignore[arg-type]


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])


def prefix_leaves(prefix: Any, tree: Any, what: str) -> list[Any]:
    """For each leaf of the tree, the entry of `prefix` over it: a tree that ends where the tree does, or before.

    None is an entry. Raises ValueError, beginning with `what`, if it has another shape.
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
