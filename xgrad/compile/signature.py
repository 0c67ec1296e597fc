"""The signature of a call: the kinds of its arguments, and what else decides which trace fits it.

`key_of` gives it as something that a dict takes. `Signature.fits` compares a call with one signature, without making a key, in
a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends import dtype_names, get_backend
from xgrad.backends.data import is_scalar
from xgrad.compile.errors import CompileError
from xgrad.engine import casting, tape
from xgrad.engine.tensor import Tensor

BEFORE = 5  # how many parts of a key come before those of the arguments
_COMPARED = (str, int, bool, type(None))  # static values that are equal if their types and values are


class Static:
    """An argument that is not an input: each of its values has a trace of its own."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Signature:
    """The signature of one call, and its key."""

    def __init__(self, leaves: Sequence[Any], structure: Any, key: Any) -> None:
        self.key, self.structure = key, structure
        self._recording, self._backend, self._dtype, self._casts = key[1:BEFORE]
        # For each argument its type, and (shape, dtype, backend, whether it requires a gradient) if it is an array.
        self._rows: list[tuple[Any, ...]] | None = []
        for leaf in leaves:
            if isinstance(leaf, Tensor):
                raw = leaf._data
                self._rows.append((type(leaf), raw.shape, raw.dtype, leaf.backend, leaf.node is not None))
            elif is_array(leaf):
                self._rows.append((type(leaf), leaf.shape, leaf.dtype, None, False))
            elif type(leaf) in (float, *_COMPARED):
                self._rows.append((type(leaf), leaf, None, None, False))
            else:
                self._rows = None  # only the key tells
                break

    def fits(self, leaves: Sequence[Any], structure: Any) -> bool:
        """Whether a call with these arguments has this signature. `False` may also mean that only the key tells."""
        if self._rows is None or structure != self.structure or tape.is_recording() is not self._recording:
            return False
        if get_backend() is not self._backend or dtype_names.chosen is not self._dtype:
            return False
        if (casting.blocks or self._casts is not None) and casting.key() != self._casts:
            return False
        for leaf, (kind, shape, dtype, backend, requires_grad) in zip(leaves, self._rows, strict=True):
            if type(leaf) is not kind:
                return False
            if dtype is None:
                if kind is not float and leaf != shape:
                    return False
                continue
            if backend is not None:
                if leaf.backend is not backend or (leaf.node is None) is requires_grad:
                    return False
                leaf = leaf._data
            if leaf.shape != shape or (leaf.dtype is not dtype and leaf.dtype != dtype):
                return False
        return True


def key_of(leaves: Sequence[Any], structure: Any) -> Any:
    """The signature of a call, as a key of a dict. Raises CompileError for a static argument that is not hashable."""
    parts: list[Any] = [structure, tape.is_recording(), get_backend(), dtype_names.chosen, casting.key()]
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            raw = leaf._data
            parts.append((Tensor, raw.shape, raw.dtype, leaf.backend, leaf.node is not None))
        elif isinstance(leaf, float):
            parts.append(float)
        elif is_array(leaf):
            parts.append((type(leaf), leaf.shape, leaf.dtype))
        elif type(leaf) is Static:
            parts.append((Static, type(leaf.value), leaf.value))
        else:
            parts.append((type(leaf), leaf))
    key = tuple(parts)
    try:
        hash(key)
    except TypeError:
        raise CompileError(_unhashable(leaves)) from None
    return key


def is_array(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and not is_scalar(leaf)


def is_input(leaf: Any) -> bool:
    """Whether an argument is an input of the program. Others are static."""
    return isinstance(leaf, float) or hasattr(leaf, "dtype")


def _unhashable(leaves: Sequence[Any]) -> str:
    for leaf in leaves:
        if is_input(leaf):
            continue
        value = leaf.value if type(leaf) is Static else leaf
        try:
            hash(value)
        except TypeError:
            return (
                f"compile: an argument of type {type(value).__name__} is static, and cannot be told from others, because it is "
                "not hashable. Pass a tuple, a frozenset, an array or a float"
            )
    return "compile: a static argument is not hashable"


def difference(before: Any, now: Any, names: tuple[str, ...]) -> str:
    """How two keys differ, in words."""
    if before[0] != now[0] or len(before) != len(now):
        return "the arguments have another structure"
    for what, one, other in zip(
        ("recording", "the current backend", "the default dtype", "autocast"),
        before[1:BEFORE],
        now[1:BEFORE],
        strict=True,
    ):
        if one != other:
            return f"{what} is {other}, and was {one}"
    for i, (one, other) in enumerate(zip(before[BEFORE:], now[BEFORE:], strict=True)):
        if one != other:
            which = names[i] if before[0] == i + 1 == len(names) or i < len(names) else str(i)
            return f"argument {which} is {_shown(other)}, and was {_shown(one)}"
    return "other arguments"


def _shown(part: Any) -> str:
    if part is float:
        return "a float"
    kind, *rest = part
    if len(rest) >= 2 and isinstance(rest[0], tuple):
        grad = " that requires a gradient" if rest[-1] is True else ""
        return f"{kind.__name__} of shape {tuple(rest[0])} and dtype {rest[1]}{grad}"
    return repr(rest[-1])
