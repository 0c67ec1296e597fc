"""The registry of backends: which exist, which are loaded, which one owns an array, and which one is current."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from xgrad.backends import host_data
from xgrad.backends.base import Backend
from xgrad.backends.errors import BackendError

BUILT_IN = ("numpy", "cupy", "dpnp", "torch", "jax", "dask", "strict")
PACKAGES = {
    "array_api_strict": "strict",
    "jaxlib": "jax",
}  # packages of array types that are not called like their backend
ENTRY_POINT_GROUP = "xgrad.backends"

_lock = threading.RLock()
_loaded: dict[tuple[str, str], Backend] = {}
_registered: dict[str, type[Backend]] = {}  # third parties' classes, cached: to find one takes milliseconds
_by_array_type: dict[type, tuple[str, type[Backend]]] = {}
_process_default: Backend | None = None
_in_context: ContextVar[Backend | None] = ContextVar("xgrad_backend", default=None)


# --- which backends exist ----------------------------------------------------------------------------------------


def names() -> list[str]:
    """The names of all known backends, installed or not."""
    return [*BUILT_IN, *sorted(_third_party().keys() - set(BUILT_IN))]


def _third_party() -> dict[str, Any]:
    """The entry points of other packages, by name. (importlib.metadata takes as long to import as the rest of xgrad.)"""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def backend_class(name: str) -> type[Backend]:
    """The class of a backend by name. Raises BackendError if there is none, or if its module cannot be imported."""
    if name in BUILT_IN:
        found: type[Backend] = import_module(f"xgrad.backends.{name}").BACKEND
        return found
    if name not in _registered:
        _registered[name] = _import_third_party(name)
    return _registered[name]


def _import_third_party(name: str) -> type[Backend]:
    point = _third_party().get(name)
    if point is None:
        raise BackendError(f"there is no backend {name!r}; known are {', '.join(names())}, and auto. {_usable()}")
    try:
        cls = point.load()
    except Exception as error:  # a broken backend must not break the others
        raise BackendError(f"backend {name!r} ({point.value}) could not be imported: {error!r}.") from error
    if not (isinstance(cls, type) and issubclass(cls, Backend)):
        raise BackendError(f"backend {name!r} ({point.value}) is not a subclass of xgrad.backends.base.Backend.")
    return cls


def usable(name: str) -> list[str]:
    """The names of a backend's devices. Raises BackendError if its library is not installed or has no device."""
    try:
        return backend_class(name).devices()
    except BackendError:
        raise
    except Exception as error:
        raise BackendError(f"backend {name!r} could not list its devices: {error!r}.") from error


def backends() -> dict[str, list[str]]:
    """The usable backends: a dict of their names, each with the names of its devices."""
    found = {}
    for name in names():
        try:
            found[name] = usable(name)
        except BackendError:
            continue
    return found


def _usable() -> str:
    return "Usable here: " + ", ".join(f"{name} ({', '.join(devices)})" for name, devices in backends().items()) + "."


# --- loading ------------------------------------------------------------------------------------------------


def load(name: str, device: Any = None) -> Backend:
    """The backend of that name on that device, or on its default device for None. There is one object for each pair."""
    if name == "auto":
        return _automatic(device)
    try:
        usable(name)
        cls = backend_class(name)
        found = cls.find_device(device)
    except BackendError as error:
        raise BackendError(str(error) if "Usable here" in str(error) else f"{error} {_usable()}") from error
    key = name, str(found)
    with _lock:
        backend = _loaded.get(key)
        if backend is None:
            backend = cls(name, found)
            for kind in backend.array_types:  # a third party may use array types of a built-in backend
                if name in BUILT_IN or kind not in _by_array_type:
                    _by_array_type[kind] = name, cls
                    host_data.note(kind, cls.holds_host_data)
            _loaded[key] = backend
    return backend


Backend.load = load


def loaded() -> list[Backend]:
    """The backends that are loaded so far."""
    with _lock:
        return list(_loaded.values())


def _automatic(device: Any) -> Backend:
    try:
        backend = load("cupy", device)
    except BackendError:
        backend = load("numpy")
    if sys.stderr is not None:  # with file=None, `print` would use the standard output
        with suppress(OSError):
            print(f"xgrad: XGRAD_BACKEND=auto took {backend.name} on {backend.device_name}", file=sys.stderr)
    return backend


def owner(array: Any) -> Backend | None:
    """The backend that owns an array, on the array's device; None if no backend knows its type."""
    known: Backend | None = getattr(array, "xgrad_backend", None)  # the arrays of vmap have it
    if known is not None:
        return known
    found = _named_class_of(type(array)) or _unprepared(array)
    if found is None:
        return None
    name, cls = found
    device = cls.device_of(array)
    return _loaded.get((name, str(device))) or load(name, device)


