"""Modules that hold other modules in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from xgrad.nn.module import Module


class _Numbered(Module):
    """Modules in order. Their attribute names are "0", "1", ..., or names of the user's."""

    def _list(self) -> list[Module]:
        return [value for value in vars(self).values() if isinstance(value, Module)]

    def append(self, module: Module) -> Self:
        """Add a module at the end, and return this container. Raises TypeError for anything but a Module."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end, and return this container. Raises TypeError for anything but a Module."""
        for module in modules:
            self.append(module)
        return self

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
            return type(self)().extend(self._list()[index])
        return self._list()[index]


class Sequential(_Numbered):
    """A chain of modules: each is called with the output of the one before.

    `len`, iteration and indexing work as on a list; a slice is another Sequential of the same modules. An empty one returns its
    input.

    Args:
        *args: modules, or a single dict of modules, whose keys become their names.

    Raises:
        TypeError: for an argument that is no Module.
        KeyError: for a name that is empty, has a dot in it, or is that of a method.

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
                self.add_module(name, module)
        else:
            self.extend(args)

    def forward(self, input: Any) -> Any:
        for module in self._list():
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules. Unlike those of a Python list, their parameters belong to the module that holds the list.

    `len`, iteration and indexing work as on a list; a slice is another ModuleList of the same modules.

    Args:
        modules: the modules in their order.

    Raises:
        TypeError: for an item that is no Module.
        NotImplementedError: when called: the module that holds it calls its items.

    >>> import xgrad as xg
    >>> layers = xg.nn.ModuleList([xg.nn.Linear(2, 2), xg.nn.Linear(2, 1)])
    >>> len(layers), [name for name, _ in layers.named_parameters()]
    (2, ['0.weight', '0.bias', '1.weight', '1.bias'])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)
