"""A guard that counts and refuses copies from a device to the host.

array-api-strict's device1 stands in for a GPU. It refuses NumPy operands and `np.asarray`, but allows `float`, `bool`, iteration
and DLPack. The guard refuses and counts these too. It does the same for dpnp's arrays, on a device with a memory of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any
from unittest.mock import patch

WAYS_OUT = (
    "__array__",
    "__bool__",
    "__buffer__",
    "__complex__",
    "__float__",
    "__index__",
    "__int__",
    "__iter__",
    *("asnumpy", "item", "tobytes", "tolist"),  # dpnp's methods
)
HOST = 1  # DLPack's device type of the CPU


class HiddenTransferError(AssertionError):
    """An array was copied to the host unasked."""


class Transfers:
    """The number and the names of the refused copies."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @property
    def count(self) -> int:
        return len(self.seen)

    def refuse_to_host(self, dlpack: Any) -> Any:
        """DLPack's method, refused only for the host: a library also uses it between its own arrays."""

        def exchanged(array: Any, **options: Any) -> Any:
            to_host = HOST in (array.__dlpack_device__()[0], (options.get("dl_device") or (None,))[0])
            return self.refuse("__dlpack__")() if to_host else dlpack(array, **options)

        return exchanged

    def refuse(self, way: str) -> Any:
        def refused(*args: Any, **kwargs: Any) -> Any:
            self.seen.append(way)
            raise HiddenTransferError(f"{way} brings an array from the device to the host, or to the device")

        return refused


@contextmanager
def guarded(backend: Any) -> Iterator[Transfers]:
    """Refuse implicit copies of the backend's arrays to the host while the block runs.

    `Backend.to_numpy`, `Tensor.numpy()` and `Tensor.item()` are explicit, and still work.
    """
    (array_type,) = backend.array_types
    transfers = Transfers()
    ways = {way: transfers.refuse(way) for way in WAYS_OUT if hasattr(array_type, way)}
    ways["__dlpack__"] = transfers.refuse_to_host(array_type.__dlpack__)
    with patch.multiple(array_type, **ways):
        yield transfers


@contextmanager
def no_transfers(backend: Any) -> Iterator[Transfers]:
    """Refuse every copy to the host while the block runs, also by `numpy()` and `item()`, and every array that moves to dpnp."""
    with guarded(backend) as transfers:
        asked = patch.object(type(backend), "to_numpy", transfers.refuse("to_numpy"))
        with asked, arrays_refused(transfers) if backend.name == "dpnp" else nullcontext():
            yield transfers


def arrays_refused(transfers: Transfers) -> Any:
    """Refuse moves of NumPy arrays to a dpnp device while the block runs. (Numbers in expressions are allowed.)"""
    copies = import_module("dpnp.tensor._copy_utils")
    copy = copies._copy_from_numpy_into

    def copy_unless_an_array(there: Any, host: Any) -> Any:
        return transfers.refuse("an array of NumPy")() if host.ndim else copy(there, host)

    return patch.object(copies, "_copy_from_numpy_into", copy_unless_an_array)