def _named_class_of(kind: type) -> tuple[str, type[Backend]] | None:
    for ancestor in kind.__mro__:
        if ancestor in _by_array_type:
            return _by_array_type[ancestor]
    # The first array of a library may be passed in before its backend is loaded.
    library = kind.__module__.partition(".")[0]
    name = PACKAGES.get(library, library)
    if name in BUILT_IN and name not in (loaded for loaded, _ in _loaded):
        load(name)
        return _named_class_of(kind)
    return None


def _unprepared(array: Any) -> tuple[str, type[Backend]] | None:
    """The name and class of a backend for an array of an unknown type: a third party's, or one made of the array's namespace."""
    kind = type(array)
    library = kind.__module__.partition(".")[0]
    if not hasattr(kind, "__array_namespace__") or PACKAGES.get(library, library) in (*BUILT_IN, "xgrad"):
        return None
    if library in _third_party() and library not in _registered:
        load(library)
        return _named_class_of(kind) or _unprepared(array)
    from xgrad.backends.generic import backend_for  # imported here, because most programs have no such array

    with _lock:
        cls = backend_for(array, taken=lambda name: name in _registered or name in names())
        _registered[cls.name] = cls
        _by_array_type[kind] = cls.name, cls
        host_data.note(kind, cls.holds_host_data)
    return cls.name, cls


# --- the current one ----------------------------------------------------------------------------------------


def get_backend() -> Backend:
    """The current backend, where new arrays are made.

    It is that of the innermost `use_backend`, or else of `set_backend`, or else of the environment variables XGRAD_BACKEND and
    XGRAD_DEVICE, or else NumPy.

    >>> import xgrad as xg
    >>> with xg.use_backend("numpy"):
    ...     xg.get_backend()
    Backend(numpy, cpu)

    Returns:
        The backend, an object with a `name`, a `device` and the library's namespace `library`. There is one for each device.

    Raises:
        BackendError: where XGRAD_BACKEND names a backend that cannot be used.

    Devices are those of the standard: https://data-apis.org/array-api/latest/design_topics/device_support.html.
    """
    return _in_context.get() or _process_default or _from_environment()


def set_backend(name: str | Backend, device: Any = None) -> Backend:
    """Choose the backend for new arrays, for the whole process. Tensors that exist keep theirs.

    >>> import xgrad as xg
    >>> xg.set_backend("numpy")
    Backend(numpy, cpu)

    Args:
        name: "numpy", "cupy", "dpnp", "torch", "jax", "dask", "strict" (array-api-strict), the name of an installed plug-in,
            "auto" (CuPy where it has a device, or else NumPy), or a backend.
        device: the name of a device, such as "cuda:1", or the library's device object; None means the library's default.

    Returns:
        The backend.

    Raises:
        BackendError: for a backend that is unknown or not installed, and for a device that it does not have. Nothing changes
            then.
        TypeError: where `name` is neither a string nor a backend.

    Devices are those of the standard: https://data-apis.org/array-api/latest/design_topics/device_support.html.
    """
    global _process_default
    backend = _resolve(name, device)
    backend.make_current()
    _process_default = backend
    return backend


@contextmanager
def use_backend(name: str | Backend, device: Any = None) -> Iterator[Backend]:
    """Choose the backend for new arrays in a block, for this thread and this asyncio task.

    >>> import xgrad as xg
    >>> with xg.use_backend("numpy") as backend:
    ...     x = xg.ones(2)
    >>> x.backend is backend
    True

    Args:
        name: a name or a backend, as for `set_backend`.
        device: a device, as for `set_backend`.

    Returns:
        A context manager, which gives the backend.

    Raises:
        BackendError, TypeError: on entering the block, as `set_backend`.

    Devices are those of the standard: https://data-apis.org/array-api/latest/design_topics/device_support.html.
    """
    backend = _resolve(name, device)
    token = _in_context.set(backend)
    try:
        with backend.entered():
            yield backend
    finally:
        _in_context.reset(token)


def _resolve(name: str | Backend, device: Any) -> Backend:
    if isinstance(name, str):
        return load(name, device)
    if not hasattr(name, "make_current"):
        raise TypeError(f"a backend is chosen by its name, a string, not {type(name).__name__}. {_usable()}")
    return name if device is None else name.on_device(device)


def _from_environment() -> Backend:
    global _process_default
    with _lock:
        if _process_default is None:
            name = os.environ.get("XGRAD_BACKEND") or "numpy"
            backend = load(name, os.environ.get("XGRAD_DEVICE") or None)
            backend.make_current()
            _process_default = backend
        return _process_default
