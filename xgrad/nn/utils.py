"""Keeping gradients in bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.shapes import wide


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all elements of all the tensors together, as a 0-d tensor: in float32 for those of half precision.

    Args:
        tensors: at least one, on one backend. Those without elements add nothing.
        norm_type: the order, more than 0; infinity for the largest absolute value.
        error_if_nonfinite: raise RuntimeError if the norm is nan or infinite. This waits for the device.
    """
    if not norm_type > 0:
        raise ValueError(f"norm_type must be more than 0 (math.inf is the largest absolute value), got {norm_type!r}")
    held = list(tensors)
    if not held:
        raise ValueError("there is nothing to take the norm of")
    backend = held[0].backend
    for t in held:
        if t.backend is not backend:
            raise TypeError(f"one norm needs one backend, got tensors of {backend} and of {t.backend}")
    xp = backend.xp
    norms = [xp.asarray(xp.linalg.vector_norm(wide(xp, t.data), ord=norm_type)) for t in held if 0 not in t.shape]
    if not norms:
        total = xp.abs(xp.zeros((), dtype=wide(xp, held[0].data).dtype))
    elif len(norms) == 1:
        total = norms[0]
    else:
        widest = xp.result_type(*norms)
        total = xp.linalg.vector_norm(xp.stack([xp.astype(n, widest) for n in norms]), ord=norm_type)
    if error_if_nonfinite and not math.isfinite(norm := float(backend.to_numpy(total))):
        raise RuntimeError(
            f"the gradients' norm of order {norm_type} is {norm}: it cannot be clipped. "
            "Pass error_if_nonfinite=False to go on all the same."
        )
    return wrap(xp.asarray(total), backend)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor so that their norm together is at most `max_norm`. Returns the norm before.

    Raises ValueError for a `max_norm` that is negative or nan, and what `get_total_norm` raises; then no gradient has
    changed.

    >>> import xgrad as xg
    >>> w = xg.asarray([3.0, 4.0], requires_grad=True)
    >>> xg.sum(w * w / 2).backward()
    >>> xg.nn.utils.clip_grad_norm_([w], 1.0).item()
    5.0
    >>> w.grad.numpy().round(3).tolist()
    [0.6, 0.8]
    """
    if not max_norm >= 0:
        raise ValueError(f"max_norm must be 0 or more, got {max_norm!r}")
    trained = [(p, p.grad) for p in _iterable(parameters) if p.grad is not None]
    if not trained:
        nothing: Tensor = xg.zeros(())
        return nothing
    total = get_total_norm([g for _, g in trained], norm_type, error_if_nonfinite)
    xp = total.backend.xp
    with total.backend.guard:
        factor = max_norm / (total.data + 1e-6)
        factor = xp.where(factor > 1, xp.ones_like(factor), factor)  # nan stays nan
        clipped = [wrap(_scaled(xp, g.data, factor), g.backend) for _, g in trained]
    for (p, _), g in zip(trained, clipped, strict=True):
        p.grad = g
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring every element of every gradient into [-clip_value, clip_value]."""
    if not clip_value >= 0:
        raise ValueError(f"clip_value must be 0 or more, got {clip_value!r}")
    trained = [(p, p.grad) for p in _iterable(parameters) if p.grad is not None]
    clipped = [wrap(p.backend.xp.clip(g.data, -clip_value, clip_value), p.backend) for p, g in trained]
    for (p, _), g in zip(trained, clipped, strict=True):
        p.grad = g


def _scaled(xp: Any, g: Any, factor: Any) -> Any:
    scaled = wide(xp, g)
    return xp.astype(scaled * xp.astype(factor, scaled.dtype), g.dtype, copy=False)


def _iterable(parameters: Tensor | Iterable[Tensor]) -> Iterable[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else parameters
