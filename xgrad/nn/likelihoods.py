"""Losses that are likelihoods or divergences, as modules. Each calls the function of its name in nn/functional/."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.losses import Loss as _Loss
from xgrad.nn.losses import joined as _joined


class KLDivLoss(_Loss):
    """The Kullback-Leibler divergence of the target from the input: target * (log(target) - input), for an input of logarithms.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        reduction: "batchmean" divides the sum by the length of the first axis, which gives the divergence of distributions along
            the others. "mean" of all elements (with a warning, because "batchmean" is mostly meant), their "sum", or "none".
        log_target: whether the target holds log-probabilities too.

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not broadcast.

    >>> import xgrad as xg
    >>> log_p, q = xg.log(xg.asarray([[0.5, 0.5]])), xg.asarray([[0.25, 0.75]])
    >>> round(xg.nn.KLDivLoss(reduction="batchmean")(log_p, q).item(), 4)
    0.1308

    https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__("sum" if reduction == "batchmean" else reduction)
        self.reduction = reduction
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)

    def extra_repr(self) -> str:
        return _joined(f"log_target={self.log_target!r}", super().extra_repr())


class PoissonNLLLoss(_Loss):
    """The negative log-likelihood of counts under a Poisson distribution whose mean is the input, or the exponential of it.

    Call it with an input and a target, two arrays of the same shape (other shapes are broadcast, with a warning). The result is
    0-d, or for "none" of the shape of the input.

    Args:
        log_input: whether the input is the logarithm of the mean: exp(input) - target * input. Otherwise the loss is
            input - target * log(input + eps).
        full: whether Stirling's approximation of log(target!) is added, for targets above 1.
        eps: a small number that keeps the logarithm of 0 finite.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for shapes that do not broadcast.

    >>> import xgrad as xg
    >>> round(xg.nn.PoissonNLLLoss()(xg.asarray([0.0, 1.0]), xg.asarray([1.0, 3.0])).item(), 4)
    0.3591

    https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.poisson_nll_loss(
            input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )

    def extra_repr(self) -> str:
        return _joined(f"log_input={self.log_input!r}, full={self.full!r}, eps={self.eps!r}", super().extra_repr())


class GaussianNLLLoss(_Loss):
    """The negative log-likelihood of the target under normal distributions: (log(var) + (input - target)**2 / var) / 2.

    Call it with the means, a target of the same shape (other shapes are broadcast, with a warning), and the variances: an array
    of that shape, or of it without its last axis, or with one axis of length 1, or a number. The result is 0-d, or for "none" of
    the shape of the input.

    Args:
        full: whether the constant log(2 pi) / 2 is added.
        eps: the smallest variance, a number more than 0: a smaller one counts as this.
        reduction: "mean" of all elements, their "sum", or "none".

    Raises:
        ValueError: for an unknown `reduction`; when called, for an `eps` that is not more than 0, or shapes that do not fit.

    >>> import xgrad as xg
    >>> loss = xg.nn.GaussianNLLLoss()
    >>> loss(xg.asarray([0.0, 1.0]), xg.asarray([1.0, 3.0]), xg.asarray([1.0, 1.0])).item()
    1.25

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)

    def extra_repr(self) -> str:
        return _joined(f"full={self.full!r}, eps={self.eps!r}", super().extra_repr())


class CTCLoss(_Loss):
    """The negative log-probability of label sequences, summed over all alignments: connectionist temporal classification.

    Call it with log-probabilities of shape (T, N, C) or (T, C), for T steps, N sequences and C classes with the blank; with
    targets, integers of shape (N, S) or the targets of all sequences one after another; with the numbers of steps, and with the
    lengths of the targets. The result is 0-d, or for "none" of shape (N,), or () for one sequence.

    Args:
        blank: the class number of the blank.
        reduction: "mean" divides each loss by the length of its target and takes the mean over the sequences; their "sum", or
            "none".
        zero_infinity: whether the infinite loss of a target that no alignment gives counts as 0, without a gradient.

    Raises:
        ValueError: for an unknown `reduction`. When called, it raises what `xgrad.nn.functional.ctc_loss` raises.

    >>> import xgrad as xg
    >>> log_p = xg.log(xg.full((2, 1, 2), 0.5))
    >>> round(xg.exp(-xg.nn.CTCLoss()(log_p, xg.asarray([[1]]), (2,), (1,))).item(), 4)  # three of four alignments
    0.75

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            blank=self.blank,
            reduction=self.reduction,
            zero_infinity=self.zero_infinity,
        )

    def extra_repr(self) -> str:
        return _joined(f"blank={self.blank!r}, zero_infinity={self.zero_infinity!r}", super().extra_repr())
