"""A tree of Python values and tensors as JSON and named tensors.

JSON holds what it can as it is. Anything else is an object with one key that begins with $:

    {"$tensor": name}              the tensor of that name. "dtype": "complex128", whose elements are stored as pairs of float64.
                                   "order": its axes from the outermost to the innermost in memory, if they are not in order
    {"$tuple": [...]}
    {"$dict": [[key, value], ...]} a dict with a key that is no string, or that begins with $
    {"$int": "0x1f"}               an integer of more than 53 bits, which other languages could not read from JSON
    {"$float": "nan"}              nan, inf or -inf
    {"$complex": [real, imaginary]}
    {"$state": tree, "class": name}    what the state_dict() of an object of that class returned
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from xgrad.backends import owner
from xgrad.backends.data import is_numeric, is_scalar
from xgrad.backends.dtype_names import DTYPES, name_of_dtype
from xgrad.engine.tensor import Tensor

DEEPEST = 100  # levels of a tree
EXACT = 1 << 53  # integers up to here are exact in every reader of JSON
Path = tuple[Any, ...]  # the keys that lead to a place in a tree


class Array(NamedTuple):
    """An array that is to be saved: the backend's own, and the name of its dtype."""

    backend: Any
    raw: Any
    dtype: str


def place(path: Path) -> str:
    """A place in a tree in words.

    >>> place(("optimizer", "state", 0, "exp_avg"))
    "'optimizer'['state'][0]['exp_avg']"
    """
    return f"{path[0]!r:.60}" + "".join(f"[{key!r:.60}]" for key in path[1:]) if path else "the root"


class Encoder:
    """Encodes a tree. `encode` returns it as JSON; `arrays` has its arrays by name."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.nodes: dict[str, dict[str, Any]] = {}  # what stands for each array in the tree
        self._above: set[int] = set()  # the containers that the current place is in

    def encode(self, value: Any, path: Path = ()) -> Any:
        """The value as JSON. Raises TypeError, which names the place, for a value that cannot be saved."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value) if -EXACT <= value <= EXACT else {"$int": hex(value)}
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
        if isinstance(value, complex):
            return {"$complex": [self.encode(value.real), self.encode(value.imag)]}
        if is_scalar(value) and hasattr(value, "item"):  # NumPy's
            return self.encode(self._number(value, path), path)
        if isinstance(value, Tensor) or _may_be_array(value):
            return self._array(value, path)
        return self._container(value, path)

    def _container(self, value: Any, path: Path) -> Any:
        if len(path) > DEEPEST or id(value) in self._above:
            wrong = "contains itself" if id(value) in self._above else f"is nested more than {DEEPEST} levels deep"
            raise ValueError(f"xg.save: {place(path)} {wrong}")
        self._above.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._dict(value, path)
            if isinstance(value, list | tuple):
                items = [self.encode(each, (*path, i)) for i, each in enumerate(value)]
                return items if isinstance(value, list) else {"$tuple": items}
            if not isinstance(value, type) and callable(getattr(value, "state_dict", None)):
                return self._state(value, path)
        finally:
            self._above.discard(id(value))
        what = f"the class {value.__name__}" if isinstance(value, type) else f"a value of type {type(value).__name__}"
        raise TypeError(
            f"xg.save: {place(path)} is {what}, which cannot be saved. What can: tensors and arrays, None, numbers, strings, "
            "lists, tuples and dicts of these, and objects with state_dict()"
        )

    def _state(self, thing: Any, path: Path) -> Any:
        state, name = thing.state_dict(), type(thing).__name__
        if not isinstance(state, Mapping):
            raise TypeError(
                f"xg.save: {place(path)}: state_dict() of {name} must return a dict, not {type(state).__name__}"
            )
        return {"$state": self._dict(state, path), "class": name}

    def _dict(self, value: Mapping[Any, Any], path: Path) -> Any:
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {str.__str__(key): self.encode(each, (*path, key)) for key, each in value.items()}
        return {"$dict": [[self._key(key, path), self.encode(each, (*path, key))] for key, each in value.items()]}

    def _key(self, key: Any, path: Path) -> Any:
        if not is_key(key):
            raise TypeError(
                f"xg.save: a key of the dict at {place(path)} is a value of type {type(key).__name__}; "
                "keys can be strings, numbers, None, and tuples of these"
            )
        return self.encode(key, path)

    def _number(self, value: Any, path: Path) -> Any:
        number = value.item()
        if not isinstance(number, bool | int | float | complex):  # as of longdouble
            raise TypeError(f"xg.save: {place(path)} is a number of dtype {value.dtype}, which cannot be saved")
        return number

    def _array(self, value: Any, path: Path) -> Any:
        if isinstance(value, Tensor):
            backend, raw = value.backend, value.data
        else:
            found, raw = owner(value), value
            if found is None or not is_numeric(value.dtype):
                raise TypeError(
                    f"xg.save: {place(path)} is a {type(value).__name__} of dtype {value.dtype}, which cannot be saved: "
                    "it is no array of numbers"
                )
            backend = found
        dtype = name_of_dtype(raw.dtype)
        if dtype not in DTYPES:
            raise TypeError(
                f"xg.save: {place(path)} is an array of dtype {dtype}; these can be saved: {_listed(DTYPES)}"
            )
        name = self._name(path)
        self.arrays[name] = Array(backend, raw, dtype)
        self.nodes[name] = node = {"$tensor": name}
        return node

    def _name(self, path: Path) -> str:
        """The name of the tensor at a place: its keys, joined by dots, as in PyTorch's state dicts."""
        wanted = ".".join(map(str, path)) or "tensor"
        wanted = wanted.encode("utf-8", "backslashreplace").decode()
        if not is_plain(wanted):
            wanted = "_" + quote(wanted, safe="")
        name, n = wanted, 1
        while name in self.arrays or name == "__metadata__":
            n += 1
            name = f"{wanted}~{n}"
        return name


def is_key(key: Any) -> bool:
    """Whether a key of a dict can be saved."""
    if isinstance(key, tuple):
        return all(map(is_key, key))
    return key is None or isinstance(key, str | int | float | complex)


def is_plain(name: str) -> bool:
    """Whether a name is harmless also for a program that makes a file of that name.

    >>> [is_plain(name) for name in ("layer.0.weight", "encoder/weight", "../weight", "/weight")]
    [True, True, False, False]
    """
    parts = name.replace("\\", "/").split("/")
    has_control_characters = any(ord(letter) < 32 for letter in name)
    return not has_control_characters and ".." not in parts and (len(parts) == 1 or parts[0] != "")


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))


def _may_be_array(value: Any) -> bool:
    """Whether a value is to be saved as an array. A module or a transform of data may have a `dtype` as well."""
    return not isinstance(value, type) and hasattr(value, "dtype") and not hasattr(value, "state_dict")
