"""What placement and saving use of a module. It stands below them, so that module.py can import them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from xgrad.engine.tensor import Tensor
from xgrad.nn.parameter import Parameter


class ModuleLike(Protocol):
    """A module, by the methods of `Module` that read it."""

    @property
    def _buffers(self) -> Mapping[str, bool]: ...

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]: ...

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]: ...

    def modules(self) -> Iterator[ModuleLike]: ...

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, ModuleLike]]: ...
