"""array-api-strict on one of its own devices, which stands in for a GPU in tests.

It is slow, and it refuses everything that the standard does not guarantee.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

from xgrad.backends import keys
from xgrad.backends.base import Backend
from xgrad.backends.raw import Raw
from xgrad.backends.special import LIBRARYS
from xgrad.backends.yielding import yield_to_others

array_api_strict: Any
try:
    array_api_strict = import_module("array_api_strict")
    _missing: Exception | None = None
except ImportError as error:
    array_api_strict, _missing = None, error


if array_api_strict:
    yield_to_others(type(array_api_strict.empty(0)))


class StrictRaw(Raw):
    """array-api-strict's namespace, with NumPy's indexing.

    Its products accept a float and an integer array together, although its other functions refuse that. Here all refuse it.
    """

    def matmul(self, x1: Any, x2: Any, /) -> Any:
        self.result_type(x1, x2)
        return self.library.matmul(x1, x2)

    def tensordot(self, x1: Any, x2: Any, /, **options: Any) -> Any:
        self.result_type(x1, x2)
        return self.library.tensordot(x1, x2, **options)

    def vecdot(self, x1: Any, x2: Any, /, **options: Any) -> Any:
        self.result_type(x1, x2)
        return self.library.vecdot(x1, x2, **options)

    def getitem(self, x: Any, key: Any) -> Any:
        if _has_arrays(key):
            is_mask = not isinstance(key, tuple) and self.isdtype(key.dtype, "bool")
            return x[key] if is_mask else keys.read(self, x, key, _holds)
        return x[keys.completed(key, x.shape)]

    def _put(self, y: Any, value: Any, key: Any) -> Any:
        if not _has_arrays(key):
            return super()._put(y, value, keys.completed(key, y.shape))
        if not isinstance(key, tuple) and self.isdtype(key.dtype, "bool"):
            return super()._put(y, value, key)
        value = self.astype(value, y.dtype) if hasattr(value, "dtype") else value
        y[...] = keys.written(self, y, value, key, _holds)
        return y


def _has_arrays(key: Any) -> bool:
    return any(isinstance(part, Strict.array_types) for part in (key if isinstance(key, tuple) else (key,)))


def _holds(condition: Any) -> bool:
    return bool(condition._array)


class Strict(Backend):
    name = "strict"
    raw_class = StrictRaw
    install = "pip install array-api-strict"
    array_types: ClassVar[tuple[type, ...]] = (type(array_api_strict.empty(0)),) if array_api_strict else ()
    cannot: ClassVar[Mapping[str, str]] = dict.fromkeys(LIBRARYS, "it has no special functions")

    @classmethod
    def namespace(cls) -> Any:
        return array_api_strict

    @classmethod
    def devices(cls) -> list[str]:
        if array_api_strict is None:
            raise cls.not_installed(_missing or ImportError())
        found = array_api_strict.__array_namespace_info__().devices()
        return [cls._name(device) for device in found]

    @staticmethod
    def _name(device: Any) -> str:
        return str(device._device)

    @classmethod
    def find_device(cls, device: Any) -> Any:
        if isinstance(device, array_api_strict.Device):
            return device
        try:
            return array_api_strict.Device("device1" if device is None else str(device))
        except ValueError:
            raise cls.no_device(device) from None

    @property
    def device_name(self) -> str:
        return self._name(self.device)

    @property
    def on_host(self) -> bool:
        return self.device_name == "CPU_DEVICE"

    def host(self) -> Backend:
        return self.on_device("CPU_DEVICE")

    def to_numpy(self, array: Any) -> Any:
        return array._array.copy()


BACKEND = Strict
