"""Modules that hold other modules: in order, or by name."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_integer
from typing import Any, Self, overload

from xgrad.nn.module import Module
from xgrad.nn.printing import indented


class _Numbered(Module):
    """Modules in order. Their attribute names are "0", "1", ..., or names of the user's."""

    def _by_name(self) -> dict[str, Module]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def _list(self) -> list[Module]:
        return [value for value in vars(self).values() if isinstance(value, Module)]

    def _name_at(self, index: int) -> str:
        """The attribute name of the module at an index."""
        names = list(self._by_name())
        if not -len(names) <= (at := as_integer(index)) < len(names):
            raise IndexError(f"index {index} is out of range for {type(self).__name__} of {len(names)} modules")
        return names[at]

    def _hold(self, modules: Iterable[tuple[str, Module]]) -> None:
        """Hold these modules instead of the present ones."""
        modules = list(modules)
        for name in self._by_name():
            delattr(self, name)
        for name, module in modules:
            self.add_module(name, module)

    def append(self, module: Module) -> Self:
        """Add a module at the end, and return this container. Raises TypeError for anything but a Module."""
        self._add_at(len(self), module)
        return self

    def _add_at(self, index: int, module: Module) -> None:
        """Add a module at the end, under the first free number from `index` on."""
        held = vars(self)
        self.add_module(next(str(n) for n in itertools.count(index) if str(n) not in held), _module(self, module))

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end, and return this container. Raises TypeError for anything but a Module."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`, which may be negative, and return this container.

        Numbered modules are numbered anew, and other names stay. IndexError for an index that is out of range.
        """
        modules, n = list(self._by_name().items()), len(self)
        if not -n <= (at := as_integer(index)) <= n:
            raise IndexError(f"insert: index {index} is out of range for {type(self).__name__} of {n} modules")
        at += n if at < 0 else 0
        numbered = [name for name, _ in modules] == [str(i) for i in range(n)]
        self._hold(modules[:at])
        self._add_at(at, module)
        for i, (name, each) in enumerate(modules[at:], at + 1):
            self.add_module(str(i) if numbered else name, each)
        return self

    def pop(self, key: int | slice = -1) -> Any:
        """Remove the module at an index, or the modules of a slice, and return it. The rest is numbered anew."""
        found = self[key]
        del self[key]
        return found

    def __len__(self) -> int:
        return len(self._list())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._list())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return self._part(list(self._by_name().items())[index])
        found: Module = getattr(self, self._name_at(index))
        return found

    def _part(self, modules: list[tuple[str, Module]]) -> Self:
        """A container of the same kind that holds these modules."""
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), _module(self, module))

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._by_name())
        gone = names[index] if isinstance(index, slice) else [self._name_at(index)]
        left = [module for name, module in self._by_name().items() if name not in gone]
        self._hold((str(i), module) for i, module in enumerate(left))


def _module(container: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise TypeError(f"{type(container).__name__} holds modules, got {type(module).__name__}")
    return module


class Sequential(_Numbered):
    """A chain of modules: each is called with the output of the one before.

    It has the methods of a list: `append`, `extend`, `insert`, `pop`, `len`, iteration, `in`, indexing, assignment and `del`. A
    slice is another Sequential of the same modules under the same names; after `del` and `pop` they are numbered from 0. The sum
    of two holds the modules of both, and `n * net` holds them n times. An empty one returns its input.

    Args:
        *args: modules, or a single dict of modules, whose keys become their names.

    Raises:
        TypeError: for an argument that is no Module.
        KeyError: for a name that is empty, has a dot in it, or is that of a method.
        ValueError: for a sum with anything but a Sequential, and a product with a number below 1.

    >>> import xgrad as xg
    >>> net = xg.nn.Sequential(xg.nn.Linear(1, 8), xg.nn.ReLU(), xg.nn.Linear(8, 1))
    >>> net(xg.zeros((5, 1))).shape
    (5, 1)
    >>> net[0]
    Linear(in_features=1, out_features=8, bias=True)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    def __init__(self, *args: Any) -> None:
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, _module(self, module))
        else:
            self.extend(args)

    def forward(self, input: Any) -> Any:
        for module in self._list():
            input = module(input)
        return input

    def _part(self, modules: list[tuple[str, Module]]) -> Self:
        return type(self)(dict(modules))

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *_sequential(other))

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend(_sequential(other))

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*(self._list() * _times(other)))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        return self.extend(self._list() * (_times(other) - 1))


