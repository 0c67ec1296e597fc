"""The arguments of linear algebra: matrices as tensors of floating-point numbers, and options of SciPy's that only give hints."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import floating, has_tensor, is_complex, tensors
from xgrad.scipy.plain import on_tensors

F = TypeVar("F", bound=Callable[..., Any])
HINTS = frozenset({"check_finite", "overwrite_a", "overwrite_b", "overwrite_ab", "lapack_driver", "driver", "lwork"})


def of_matrices(name: str) -> Callable[[F], F]:
    """The decorator `on_tensors` for a function of scipy.linalg.

    Options that say how SciPy computes (`overwrite_a`, `check_finite`, `lapack_driver` ...) have no effect on tensors.
    """

    def decorate(function: F) -> F:
        computes = on_tensors(f"linalg.{name}")(function)

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            if has_tensor([*args, *options.values()]):
                options = {option: value for option, value in options.items() if option not in HINTS}
            return computes(*args, **options)

        return call  # type: ignore[return-value]

    return decorate


def matrices(name: str, *values: Any) -> tuple[Tensor, ...]:
    """Stacks of matrices as tensors. Integers become the default floating-point dtype. ValueError for less than two axes."""
    found = tuple(floating(x) for x in tensors(f"scipy.linalg.{name}", *values))
    for x in found:
        if x.ndim < 2:
            raise ValueError(
                f"{name}: a matrix, or a stack of them, has two axes or more; this has shape {tuple(x.shape)}"
            )
    return found


def squares(name: str, *values: Any) -> tuple[Tensor, ...]:
    """The same for square matrices."""
    found = matrices(name, *values)
    for x in found:
        check_square(name, x)
    return found


def check_square(name: str, x: Tensor) -> None:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}: the matrix must be square, of shape (..., n, n), not {tuple(x.shape)}")


def alike(*arrays: Tensor) -> tuple[Tensor, ...]:
    """The arrays in the dtype that they promote to."""
    dtype = xg.result_type(*arrays)
    return tuple(x if x.dtype == dtype else xg.astype(x, dtype) for x in arrays)


def adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose."""
    turned = xg.matrix_transpose(x)
    return xg.conj(turned) if is_complex(x) else turned


def identity(like: Tensor, n: int | None = None) -> Tensor:
    """The identity matrix on the device and in the dtype of a stack of matrices."""
    one: Tensor = xg.eye(like.shape[-1] if n is None else n, dtype=like.dtype, device=like.device)
    return one


def as_complex(x: Tensor) -> Tensor:
    """x as complex numbers of its precision."""
    return x if is_complex(x) else xg.from_parts(x, xg.zeros_like(x))


def not_for_tensors(name: str, **options: Any) -> None:
    """Raise NotImplementedError for an option that is given and that tensors do not have."""
    for option, value in options.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"{name}: {option}={value!r} is for plain arrays only. Leave it out for a tensor")
