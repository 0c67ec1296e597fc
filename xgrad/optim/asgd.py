"""ASGD: stochastic gradient descent with an average of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero, finite
from xgrad.optim.table import Implementation, LearningRate, Maximize, WeightDecay, given
from xgrad.optim.update_rule import Carried, Moment, direction


class ASGD(Optimizer):
    """Averaged stochastic gradient descent: SGD with a falling learning rate, and the average of the parameters beside it.

    At step t = 1, 2, ..., for the gradient g, a rate eta that starts at `lr`, and a share mu that starts at 1::

        p = p * (1 - lambd * eta) - eta * g
        a = a + mu * (p - a)                              # ax, the average; a = p while mu is 1
        eta = lr / (1 + lambd * lr * t)**alpha            # eta
        mu = 1 / max(1, t - t0)                           # mu

    The average is in the state of a parameter: `optimizer.state[p]["ax"]`. It starts after `t0` steps. The state also holds eta
    and mu under these names, and `step`, which is t. These numbers are in double precision; PyTorch keeps them in its default
    dtype.

    Polyak and Juditsky, https://doi.org/10.1137/0330046.

    >>> import xgrad as xg
    >>> w = xg.asarray([4.0], requires_grad=True)
    >>> optimizer = xg.optim.ASGD([w], lr=0.5, lambd=0.0, t0=1)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     xg.sum(w).backward()
    ...     optimizer.step()
    >>> w.numpy().tolist(), optimizer.state[w]["ax"].tolist()
    ([2.5], [2.5])
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {"ax": Moment()}
    carried: ClassVar[Mapping[str, Carried]] = {"eta": Carried("lr"), "mu": Carried(1.0)}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-2,
        lambd: Annotated[float, at_least_zero, "how fast the parameters shrink, and the rate falls"] = 1e-4,
        alpha: Annotated[float, finite, "the power with which the rate falls"] = 0.75,
        t0: Annotated[float, finite, "the number of steps before the average starts"] = 1e6,
        weight_decay: WeightDecay = 0,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int, eta: float, mu: float) -> dict[str, Any]:
        return {
            "rate": eta,
            "shrink": 1 - o.lambd * eta,
            "share": mu,
            "averages": mu != 1,
            "decays": bool(o.weight_decay),
            "eta": o.lr / (1 + o.lambd * o.lr * t) ** o.alpha,
            "mu": 1 / max(1, t - o.t0),
        }

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, average: Any) -> Any:
        change = n.rate * direction(n, p, g)
        after = n.shrink * p  # the new p, of which the average needs a copy
        after -= change
        if n.averages:
            after -= average
            after *= n.share
            average += after
        else:
            average = after
        p *= n.shrink
        p -= change
        return p, average
