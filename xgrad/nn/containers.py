"""Modules that are made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from xgrad.nn.module import Module


class _Numbered(Module):
    """Modules in order, by name or number."""

    def _list(self) -> list[Module]:
        return [value for value in vars(self).values() if isinstance(value, Module)]

    def append(self, module: Module) -> Self:
        """Add one at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
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
    """Each module is called on the output of the one before.

    Args:
        *args: modules, or one dict of them by name.

    >>> import xgrad as xg
    >>> net = xg.nn.Sequential(xg.nn.Linear(1, 8), xg.nn.ReLU(), xg.nn.Linear(8, 1))
    >>> net(xg.zeros((5, 1))).shape
    (5, 1)
    >>> net[0]
    Linear(in_features=1, out_features=8, bias=True)
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
    """A list of modules whose parameters are found. It has no forward: the module that holds it decides.

    >>> import xgrad as xg
    >>> layers = xg.nn.ModuleList([xg.nn.Linear(2, 2), xg.nn.Linear(2, 1)])
    >>> len(layers), len(list(layers.parameters()))
    (2, 4)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)
