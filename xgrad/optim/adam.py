"""Adam and AdamW: steps from the first and second moments of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import flag
from xgrad.optim.table import (
    Betas,
    Decoupled,
    Eps,
    Implementation,
    LearningRate,
    Maximize,
    Shrinking,
    WeightDecay,
    given,
)
from xgrad.optim.update_rule import Moment, decay_rates, direction, roll_two_moments

Amsgrad = Annotated[bool, flag, "whether to divide by the root of the largest second moment so far"]


class Adam(Optimizer):
    """Adam: each element of the step is the mean of its gradients over the root of the mean of their squares.

    At step t = 1, 2, ..., for the gradient g and moments m and v that start at 0::

        m = beta1 * m + (1 - beta1) * g                   # exp_avg
        v = beta2 * v + (1 - beta2) * g**2                # exp_avg_sq
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        p = p - lr * m_hat / (sqrt(v_hat) + eps)

    With `amsgrad`, the largest v so far (max_exp_avg_sq) takes the place of v in the third line. The state of a parameter holds
    the moments under these names, and `step`, which is t.

    Kingma and Ba, https://arxiv.org/abs/1412.6980, Algorithm 1; for `amsgrad`, Reddi et al., https://arxiv.org/abs/1904.09237,
    Algorithm 2.

    Where g * g overflows (in float32, for elements of g from about 1e21 on), that element of p does not move from then on, as in
    PyTorch. Where it underflows (below about 1e-23), g is small beside `eps`. Clip such gradients, or scale the loss.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.Adam([w], lr=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.5]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {
        "exp_avg": Moment(),
        "exp_avg_sq": Moment(),
        "max_exp_avg_sq": Moment(when="amsgrad"),
    }

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: Eps = 1e-8,
        weight_decay: WeightDecay = 0,
        amsgrad: Amsgrad = False,
        *,
        maximize: Maximize = False,
        decoupled_weight_decay: Decoupled = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        beta1, beta2 = o.betas
        return {
            **decay_rates(o),
            "root_of_correction": sqrt(1 - beta2**t),
            "rate": o.lr / (1 - beta1**t),
            "shrink": 1 - o.lr * o.weight_decay,
            "decays": bool(o.weight_decay) and not o.decoupled_weight_decay,
            "shrinks": bool(o.weight_decay) and o.decoupled_weight_decay,
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any, v_max: Any) -> Any:
        return roll_two_moments(n, direction(n, p, g), m, v)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any, v_max: Any) -> Any:
        if v_max is not None:
            v = v_max = xp.maximum(v_max, v)
        change = xp.sqrt(v)
        change /= n.root_of_correction
        change += n.eps
        change = xp.divide_into(m, change)  # m / (sqrt(v) + eps)
        change *= n.rate
        if n.shrinks:
            p *= n.shrink
        p -= change
        return p, v_max


class AdamW(Adam):
    """Adam with decoupled weight decay: the weights shrink, and the gradient does not change.

    At each step, `p = p * (1 - lr * weight_decay)`; the rest is Adam's step. The state is Adam's.

    Loshchilov and Hutter, https://arxiv.org/abs/1711.05101, Algorithm 2.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.AdamW([w], lr=0.5, weight_decay=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [0.25]
    """

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: Eps = 1e-8,
        weight_decay: Shrinking = 1e-2,
        amsgrad: Amsgrad = False,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, **given(locals()), decoupled_weight_decay=True)
