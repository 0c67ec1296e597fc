"""RMSprop: steps divided by a running root mean square of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero, flag
from xgrad.optim.table import Eps, LearningRate, Maximize, Momentum, WeightDecay, given
from xgrad.optim.update_rule import Moment, direction


class RMSprop(Optimizer):
    """`v = alpha * v + (1 - alpha) * g * g; p -= lr * g / (sqrt(v) + eps)`, with momentum on the scaled gradient.

    Hinton, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf, page 29. `centered` is equation 38 to 41 of
    Graves, https://arxiv.org/abs/1308.0850: with m = alpha * m + (1 - alpha) * g, divide by sqrt(v - m**2) + eps.

    Where g * g overflows (in float32, for elements of g from about 1e20 on), p stands still from then on, as in PyTorch; where it
    underflows (below about 1e-23), g counts as nothing beside `eps`. Clip such gradients, or scale the loss.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.RMSprop([w], lr=0.5, alpha=0.75)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.0]
    """

    moments: ClassVar[Mapping[str, Moment]] = {
        "square_avg": Moment(),
        "grad_avg": Moment(when="centered"),
        "momentum_buffer": Moment(when="momentum"),
    }

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-2,
        alpha: Annotated[float, at_least_zero, "how much of each moment is kept from step to step"] = 0.99,
        eps: Eps = 1e-8,
        weight_decay: WeightDecay = 0,
        momentum: Momentum = 0,
        centered: Annotated[bool, flag, "divide by the standard deviation of the gradients instead"] = False,
        *,
        maximize: Maximize = False,
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        return {"share": 1 - o.alpha, "decays": bool(o.weight_decay)}

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, v: Any, m: Any, velocity: Any) -> Any:
        g = direction(n, p, g)
        part = n.share * g
        square = part * g  # which overflows later than the whole square
        if m is not None:
            m *= n.alpha
            m += part
        v *= n.alpha
        v += square
        return v, m

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, v: Any, m: Any, velocity: Any) -> Any:
        change = xp.sqrt(v)
        if m is not None:  # sqrt(v - m**2): rounded, v - m**2 may fall below 0, and it is nan where both overflow
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
