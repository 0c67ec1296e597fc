"""Loading states into objects: all of them or none.

First every state is matched with its object. Then modules and optimizers check theirs, and prepare what they will take over. Then
the other objects, whose states are small, load theirs; if one of them fails, those before it get back what they had. Last, the
modules and optimizers take over what they have prepared, which is an exchange of references.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any, NamedTuple

from xgrad.backends.data import is_scalar
from xgrad.engine.swap import Swap
from xgrad.engine.tensor import Tensor
from xgrad.nn import Module
from xgrad.nn.saving import StateError, fitted, misfit
from xgrad.state.encoding import Path, place

MOST_LINES = 20  # of an error


class Target(NamedTuple):
    """An object that is to be loaded into, its place, and the state that the file has there."""

    path: Path
    thing: Any
    state: Any


def fill(file: str, into: Any, tree: Any, classes: Mapping[Path, str], in_order: Callable[[Any], Any]) -> None:
    """Load the states in a tree into the objects at the same places.

    Args:
        file: its name, for errors.
        into: the objects.
        tree: the states.
        classes: the class of the object that was saved at a place, by the place.
        in_order: gives a state as it lay in memory.

    Raises:
        StateError: for states that do not fit. Nothing has been changed.
        TypeError: for what cannot be loaded into.
    """
    matching = Matching(classes)
    matching.match(into, tree, ())
    errors, swaps, others = matching.errors, [], []
    for target in matching.targets:
        prepare = _preparing(target.thing)
        if prepare is None:
            others.append(target._replace(state=in_order(target.state)))
            continue
        try:
            swaps.append(prepare(in_order(target.state)))
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            errors += _told(target.path, error)
    if errors:
        raise _error(file, errors)
    _load(file, others, swaps)


def _told(path: Path, error: Exception) -> list[str]:
    """What an object says about a state, with the object's place."""
    where = f"{place(path)}: " if path else ""
    return [where + each for each in getattr(error, "differences", ()) or [str(error) or type(error).__name__]]


def _error(file: str, errors: list[str]) -> StateError:
    lines = errors
    if len(lines) > MOST_LINES:
        lines = [*errors[:MOST_LINES], f"... and {len(errors) - MOST_LINES} differences more"]
    return StateError("\n  ".join([f"{file} does not fit, and nothing was loaded.", *lines]), errors)


class Matching:
    """Finds the states of objects in a tree. What is not there is in `errors`."""

    def __init__(self, classes: Mapping[Path, str]) -> None:
        self.classes = classes
        self.targets: list[Target] = []
        self.errors: list[str] = []

    def match(self, into: Any, tree: Any, path: Path) -> None:
        if isinstance(into, Tensor):
            self.targets.append(Target(path, into, tree))
        elif isinstance(into, Mapping):
            self._match_items(into, tree, path, isinstance(tree, Mapping))
        elif isinstance(into, list | tuple):
            same = isinstance(tree, list | tuple) and len(tree) == len(into)
            if isinstance(tree, list | tuple) and not same:
                self.errors.append(f"{place(path)}: has {len(tree)} parts in the file and {len(into)} here")
            else:
                self._match_items(dict(enumerate(into)), tree, path, same)
        elif callable(getattr(into, "load_state_dict", None)) and not isinstance(into, type):
            self._match_object(into, tree, path)
        elif into is not None and not isinstance(into, str) and not is_scalar(into):
            raise TypeError(
                f"xg.load: into has a value of type {type(into).__name__} at {place(path)}, which cannot be loaded into: it "
                "must be a tensor or have load_state_dict()"
            )

    def _match_items(self, into: Mapping[Any, Any], tree: Any, path: Path, same: bool) -> None:
        if not same:
            self.errors.append(
                f"{place(path)}: is of type {type(tree).__name__} in the file, and has several parts here"
            )
            return
        for key, each in into.items():
            if isinstance(tree, Mapping) and key not in tree:
                self.errors.append(f"{place((*path, key))}: is not in the file, which has {_named(tree)} there")
            else:
                self.match(each, tree[key], (*path, key))

    def _match_object(self, thing: Any, tree: Any, path: Path) -> None:
        saved, here = self.classes.get(path), type(thing).__name__
        if saved is not None and saved != here and not isinstance(thing, Module):
            self.errors.append(
                f"{place(path)}: is the state of {saved} in the file, and {here} here. To load it all the same, call "
                "load_state_dict with what xg.load(path) returns"
            )
        else:
            self.targets.append(Target(path, thing, tree))


def _named(tree: Mapping[Any, Any]) -> str:
    names = ", ".join(f"{key!r:.40}" for key in list(tree)[:8])
    return (names + ", ..." if len(tree) > 8 else names) or "nothing"


def _preparing(thing: Any) -> Callable[[Any], Swap] | None:
    """A function from a state to a Swap that takes it over; None for an object that can only load at once."""
    if isinstance(thing, Tensor):
        return lambda state: _of_tensor(thing, state)
    lines = type(thing).__mro__
    first = {name: next((i for i, cls in enumerate(lines) if name in vars(cls)), len(lines)) for name in _METHODS}
    if first["_prepare_load"] == len(lines) or first["load_state_dict"] < first["_prepare_load"]:
        return None  # a user's class may have a load_state_dict of its own
    prepare: Callable[[Any], Swap] = thing._prepare_load
    return prepare


_METHODS = ("load_state_dict", "_prepare_load")


def _of_tensor(tensor: Tensor, value: Any) -> Swap:
    wrong = misfit(value, tensor)
    if wrong:
        raise StateError(wrong)
    return Swap([(tensor, "data", fitted(value, tensor))])


def _load(file: str, others: list[Target], swaps: list[Swap]) -> None:
    """Load the states of the objects that can only load at once, and make the swaps. After an error nothing has changed."""
    loaded: list[Before] = []
    swapped: list[Swap] = []
    try:
        for path, thing, state in others:
            loaded.append(Before(thing))
            try:
                thing.load_state_dict(state)
            except Exception as error:
                if isinstance(error, MemoryError):
                    raise
                raise _error(file, _told(path, error)) from error
        for swap in swaps:
            swap()
            swapped.append(swap)
    except BaseException:
        for swap in reversed(swapped):
            swap()
        for before in reversed(loaded):
            with suppress(Exception):  # the first error is what matters
                before.restore()
        raise


class Before:
    """An object's state, and which objects its attributes are: one of a loader's, for example, counts a pass under way."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        self.attributes = dict(getattr(thing, "__dict__", {}))
        try:
            self.state = deepcopy(thing.state_dict())
        except RuntimeError:  # it has none yet, as a transform of data before its fit: the attributes are all there is
            self.state = None

    def restore(self) -> None:
        """Put back first what the attributes contain, then the attributes."""
        if self.state is not None:
            self.thing.load_state_dict(self.state)
        now = getattr(self.thing, "__dict__", {})
        now.update(self.attributes)
        for name in now.keys() - self.attributes.keys():
            del now[name]
