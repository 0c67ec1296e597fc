"""An optimizer's update rule on CuPy's arrays: one kernel for a parameter, or one for all parameters of a group."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from xgrad.backends.rule_source import PER_BLOCK, THREADS, capacity, kernel_source

CTYPES = {"f": "float", "d": "double"}


class Fused:
    """An optimizer's update rule as one kernel, which overwrites the old values.

    For one parameter, `cupy.fuse` traces the rule, once for each set of flags and dtypes. For several, `together` launches a
    kernel of our own. Numbers are arguments of the kernels, so they may change from step to step.
    """

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule
        self.kernels: dict[Any, Callable[..., None]] = {}
        self.of_many: dict[Any, Any] = {}  # None for a rule that has no source

    def __call__(self, xp: Any, arrays: tuple[Any, ...], numbers: tuple[float, ...], flags: Any) -> tuple[Any, ...]:
        kernel = self.kernels.get(flags)
        if kernel is None:
            kernel = self.kernels[flags] = import_module("cupy").fuse(self.kernel_of(xp, len(arrays), flags))
        kernel(*arrays, *numbers)
        return arrays[0], *arrays[2:]

    def kernel_of(self, xp: Any, count: int, flags: Any) -> Callable[..., None]:
        """The function to trace: it takes all arrays and numbers, returns nothing, and writes into all arrays except g."""

        def xgrad_optimizer(*values: Any) -> None:
            arrays = values[:count]
            new = self.rule(xp, arrays, values[count:], flags)
            for array, value in zip((arrays[0], *arrays[2:]), new, strict=True):
                if value is not array:
                    array[...] = value

        return xgrad_optimizer

    def together(self, xp: Any, several: list[tuple[Any, ...]], numbers: tuple[float, ...], flags: Any) -> None:
        """Update several parameters, each with its arrays (p, g, *moments), in place.

        Parameters whose arrays share a dtype and a memory order are updated by one launch for about 70 of them. What does not
        fit is updated by one launch for each.
        """
        alike: dict[Any, list[tuple[Any, ...]]] = {}
        for arrays in several:
            alike.setdefault(kind_of(arrays), []).append(arrays)
        for kind, parameters in alike.items():
            kernel = self.kernel_of_many(kind, len(parameters[0]), numbers, flags) if len(parameters) > 1 else None
            if kernel is None:
                for arrays in parameters:
                    self(xp, arrays, numbers, flags)
                continue
            most = capacity(len(parameters[0]))
            for i in range(0, len(parameters), most):
                blocks, arguments = launch(parameters[i : i + most], numbers)
                kernel((blocks,), (THREADS,), arguments)

    def kernel_of_many(self, kind: str | None, count: int, numbers: tuple[float, ...], flags: Any) -> Any:
        """The kernel for several parameters, or None, after a warning, for a rule or a compiler that gives none."""
        key = kind, count, flags
        if kind is not None and key not in self.of_many:
            self.of_many[key] = None
            try:
                source = kernel_source(self.rule, count, len(numbers), flags, CTYPES[kind])
                kernel = import_module("cupy").RawKernel(source, "xgrad_optimizers")
                kernel.compile()
                self.of_many[key] = kernel
            except Exception as error:
                text = f"{type(error).__name__}: {error}".partition("\n")[0]
                warnings.warn(
                    f"each parameter is updated by a kernel of its own ({text})", RuntimeWarning, stacklevel=2
                )
        return self.of_many.get(key)


@cache
def fused(rule: Callable[..., Any]) -> Fused:
    """The kernels of a rule, which all its optimizers share."""
    return Fused(rule)


def kind_of(arrays: tuple[Any, ...]) -> str | None:
    """The code of the dtype of the arrays, if they share one and are in one order in memory. Otherwise None."""
    code = arrays[0].dtype.char
    if code not in CTYPES or any(array.dtype.char != code for array in arrays) or not arrays[0].size:
        return None
    in_order = (all(getattr(array.flags, order) for array in arrays) for order in ("c_contiguous", "f_contiguous"))
    return code if any(in_order) else None


def launch(parameters: list[tuple[Any, ...]], numbers: tuple[float, ...]) -> tuple[int, tuple[Any, ...]]:
    """The number of blocks of a launch, and its arguments.

    The table is passed by value: nothing is allocated or copied to the device, and a CUDA graph can record the launch.
    """
    np = import_module("numpy")
    count = len(parameters[0])
    most = capacity(count)
    table = np.zeros(
        1, dtype=[("first", np.int64, most), ("size", np.int64, most), ("address", np.int64, (most, count))]
    )
    blocks = 0
    for i, arrays in enumerate(parameters):
        table["first"][0, i], table["size"][0, i] = blocks, arrays[0].size
        table["address"][0, i] = list(map(address, arrays))
        blocks += -(-arrays[0].size // PER_BLOCK)
    of_kind = arrays[0].dtype.type
    return blocks, (table, np.int32(len(parameters)), *map(of_kind, numbers))


def address(array: Any) -> int:
    """Where the array's memory is on the device."""
    return int(array.data.ptr)
