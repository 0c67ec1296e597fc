"""`autograd.scipy`: `xgrad.scipy`'s modules."""

from importlib import import_module as _import_module
from typing import Any as _Any

_SUBMODULES = ("integrate", "linalg", "signal", "special", "stats")


def __getattr__(name: str) -> _Any:
    if name in _SUBMODULES:
        return _import_module(f"xgrad.compat.autograd.scipy.{name}")
    raise AttributeError(f"module 'autograd.scipy' has no attribute {name!r}; it has {', '.join(_SUBMODULES)}")
