"""The inverse of encoding.py: a tree of Python values and tensors, from JSON that may be anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from xgrad.nn.saving import StateError
from xgrad.state.encoding import DEEPEST, Path, is_key, place

FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def strictly(text: str) -> Any:
    """A document of JSON, in which no name occurs twice in one object, and NaN and Infinity are no numbers. Or ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refused)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r:.60} occurs twice in it")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


class Decoder:
    """Decodes a tree. `classes` has the class that an object at a place had, by the place.

    `tensor` gives the tensor of a name, of the dtype and with the order of axes that its node asks for, which may be anything.
    """

    def __init__(self, tensor: Callable[[str, Any, Any], Any]) -> None:
        self.tensor = tensor
        self.classes: dict[Path, str] = {}

    def decode(self, node: Any, path: Path = ()) -> Any:
        """The value. Raises StateError, which names the place, for a node that the encoder does not make."""
        if len(path) > DEEPEST:
            raise StateError(f"the tree is nested more than {DEEPEST} levels deep")
        if isinstance(node, list):
            return [self.decode(each, (*path, i)) for i, each in enumerate(node)]
        if not isinstance(node, dict):
            return node
        kind = next((key for key in node if key.startswith("$")), None)
        if kind is None:
            return {key: self.decode(each, (*path, key)) for key, each in node.items()}
        found = self._special(kind, node[kind], {key: each for key, each in node.items() if key != kind}, path)
        if found is _unknown:
            raise StateError(f"the tree has an entry at {place(path)} that is none of this format: {kind!r:.60}")
        return found

    def _special(self, kind: str, content: Any, more: dict[str, Any], path: Path) -> Any:
        if kind == "$tensor" and isinstance(content, str) and more.keys() <= {"dtype", "order"}:
            return self.tensor(content, more.get("dtype"), more.get("order"))
        if kind == "$state" and more.keys() == {"class"} and isinstance(more["class"], str):
            self.classes[path] = more["class"]
            return self.decode(content, path) if _is_no_state(content) else _unknown
        if more:
            return _unknown
        if kind == "$tuple" and isinstance(content, list):
            return tuple([self.decode(each, (*path, i)) for i, each in enumerate(content)])
        if kind == "$dict" and isinstance(content, list):
            return self._dict(content, path)
        if kind == "$int" and isinstance(content, str):
            return self._integer(content)
        if kind == "$float" and isinstance(content, str):
            return FLOATS.get(content, _unknown)
        if kind == "$complex" and isinstance(content, list) and len(content) == 2:
            parts = [self.decode(part, path) for part in content]
            return complex(*parts) if all(isinstance(part, float) for part in parts) else _unknown
        return _unknown

    def _dict(self, pairs: list[Any], path: Path) -> Any:
        found: dict[Any, Any] = {}
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2 or isinstance(pair[0], list):
                return _unknown
            key = self.decode(pair[0], path)
            if not is_key(key) or key in found:
                return _unknown
            found[key] = self.decode(pair[1], (*path, key))
        return found

    def _integer(self, text: str) -> Any:
        try:
            return int(text, 16)  # in a time that grows with its length, unlike for decimals
        except ValueError:
            return _unknown


def _is_no_state(content: Any) -> bool:
    """A state directly in a state would need more than DEEPEST levels of the stack."""
    return not (isinstance(content, dict) and "$state" in content)


_unknown: Any = object()
