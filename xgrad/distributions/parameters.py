"""The parameters of a distribution as tensors, and probabilities as logits."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and arrays as floating-point tensors of one shape. Numbers take the dtype of the arrays."""
    arrays = [as_array(value) for value in values]
    # A tensor that has the shape already stays itself: then backward() may be called for each of several results.
    try:
        pairs = zip(arrays, xg.broadcast_arrays(*arrays), strict=True)
    except ValueError:
        shapes = " and ".join(str(tuple(getattr(a, "shape", ()))) for a in arrays)
        raise ValueError(f"the parameters of a distribution have the shapes {shapes}, which do not broadcast") from None
    return tuple(floating(a if isinstance(a, Tensor) and a.shape == b.shape else b) for a, b in pairs)


def as_array(value: Any) -> Any:
    """A list as a tensor; anything else as it is."""
    return xg.asarray(value) if isinstance(value, list | tuple) else value


def floating(t: Tensor) -> Tensor:
    """Integers and booleans in the default floating-point dtype."""
    return t if xg.isdtype(t.dtype, "real floating") else xg.astype(t, xg.get_default_dtype())


def like(t: Tensor, value: Any) -> Tensor:
    """A value that a user gives, on the backend and in the floating-point dtype of a parameter."""
    if isinstance(value, Tensor):
        return value if xg.isdtype(value.dtype, "real floating") else xg.astype(value, t.dtype)
    found: Tensor = t.__array_namespace__().asarray(value)
    return found if hasattr(value, "dtype") and xg.isdtype(found.dtype, "real floating") else xg.astype(found, t.dtype)


def one_of(name: str, probs: Any, logits: Any) -> None:
    if (probs is None) == (logits is None):
        raise ValueError(f"{name}: give either probs or logits, not {'both' if logits is not None else 'neither'}")


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities away from 0 and 1 by the precision of their dtype, so that their logits are finite."""
    eps = xg.finfo(probs.dtype).eps
    return xg.clip(probs, eps, 1 - eps)


def binary_logits(probs: Tensor) -> Tensor:
    """The logits of probabilities of yes and no."""
    clamped = clamp_probs(probs)
    return xg.log(clamped) - xg.log1p(-clamped)


def xlogy(x: Any, y: Tensor) -> Tensor:
    """x * log(y), and 0 where x is 0."""
    return xg.special.xlogy(x, y)


def sum_rightmost(value: Tensor, ndim: int) -> Tensor:
    return xg.sum(value, axis=tuple(range(-ndim, 0))) if ndim else value


def filled(t: Tensor, number: float) -> Tensor:
    return xg.full_like(t, number)
