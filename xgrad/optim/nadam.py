"""NAdam: Adam with Nesterov momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero
from xgrad.optim.table import Betas, Decoupled, Eps, Implementation, LearningRate, Maximize, WeightDecay, given
from xgrad.optim.update_rule import Carried, Moment, decay_rates, direction, roll_two_moments


class NAdam(Optimizer):
    """NAdam: Adam with Nesterov momentum, of which the decay rate rises with t.

    At step t = 1, 2, ..., for the gradient g, moments m and v that start at 0, and a product that starts at 1::

        mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2)
        product = product * mu(t)                         # mu_product
        m = beta1 * m + (1 - beta1) * g                   # exp_avg
        v = beta2 * v + (1 - beta2) * g**2                # exp_avg_sq
        m_hat = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        p = p - lr * m_hat / (sqrt(v / (1 - beta2**t)) + eps)

    The state of a parameter holds the moments and the product under these names, and `step`, which is t. The product is in double
    precision; PyTorch keeps it in its default dtype.

    Dozat, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ, Algorithm 2.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0], requires_grad=True)
    >>> optimizer = xg.optim.NAdam([w], lr=0.5)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(3).tolist()
    [0.472]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {"exp_avg": Moment(), "exp_avg_sq": Moment()}
    carried: ClassVar[Mapping[str, Carried]] = {"mu_product": Carried(1.0)}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: Eps = 1e-8,
        weight_decay: WeightDecay = 0,
        momentum_decay: Annotated[float, at_least_zero, "how fast the momentum rises with t"] = 4e-3,
        decoupled_weight_decay: Decoupled = False,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int, product: float) -> dict[str, Any]:
        beta1, beta2 = o.betas
        momentum, following = (beta1 * (1 - 0.5 * 0.96 ** (step * o.momentum_decay)) for step in (t, t + 1))
        product *= momentum
        return {
            **decay_rates(o),
            "mu_product": product,
            "correction_of_square": 1 - beta2**t,
            "rate_of_gradient": o.lr * (1 - momentum) / (1 - product),
            "rate_of_mean": o.lr * following / (1 - product * following),
            "shrink": 1 - o.lr * o.weight_decay,
            "decays": bool(o.weight_decay) and not o.decoupled_weight_decay,
            "shrinks": bool(o.weight_decay) and o.decoupled_weight_decay,
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        return roll_two_moments(n, direction(n, p, g), m, v)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        below = xp.sqrt(v / n.correction_of_square)
        below += n.eps
        change = n.rate_of_gradient * direction(n, p, g)
        change += n.rate_of_mean * m
        change /= below
        if n.shrinks:
            p *= n.shrink
        p -= change
        return (p,)
