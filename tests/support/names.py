"""The public names of a module."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def public_names(module: Any) -> set[str]:
    """The public names of a module, without those of other modules in it."""
    return {name for name, value in vars(module).items() if name[0] != "_" and not isinstance(value, ModuleType)}
