"""Losses with a margin, as modules. Each calls the function of its name in nn/functional/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.losses import Loss as _Loss
from xgrad.nn.losses import joined as _joined


class MarginRankingLoss(_Loss):
    """max(0, -target * (input1 - input2) + margin): the loss of scores in the wrong order.

    Call it with two arrays of scores, and with a target: 1 where the first should be larger, -1 where the second should. All have
    the same number of axes. The result is 0-d, or for "none" of the common shape.

    Args:
        margin: the distance that the scores should have.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for arrays of different numbers of axes, or shapes that do not
            broadcast.

    >>> import xgrad as xg
    >>> loss = xg.nn.MarginRankingLoss(reduction="none")
    >>> loss(xg.asarray([1.0, 3.0]), xg.asarray([2.0, 1.0]), xg.asarray([1.0, 1.0])).numpy().tolist()
    [1.0, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        return _joined(f"margin={self.margin!r}", super().extra_repr())


class HingeEmbeddingLoss(_Loss):
    """The input where the target is 1, and max(0, margin - input) where it is -1: distances of pairs that are alike, or are not.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        margin: the distance from which on different pairs have no loss.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not broadcast.

    >>> import xgrad as xg
    >>> xg.nn.HingeEmbeddingLoss(reduction="none")(xg.asarray([0.5, 0.25]), xg.asarray([1, -1])).numpy().tolist()
    [0.5, 0.75]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        return _joined(f"margin={self.margin!r}", super().extra_repr())


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target * input)), for targets of 1 and -1, without overflow.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not broadcast.

    >>> import xgrad as xg
    >>> xg.nn.SoftMarginLoss(reduction="none")(xg.asarray([0.0, 1000.0]), xg.asarray([1, -1])).numpy().round(4).tolist()
    [0.6931, 1000.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_Loss):
    """The mean over the classes of the binary cross-entropy of each class, whose logits are the input.

    Call it with logits of shape (N, C) or (C,), and with 0 or 1 for each class, an array of the same shape. The result is 0-d, or
    for "none" of shape (N,).

    Args:
        weight: a tensor of shape (C,), kept as a buffer: it multiplies the loss of each class. None for 1.
        reduction: "mean" over the samples, their "sum", or "none".

    Raises:
        TypeError: for a weight that is not a tensor.
        ValueError: for an unknown `reduction`; when called, for different shapes.

    >>> import xgrad as xg
    >>> loss = xg.nn.MultiLabelSoftMarginLoss(reduction="none")
    >>> loss(xg.asarray([[0.0, 0.0]]), xg.asarray([[1, 0]])).numpy().round(4).tolist()
    [0.6931]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class MultiMarginLoss(_Loss):
    """The mean over the classes of max(0, margin - x[y] + x[i])**p, for the scores x, the class y, and the other classes i.

    Call it with scores of shape (N, C) or (C,) for C classes, and with class numbers, integers of shape (N,) or (). The result is
    0-d, or for "none" of the shape of the class numbers.

    Args:
        p: 1 or 2.
        margin: a number.
        weight: a tensor of shape (C,), kept as a buffer: it multiplies the loss of each class. None for 1.
        reduction: "mean" over the samples, their "sum", or "none".

    Raises:
        TypeError: for a weight that is not a tensor.
        ValueError: for another p than 1 or 2, or an unknown `reduction`; when called, for shapes that do not fit.

    >>> import xgrad as xg
    >>> round(xg.nn.MultiMarginLoss()(xg.asarray([[0.1, 0.2, 0.4, 0.8]]), xg.asarray([3])).item(), 4)
    0.325

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
    """

    weight: Tensor | None

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, got {p!r}")
        self.register_buffer("weight", weight)
        self.p = p
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )

    def extra_repr(self) -> str:
        return _joined(f"p={self.p!r}, margin={self.margin!r}", super().extra_repr())


class MultiLabelMarginLoss(_Loss):
    """The sum of max(0, 1 - (x[j] - x[i])) / C over the classes j of a sample and the other classes i, for its scores x.

    Call it with scores of shape (N, C) or (C,) for C classes, and with the classes of each sample, integers of the same shape:
    class numbers, and then -1. The result is 0-d, or for "none" of shape (N,).

    Args:
        reduction: "mean" over the samples, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not fit.

    >>> import xgrad as xg
    >>> loss = xg.nn.MultiLabelMarginLoss()
    >>> round(loss(xg.asarray([[0.1, 0.2, 0.4, 0.8]]), xg.asarray([[3, 0, -1, 1]])).item(), 4)
    0.85

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """1 - cos for vectors that should be alike (target 1), and max(0, cos - margin) for others (target -1); cos is their cosine.

    Call it with two arrays of vectors of shape (N, D) or (D,), and with 1 or -1 for each pair, of shape (N,) or (). The result is
    0-d, or for "none" of the shape of the target.

    Args:
        margin: a number from -1 to 1; 0 to 0.5 is usual.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not fit.

    >>> import xgrad as xg
    >>> x, y = xg.asarray([[1.0, 0.0]]), xg.asarray([[0.0, 2.0]])
    >>> xg.nn.CosineEmbeddingLoss()(x, y, xg.asarray([1])).item()
    1.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        return _joined(f"margin={self.margin!r}", super().extra_repr())


class TripletMarginLoss(_Loss):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with the distances d that PairwiseDistance gives.

    Call it with three arrays of vectors of shape (N, D) or (D,): the anchor, what should be near it, and what should be farther
    away. The result is 0-d, or for "none" of the shape of the distances.

    Args:
        margin: a number more than 0: by how much farther.
        p: the order of the norm.
        eps: a small number that keeps the distance of equal vectors from 0.
        swap: whether d(positive, negative) counts instead of d(anchor, negative) where it is smaller. Balntas et al. 2016.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for a margin that is not more than 0, or an unknown `reduction`; when called, for arrays of different numbers
            of axes.

    >>> import xgrad as xg
    >>> anchor, near, far = xg.asarray([[0.0]]), xg.asarray([[1.0]]), xg.asarray([[1.5]])
    >>> round(xg.nn.TripletMarginLoss()(anchor, near, far).item(), 4)
    0.5

    https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if not margin > 0:
            raise ValueError(f"{type(self).__name__}: margin must be more than 0, got {margin!r}")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        return _joined(
            f"margin={self.margin!r}, p={self.p!r}, eps={self.eps!r}, swap={self.swap!r}", super().extra_repr()
        )


class TripletMarginWithDistanceLoss(_Loss):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with any distance d.

    Call it with three arrays of vectors of shape (N, D) or (D,): the anchor, what should be near it, and what should be farther
    away. The result is 0-d, or for "none" of the shape of the distances.

    Args:
        distance_function: a function of two arrays; None for `pairwise_distance`.
        margin: a number more than 0: by how much farther.
        swap: whether d(positive, negative) counts instead of d(anchor, negative) where it is smaller. Balntas et al. 2016.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for a margin that is not more than 0, or an unknown `reduction`; when called, for arrays of different numbers
            of axes.

    >>> import xgrad as xg
    >>> anchor, near, far = xg.asarray([0.0]), xg.asarray([1.0]), xg.asarray([1.5])
    >>> loss = xg.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: xg.sum(xg.abs(x - y)))
    >>> loss(anchor, near, far).item()
    0.5

    https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        if not margin > 0:
            raise ValueError(f"{type(self).__name__}: margin must be more than 0, got {margin!r}")
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        return _joined(f"margin={self.margin!r}, swap={self.swap!r}", super().extra_repr())
