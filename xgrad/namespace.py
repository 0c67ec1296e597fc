"""xgrad as an Array API namespace that is bound to one backend and device: what `t.__array_namespace__()` returns."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from xgrad import rules
from xgrad.backends.base import Backend
from xgrad.registry import FUNCTIONS
from xgrad.rules.creation import BOUND

VERSION = "2025.12"
CONSTANTS: dict[str, Any] = {"e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None, "pi": math.pi}
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = ("bool", *INTEGERS, "float32", "float64", "complex64", "complex128")


class Namespace:
    """Functions take tensors of any backend; what makes an array makes it here."""

    __array_api_version__ = VERSION

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.complex_dtypes = backend.complex_dtypes

    def __getattr__(self, name: str) -> Any:
        backend = self._backend
        if name in BOUND:
            value: Any = partial(BOUND[name], backend)
        elif name in FUNCTIONS:
            value = FUNCTIONS[name]
        elif name in CONSTANTS:
            value = CONSTANTS[name]
        elif name in DTYPES:
            value = getattr(backend.library, name)  # the backend's own object
        else:
            raise AttributeError(f"the namespace xgrad ({backend.name}) has no {name!r}")
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return sorted({*FUNCTIONS, *CONSTANTS, *DTYPES})

    def __repr__(self) -> str:
        return f"<namespace xgrad on {self._backend}>"

    def __reduce__(self) -> Any:
        return _view_of, (self._backend,)

    def version(self, api_version: str | None) -> Namespace:
        """This namespace, if it is of that version of the standard. Raises ValueError otherwise."""
        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12", VERSION):
            raise ValueError(f"xgrad follows revision {VERSION} of the Array API standard, not {api_version!r}")
        return self


def _view_of(backend: Backend) -> Any:
    return backend.view


Backend.make_view = Namespace
assert rules is not None  # importing it fills FUNCTIONS
