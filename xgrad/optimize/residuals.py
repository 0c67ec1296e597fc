"""Residuals, whose squares are to be summed, as a function of one vector: their vector, and their Jacobian."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.optimize.objective import Evaluated


class Residuals(Evaluated):
    """A function with an array of residuals, or a tree of such arrays, as its result."""

    wanted = "an array of real residuals, or a tree of such arrays"

    def outputs(self, tree: Any) -> list[Tensor]:
        """The arrays of residuals."""
        return [self.tensor(leaf) for leaf in flatten(self.f(tree, *self.args, **self.kwargs))[0]]

    def value(self, x: Tensor) -> Tensor:
        """The residuals at x, as a vector."""
        self.nfev += 1
        parts = [xg.reshape(part.detach(), (-1,)) for part in self.outputs(self.tree(x))]
        if not sum(part.size for part in parts):
            raise ValueError(f"{self.name}: the function returned no residuals")
        return xg.astype(parts[0] if len(parts) == 1 else xg.concat(parts), self.flat.dtype, copy=False)

    def jacobian(self, x: Tensor) -> Tensor:
        """The Jacobian at x: a row for each residual, a column for each variable."""
        self.njev += 1
        parts = []
        for block in xg.jacobian(self.outputs)(self.tree(x)):
            leaves, _ = flatten(block)
            rows = leaves[0].shape[: len(leaves[0].shape) - len(self.flat.leaves[0].shape)]
            parts.append(self.flat.columns(leaves, math.prod(rows)))
        return parts[0] if len(parts) == 1 else xg.concat(parts, axis=0)