def _sequential(other: Any) -> Sequential:
    if not isinstance(other, Sequential):
        raise ValueError(f"only a Sequential can be added to a Sequential, not {type(other).__name__}; see extend()")
    return other


def _times(number: Any) -> int:
    if not isinstance(number, int):
        raise TypeError(f"a Sequential can be multiplied by an integer, not by {type(number).__name__}")
    if number < 1:
        raise ValueError(f"a Sequential can be multiplied by 1 or more, not by {number}")
    return number


class ModuleList(_Numbered):
    """A list of modules. Unlike those of a Python list, their parameters belong to the module that holds the list.

    It has the methods of a list: `append`, `extend`, `insert`, `pop`, `len`, iteration, `in`, `+`, `+=`, indexing, assignment and
    `del`. A slice is another ModuleList of the same modules. They are always numbered from 0.

    Args:
        modules: the modules in their order; None for none.

    Raises:
        TypeError: for an item that is no Module.
        NotImplementedError: when called: the module that holds it calls its items.

    >>> import xgrad as xg
    >>> layers = xg.nn.ModuleList([xg.nn.Linear(2, 2), xg.nn.Linear(2, 1)])
    >>> len(layers), [name for name, _ in layers.named_parameters()]
    (2, ['0.weight', '0.bias', '1.weight', '1.bias'])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        self.extend(modules or ())

    def _part(self, modules: list[tuple[str, Module]]) -> Self:
        return type(self)([module for _, module in modules])

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def __repr__(self) -> str:
        """Modules that print alike and follow each other are one line: `(0-5): 6 x ReLU()`."""
        lines, start = [], 0
        for text, group in itertools.groupby(map(repr, self)):
            n = len(list(group))
            lines.append(f"({start}): {text}" if n == 1 else f"({start}-{start + n - 1}): {n} x {text}")
            start += n
        return indented(type(self).__name__, lines)


class ModuleDict(Module):
    """A dict of modules, whose parameters belong to the module that holds it. Each is also an attribute under its key.

    It has the methods of a dict: `keys`, `values`, `items`, `update`, `pop`, `clear`, `len`, iteration, `in`, indexing,
    assignment and `del`.

    Args:
        modules: a dict of modules, or pairs of a name and a module; None for none.

    Raises:
        TypeError: for a value that is no Module.
        KeyError: for a key that is not there, and for a new one that is no string, is empty, has a dot in it, or is that of a
            method.
        NotImplementedError: when called: the module that holds it calls its items.

    >>> import xgrad as xg
    >>> parts = xg.nn.ModuleDict({"body": xg.nn.Linear(2, 2), "head": xg.nn.Linear(2, 1)})
    >>> list(parts), parts.head is parts["head"], [name for name, _ in parts.named_parameters()]
    (['body', 'head'], True, ['body.weight', 'body.bias', 'head.weight', 'head.bias'])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        self.update(modules or {})

    def _dict(self) -> dict[str, Module]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def keys(self) -> Any:
        """The names, in the order in which they were added."""
        return self._dict().keys()

    def values(self) -> Any:
        """The modules."""
        return self._dict().values()

    def items(self) -> Any:
        """Pairs of a name and a module."""
        return self._dict().items()

    def update(self, modules: Mapping[str, Module] | ModuleDict | Iterable[tuple[str, Module]]) -> None:
        """Add the modules of a dict, or of pairs of a name and a module. Those under the same names are replaced."""
        pairs = modules.items() if isinstance(modules, Mapping | ModuleDict) else modules
        for name, module in list(pairs):
            self[name] = module

    def pop(self, key: str) -> Module:
        """Remove the module under a name, and return it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Remove all modules."""
        for name in self._dict():
            del self[name]

    def __getitem__(self, key: str) -> Module:
        return self._dict()[key]

    def __setitem__(self, key: str, module: Module) -> None:
        if key in self:
            setattr(self, key, _module(self, module))
        else:
            self.add_module(key, _module(self, module))

    def __delitem__(self, key: str) -> None:
        self._dict()[key]  # KeyError for a name that is not there
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._dict())

    def __iter__(self) -> Iterator[str]:
        return iter(self._dict())

    def __contains__(self, key: object) -> bool:
        return key in self._dict()
