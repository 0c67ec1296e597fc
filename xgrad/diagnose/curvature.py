"""How steep the loss is: the largest eigenvalue of its Gauss-Newton matrix, to which a step size must fit."""

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
    """Of J^T H J, J the Jacobian of the output by the parameters and H the Hessian of the loss by the output.

    Power iteration on products with it, from the gradient. The Hessian itself is of no use here: its largest eigenvalue is often
    negative in just the runs that blow up. 0 where no parameter changes the output, nan or inf where something is not finite.
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
    """The Euclidean norm of all elements together; scaled, since a square may overflow where it does not."""
    largest = max((float(xg.max(xg.abs(t)).item()) for t in tensors if t.size), default=0.0)
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(sum(float(xg.sum(xg.square(t / largest)).item()) for t in tensors))
