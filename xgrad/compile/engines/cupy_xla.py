"""A program on CuPy's arrays, computed by XLA on the same memory: arrays go to JAX and come back by DLPack, without a copy."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from xgrad.backends.base import Backend
from xgrad.compile.engines.xla import OnJAX
from xgrad.compile.program import NUMBER, Program


def by_xla(program: Program, backend: Backend) -> OnDLPack | None:
    """The compiled program; None without a JAX that has the backend's device."""
    try:
        jax = import_module("jax")
        devices = jax.devices("cuda")
    except (ImportError, RuntimeError):
        return None
    found = [device for device in devices if str(device.id) == backend.device_name]
    return OnDLPack(program, backend, found[0]) if found else None


class OnDLPack(OnJAX):
    """A compiled program on another library's arrays on a device that JAX has too.

    The caller's memory is never given to XLA to write into: JAX does not own it.
    """

    gives_up = False

    def __init__(self, program: Program, backend: Backend, device: Any) -> None:
        self.jax_device = device
        super().__init__(program, backend)

    def _device(self) -> Any:
        return self.jax_device

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs; see choice.Runner. The run waits until XLA has read the caller's memory."""
        specs, program = self.program.specs, self.program
        from_jax = self.backend.xp.from_dlpack
        with self.backend.entered():
            given = [
                x if specs[n].dtype == NUMBER else self.jax.dlpack.from_dlpack(_in_rows(x))
                for n, x in zip(program.inputs, inputs, strict=True)
            ]
            numbers = self._numbers(inputs)
            with self._settings():
                results = self._checked(self._executable(*self._arguments(given, numbers, owned)))
            self.jax.block_until_ready(results)
            return self._outputs([from_jax(array) for array in results], numbers, inputs)


def _in_rows(array: Any) -> Any:
    """The array with the strides of row-major order, for which the program was compiled.

    JAX looks at the strides of axes of length 1 too.
    """
    stride, strides = array.itemsize, []
    for n in reversed(array.shape):
        strides.append(stride)
        stride *= n
    return array if array.strides == tuple(reversed(strides)) else array.copy(order="C")
