"""How a special function is declared. Its arguments become tensors of one floating-point dtype.

Integers and booleans are converted to the default floating-point dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.refusal import ROWS
from xgrad.engine.arguments import unwrap
from xgrad.engine.op import DerivativeRule, Elementwise
from xgrad.engine.reading import noting
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.data_type import cast
from xgrad.rules.declare import of_one_array, published


def arrays(name: str, *args: Any) -> list[Tensor]:
    """The arguments as tensors of one backend and one floating-point dtype: the default dtype, if none of them has one."""
    if _are_alike(args):
        return list(args)
    backend, raws, _ = unwrap(name, args)
    dtypes = [raw.dtype for raw in raws if hasattr(raw, "shape")]
    dtype = dtypes[0] if len(dtypes) == 1 else backend.library.result_type(*dtypes)
    if backend.library.isdtype(dtype, ("bool", "integral")):
        dtype = backend.default_dtype
    lifted = [raw if hasattr(raw, "shape") else backend.asarray(raw, dtype) for raw in raws]
    tensors = [arg if isinstance(arg, Tensor) else wrap(raw, backend) for arg, raw in zip(args, lifted, strict=True)]
    return [t if t.dtype == dtype else cast(t, dtype) for t in tensors]


def _are_alike(args: Sequence[Any]) -> bool:
    """Whether all are tensors of one backend and one floating-point dtype, so that nothing has to be converted."""
    first = args[0]
    if noting or not isinstance(first, Tensor) or not first.backend.is_inexact(first.dtype):
        return False
    backend, dtype = first.backend, first.dtype
    return all(isinstance(x, Tensor) and x.backend is backend and x.dtype == dtype for x in args)


def floating(name: str, x: Any) -> Tensor:
    """An array or a number as a floating-point tensor."""
    if isinstance(x, Tensor) and x.backend.is_inexact(x.dtype):
        return x
    return arrays(name, x)[0]


def of_one(
    name: str, row: str, rule: DerivativeRule, raw: Callable[..., Any] | None = None, see: str = ""
) -> Callable[[Any], Tensor]:
    """Declare a function of one array that acts on each element. `rule` computes g times its derivative.

    `raw(xp, x)` computes it on raw arrays, for a function that no library has.
    """
    if raw is not None:
        ROWS[name] = raw
    function_of_float = of_one_array(Elementwise(name, ("x",), (rule,)))

    def function(x: Any, /) -> Tensor:
        known = type(x) is Tensor and x.layout is not None
        return function_of_float(x if known else floating(name, x))

    return published(function, name, row, "rule", see)


def root_pi(xp: Any, like: Any, factor: float = 1.0) -> Any:
    """The square root of pi times a factor, in the precision of the dtype, which may be higher than that of Python's floats."""
    return xp.sqrt(xp.acos(xp.asarray(-1.0, dtype=like.dtype)) * factor)


class InTheLast(Elementwise):
    """A function with a known derivative by its last argument only. A derivative by another one raises NotImplementedError."""

    def _check(self, moving: Sequence[Any]) -> None:
        for name, moves in zip(self.arguments[:-1], moving, strict=False):
            if moves is not None:
                raise NotImplementedError(
                    f"{self.name}: the derivative by {name} is not known. If you do not need it, call {name}.detach() first."
                )

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        self._check(parents)
        return super().pull(xp, g, parents, saved, static)

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        self._check(tangents)
        return super().push(xp, tangents, saved, static)
