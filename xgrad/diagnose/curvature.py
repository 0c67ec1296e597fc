"""The curvature of the loss: the largest eigenvalue of its Gauss-Newton matrix, which limits the step size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.diagnose.network import Functional

ROUNDS = 30
ENOUGH = 0.01  # relative change of the estimate


def largest_eigenvalue(model: nn.Module, loss: Callable[[Any, Any], xg.Tensor], x: xg.Tensor, y: xg.Tensor) -> float:
    """The largest eigenvalue of J^T H J.

    J is the Jacobian of the output by the parameters, and H the Hessian of the loss by the output.
    It is found by power iteration, which starts at the gradient. The Hessian of the whole loss would not do, because its
    eigenvalue of largest magnitude is often negative in runs that diverge. The result is 0 if no parameter changes the output,
    and nan or inf if a value is not finite.
    """
    call = Functional(model)
    parameters = [p.detach() for p in call.parameters]
    with xg.no_grad():
        output, push = xg.linearize(lambda *tensors: call(tensors, x), *parameters)
        _, pull = xg.vjp(lambda *tensors: call(tensors, x), *parameters)
        by_output = xg.grad(lambda out: loss(out, y))
        slope, curve = xg.linearize(by_output, output)
        vector = list(pull(slope))
        estimate = 0.0
        for _ in range(ROUNDS):
            length = norm(vector)
            if length == 0 or not math.isfinite(length):
                return length
            vector = [v / length for v in vector]
            vector = list(pull(curve(push(*vector))))
            before, estimate = estimate, norm(vector)
            if abs(estimate - before) <= ENOUGH * estimate:
                break
    return estimate


def norm(tensors: Sequence[xg.Tensor]) -> float:
    """The Euclidean norm of all elements together, scaled so that no square overflows."""
    largest = max((float(xg.max(xg.abs(t)).item()) for t in tensors if t.size), default=0.0)
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(sum(float(xg.sum(xg.square(t / largest)).item()) for t in tensors))
