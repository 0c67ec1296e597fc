"""RAdam: Adam that corrects for the variance of its second moment."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.table import Betas, Decoupled, Eps, Implementation, LearningRate, Maximize, WeightDecay, given
from xgrad.optim.update_rule import Moment, decay_rates, direction, roll_two_moments


class RAdam(Optimizer):
    """RAdam: Adam that leaves out the second moment while it is too uncertain, and corrects for its variance later.

    At step t = 1, 2, ..., for the gradient g and moments m and v that start at 0::

        m = beta1 * m + (1 - beta1) * g                   # exp_avg
        v = beta2 * v + (1 - beta2) * g**2                # exp_avg_sq
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        r_inf = 2 / (1 - beta2) - 1
        r = r_inf - 2 * t * beta2**t / (1 - beta2**t)
        p = p - lr * m_hat                                # if r <= 5
        p = p - lr * m_hat / (sqrt(v_hat) + eps) * c      # if r > 5
        # c = sqrt((r - 4) * (r - 2) * r_inf / ((r_inf - 4) * (r_inf - 2) * r))

    `eps` is added to sqrt(v), before the correction, as in PyTorch. The state of a parameter holds the moments under these names,
    and `step`, which is t.

    Liu et al., https://arxiv.org/abs/1908.03265, Algorithm 2.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.RAdam([w], lr=0.25)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.25]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {"exp_avg": Moment(), "exp_avg_sq": Moment()}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: Eps = 1e-8,
        weight_decay: WeightDecay = 0,
        decoupled_weight_decay: Decoupled = False,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        beta1, beta2 = o.betas
        correction = 1 - beta2**t
        most = 2 / (1 - beta2) - 1
        length = most - 2 * t * beta2**t / correction  # of a simple moving average that would be as certain as v
        rate, rectified = o.lr / (1 - beta1**t), length > 5
        if rectified:
            rate *= sqrt(correction * (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length))
        return {
            **decay_rates(o),
            "rate": rate,
            "rectified": rectified,
            "shrink": 1 - o.lr * o.weight_decay,
            "decays": bool(o.weight_decay) and not o.decoupled_weight_decay,
            "shrinks": bool(o.weight_decay) and o.decoupled_weight_decay,
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        return roll_two_moments(n, direction(n, p, g), m, v)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        change = n.rate * m
        if n.rectified:
            below = xp.sqrt(v)
            below += n.eps
            change /= below
        if n.shrinks:
            p *= n.shrink
        p -= change
        return (p,)
