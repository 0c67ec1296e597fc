"""The part of a module that placement and saving use, as a protocol. It lets module.py import them without a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from xgrad.engine.tensor import Tensor
from xgrad.nn.parameter import Parameter


class ModuleLike(Protocol):
    """The methods of Module that only read."""

    @property
    def _buffers(self) -> Mapping[str, bool]: ...

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]: ...

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]: ...

    def modules(self) -> Iterator[ModuleLike]: ...

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, ModuleLike]]: ...
