"""Where a compiled function found the tensors and modules that it uses: each place is looked at again before a call.

If a name, an attribute or an entry holds another object by then, the function is traced again.
"""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from xgrad.engine.tensor import Tensor

MISSING = object()
FIXED: Any = object()  # the holder of what cannot be replaced, such as the object that a method is bound to
LIMIT = 100_000  # of objects that are looked at


class Place(NamedTuple):
    """A dict, list or cell, and what it holds under a key."""

    holder: Any
    key: Any
    value: Any
    name: str  # as in the user's program: "model.layers[0].weight"

    def is_kept(self) -> bool:
        holder = self.holder
        if type(holder) is dict:
            return holder.get(self.key, MISSING) is self.value
        try:
            return (holder.cell_contents if type(holder) is types.CellType else holder[self.key]) is self.value
        except (IndexError, KeyError, ValueError):
            return False

    def change(self) -> str:
        return f"{self.name} is another object"


class Length(NamedTuple):
    """A list or dict of tensors and modules, and how many it has."""

    holder: Any
    length: int
    name: str

    def is_kept(self) -> bool:
        return _length(self.holder) == self.length

    def change(self) -> str:
        return f"{self.name} has {_length(self.holder)} parts, and had {self.length}"


def _length(holder: Any) -> int:
    """How many entries a list or dict has. The mode of a module is not one of its parts."""
    return len(holder) - (type(holder) is dict and "training" in holder)


class Mode(NamedTuple):
    """A module, and whether it was in training."""

    module: Any
    training: Any
    name: str

    def is_kept(self) -> bool:
        return self.module.training is self.training

    def change(self) -> str:
        return f"{self.name} is in {'training' if self.module.training else 'evaluation'} now"


Guard = Place | Length | Mode


class Guards:
    """All guards of a trace. `hold` looks at them by kind, as plain tuples: this is much of the work of a call."""

    def __init__(self, guards: list[Guard]) -> None:
        self.all = guards
        self._entries, self._items, self._cells, self._modes, self._lengths = [], [], [], [], []
        self._others = []  # such as entries of a tuple: those that no loop below is for
        for guard in guards:
            if isinstance(guard, Mode):
                self._modes.append((guard.module, guard.training))
            elif isinstance(guard, Length):
                self._lengths.append([guard.holder, len(guard.holder), guard])
            elif type(guard.holder) is dict:
                self._entries.append((guard.holder, guard.key, guard.value))
            elif type(guard.holder) is list:
                self._items.append((guard.holder, guard.key, guard.value))
            elif type(guard.holder) is types.CellType:
                self._cells.append((guard.holder, guard.value))
            elif guard.holder is not FIXED:
                self._others.append(guard)

    def hold(self) -> bool:
        """Whether everything is where it was."""
        for holder, key, value in self._entries:
            if holder.get(key, MISSING) is not value:
                return False
        for module, training in self._modes:
            if module.training is not training:
                return False
        for row in self._lengths:
            holder, length, guard = row
            if len(holder) != length:
                if not guard.is_kept():
                    return False
                row[1] = len(holder)  # it has its mode as an entry now
        for entries, key, value in self._items:
            if key >= len(entries) or entries[key] is not value:
                return False
        for cell, value in self._cells:
            try:
                if cell.cell_contents is not value:
                    return False
            except ValueError:  # it is empty now
                return False
        return all(guard.is_kept() for guard in self._others) if self._others else True

    def change(self) -> str:
        """What is not where it was; "" if everything is."""
        return next((guard.change() for guard in self.all if not guard.is_kept()), "")


def guards_of(f: Callable[..., Any], others: list[Any], tensors: list[Tensor]) -> tuple[list[Guard], dict[int, str]]:
    """The places through which a function reaches these tensors, and all modules that it can reach.

    Args:
        f: the function.
        others: further objects that it is given: static arguments.
        tensors: the tensors from outside that it has used.

    Returns:
        The guards, and the names by which the tensors were found, by id.
    """
    wanted = {id(t) for t in tensors}
    guards: list[Guard] = []
    names: dict[int, str] = {}
    seen: set[int] = set()
    # Depth first: `ahead` has (object, its name, the places on the way to it).
    ahead: list[tuple[Any, str, tuple[Guard, ...]]] = [(other, "an argument", ()) for other in others]
    ahead += [(value, place.name, (place,)) for place, value in _of_function(f)]
    kept: set[tuple[int, Any]] = set()
    leading: set[int] = set()  # the ids of objects on a way to what is wanted
    again: list[tuple[int, tuple[Guard, ...]]] = []  # further ways to objects that were seen before

    def keep(way: tuple[Guard, ...]) -> None:
        for guard in way:
            if isinstance(guard, Place):
                leading.add(id(guard.value))
                if guard.holder is FIXED:
                    continue
            key = (id(guard[0]), guard.key if isinstance(guard, Place) else type(guard))
            if key not in kept:
                kept.add(key)
                guards.append(guard)

    while ahead and len(seen) < LIMIT:
        thing, name, way = ahead.pop()
        if isinstance(thing, Tensor):
            if id(thing) in wanted:
                known = names.get(id(thing))
                names[id(thing)] = name if known is None or len(name) < len(known) else known  # the shortest
                keep(way)
            continue
        if id(thing) in seen:
            again.append((id(thing), way))
            continue
        seen.add(id(thing))
        if _is_module(thing):
            keep((*way, Mode(thing, thing.training, name), Length(vars(thing), _length(vars(thing)), name)))
        for place in _parts(thing, name):
            length = (Length(thing, _length(thing), name),) if isinstance(thing, list | dict) else ()
            ahead.append((place.value, place.name, (*way, *length, place)))
        if isinstance(thing, types.FunctionType | types.MethodType):
            ahead += [(value, place.name, (*way, place)) for place, value in _of_function(thing)]
    while found := [each for each in again if each[0] in leading]:
        again = [each for each in again if each[0] not in leading]
        for _, way in found:
            keep(way)
    return guards, names


