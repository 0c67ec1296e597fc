"""Adafactor: for matrices, the second moment is kept as one number for each row and one for each column."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt
from typing import Annotated, Any, ClassVar, Unpack

import xgrad as xg
from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_zero, at_most_zero, one_or_more, two_eps
from xgrad.optim.table import Implementation, Maximize, Shrinking, given
from xgrad.optim.update_rule import Moment

Shape = tuple[int, ...]


def row_shape(shape: Shape) -> Shape | None:
    """One number for each row. None for a vector."""
    return (*shape[:-1], 1) if len(shape) > 1 else None


def column_shape(shape: Shape) -> Shape | None:
    """One number for each column. None for a vector."""
    return (*shape[:-2], 1, shape[-1]) if len(shape) > 1 else None


def vector_shape(shape: Shape) -> Shape | None:
    """One number for each element of a vector or a number. None for other shapes."""
    return shape if len(shape) < 2 else None


class Adafactor(Optimizer):
    """Adafactor: steps over the root of a second moment that is kept in two factors, and in proportion to the parameter.

    At step t = 1, 2, ..., for the gradient g with the last axes of rows and columns, r and c that start at 0, and (eps1, eps2)::

        b = t**beta2_decay
        r = (1 - b) * r + b * mean(g**2 of each row)      # row_var
        c = (1 - b) * c + b * mean(g**2 of each column)   # col_var
        v = r * c / max(mean(r), eps1)
        u = g / sqrt(max(v, eps1**2))
        u = u / max(1, rms(u) / d)
        p = p * (1 - lr * weight_decay) - max(eps2, rms(p)) * min(lr, 1 / sqrt(t)) * u

    A vector has v itself (variance) in place of r and c. rms is the root of the mean square of all elements. The state of a
    parameter holds these moments under these names, and `step`, which is t. The memory of r and c is that of a row and a column.

    Shazeer and Stern, https://arxiv.org/abs/1804.04235, Algorithm 4 and 5; without a first moment.

    >>> import xgrad as xg
    >>> w = xg.asarray([[1.0, 1.0], [1.0, 1.0]], requires_grad=True)
    >>> optimizer = xg.optim.Adafactor([w], lr=0.25)
    >>> xg.sum(3 * w).backward()
    >>> optimizer.step()
    >>> w.numpy().round(6).tolist()
    [[0.75, 0.75], [0.75, 0.75]]
    """

    counts_steps = True
    is_elementwise = False
    moments: ClassVar[Mapping[str, Moment]] = {
        "row_var": Moment(shape=row_shape),
        "col_var": Moment(shape=column_shape),
        "variance": Moment(shape=vector_shape),
    }

    def __init__(
        self,
        params: Params,
        lr: Annotated[
            float, at_least_zero, "the learning rate, in proportion to rms(p); at most `1 / sqrt(t)` is used"
        ] = 1e-2,
        beta2_decay: Annotated[float, at_most_zero, "the power of t that is the share of each new gradient"] = -0.8,
        eps: Annotated[
            tuple[float | None, float], two_eps, "eps1 and eps2; None for the spacing of numbers near 1 in p's dtype"
        ] = (None, 1e-3),
        d: Annotated[float, one_or_more, "rms(u) is clipped to this"] = 1.0,
        weight_decay: Shrinking = 0.0,
        *,
        maximize: Maximize = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        super().__init__(params, given(locals()))

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        super().add_param_group(param_group)
        wrong = [p for p in self.param_groups[-1].params if xg.isdtype(p.dtype, "complex floating")]
        if wrong:
            del self.param_groups[-1]
            raise ValueError(f"Adafactor: parameters must be real, got one of dtype {wrong[0].dtype}")

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        eps1, eps2 = o.eps
        share = t**o.beta2_decay
        return {
            "share": share,
            "keep": 1 - share,
            "rate": min(o.lr, 1 / sqrt(t)),
            "eps1": eps1,
            "eps2": eps2,
            "shrink": 1 - o.lr * o.weight_decay,
        }

    @staticmethod
    def roll(xp: Any, n: Any, p: Any, g: Any, row: Any, column: Any, vector: Any) -> Any:
        square = g * g
        if row is None:
            square *= n.share
            vector *= n.keep
            vector += square
            return None, None, vector
        of_rows = xp.mean(square, axis=-1, keepdims=True)
        of_columns = xp.mean(square, axis=-2, keepdims=True)
        of_rows *= n.share
        of_columns *= n.share
        row *= n.keep
        row += of_rows
        column *= n.keep
        column += of_columns
        return row, column, None

    @staticmethod
    def descend(xp: Any, n: Any, p: Any, g: Any, row: Any, column: Any, vector: Any) -> Any:
        eps1 = xp.finfo(p.dtype).eps if n.eps1 is None else n.eps1
        root = sqrt(max(prod(p.shape), 1))
        variance = vector
        if row is not None:
            variance = row * column / xp.maximum(xp.mean(row, axis=-2, keepdims=True), eps1)
        change = (-g if n.maximize else g) / xp.sqrt(xp.maximum(variance, eps1 * eps1))
        below = xp.maximum(xp.linalg.vector_norm(change) / (root * n.d), 1.0)
        change *= xp.maximum(xp.linalg.vector_norm(p) / root, n.eps2) * n.rate / below
        p *= n.shrink
        p -= change
        return (p,)
