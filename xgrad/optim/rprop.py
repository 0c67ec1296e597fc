"""Rprop: steps of a length that depends only on the signs of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Unpack

from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import around_one, ascending
from xgrad.optim.table import Implementation, LearningRate, Maximize, given
from xgrad.optim.update_rule import Moment


class Rprop(Optimizer):
    """Rprop: each element moves by a length of its own, which grows while the sign of its gradient stays.

    At each step, for the gradient g, the gradient before it q (0 at first), and lengths s that start at `lr`::

        s = s * eta_plus where q * g > 0                  # step_size
        s = s * eta_minus, and g = 0, where q * g < 0
        s is clipped to `step_sizes`
        p = p - s * sign(g)
        q = g                                             # prev

    Rprop is for gradients of a whole data set: only their signs count. The state of a parameter holds s and q under these names,
    and `step`, the number of steps.

    Riedmiller and Braun, https://doi.org/10.1109/ICNN.1993.298623; the variant without backtracking, iRprop-, is of Igel and
    Huesken, https://doi.org/10.1016/S0925-2312(01)00700-7.

    >>> import xgrad as xg
    >>> w = xg.asarray([4.0, 4.0], requires_grad=True)
    >>> optimizer = xg.optim.Rprop([w], lr=1.0, etas=(0.5, 2.0))
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     xg.sum(w * xg.asarray([3.0, -0.1])).backward()
    ...     optimizer.step()
    >>> w.numpy().tolist()
    [1.0, 7.0]
    """

    counts_steps = True
    moments: ClassVar[Mapping[str, Moment]] = {"prev": Moment(), "step_size": Moment(start="lr")}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-2,
        etas: Annotated[tuple[float, float], around_one, "eta_minus and eta_plus, the factors of a length"] = (
            0.5,
            1.2,
        ),
        step_sizes: Annotated[tuple[float, float], ascending, "the smallest and the largest length"] = (1e-6, 50),
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        (shorter, longer), (shortest, longest) = o.etas, o.step_sizes
        return {"shorter": shorter, "longer": longer, "shortest": shortest, "longest": longest}

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, q: Any, s: Any) -> Any:
        if n.maximize:
            g = -g
        turn = xp.sign(q * g)
        turned = turn < 0
        s = s * xp.where(turned, n.shorter, xp.where(turn > 0, n.longer, turn + 1))
        s = xp.minimum(xp.maximum(s, n.shortest), n.longest)
        q = xp.where(turned, 0.0, g)
        p -= s * xp.sign(q)
        return p, q, s
