"""A Case is one way to call a function of the namespace, at a point where it is differentiable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from tests.support.arrays import Host

Call = Callable[..., Any]

CASES: dict[str, list[Case]] = {}  # by the name of the function

COMPLEX_OF = {"float32": "complex64", "float64": "complex128"}


@dataclass(frozen=True)
class Sample:
    """An array to differentiate by. Its values are between low and high, all different, and none is near 0.

    Complex values are in all four quadrants, with both parts of that size.
    """

    shape: tuple[int, ...]
    low: float
    high: float
    is_complex: bool = False
    zero_at: tuple[int, ...] = ()  # these places of the flat array are 0

    def __str__(self) -> str:
        return f"{'complex' if self.is_complex else 'real'}{self.shape}"

    def values(self, seed: int, dtype: str) -> Host:
        if not self.is_complex:
            values = spread(self.shape, self.low, self.high, seed)
            values.reshape(-1)[list(self.zero_at)] = 0.0
            return values.astype(dtype)
        real, imag = (spread(self.shape, self.low, self.high, seed + 40 + k) for k in (0, 7))
        quadrant = np.arange(real.size).reshape(self.shape) + seed
        signs = np.where(quadrant % 2, 1, -1), np.where(quadrant // 2 % 2, 1, -1)
        return (real * signs[0] + 1j * imag * signs[1]).astype(COMPLEX_OF[dtype])


def spread(shape: tuple[int, ...], low: float, high: float, seed: int) -> Host:
    """Numbers between low and high, evenly spread and unordered: a golden-ratio sequence."""
    size = int(np.prod(shape, dtype=int))
    unit = (np.arange(1, size + 1) * 0.6180339887 + seed * 0.7548776662) % 1.0
    values = low + (high - low) * unit
    near_zero = (np.abs(values) < 0.05) & (low < 0 < high)
    return np.where(near_zero, values + 0.1, values).reshape(shape)


def real(*shape: int, low: float = -2.0, high: float = 2.0, zero_at: tuple[int, ...] = ()) -> Sample:
    return Sample(shape, low, high, zero_at=zero_at)


def cplx(*shape: int, low: float = 0.3, high: float = 1.2) -> Sample:
    """A complex array. low and high bound the size of both parts."""
    return Sample(shape, low, high, is_complex=True)


@dataclass(frozen=True, eq=False)
class Case:
    """One way to call a function.

    `args` are the arguments: a Sample stands for an array to differentiate by, a NumPy array for one that is held fixed, and
    anything else is passed as it is. `call(xp, *args)` makes the call if it is not `name(*args, **static)`; xp is any Array API
    namespace. `raw` makes the call on a library that lacks the function. `reference` computes the value from NumPy arrays if
    NumPy lacks the function. `without` names backends whose library refuses the call, which goes beyond the standard.
    """

    name: str
    args: tuple[Any, ...]
    static: dict[str, Any] = field(default_factory=dict)
    call: Call | None = None
    raw: Call | None = None
    reference: Call | None = None
    float32: bool = True  # whether float32 arguments give a float32 result
    rounding: bool = False  # whether a recorded derivative is computed in another way, and equal to rounding only
    heavy: bool = False  # whether it is left out on slow backends, because it is hundreds of operations
    without: tuple[str, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        shown = [str(a) if isinstance(a, Sample) else _fixed(a) for a in self.args]
        shown += [f"{k}={v}" for k, v in self.static.items()]
        return f"{self.name}({', '.join(shown)})" + (f" [{self.note}]" if self.note else "")

    def inputs(self, dtype: str = "float64") -> list[Host]:
        """The arrays to differentiate by, on the host."""
        return [a.values(i, dtype) for i, a in enumerate(self.args) if isinstance(a, Sample)]

    def arguments(self, arrays: Sequence[Any], fixed: Callable[[Host], Any]) -> list[Any]:
        """The arguments, with these arrays for the samples. `fixed` converts a NumPy array that is held fixed."""
        given = iter(arrays)
        return [
            next(given) if isinstance(a, Sample) else fixed(a) if isinstance(a, np.ndarray) else a for a in self.args
        ]

    def function(self, xp: Any) -> Call:
        found: Call = reduce(getattr, self.name.split("."), xp)
        return found

    def run(self, xp: Any, args: Sequence[Any], *, raw: bool = False) -> tuple[Any, ...]:
        """The outputs. `raw` tells that xp is a library, not xgrad."""
        call = (self.raw if raw else None) or self.call
        result = call(xp, *args) if call else self.function(xp)(*args, **self.static)
        return tuple(result) if isinstance(result, tuple | list) else (result,)


def _fixed(value: Any) -> str:
    return f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else repr(value)


def case(
    name: str,
    *args: Any,
    call: Call | None = None,
    raw: Call | None = None,
    reference: Call | None = None,
    float32: bool = True,
    rounding: bool = False,
    heavy: bool = False,
    without: tuple[str, ...] = (),
    note: str = "",
    **static: Any,
) -> None:
    """Add a case for a function."""
    CASES.setdefault(name, []).append(
        Case(name, args, static, call, raw, reference, float32, rounding, heavy, without, note)
    )
