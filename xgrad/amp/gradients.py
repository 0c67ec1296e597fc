"""The gradients of an optimizer's parameters: dividing them by the scale, and whether they are finite."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor


def unscale(optimizer: Any, factor: float) -> list[Tensor]:
    """Multiply each gradient by a factor. Returns whether all are finite: a 0-d tensor of a bool on each backend, not yet read.

    Raises ValueError for a gradient of float16. Then none has changed.
    """
    trained = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    for p in trained:
        if p.grad.dtype == getattr(p.backend.library, "float16", None):
            raise ValueError(
                f"unscale_: a gradient of shape {p.shape} has dtype float16, in which small gradients would become 0. "
                "Keep the parameters in float32, and compute under xgrad.amp.autocast"
            )
    finite: dict[Any, list[Tensor]] = {}
    with xg.no_grad():
        gradients = []
        for p in trained:
            g = p.grad.detach()
            finite.setdefault(g.backend, []).append(xg.all(xg.isfinite(g)))
            gradients.append(g * factor)
        together = [flags[0] if len(flags) == 1 else xg.all(xg.stack(flags)) for flags in finite.values()]
    for p, g in zip(trained, gradients, strict=True):
        p.grad = g
    if any(backend.defers for backend in finite):
        xg.persist(gradients, together)
    return together


def are_finite(flags: list[Tensor]) -> bool:
    """Read whether the gradients on each backend are finite."""
    return all(bool(flag.item()) for flag in flags)
