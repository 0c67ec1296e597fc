"""Lion: steps of one length, in the direction of the mean of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.table import Betas, Implementation, LearningRate, Maximize, Shrinking, given
from xgrad.optim.update_rule import Moment


class Lion(Optimizer):
    """Lion: each element moves by `lr`, in the direction of an average of its gradients.

    At each step, for the gradient g and a moment m that starts at 0::

        p = p * (1 - lr * weight_decay) - lr * sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g                   # exp_avg

    Take a learning rate three to ten times smaller than with AdamW, and a weight decay that is as many times larger. The state of
    a parameter holds `exp_avg`.

    Chen et al., https://arxiv.org/abs/2302.06675, Algorithm 2. PyTorch has no Lion.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0, -1.0], requires_grad=True)
    >>> optimizer = xg.optim.Lion([w], lr=0.25)
    >>> xg.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.numpy().tolist()
    [0.75, -0.75]
    """

    moments: ClassVar[Mapping[str, Moment]] = {"exp_avg": Moment()}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-4,
        betas: Betas = (0.9, 0.99),
        weight_decay: Shrinking = 0,
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
            "share1": 1 - beta1,
            "beta2": beta2,
            "share2": 1 - beta2,
            "shrink": 1 - o.lr * o.weight_decay,
            "shrinks": bool(o.weight_decay),
        }

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, m: Any) -> Any:
        if n.maximize:
            g = -g
        change = n.beta1 * m
        part = n.share1 * g
        change += part
        change = xp.sign(change)
        change *= n.lr
        part = n.share2 * g
        m *= n.beta2
        m += part
        if n.shrinks:
            p *= n.shrink
        p -= change
        return p, m
