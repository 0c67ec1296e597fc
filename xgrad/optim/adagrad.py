"""Adagrad: steps over the root of the sum of all squared gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero
from xgrad.optim.table import Eps, Implementation, LearningRate, Maximize, WeightDecay, given
from xgrad.optim.update_rule import Moment, direction


class Adagrad(Optimizer):
    """Adagrad: each element of the step is its gradient over the root of the sum of its squared gradients.

    At step t = 1, 2, ..., for the gradient g and a moment s that starts at `initial_accumulator_value`::

        s = s + g**2                                      # sum
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    The state of a parameter holds `sum`, which is s, and `step`, which is t.

    Duchi, Hazan and Singer, https://jmlr.org/papers/v12/duchi11a.html, Figure 1, with a diagonal matrix.

    Where g * g overflows (in float32, for elements of g from 1.8e19 on), that element of p does not move from then on, as in
    PyTorch. Where it underflows (below about 1e-23), g is small beside `eps`. Clip such gradients, or scale the loss.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.Adagrad([w], lr=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.5]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {"sum": Moment(start="initial_accumulator_value")}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-2,
        lr_decay: Annotated[float, at_least_zero, "how fast the learning rate falls with t"] = 0,
        weight_decay: WeightDecay = 0,
        initial_accumulator_value: Annotated[float, at_least_zero, "what s starts at"] = 0,
        eps: Eps = 1e-10,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        return {"rate": o.lr / (1 + (t - 1) * o.lr_decay), "decays": bool(o.weight_decay)}

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, s: Any) -> Any:
        g = direction(n, p, g)
        s += g * g
        return (s,)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, s: Any) -> Any:
        change = xp.sqrt(s)
        change += n.eps
        change = xp.divide_into(direction(n, p, g), change)  # g / (sqrt(s) + eps)
        change *= n.rate
        p -= change
        return (p,)
