"""Clipping of gradients: by their norm together, or each element."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of all the tensors together, as one vector.

    Args:
        tensors: one tensor or several, all on one backend. Those without elements add nothing. They need not be gradients.
        norm_type: the order of the norm, more than 0; `math.inf` for the largest absolute value.
        error_if_nonfinite: whether to raise an error if the norm is nan or infinite. This waits for the device.
        foreach: an argument of PyTorch's, without effect here.

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
    held = _list(tensors)
    if not held:
        raise ValueError("get_total_norm: there are no tensors; give at least one")
    total = _norm(held, norm_type)
    if error_if_nonfinite and not math.isfinite(norm := total.item()):
        raise RuntimeError(
            f"the gradients' norm of order {norm_type} is {norm}: it cannot be clipped. "
            "Pass error_if_nonfinite=False to clip all the same."
        )
    return total


def _norm(tensors: list[Tensor], order: float) -> Tensor:
    """The norm of order `order` of the tensors together, without a gradient."""
    vector_norm = xg.linalg.vector_norm
    with xg.no_grad():
        # An empty one counts for the dtype and the backend only.
        norms = [vector_norm(t, ord=order) if 0 not in t.shape else xg.abs(xg.sum(t)) for t in _wide(tensors)]
        if len(norms) == 1:
            return norms[0]
        try:
            return vector_norm(_stacked(norms), ord=order)
        except xg.MixedBackendsError as error:
            raise xg.MixedBackendsError(f"get_total_norm: the tensors must be on one backend. {error}") from None


def _stacked(numbers: list[Tensor]) -> Any:
    kinds = {t.dtype for t in numbers}
    widest = xg.result_type(*numbers) if len(kinds) > 1 else None
    return xg.stack(numbers if widest is None else [xg.astype(t, widest, copy=False) for t in numbers])


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by one factor, so that their norm together is at most `max_norm`.

    The factor is max_norm / (norm + 1e-6), or 1 where that is larger.

    Args:
        parameters: a tensor or several. Those without a gradient are left out.
        max_norm: the largest norm to allow, 0 or more; `math.inf` to change nothing.
        norm_type: the order of the norm, more than 0; `math.inf` for the largest absolute value.
        error_if_nonfinite: whether to raise an error if the norm is nan or infinite. Without it, a nan in one gradient makes all
            of them nan, and an infinite norm makes them 0 where they are finite.
        foreach: an argument of PyTorch's, without effect here.

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
    trained = _trained(parameters)
    if not trained:
        nothing: Tensor = xg.zeros(())
        return nothing
    total = get_total_norm([g for _, g in trained], norm_type, error_if_nonfinite)
    _scale(trained, max_norm, total)
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Any,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients by one factor, as `clip_grad_norm_` does, for a norm that is known.

    The factor is max_norm / (total_norm + 1e-6), or 1 where that is larger.

    Args:
        parameters: a tensor or several. Those without a gradient are left out.
        max_norm: the largest norm to allow, 0 or more.
        total_norm: the norm of the gradients together: a 0-d tensor, as `get_total_norm` gives it, or a number.
        foreach: an argument of PyTorch's, without effect here.

    Raises:
        ValueError: for a `max_norm` that is negative or nan.
        TypeError: for gradients of several backends.

    >>> import xgrad as xg
    >>> w = xg.asarray([3.0, 4.0], requires_grad=True)
    >>> xg.sum(w * w / 2).backward()
    >>> xg.nn.utils.clip_grads_with_norm_([w], 1.0, xg.nn.utils.get_total_norm([w.grad]))
    >>> w.grad.numpy().round(3).tolist()
    [0.6, 0.8]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grads_with_norm_.html
    """
    if not max_norm >= 0:
        raise ValueError(f"max_norm must be 0 or more, got {max_norm!r}")
    _scale(_trained(parameters), max_norm, total_norm)


def _scale(trained: Trained, max_norm: float, total: Any) -> None:
    """Multiply the gradients by max_norm / (total + 1e-6), if that is less than 1. A nan stays nan."""
    with xg.no_grad():
        factor = xg.clip(xg.asarray(max_norm / (total + 1e-6)), max=1.0)
        factors = {factor.dtype: factor}
        clipped = []
        for g in _wide([g for _, g in trained]):
            if g.dtype not in factors:
                factors[g.dtype] = xg.astype(factor, g.dtype)
            clipped.append(g * factors[g.dtype])
    for (p, _), g in zip(trained, clipped, strict=True):
        p.grad = g if g.dtype == p.dtype else xg.astype(g, p.dtype)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clip every element of every gradient to [-clip_value, clip_value].

    Args:
        parameters: a tensor or several, of real dtypes. Those without a gradient are left out.
        clip_value: the largest absolute value to allow, 0 or more.
        foreach: an argument of PyTorch's, without effect here.

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
    trained = _trained(parameters)
    with xg.no_grad():
        clipped = [xg.clip(g, -clip_value, clip_value) for _, g in trained]
    for (p, _), g in zip(trained, clipped, strict=True):
        p.grad = g


Trained = list[tuple[Tensor, Tensor]]  # parameters with their gradients


def _trained(parameters: Tensor | Iterable[Tensor]) -> Trained:
    return [(p, p.grad) for p in _list(parameters) if p.grad is not None]


def _list(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _wide(tensors: list[Tensor]) -> list[Any]:
    """The tensors, in float32 where their dtype is too narrow for sums."""
    narrow = {t.dtype: t for t in tensors}
    narrow = {dtype: t for dtype, t in narrow.items() if dtype in t.__array_namespace__().narrow_dtypes}
    return [xg.astype(t, "float32") if t.dtype in narrow else t for t in tensors] if narrow else tensors
