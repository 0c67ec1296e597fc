"""The CTC loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.case import Call, Draw, Layer, case


def arguments(draw: Draw) -> tuple[tuple[Any, ...], dict[str, Any]]:
    steps, n, classes = draw.size(1, 7), draw.size(1, 3), draw.size(2, 4)
    blank = draw.size(0, classes - 1)
    inputs = draw.integers(n, low=1, high=steps + 1)
    lengths = draw.integers(n, high=4)
    labels = draw.integers(n, 3, high=classes - 1)
    labels = labels + (labels >= blank)
    if draw.one_of(True, False):
        targets = np.concatenate([row[:length] for row, length in zip(labels, lengths, strict=True)])
    else:
        targets = labels
    lengths_as = draw.one_of(tuple, np.asarray)
    log_p = 2 * draw.normal(steps, n, classes)
    log_p -= np.log(np.exp(log_p).sum(-1, keepdims=True))
    options = {"blank": blank, "reduction": draw.one_of("mean", "sum", "none"), "zero_infinity": True}
    if n == 1 and draw.one_of(True, False):
        return (log_p[:, 0], labels[0, : lengths[0]], int(inputs[0]), int(lengths[0])), options
    given = inputs, lengths
    if lengths_as is tuple:
        return (log_p, targets, *(tuple(int(k) for k in part) for part in given)), options
    return (log_p, targets, *given), options


def with_tensors(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """PyTorch takes the lengths of one sequence as tensors only."""
    return tuple(np.asarray(part) if isinstance(part, int) else part for part in inputs)


@case("CTCLoss")
def ctc_layer(draw: Draw) -> Layer:
    inputs, options = arguments(draw)
    return Layer((), options, with_tensors(inputs))


@case("ctc_loss")
def ctc(draw: Draw) -> Call:
    inputs, options = arguments(draw)
    return Call(with_tensors(inputs), options)
