"""Adamax: steps over the largest gradient so far, of which old ones decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.table import Betas, Eps, Implementation, LearningRate, Maximize, WeightDecay, given
from xgrad.optim.update_rule import Moment, direction


class Adamax(Optimizer):
    """Adamax: each element of the step is the mean of its gradients over the largest of them, of which old ones decay.

    At step t = 1, 2, ..., for the gradient g and moments m and u that start at 0::

        m = beta1 * m + (1 - beta1) * g                   # exp_avg
        u = max(beta2 * u, abs(g) + eps)                  # exp_inf
        p = p - lr / (1 - beta1**t) * m / u

    The state of a parameter holds the moments under these names, and `step`, which is t.

    Kingma and Ba, https://arxiv.org/abs/1412.6980, Algorithm 2.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.Adamax([w], lr=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.5]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {"exp_avg": Moment(), "exp_inf": Moment()}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: Eps = 1e-8,
        weight_decay: WeightDecay = 0,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        beta1, beta2 = o.betas
        return {
            "beta1": beta1,
            "beta2": beta2,
            "share": 1 - beta1,
            "rate": o.lr / (1 - beta1**t),
            "decays": bool(o.weight_decay),
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, m: Any, u: Any) -> Any:
        g = direction(n, p, g)
        size = xp.abs(g)
        size += n.eps
        u = xp.maximum(n.beta2 * u, size)
        part = n.share * g
        m *= n.beta1
        m += part
        return m, u

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, m: Any, u: Any) -> Any:
        change = m / u
        change *= n.rate
        p -= change
        return (p,)
