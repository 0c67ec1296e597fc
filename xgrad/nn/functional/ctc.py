"""The CTC loss: of label sequences whose alignment with the steps of the input is not known."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import array, arrays
from xgrad.nn.functional.precision import in_float32
from xgrad.nn.functional.reduction import reduce

INFINITE = 1e29  # a loss above this belongs to targets that no alignment gives


@in_float32
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """The negative log-probability of label sequences, summed over all alignments: connectionist temporal classification.

    An alignment has a label or a blank at each step. Equal labels that follow each other count once, and blanks are then left
    out.

    Args:
        log_probs: log-probabilities as `log_softmax` gives them, an array of shape (T, N, C), or (T, C) for one sequence, for T
            steps, N sequences and C classes with the blank.
        targets: class numbers without blanks, an array of integers: of shape (N, S), or the targets of all sequences one after
            another, of shape (sum(target_lengths),).
        input_lengths: the number of steps of each sequence: integers or an array of integers of shape (N,), or one for (T, C).
        target_lengths: the length of each target, likewise.
        blank: the class number of the blank.
        reduction: "mean" divides each loss by the length of its target (by 1 for an empty one) and takes the mean over the
            sequences; their "sum", or "none".
        zero_infinity: whether the infinite loss of a target that no alignment gives (it is too long) counts as 0. Its gradient is
            0 either way; in PyTorch that of an infinite loss is nan.

    Returns:
        A tensor of the dtype of log_probs: 0-d, or for "none" of shape (N,), or () for one sequence.

    Derivative:
        exp(log_probs) minus the probability of each class at each step, given the target: PyTorch's, which is right for
        log-probabilities that come from log_softmax.

    Raises:
        TypeError: for log_probs of another dtype than a floating-point one, targets of another than an integer one, or a `blank`
            that is not an integer.
        ValueError: for shapes that do not fit, a `blank` that is no class, lengths on the host that are negative or longer than
            the arrays, or an unknown `reduction`.
        IndexError: for such lengths in an array and for class numbers outside 0 ... C - 1, where the library checks its indices.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> log_p = xg.log(xg.full((2, 1, 2), 0.5))
    >>> loss = xg.nn.functional.ctc_loss(log_p, xg.asarray([[1]]), (2,), (1,))
    >>> round(xg.exp(-loss).item(), 4)  # of the four alignments, three give [1]
    0.75

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html
    """
    log_probs, targets = _arrays(log_probs, targets, input_lengths, target_lengths)
    single = log_probs.ndim == 2
    if single:
        log_probs = xg.expand_dims(log_probs, axis=1)
    if log_probs.ndim != 3 or 0 in log_probs.shape[::2]:
        raise ValueError(
            f"ctc_loss: log_probs have the shape (T, N, C) or (T, C), with a step and a class at least, got {log_probs.shape}"
        )
    steps, n, classes = log_probs.shape
    blank = integer("ctc_loss", blank, "blank")
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: blank must be one of the {classes} classes, got {blank}")
    if targets.ndim not in (1, 2) or (targets.ndim == 2 and targets.shape[0] != n):
        raise ValueError(
            f"ctc_loss: targets have the shape (N, S) or (sum of lengths,), N is {n}; got {tuple(targets.shape)}"
        )
    inputs, _ = _lengths("input_lengths", input_lengths, n, steps, targets)
    lengths, longest = _lengths("target_lengths", target_lengths, n, targets.shape[-1], targets)
    labels = _padded(targets, lengths, longest, n, blank)
    nll, spread = _negative_log_likelihood(log_probs, labels, inputs, lengths, blank)
    infinite = nll > INFINITE
    known = xg.mask(nll + (spread - spread.detach()), ~infinite)  # `spread` is there for its derivative
    if not zero_infinity:
        known = xg.where(infinite, known.__array_namespace__().full((), float("inf"), dtype=known.dtype), known)
    if reduction == "mean":
        known = known / xg.astype(xg.where(lengths > 0, lengths, xg.ones_like(lengths)), known.dtype)
    return reduce(xg.reshape(known, ()) if single and reduction == "none" else known, reduction)


def _arrays(log_probs: Any, targets: Any, *lengths: Any) -> tuple[Tensor, Tensor]:
    others = [each for each in lengths if hasattr(each, "shape")]
    log_probs, targets, *_ = arrays("ctc_loss", log_probs, targets, *others)
    if not xg.isdtype(log_probs.dtype, "real floating"):
        raise TypeError(f"ctc_loss: log_probs must be of a real floating-point dtype, got {log_probs.dtype}")
    if not xg.isdtype(targets.dtype, "integral"):
        raise TypeError(f"ctc_loss: targets must be class numbers (integers), got dtype {targets.dtype}")
    return log_probs, xg.astype(targets, "int64")


def _lengths(name: str, value: Any, n: int, most: int, like: Tensor) -> tuple[Tensor, int]:
    """The lengths as a tensor of shape (N,), and a bound of them: the largest, if they are Python's integers, else `most`.

    Lengths in an array are not read, which could make the host wait for a device.
    """
    longest = most
    if isinstance(value, int):
        value = (value,)
    if isinstance(value, list | tuple):
        numbers = [integer("ctc_loss", number, name) for number in value]
        if any(not 0 <= number <= most for number in numbers):
            raise ValueError(f"ctc_loss: {name} must be from 0 to {most}, got {numbers}")
        longest = max(numbers, default=0)
        xp = like.__array_namespace__()
        same = len(set(numbers)) == 1  # then no numbers move to a device
        value = xp.full((len(numbers),), numbers[0], dtype="int64") if same else xp.asarray(numbers, dtype="int64")
    value = xg.astype(xg.reshape(array("ctc_loss", value, like), (-1,)), "int64")
    if value.shape != (n,):
        raise ValueError(
            f"ctc_loss: {name} must have one number for each of the {n} sequences, got shape {tuple(value.shape)}"
        )
    return value, longest


def _padded(targets: Tensor, lengths: Tensor, longest: int, n: int, blank: int) -> Tensor:
    """The targets in an array of shape (N, longest), with blanks behind each."""
    places = lengths.__array_namespace__().arange(longest, dtype=lengths.dtype)
    ends = xg.expand_dims(lengths, axis=1)
    if targets.ndim == 2:
        found = targets[:, :longest]
    elif not targets.shape[0]:
        none: Tensor = targets.__array_namespace__().zeros((n, 0), dtype=targets.dtype)
        return none
    else:
        starts = xg.expand_dims(xg.cumulative_sum(lengths) - lengths, axis=1)
        flat = xg.clip(xg.reshape(starts + places, (-1,)), 0, targets.shape[0] - 1)
        found = xg.reshape(xg.take(targets, flat, axis=0), (n, longest))
    padded: Tensor = xg.where(places < ends, found, found.__array_namespace__().full((), blank, dtype=found.dtype))
    return padded


def _negative_log_likelihood(
    log_probs: Tensor, labels: Tensor, inputs: Tensor, lengths: Tensor, blank: int
) -> tuple[Tensor, Tensor]:
    """The loss of each sequence, and the sum of all its probabilities, whose derivative is added to that of the loss."""
    steps, n, classes = log_probs.shape
    xp, dtype = log_probs.__array_namespace__(), labels.dtype
    blanks = xp.full((n, labels.shape[1], 1), blank, dtype=dtype)
    pairs = xg.reshape(xg.concat([blanks, xg.expand_dims(labels, axis=2)], axis=2), (n, -1))
    extended = xg.concat([pairs, xp.full((n, 1), blank, dtype=dtype)], axis=1)  # blank, label, blank ... blank
    first = xp.full((n, min(2, extended.shape[1])), blank, dtype=dtype)
    before = xg.concat([first, extended[:, :-2]], axis=1)
    skips = (extended != blank) & (extended != before)

    shape = (steps, *extended.shape)
    emissions = _pick(f"class numbers must be from 0 to {classes - 1}", log_probs, xg.broadcast_to(extended, shape), 2)
    paths = xg.ctc_forward(emissions, skips)

    zeros = xg.zeros_like(lengths)
    last = xg.reshape(xg.where(inputs > 0, inputs - 1, zeros), (1, n, 1))
    ends = _pick(f"input_lengths must be from 0 to {steps}", paths, xg.broadcast_to(last, (1, *extended.shape)), 0)
    ends = xg.squeeze(ends, axis=0)
    in_blank, in_label = 2 * lengths, xg.where(lengths > 0, 2 * lengths - 1, zeros)
    found = _pick(
        f"target_lengths must be from 0 to {labels.shape[1]}", ends, xg.stack([in_blank, in_label], axis=1), 1
    )
    nothing = xp.full((), -1e30, dtype=found.dtype)
    by_label = xg.where(lengths > 0, found[:, 1], nothing)
    log_p = xg.logaddexp(found[:, 0], by_label)
    # Without a step there is one alignment, which gives the empty target.
    empty = xg.where(lengths > 0, nothing, xp.zeros((), dtype=found.dtype))
    log_p = xg.where(inputs > 0, log_p, empty)

    counts = xg.reshape(xp.arange(steps, dtype=inputs.dtype), (steps, 1)) < inputs
    spread = xg.sum(xg.mask(xg.exp(log_probs), xg.expand_dims(counts, axis=2)), axis=(0, 2))
    return -log_p, spread


def _pick(rule: str, x: Tensor, places: Any, axis: int) -> Tensor:
    """The elements of x at places along an axis. Where the library checks its indices, the error says which rule they break."""
    try:
        return xg.take_along_axis(x, places, axis=axis)
    except (IndexError, RuntimeError) as error:
        raise IndexError(f"ctc_loss: {rule}") from error
