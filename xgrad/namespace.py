"""xgrad as an Array API namespace that is bound to one backend and device: what `t.__array_namespace__()` returns."""

from __future__ import annotations

import math
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

from xgrad import rules
from xgrad.backends import get_backend
from xgrad.backends.base import Backend
from xgrad.backends.dtype_names import HALVES, without
from xgrad.engine.registry import FUNCTIONS
from xgrad.rules.declare import BOUND

VERSION = "2025.12"
CONSTANTS: dict[str, Any] = {"e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None, "pi": math.pi}
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = ("bool", *INTEGERS, "float32", "float64", "complex64", "complex128")
EXTENSIONS = ("fft", "linalg", "special")


def _function(name: str, backend: Backend) -> Any:
    """The function of that name in the registry, bound to the backend if it makes arrays."""
    return partial(BOUND[name], backend) if name in BOUND else FUNCTIONS[name]


def numpys(name: str) -> Any:
    """NumPy's function on tensors that the standard lacks, such as `pad`: xarray asks the namespace of its data for these."""
    if name.startswith("_"):
        return None
    from xgrad.rules.numpy_functions import protocol  # at the first such name: it has some hundred functions

    row = protocol.TABLE.get(name)
    return row and row.function


def _with_ddof(function: Any) -> Any:
    """The function, which also takes NumPy's word for `correction`, as xarray passes it."""

    @wraps(function)
    def call(x: Any, /, *, ddof: Any = None, **options: Any) -> Any:
        return function(x, **options) if ddof is None else function(x, correction=ddof, **options)

    return call


class _StrideTricks:
    """`numpy.lib.stride_tricks`, as far as tensors have it."""

    def __getattr__(self, name: str) -> Any:
        found = numpys(f"lib.stride_tricks.{name}")
        if found is None:
            raise AttributeError(f"the namespace xgrad has no lib.stride_tricks.{name}")
        return found


class Namespace:
    """The namespace of one backend. Its functions take tensors of any backend; creation functions make arrays on this one."""

    __array_api_version__ = VERSION

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.__name__ = f"xgrad[{backend.name}, {backend.device_name}]"  # libraries compare namespaces by name
        self.complex_dtypes = backend.complex_dtypes
        self.narrow_dtypes = backend.narrow_dtypes

    def __getattr__(self, name: str) -> Any:
        backend = self._backend
        if name in FUNCTIONS and "." not in name:
            value = _function(name, backend)
            value = _with_ddof(value) if name in ("std", "var") else value
        elif name in EXTENSIONS:
            value = Extension(name, backend)
        elif name in CONSTANTS:
            value = CONSTANTS[name]
        elif name in DTYPES:
            value = getattr(backend.library, name)  # the backend's own object
        elif name in HALVES:
            if not backend.has_dtype(name):
                raise AttributeError(without(name, backend))
            value = backend.as_dtype(name)
        elif name == "lib":
            value = SimpleNamespace(stride_tricks=_StrideTricks())
        else:
            value = None if "." in name else numpys(name)
            if value is None:
                raise AttributeError(f"the namespace xgrad ({backend.name}) has no {name!r}")
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        halves = (name for name in HALVES if self._backend.has_dtype(name))
        return sorted({*(name for name in FUNCTIONS if "." not in name), *CONSTANTS, *DTYPES, *halves, *EXTENSIONS})

    def __repr__(self) -> str:
        return f"<namespace xgrad on {self._backend}>"

    def __reduce__(self) -> Any:
        return _view_of, (self._backend,)

    def __array_namespace_info__(self) -> Info:
        """The devices, dtypes and capabilities of the backend."""
        return Info(self._backend)

    def version(self, api_version: str | None) -> Namespace:
        """This namespace, if it is of that version of the standard. Raises ValueError otherwise."""
        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12", VERSION):
            raise ValueError(f"xgrad follows revision {VERSION} of the Array API standard, not {api_version!r}")
        return self


class Extension:
    """An extension of the standard in a namespace. In the registry, its names begin with its own name, such as "fft."."""

    def __init__(self, name: str, backend: Backend) -> None:
        self._name = name
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        path = f"{self._name}.{name}"
        if path not in FUNCTIONS:
            raise AttributeError(f"the namespace xgrad ({self._backend.name}) has no {path!r}")
        value = self.__dict__[name] = _function(path, self._backend)
        return value

    def __dir__(self) -> list[str]:
        return sorted(path.removeprefix(f"{self._name}.") for path in FUNCTIONS if path.startswith(f"{self._name}."))

    def __repr__(self) -> str:
        return f"<namespace xgrad.{self._name} on {self._backend}>"

    def __reduce__(self) -> Any:
        return getattr, (self._backend.view, self._name)


class Info:
    """The result of `__array_namespace_info__`: that of the library, for the backend's device by default."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._library = backend.library.__array_namespace_info__()

    def capabilities(self) -> dict[str, Any]:
        """Whether masks and functions with data-dependent shapes are supported, and the maximum number of axes."""
        return dict(self._library.capabilities())

    def default_device(self) -> Any:
        """The device of new arrays."""
        return self._backend.device

    def devices(self) -> list[Any]:
        """The devices of the library, as it represents them."""
        return [self._backend.find_device(name) for name in self._backend.devices()]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of new arrays, by kind: real floating, complex floating, integral, indexing."""
        backend = self._backend if device is None else self._backend.on_device(device)
        return backend.default_dtypes()

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes on a device by name: all, or those of a kind."""
        return dict(self._library.dtypes(device=self._on(device), kind=kind))

    def _on(self, device: Any) -> Any:
        return self._backend.device if device is None else self._backend.find_device(device)


def current_info() -> Info:
    """Information on the current backend: capabilities(), default_device(), devices(), default_dtypes(), dtypes()."""
    return Info(get_backend())


def _view_of(backend: Backend) -> Any:
    return backend.view


Backend.make_view = Namespace
assert rules is not None  # its import fills FUNCTIONS
