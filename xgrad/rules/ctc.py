"""The forward variables of connectionist temporal classification (CTC), which nn.functional.ctc_loss is made of."""

from __future__ import annotations

from typing import Any

from xgrad.backends import ctc
from xgrad.backends.refusal import ROWS
from xgrad.engine.dispatch import apply
from xgrad.engine.op import Function
from xgrad.engine.operands import beside, own_indices, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.special_arguments import floating

ROWS["ctc_forward"] = ctc.ctc_forward


def _pushed(xp: Any, t: Any, e: Any, y: Any, skips: Any) -> Any:
    return ctc.pushed(xp, t[0] if isinstance(t, (list, tuple)) else t, e, y, skips)


_ctc_forward = Function(
    "ctc_forward",
    ("e", "skips"),
    (lambda xp, g, e, y, skips: ctc.pulled(xp, g, e, y, skips), None),
    jvp=_pushed,
)


@public("ctc_forward", "rule")
def ctc_forward(e: Any, skips: Any, /) -> Tensor:
    """The log-probabilities of the beginnings of all alignments of labels with the steps of a sequence, for the CTC loss.

    A path starts at the first label or the second. From step to step it stays at its label, or goes on by one label, or by two to
    a label that may be reached by a skip. y[t, ..., l] is the logarithm of the summed probabilities of all paths that are at
    label l at step t. It is about -1e30 where there is none.

    >>> import xgrad as xg
    >>> e = xg.log(xg.asarray([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]))
    >>> xg.exp(xg.ctc_forward(e, xg.asarray([False, False, False]))).numpy().round(4).tolist()
    [[0.5, 0.5, 0.0], [0.25, 0.5, 0.25]]

    Args:
        e: an array of shape (T, ..., L), of a real floating-point dtype: the log-probability of each label at each of T steps.
        skips: an array of booleans of shape (..., L): whether a path may go to the label from the one before the last.

    Returns:
        A tensor of the shape and dtype of e.

    Derivative:
        The probability of each label at each step, given where the paths end; in both modes and to any order.

    Raises:
        TypeError: for an e that is neither an array nor a number.
        ValueError: for an e with fewer than two axes, or without a step or a label, and skips of another shape.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
    """
    e, skips = together("ctc_forward", e, own_indices(e, skips))
    e = floating("ctc_forward", e)
    skips = beside("ctc_forward", e, skips)
    shape = tuple(e.shape)
    if len(shape) < 2 or not shape[0] or not shape[-1] or tuple(skips.shape) != shape[1:]:
        raise ValueError(
            f"ctc_forward: e has the shape (T, ..., L) with a step and a label at least, and skips (..., L); got {shape} and "
            f"{tuple(skips.shape)}"
        )
    return apply(_ctc_forward, (e, skips))
