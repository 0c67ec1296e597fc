"""Adadelta: steps over the ratio of the root mean squares of changes and gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero, zero_to_one
from xgrad.optim.table import Implementation, LearningRate, Maximize, WeightDecay, given
from xgrad.optim.update_rule import Moment, direction


class Adadelta(Optimizer):
    """Adadelta: each element of the step is its gradient, times the ratio of two running root mean squares.

    At each step, for the gradient g and moments v and u that start at 0::

        v = rho * v + (1 - rho) * g**2                    # square_avg
        d = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * d**2                    # acc_delta
        p = p - lr * d

    The state of a parameter holds the moments under these names, and `step`, the number of steps.

    Zeiler, https://arxiv.org/abs/1212.5701, Algorithm 1, with a learning rate.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.Adadelta([w], lr=0.5, rho=0.75, eps=1.0)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(3).tolist()                       # 1 - 0.5 * 3 / sqrt(0.25 * 9 + 1)
    [0.168]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {"square_avg": Moment(), "acc_delta": Moment()}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1.0,
        rho: Annotated[float, zero_to_one, "the decay rate of the moments v and u"] = 0.9,
        eps: Annotated[float, at_least_zero, "is added under both roots; it starts the motion"] = 1e-6,
        weight_decay: WeightDecay = 0,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        return {"share": 1 - o.rho, "decays": bool(o.weight_decay)}

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, v: Any, u: Any) -> Any:
        g = direction(n, p, g)
        square = n.share * g
        square *= g
        v *= n.rho
        v += square
        return (v,)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, v: Any, u: Any) -> Any:
        change = xp.sqrt((u + n.eps) / (v + n.eps))
        change *= direction(n, p, g)
        square = n.share * change
        square *= change
        change *= n.lr
        u *= n.rho
        u += square
        p -= change
        return p, u
