"""LAMB: Adam whose step is in proportion to the norm of the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero, flag
from xgrad.optim.table import Betas, Implementation, LearningRate, Maximize, given
from xgrad.optim.update_rule import Moment, decay_rates, roll_two_moments


class LAMB(Optimizer):
    """LAMB: Adam whose step is, for each parameter as a whole, in proportion to the parameter's norm.

    At step t = 1, 2, ..., for the gradient g and moments m and v that start at 0::

        m = beta1 * m + (1 - beta1) * g                   # exp_avg
        v = beta2 * v + (1 - beta2) * g**2                # exp_avg_sq
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        d = m_hat / (sqrt(v_hat) + eps) + weight_decay * p
        p = p - lr * norm(p) / norm(d) * d

    The ratio of the norms, of which each is over all elements of the parameter, is 1 where one of them is 0. It lets a batch be
    large. The state of a parameter holds the moments under these names, and `step`, which is t.

    You et al., https://arxiv.org/abs/1904.00962, Algorithm 2, with the identity as phi. PyTorch has no LAMB.

    >>> import xgrad as xg
    >>> w = xg.asarray([3.0, 4.0], requires_grad=True)
    >>> optimizer = xg.optim.LAMB([w], lr=0.5, weight_decay=0)
    >>> xg.sum(w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(3).tolist()                       # each moves by 0.5 * 5 / sqrt(2)
    [1.232, 2.232]
    """

    counts_steps = True
    is_elementwise = False
    moments: ClassVar[Mapping[str, Moment]] = {"exp_avg": Moment(), "exp_avg_sq": Moment()}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: Annotated[float, at_least_zero, "is added to the denominator, so that the quotient stays finite"] = 1e-6,
        weight_decay: Annotated[float, at_least_zero, "d becomes `d + weight_decay * p`"] = 1e-2,
        bias_correction: Annotated[bool, flag, "whether to divide the moments by `1 - beta**t`"] = True,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        beta1, beta2 = o.betas
        corrects = o.bias_correction
        return {
            **decay_rates(o),
            "correction": 1 - beta1**t if corrects else 1.0,
            "root_of_correction": sqrt(1 - beta2**t) if corrects else 1.0,
            "decays": bool(o.weight_decay),
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        return roll_two_moments(n, -g if n.maximize else g, m, v)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        below = xp.sqrt(v)
        below /= n.root_of_correction
        below += n.eps
        below *= n.correction
        change = m / below
        if n.decays:
            change += n.weight_decay * p
        of_p, of_change = xp.linalg.vector_norm(p), xp.linalg.vector_norm(change)
        one = xp.ones_like(of_p)
        ratio = xp.where(of_p > 0, of_p, one) / xp.where(of_change > 0, of_change, one)
        ratio = xp.where((of_p > 0) & (of_change > 0), ratio, one)
        change *= ratio * n.lr
        p -= change
        return (p,)
