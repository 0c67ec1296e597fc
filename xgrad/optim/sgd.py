"""SGD: steps along the gradient, or along its running sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import finite, flag
from xgrad.optim.table import Implementation, LearningRate, Maximize, Momentum, WeightDecay, given
from xgrad.optim.update_rule import Moment, direction


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov momentum if wanted: p = p - lr * g for the gradient g.

    With `momentum`, a velocity v that starts as the first gradient takes the place of g::

        v = momentum * v + (1 - dampening) * g            # momentum_buffer; v = g at the first step
        p = p - lr * v                                    # with nesterov: p - lr * (g + momentum * v)

    The state of a parameter holds `momentum_buffer`, which is v; without momentum it is empty.

    Sutskever et al., https://proceedings.mlr.press/v28/sutskever13.html, equations 1 to 4, but with the learning rate outside of
    v: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.

    >>> import xgrad as xg
    >>> w = xg.asarray([4.0], requires_grad=True)
    >>> optimizer = xg.optim.SGD([w], lr=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     xg.sum(w).backward()
    ...     optimizer.step()
    >>> w.numpy().tolist()
    [2.75]
    """

    moments: ClassVar[Mapping[str, Moment]] = {"momentum_buffer": Moment(when="momentum")}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-3,
        momentum: Momentum = 0,
        dampening: Annotated[float, finite, "the share of each new gradient that does not enter the velocity"] = 0,
        weight_decay: WeightDecay = 0,
        nesterov: Annotated[
            bool, flag, "whether to use Nesterov momentum, which needs momentum > 0 and dampening = 0"
        ] = False,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    def check_together(self, options: dict[str, Any]) -> None:
        momentum, dampening = options["momentum"], options["dampening"]
        if options["nesterov"] and (momentum == 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum > 0 and dampening = 0, got momentum={momentum} and dampening={dampening}"
            )

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        return {
            "share": 1 - o.dampening,
            "dampened": bool(o.dampening),
            "decays": bool(o.weight_decay),
            "starts": t == 1,
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, v: Any) -> Any:
        g = direction(n, p, g)
        if n.starts:
            return (g * 1,)  # a copy
        if n.dampened:
            g = n.share * g
        v *= n.momentum
        v += g
        return (v,)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, v: Any) -> Any:
        if v is None:  # no momentum
            v = direction(n, p, g)
        elif n.nesterov:
            v = direction(n, p, g) + n.momentum * v
        p -= n.lr * v
        return (p,)
