"""Backends for array libraries that have none: made from the namespace of an array, when the first such array is passed in.

Functions of the standard that the library has work. For a function that it lacks, the error names the function. No array goes
through the host.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar

from xgrad.backends.base import Backend
from xgrad.backends.raw import Raw
from xgrad.backends.refusal import Extension, refusal
from xgrad.backends.special import Special

LACKING = "the library has no such function"
KINDS = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]


_made: list[type[Generic]] = []


def backend_for(array: Any, taken: Callable[[str], bool]) -> type[Generic]:
    """The backend class for the library of this array. For a new library it is made, under a name that is not taken."""
    library, kind = array.__array_namespace__(), type(array)
    for cls in _made:
        if cls.of.library is library:
            return cls
    package = kind.__module__.partition(".")[0]
    name = getattr(library, "__name__", kind.__name__ if package == "__main__" else package)
    while taken(name):
        name += "'"
    members = {"name": name, "install": f"pip install {package}", "array_types": (kind,), "of": Library(library, name)}
    cls = type(f"{kind.__name__}Backend", (Generic,), members)
    _made.append(cls)
    return cls


DEFAULTS = {"real floating": "float64", "integral": "int64", "indexing": "int64"}


class Library:
    """A namespace, with the inquiries for dtypes and devices that older versions of the standard lack (before 2022 and 2023)."""

    def __init__(self, library: Any, name: str) -> None:
        self.library, self.__name__ = library, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    def isdtype(self, dtype: Any, kind: Any) -> bool:
        if hasattr(self.library, "isdtype"):
            return bool(self.library.isdtype(dtype, kind))
        kinds = kind if isinstance(kind, tuple) else (kind,)
        return any(dtype == found for each in kinds for found in self._dtypes(each).values())

    def _dtypes(self, kind: str | None) -> dict[str, Any]:
        names = (*KINDS["bool"], *KINDS["numeric"]) if kind is None else KINDS[kind]
        return {name: getattr(self.library, name) for name in names if hasattr(self.library, name)}

    def __array_namespace_info__(self) -> Any:
        if hasattr(self.library, "__array_namespace_info__"):
            return self.library.__array_namespace_info__()
        return SimpleNamespace(
            capabilities=lambda: {"boolean indexing": False, "data-dependent shapes": False, "max dimensions": None},
            default_device=lambda: "cpu",
            devices=lambda: ["cpu"],
            default_dtypes=lambda device=None: {
                kind: getattr(self.library, name) for kind, name in DEFAULTS.items() if hasattr(self.library, name)
            },
            dtypes=lambda device=None, kind=None: self._dtypes(kind),
        )


class GenericRaw(Raw):
    """The library's namespace. A function that it lacks raises NotImplementedError when it is called."""

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_") or name in (*KINDS["bool"], *KINDS["numeric"]):
                raise
            found = self.__dict__[name] = refusal(name, self.library.__name__, LACKING)
            return found

    @cached_property
    def linalg(self) -> Any:
        return Part(self.library, "linalg")

    @cached_property
    def fft(self) -> Any:
        return Part(self.library, "fft")

    @cached_property
    def special(self) -> Any:
        """The library's own `special`, if it has one."""
        return GenericSpecial(self)

    def setitem(self, x: Any, value: Any, key: Any) -> Any:
        """If the library's arrays cannot be written to, the copy is made with `scatter`."""
        if hasattr(type(x), "__setitem__"):
            return super().setitem(x, value, key)
        ones = self.broadcast_to(self.ones((), dtype=x.dtype), x[key].shape)
        value = self.broadcast_to(self.asarray(value, dtype=x.dtype), ones.shape)
        hit = self.scatter(ones, key, x.shape) != 0
        return self.where(hit, self.scatter(value, key, x.shape), x)

    def scatter(self, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        if hasattr(type(x), "__setitem__"):
            return super().scatter(x, key, shape)
        return self._scatter_indices(x, key, shape)


class Part(Extension):
    """An extension of the namespace, such as linalg. A function that the library lacks raises NotImplementedError."""

    def __init__(self, library: Any, name: str) -> None:
        super().__init__(getattr(library, name, None))
        self._path = library.__name__, name

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_"):
                raise
            library, extension = self._path
            found = self.__dict__[name] = refusal(f"{extension}.{name}", library, LACKING)
            return found


class GenericSpecial(Special):
    """The functions of the library's `special`, and those that are made of the standard's functions."""

    def __init__(self, xp: Any) -> None:
        super().__init__(xp)
        self._part = Part(xp.library, "special")

    def _found(self, name: str) -> Any:
        return getattr(self._part, name)

    def polygamma(self, n: Any, x: Any) -> Any:
        return self._found("polygamma")(n, x)


def _name(device: Any) -> str:
    """The name of a device: its text, or the name of its class if the text is an address in memory."""
    text = str(device)
    return type(device).__name__.lower() if " object at 0x" in text else text


class Generic(Backend):
    of: ClassVar[Library]  # the library, found from its arrays' __array_namespace__
    raw_class = GenericRaw
    arrays_stay = True
    name = ""
    install = ""

    @classmethod
    def namespace(cls) -> Any:
        return cls.of

    @classmethod
    def devices(cls) -> list[str]:
        return [_name(device) for device in cls.of.__array_namespace_info__().devices()]

    @classmethod
    def find_device(cls, device: Any) -> Any:
        info = cls.of.__array_namespace_info__()
        if device is None:
            return info.default_device()
        for found in info.devices():
            if str(device) in (str(found), _name(found)):
                return found
        if isinstance(device, str):
            raise cls.no_device(device)
        return device  # the device object of an array

    def _find_default(self, name: str | None) -> Any:
        """The library's own default dtype, unless another one was chosen: the library may have dtypes of its own."""
        if name is not None:
            return super()._find_default(name)
        return self.library.__array_namespace_info__().default_dtypes(device=self.device).get("real floating")

    @property
    def librarys_default(self) -> Any:  # type: ignore[override]
        return self._find_default(None)

    @property
    def device_name(self) -> str:
        return _name(self.device)

    @property
    def bind_device(self) -> bool:  # type: ignore[override]
        """False on the default device, because some libraries' creation functions have no `device` argument."""
        return bool(self.device != self.of.__array_namespace_info__().default_device())

    def owns(self, value: Any) -> bool:
        """True also for an array of another class of the same library."""
        if isinstance(value, self.array_types):
            return True
        return hasattr(value, "__array_namespace__") and value.__array_namespace__() is self.of.library

    def number(self, value: Any) -> Any:
        return (
            value.item() if hasattr(value, "item") else value
        )  # the library's own scalar may have more digits than a float

    def to_numpy(self, array: Any) -> Any:
        """By np.asarray, or by the library's own conversion; otherwise number by number, in the precision of a float."""
        import numpy as np

        for way in (np.array, *self._ways_out(array)) if array.shape else self._ways_out(array):
            found = way(array)
            if found.shape == tuple(array.shape) and found.dtype != object:
                return np.array(found)
        numbers = [self._number(array[place]) for place in np.ndindex(tuple(array.shape))]
        return np.array(numbers, dtype=type(numbers[0]) if numbers else float).reshape(array.shape)

    @staticmethod
    def _ways_out(array: Any) -> list[Any]:
        kind = type(array)
        return [getattr(kind, name) for name in ("unwrap_numpy", "asnumpy", "to_numpy", "numpy") if hasattr(kind, name)]

    def _number(self, element: Any) -> bool | int | float | complex:
        """The element of a 0-d array as a Python number."""
        for kind, number in (("bool", bool), ("integral", int), ("complex floating", complex)):
            if self.of.isdtype(element.dtype, kind):
                converted: bool | int | complex = number(element)
                return converted
        return float(element)

    def format(self, array: Any) -> str:
        return str(array)
