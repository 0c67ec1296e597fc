"""Clipping of gradients: by their norm together, or each element."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.shapes import wide


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all elements of all the tensors together, as one vector.

    Args:
        tensors: at least one tensor, all on one backend. Those without elements add nothing. They need not be gradients.
        norm_type: the order of the norm, more than 0; `math.inf` for the largest absolute value.
        error_if_nonfinite: whether to raise an error if the norm is nan or infinite. This waits for the device.

    Returns:
        A 0-d tensor without a gradient: of float32 for tensors of half precision, else of their widest real dtype.

    Raises:
        ValueError: for no tensors, or an order that is not more than 0.
        TypeError: for tensors of several backends.
        RuntimeError: with `error_if_nonfinite`, for a norm that is nan or infinite.

    >>> import xgrad as xg
    >>> xg.nn.utils.get_total_norm([xg.asarray([1.0, 2.0]), xg.asarray([[2.0]])]).item()
    3.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html
    """
    if not norm_type > 0:
        raise ValueError(f"norm_type must be more than 0 (math.inf is the largest absolute value), got {norm_type!r}")
    held = list(tensors)
    if not held:
        raise ValueError("get_total_norm: there are no tensors; give at least one")
    backend = held[0].backend
    for t in held:
        if t.backend is not backend:
            raise TypeError(f"get_total_norm: the tensors must be on one backend, got {backend} and {t.backend}")
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
            "Pass error_if_nonfinite=False to clip all the same."
        )
    return wrap(xp.asarray(total), backend)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor, so that their norm together is at most `max_norm`.

    The factor is max_norm / (norm + 1e-6), or 1 where that is larger.

    Args:
        parameters: a tensor or several. Those without a gradient are left out.
        max_norm: the largest norm to allow, 0 or more; `math.inf` to change nothing.
        norm_type: the order of the norm, more than 0; `math.inf` for the largest absolute value.
        error_if_nonfinite: whether to raise an error if the norm is nan or infinite. Without it, a nan in one gradient makes all
            of them nan, and an infinite norm makes them 0 where they are finite.

    Returns:
        The norm before clipping, as a 0-d tensor; 0 where there are no gradients.

    Raises:
        ValueError: for a `max_norm` that is negative or nan, or an order that is not more than 0.
        TypeError: for gradients of several backends.
        RuntimeError: with `error_if_nonfinite`, for a norm that is nan or infinite. After any error no gradient has changed.

    >>> import xgrad as xg
    >>> w = xg.asarray([3.0, 4.0], requires_grad=True)
    >>> xg.sum(w * w / 2).backward()
    >>> xg.nn.utils.clip_grad_norm_([w], 1.0).item()
    5.0
    >>> w.grad.numpy().round(3).tolist()
    [0.6, 0.8]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
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
    """Clip every element of every gradient to [-clip_value, clip_value].

    Args:
        parameters: a tensor or several, of real dtypes. Those without a gradient are left out.
        clip_value: the largest absolute value to allow, 0 or more.

    Raises:
        ValueError: for a `clip_value` that is negative or nan.

    >>> import xgrad as xg
    >>> w = xg.asarray([0.5, -3.0], requires_grad=True)
    >>> xg.sum(w * w).backward()
    >>> xg.nn.utils.clip_grad_value_([w], 2.0)
    >>> w.grad.numpy().tolist()
    [1.0, -2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
    """
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
