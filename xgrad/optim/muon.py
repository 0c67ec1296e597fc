"""Muon: for matrices, steps along the momentum with all singular values made about equal."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Annotated, Any, ClassVar

import xgrad as xg
from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero, below_100, flag, one_of, three_numbers
from xgrad.optim.table import LearningRate, Shrinking, given
from xgrad.optim.update_rule import Moment


class Muon(Optimizer):
    """Muon: for matrices, the step is the matrix nearest to the momentum with singular values of about 1.

    At each step, for the gradient g and a moment m that starts at 0::

        m = momentum * m + (1 - momentum) * g             # momentum_buffer
        d = (1 - momentum) * g + momentum * m             # with nesterov; d = m without
        x = d / max(norm(d), eps)                         # transposed while it has more rows than columns
        x = a * x + (b * x @ x.T + c * (x @ x.T) @ (x @ x.T)) @ x     # ns_steps times, for (a, b, c) = ns_coefficients
        p = p * (1 - lr * weight_decay) - lr * s * x

    The scale s is sqrt(max(1, rows / columns)) for `adjust_lr_fn="original"`, and 0.2 * sqrt(max(rows, columns)) for
    "match_rms_adamw". The state of a parameter holds `momentum_buffer`. The parameters must be 2-d: train biases and embeddings
    with AdamW beside it. PyTorch iterates in bfloat16; here x has the dtype of p, or float32 for half precision.

    Jordan et al., https://kellerjordan.github.io/posts/muon/; "match_rms_adamw" is of Liu et al.,
    https://arxiv.org/abs/2502.16982. https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html

    >>> import xgrad as xg
    >>> w = xg.asarray([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    >>> optimizer = xg.optim.Muon([w], lr=0.5, weight_decay=0)
    >>> xg.sum(w * w).backward()
    >>> optimizer.step()
    >>> (w < xg.asarray([[1.8, 0.1], [0.1, 0.8]])).numpy().all().item()
    True
    """

    is_elementwise = False
    moments: ClassVar[Mapping[str, Moment]] = {"momentum_buffer": Moment()}

    def __init__(
        self,
        params: Params,
        lr: LearningRate = 1e-3,
        weight_decay: Shrinking = 0.1,
        momentum: Annotated[float, at_least_zero, "the decay rate of the moment"] = 0.95,
        nesterov: Annotated[bool, flag, "whether to use Nesterov momentum"] = True,
        ns_coefficients: Annotated[
            tuple[float, float, float], three_numbers, "a, b and c, the coefficients of the iteration"
        ] = (3.4445, -4.775, 2.0315),
        eps: Annotated[float, at_least_zero, "the least number by which d is divided"] = 1e-7,
        ns_steps: Annotated[int, below_100, "the number of steps of the iteration"] = 5,
        adjust_lr_fn: Annotated[
            str | None, one_of("original", "match_rms_adamw"), 'how s depends on the shape; None for "original"'
        ] = None,
    ) -> None:
        super().__init__(params, given(locals()))

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        super().add_param_group(param_group)
        wrong = [p for p in self.param_groups[-1].params if p.ndim != 2 or xg.isdtype(p.dtype, "complex floating")]
        if wrong:
            del self.param_groups[-1]
            raise ValueError(
                f"Muon: parameters must be real and 2-d, got one of shape {wrong[0].shape} and dtype {wrong[0].dtype}; "
                "train the others with AdamW, for example"
            )

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        a, b, c = o.ns_coefficients
        return {
            "a": a,
            "b": b,
            "c": c,
            "repetitions": o.ns_steps,
            "share": 1 - o.momentum,
            "shrink": 1 - o.lr * o.weight_decay,
            "as_adamw": o.adjust_lr_fn == "match_rms_adamw",
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, m: Any) -> Any:
        part = n.share * g
        m *= n.momentum
        m += part
        return (m,)

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, m: Any) -> Any:
        rows, columns = p.shape
        change = n.share * g + n.momentum * m if n.nesterov else m
        change = orthogonal(xp, n, change if rows <= columns else change.T)
        scale = 0.2 * sqrt(max(rows, columns)) if n.as_adamw else sqrt(max(1, rows / columns))
        change = change * (n.lr * scale)
        p *= n.shrink
        p -= change if rows <= columns else change.T
        return (p,)


def orthogonal(xp: Any, n: Any, x: Any) -> Any:
    """The matrix with the singular vectors of x, and with singular values between about 0.7 and 1.2 (Newton and Schulz)."""
    x = x / xp.maximum(xp.linalg.vector_norm(x), n.eps)
    for _ in range(n.repetitions):
        square = x @ x.T
        x = n.a * x + (n.b * square + n.c * (square @ square)) @ x
    return x
