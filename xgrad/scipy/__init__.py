"""SciPy's functions on tensors, with their gradients, under SciPy's names. On plain arrays they are SciPy's own."""

from importlib import import_module as _import_module
from typing import Any as _Any

_SUBMODULES = ("integrate", "interpolate", "linalg", "optimize", "signal", "special", "stats")


def __getattr__(name: str) -> _Any:
    """A module on first use."""
    if name in _SUBMODULES:
        return _import_module(f"xgrad.scipy.{name}")
    raise AttributeError(f"module 'xgrad.scipy' has no attribute {name!r}; it has {', '.join(_SUBMODULES)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})
