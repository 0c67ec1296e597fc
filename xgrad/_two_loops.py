"""The two-loop recursion of L-BFGS: a direction from the gradient and the latest steps."""

from __future__ import annotations

from typing import Any, NamedTuple

Vector = Any  # a tensor, or a raw array: the recursion uses operators only


class Correction(NamedTuple):
    """What one step has shown of the curvature."""

    change: Vector  # y: how the gradient changed
    step: Vector  # s: how the weights moved
    inverse: Any  # rho = 1 / (y . s), a number or a 0-d tensor


def direction(gradient: Vector, corrections: list[Correction], scale: float) -> Vector:
    """The direction -H g, for the inverse Hessian H that is made of the corrections, from `scale` times the identity.

    Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 7.4.

    Args:
        gradient: a vector.
        corrections: the latest steps, oldest first.
        scale: what stands for the inverse Hessian before the corrections.
    """
    q = -gradient
    shares = []
    for change, step, inverse in reversed(corrections):
        share = (step @ q) * inverse
        q = q - share * change
        shares.append(share)
    r = q * scale
    for (change, step, inverse), share in zip(corrections, reversed(shares), strict=True):
        r = r + (share - (change @ r) * inverse) * step
    return r
