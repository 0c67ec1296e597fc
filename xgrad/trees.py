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
