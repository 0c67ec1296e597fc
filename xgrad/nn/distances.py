"""Distances and similarities of vectors, as modules. Each calls the function of its name in nn/functional/."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.module import Module


class CosineSimilarity(Module):
    """The cosine of the angle between vectors: their inner product, divided by both norms.

    Call it with two arrays of vectors, whose shapes broadcast. The result has the common shape without the axis of the vectors.

    Args:
        dim: the axis of the vectors in the common shape, negative from the end.
        eps: the smallest norm: a shorter vector is divided by this.

    Raises:
        ValueError: when called, for shapes that do not broadcast, or an axis that they do not have.

    >>> import xgrad as xg
    >>> xg.nn.CosineSimilarity()(xg.asarray([[3.0, 4.0]]), xg.asarray([[1.0, 0.0]])).numpy().round(4).tolist()
    [0.6]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return F.cosine_similarity(x1, x2, dim=self.dim, eps=self.eps)

    def extra_repr(self) -> str:
        return f"dim={self.dim!r}, eps={self.eps!r}"


class PairwiseDistance(Module):
    """The distance of vectors along the last axis: the p-norm of x1 - x2 + eps.

    Call it with two arrays of vectors of shape (N, D) or (D,), whose shapes broadcast. The result has the common shape without
    the last axis.

    Args:
        p: the order of the norm; inf is the largest difference.
        eps: a small number that keeps the distance of equal vectors from 0.
        keepdim: whether the last axis stays, with length 1.

    Raises:
        ValueError: when called, for shapes that do not broadcast, or 0-d arrays.

    >>> import xgrad as xg
    >>> xg.nn.PairwiseDistance(eps=0.0)(xg.asarray([[3.0, 4.0]]), xg.asarray([[0.0, 0.0]])).numpy().tolist()
    [5.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        self.p = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return F.pairwise_distance(x1, x2, p=self.p, eps=self.eps, keepdim=self.keepdim)

    def extra_repr(self) -> str:
        return f"p={self.p!r}, eps={self.eps!r}, keepdim={self.keepdim!r}"