def numbers_of(f: Any) -> list[tuple[str, str]]:
    """The Python numbers, strings and flags that a function takes from outside: the user's line, and the name with its value."""
    f = getattr(f, "__func__", f)
    if not isinstance(f, types.FunctionType):
        return []
    held = {**f.__globals__, **inspect.getclosurevars(f).nonlocals}
    found = []
    for line, name in _uses(f.__code__):
        if name in held and isinstance(held[name], (int, float, complex, str)):
            found.append((f"{f.__code__.co_filename}, line {line}", f"{name} = {held[name]!r:.40}"))
    return found


def _uses(code: types.CodeType) -> Iterator[tuple[int, str]]:
    """The line and the name of each use of a name from outside, in a function's code and in the functions inside of it."""
    for each in dis.get_instructions(code):
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF") and each.positions is not None:
            yield each.positions.lineno or code.co_firstlineno, each.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _uses(constant)


def _is_module(thing: Any) -> bool:
    """Whether this is a module: it has a mode, and parts as attributes."""
    return hasattr(type(thing), "training") and hasattr(type(thing), "forward")


def _of_function(f: Any) -> Iterator[tuple[Place, Any]]:
    """What a function closes over, the globals that its code names, and its defaults."""
    if isinstance(f, types.MethodType):
        yield Place(FIXED, 0, f.__self__, "self"), f.__self__
        f = f.__func__
    f = getattr(f, "__wrapped__", f) if not isinstance(f, types.FunctionType) else f
    if not isinstance(f, types.FunctionType):
        inner = getattr(f, "func", None)  # a partial, or an object that is called
        for value in (
            (inner, *getattr(f, "args", ()), *getattr(f, "keywords", {}).values()) if inner is not None else (f,)
        ):
            yield Place(FIXED, 0, value, getattr(value, "__name__", type(value).__name__)), value
        return
    for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # an empty cell
            continue
        if _is_worth(value):
            yield Place(cell, None, value, name), value
    if str(f.__module__).startswith("xgrad."):  # its globals are xgrad's own; what it closes over may be the user's
        return
    for name in _names(f.__code__):
        if name in f.__globals__ and _is_worth(f.__globals__[name]):
            yield Place(f.__globals__, name, f.__globals__[name], name), f.__globals__[name]
    for value in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
        yield Place(FIXED, 0, value, "a default"), value


@lru_cache(maxsize=10_000)
def _names(code: types.CodeType) -> frozenset[str]:
    """The global names in a function's code, and in the functions inside of it."""
    found = {each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names(constant)
    return frozenset(found)


def _parts(thing: Any, name: str) -> Iterator[Place]:
    """The entries of a container, or the attributes of an object of the user's or of a module."""
    if isinstance(thing, dict):
        for key, value in list(thing.items()):
            if _is_worth(value):
                yield Place(thing, key, value, f"{name}[{key!r}]")
    elif isinstance(thing, list | tuple):
        for i, value in enumerate(thing):
            if _is_worth(value):
                yield Place(thing, i, value, f"{name}[{i}]")
    elif not isinstance(thing, type | types.ModuleType | types.FunctionType) and hasattr(thing, "__dict__"):
        held = vars(thing)
        if isinstance(held, dict):
            for key, value in list(held.items()):
                if _is_worth(value):
                    yield Place(held, key, value, f"{name}.{key}")


_ATOMS = (int, float, complex, str, bytes, bool, type(None), types.ModuleType, type)


def _is_worth(value: Any) -> bool:
    """Whether a tensor or a module may be found in it. A compiled function holds only what it has found itself."""
    if type(value).__module__.startswith("xgrad.compile."):
        return False
    return not isinstance(value, _ATOMS) and (isinstance(value, Tensor) or not hasattr(value, "dtype"))
