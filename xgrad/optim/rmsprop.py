"""RMSprop: steps over the running root mean square of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import flag, zero_to_one
from xgrad.optim.table import Eps, Implementation, LearningRate, Maximize, Momentum, WeightDecay, given
from xgrad.optim.update_rule import Moment, direction


class RMSprop(Optimizer):
    """RMSprop: each element of the step is its gradient over the running root mean square of its gradients.

    At each step, for the gradient g and a moment v that starts at 0::

        v = alpha * v + (1 - alpha) * g**2                # square_avg
        p = p - lr * g / (sqrt(v) + eps)

    With `centered`, the denominator is sqrt(v - m**2) + eps for m = alpha * m + (1 - alpha) * g (grad_avg). With `momentum`, a
    velocity u = momentum * u + g / (sqrt(v) + eps) (momentum_buffer) takes the place of the quotient. The state of a parameter
    holds the moments that are in use, under these names, and `step`, the number of steps.

    Hinton, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf, page 29; for `centered`, Graves,
    https://arxiv.org/abs/1308.0850, equations 38 to 41.

    Where g * g overflows (in float32, for elements of g from about 1e20 on), that element of p does not move from then on, as in
    PyTorch. Where it underflows (below about 1e-23), g is small beside `eps`. Clip such gradients, or scale the loss.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.RMSprop([w], lr=0.5, alpha=0.75)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.0]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {
        "square_avg": Moment(),
        "grad_avg": Moment(when="centered"),
        "momentum_buffer": Moment(when="momentum"),
    }

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-2,
        alpha: Annotated[float, zero_to_one, "the decay rate of the moments v and m"] = 0.99,
        eps: Eps = 1e-8,
        weight_decay: WeightDecay = 0,
        momentum: Momentum = 0,
        centered: Annotated[bool, flag, "whether to divide by the running standard deviation instead"] = False,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        return {"share": 1 - o.alpha, "decays": bool(o.weight_decay)}

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, v: Any, m: Any, velocity: Any) -> Any:
        g = direction(n, p, g)
        part = n.share * g
        square = part * g  # overflows later than share * (g * g)
        if m is not None:
            m *= n.alpha
            m += part
        v *= n.alpha
        v += square
        return v, m

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, v: Any, m: Any, velocity: Any) -> Any:
        change = xp.sqrt(v)
        if m is not None:  # sqrt(v - m**2), of which rounding would make a negative root and overflow nan
            size = xp.abs(m)
            change = xp.sqrt(xp.relu(change - size) * (change + size))
        change += n.eps
        change = xp.divide_into(direction(n, p, g), change)  # g / (sqrt(v) + eps)
        if velocity is None:  # no momentum
            change *= n.lr
            p -= change
            return p, None
        velocity = n.momentum * velocity
        velocity += change
        p -= n.lr * velocity
        return p, velocity
