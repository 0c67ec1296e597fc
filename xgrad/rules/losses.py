"""Losses that have their own rule. Others are in network.py and ctc.py."""

from __future__ import annotations

from typing import Any

from xgrad.rules.declare import elementwise
from xgrad.rules.documentation import PYTORCH


def _logarithms(xp: Any, x: Any) -> tuple[Any, Any]:
    """log(x) and log(1 - x), at least -100."""
    zero, one, least = (xp.asarray(value, dtype=x.dtype) for value in (0.0, 1.0, -100.0))
    no, yes = x == 0, x == 1
    log_x = xp.where(no, least, xp.maximum(xp.log(xp.where(no, one, x)), least))
    return log_x, xp.where(yes, least, xp.maximum(xp.log1p(-xp.where(yes, zero, x)), least))


def _value(xp: Any, x1: Any, x2: Any) -> Any:
    log_x, log_rest = _logarithms(xp, x1)
    return -(x2 * log_x + (1 - x2) * log_rest)


def _by_target(xp: Any, g: Any, x1: Any) -> Any:
    log_x, log_rest = _logarithms(xp, x1)
    return g * (log_rest - log_x)


binary_cross_entropy = elementwise(
    "binary_cross_entropy",
    "-x2 * log(x1) - (1 - x2) * log(1 - x1), with logarithms of at least -100. binary_cross_entropy(0.5, 1.0) = 0.6931",
    lambda xp, g, x1, x2: g * (x1 - x2) / xp.maximum(x1 * (1 - x1), 1e-12),
    _by_target,
    raw=_value,
    see=PYTORCH.format("nn.functional.binary_cross_entropy"),
)
