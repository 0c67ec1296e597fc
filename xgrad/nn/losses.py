"""Losses as modules. Each calls the function of its name in nn/functional/."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.module import Module


class Loss(Module):
    """The base class of losses, with a reduction."""

    def __init__(self, reduction: str) -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f'{type(self).__name__}: reduction must be "mean", "sum" or "none", got {reduction!r}')
        self.reduction = reduction

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


def joined(*parts: str) -> str:
    """The parts of a module's text that are not empty."""
    return ", ".join(part for part in parts if part)


class MSELoss(Loss):
    """The squared difference of input and target: (input - target)**2.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not broadcast.

    >>> import xgrad as xg
    >>> xg.nn.MSELoss(reduction="sum")(xg.asarray([1.0, 2.0]), xg.asarray([1.0, 4.0])).item()
    4.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """The absolute difference of input and target: abs(input - target), with derivative 0 where they are equal.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not broadcast.

    >>> import xgrad as xg
    >>> xg.nn.L1Loss()(xg.asarray([1.0, 2.0]), xg.asarray([1.0, 4.0])).item()
    1.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class HuberLoss(Loss):
    """d**2 / 2 for a difference d of at most `delta` in size, and `delta * (abs(d) - delta / 2)` for a larger one.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        reduction: "mean" of all elements, their "sum", or "none".
        delta: a number more than 0: where the parabola goes over into lines of slope `delta`.

    Raises:
        ValueError: for an unknown `reduction`, or a `delta` that is not more than 0; when called, for shapes that do not
            broadcast.

    >>> import xgrad as xg
    >>> xg.nn.HuberLoss("none")(xg.asarray([0.5, 3.0]), xg.asarray([0.0, 0.0])).numpy().tolist()
    [0.125, 2.5]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        if not delta > 0:
            raise ValueError(f"HuberLoss: delta must be more than 0, got {delta!r}")
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """d**2 / (2 * beta) for a difference d of at most `beta` in size, and `abs(d) - beta / 2` for a larger one.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        reduction: "mean" of all elements, their "sum", or "none".
        beta: a number, 0 or more: where the parabola goes over into lines of slope 1. For 0 it is L1Loss.

    Raises:
        ValueError: for an unknown `reduction`, or a negative `beta`; when called, for shapes that do not broadcast.

    >>> import xgrad as xg
    >>> xg.nn.SmoothL1Loss(reduction="none", beta=2.0)(xg.asarray([1.0, 3.0]), xg.asarray([0.0, 0.0])).numpy().tolist()
    [0.25, 2.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        if not beta >= 0:
            raise ValueError(f"SmoothL1Loss: beta must be 0 or more, got {beta!r}")
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)

    def extra_repr(self) -> str:
        return joined(f"beta={self.beta!r}", super().extra_repr())


class CrossEntropyLoss(Loss):
    """-sum(target * log(softmax(input))) over the classes, for a target of class numbers or of probabilities.

    Call it with logits of shape (C,), (N, C) or (N, C, ...) for C classes, and with a target: class numbers, an array of integers
    of that shape without the class axis, or probabilities, of the same shape. The result is 0-d, or for "none" of the shape of
    the input without its class axis.

    Args:
        weight: a tensor of shape (C,), kept as a buffer: it multiplies the loss of each class. None for 1.
        ignore_index: a class number whose samples do not count, neither in the loss nor in the mean.
        reduction: "mean" over the samples, their "sum", or "none".
        label_smoothing: the share of each target that is spread evenly over the classes, from 0 to 1.

    Raises:
        TypeError: for a weight that is not a tensor.
        ValueError: for an unknown `reduction`, or a `label_smoothing` outside 0 to 1. When called, it raises what
            `xgrad.nn.functional.cross_entropy` raises.

    >>> import xgrad as xg
    >>> loss = xg.nn.CrossEntropyLoss(reduction="none")
    >>> loss(xg.asarray([[0.0, 0.0], [1.0, 3.0]]), xg.asarray([1, 0])).numpy().round(4).tolist()
    [0.6931, 2.1269]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"CrossEntropyLoss: label_smoothing must be from 0 to 1, got {label_smoothing!r}")
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Loss):
    """The negative of the input at each class number: the cross-entropy of log-probabilities, as LogSoftmax gives them.

    Call it with log-probabilities of shape (C,), (N, C) or (N, C, ...) for C classes, and with class numbers, integers of that
    shape without the class axis. The result is 0-d, or for "none" of the shape of the class numbers.

    Args:
        weight: a tensor of shape (C,), kept as a buffer: it multiplies the loss of each class. None for 1.
        ignore_index: a class number whose samples do not count, neither in the loss nor in the mean.
        reduction: "mean" over the samples, their "sum", or "none".

    Raises:
        TypeError: for a weight that is not a tensor.
        ValueError: for an unknown `reduction`. When called, it raises what `xgrad.nn.functional.nll_loss` raises.

    >>> import xgrad as xg
    >>> log_p = xg.nn.LogSoftmax(dim=1)(xg.asarray([[0.0, 0.0], [1.0, 3.0]]))
    >>> xg.nn.NLLLoss(reduction="none")(log_p, xg.asarray([1, 0])).numpy().round(4).tolist()
    [0.6931, 2.1269]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """-target * log(sigmoid(input)) - (1 - target) * log(1 - sigmoid(input)), without overflow for inputs of any size.

    Call it with logits, an array of any shape and of a real floating-point dtype, and with probabilities from 0 to 1 of the same
    shape. The result is 0-d, or for "none" of the shape of the input.

    Args:
        weight: a tensor that broadcasts to the shape of the input and multiplies the loss, kept as a buffer. None for 1.
        reduction: "mean" of all elements, their "sum", or "none".
        pos_weight: a tensor that broadcasts to the shape of the input and multiplies the term of the target, kept as a buffer.
            None for 1.

    Raises:
        TypeError: for a weight that is not a tensor.
        ValueError: for an unknown `reduction`; when called, for an input and a target of different shapes.

    >>> import xgrad as xg
    >>> loss = xg.nn.BCEWithLogitsLoss(reduction="none")
    >>> loss(xg.asarray([0.0, 1000.0]), xg.asarray([1.0, 0.0])).numpy().round(4).tolist()
    [0.6931, 1000.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class BCELoss(Loss):
    """-target * log(input) - (1 - target) * log(1 - input), for probabilities from 0 to 1, with logarithms of at least -100.

    Call it with probabilities and with targets from 0 to 1, two arrays of the same shape. The result is 0-d, or for "none" of the
    shape of the input. BCEWithLogitsLoss takes logits, and is exact for all of them.

    Args:
        weight: a tensor that broadcasts to the shape of the input and multiplies the loss, kept as a buffer. None for 1.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        TypeError: for a weight that is not a tensor.
        ValueError: for an unknown `reduction`; when called, for an input and a target of different shapes.

    >>> import xgrad as xg
    >>> loss = xg.nn.BCELoss(reduction="none")
    >>> loss(xg.asarray([0.5, 0.0]), xg.asarray([1.0, 1.0])).numpy().round(4).tolist()
    [0.6931, 100.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)
