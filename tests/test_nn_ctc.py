"""The CTC loss: the sum over all alignments, its derivatives, its lengths and its arguments.

PyTorch's results are in test_nn_parity.py.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
# dask warns of the many chunks of arrays that are stacked from the steps.
pytestmark = pytest.mark.filterwarnings("ignore:(.*\\n)*.*Increasing number of chunks")


def log_probabilities(*shape: int, seed: int = 0) -> Any:
    x = np.random.default_rng(seed).normal(size=shape)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def collapsed(alignment: tuple[int, ...], blank: int) -> list[int]:
    return [label for label, _ in itertools.groupby(alignment) if label != blank]


def brute_force(log_p: Any, target: list[int], blank: int) -> float:
    """Minus the logarithm of the summed probabilities of all alignments that give the target."""
    steps, classes = log_p.shape
    total = sum(
        math.exp(sum(log_p[t, label] for t, label in enumerate(alignment)))
        for alignment in itertools.product(range(classes), repeat=steps)
        if collapsed(alignment, blank) == target
    )
    return -math.log(total) if total else math.inf


TARGETS = [[], [1], [2, 2], [1, 2], [1, 2, 1], [2, 2, 2], [1, 1, 2], [1, 2, 2, 1]]


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("blank", [0, 3])
def test_the_loss_is_the_sum_over_all_alignments(backend, xp, target, blank):
    log_p = log_probabilities(5, 4, seed=len(target))
    got = F.ctc_loss(make(xp, log_p), xg.asarray(target, dtype=xg.int64), 5, len(target), blank, "sum")
    assert float(got.item()) == pytest.approx(brute_force(log_p, target, blank), rel=1e-12)


def test_the_gradient_is_the_derivative(backend, xp):
    x = make(xp, np.random.default_rng(1).normal(size=(6, 2, 4)))
    targets = xg.asarray([[1, 1, 3], [2, 3, 0]])

    def loss(x):
        return F.ctc_loss(xg.log_softmax(x, axis=2), targets, (6, 4), (3, 2))

    xg.check_grads(loss, x, order=2)
    eps, slope = 1e-6, to_numpy(xg.grad(loss)(x))
    for place in ((0, 0, 1), (3, 1, 2), (5, 1, 0), (2, 0, 3)):
        step = np.zeros((6, 2, 4))
        step[place] = eps
        moved = [float(loss(make(xp, to_numpy(x) + sign * step)).item()) for sign in (1, -1)]
        assert slope[place] == pytest.approx((moved[0] - moved[1]) / (2 * eps), abs=1e-8)


def test_a_forward_derivative(backend, xp):
    log_p, v = make(xp, log_probabilities(4, 1, 3)), make(xp, np.random.default_rng(2).normal(size=(4, 1, 3)))
    _, tangent = xg.jvp(lambda x: F.ctc_loss(x, xg.asarray([[1, 2]]), (4,), (2,), reduction="sum"), (log_p,), (v,))
    slope = xg.grad(lambda x: F.ctc_loss(x, xg.asarray([[1, 2]]), (4,), (2,), reduction="sum"))(log_p)
    assert float(tangent.item()) == pytest.approx(float(xg.sum(slope * v).item()), rel=1e-12)


def test_batched_losses(backend, xp):
    log_p = make(xp, log_probabilities(3, 4, 3))

    def loss(x):
        return F.ctc_loss(x, xg.asarray([1, 2]), 4, 2, reduction="sum")

    slopes = xg.vmap(xg.grad(loss))(log_p)
    for i in range(3):
        assert_close(to_numpy(slopes)[i], to_numpy(xg.grad(loss)(log_p[i])), 1e-14)


def test_a_target_that_is_too_long(backend, xp):
    log_p = make(xp, log_probabilities(2, 2, 3), requires_grad=True)
    targets = xg.asarray([[1, 1], [1, 2]])
    losses = F.ctc_loss(log_p, targets, (2, 2), (2, 2), reduction="none")
    assert to_numpy(losses)[0] == math.inf
    assert math.isfinite(to_numpy(losses)[1])
    loss = F.ctc_loss(log_p, targets, (2, 2), (2, 2), reduction="sum", zero_infinity=True)
    assert float(loss.item()) == pytest.approx(to_numpy(losses)[1])
    loss.backward()
    slopes = to_numpy(log_p.grad)
    assert (slopes[:, 0] == 0).all()
    assert np.abs(slopes[:, 1]).sum() > 0.1


def test_long_sequences_do_not_underflow(backend, xp):
    steps = 400 if backend.name in ("numpy", "torch") else 12
    log_p = np.log(np.full((steps, 1, 50), 1 / 50))
    x = make(xp, log_p, "float32", requires_grad=True)
    loss = F.ctc_loss(x, xg.asarray([[1, 2, 3, 4, 5]]), (steps,), (5,), reduction="sum")
    # The lengths of five runs of labels, of 1 or more, and of six of blanks, of 0 or more, sum to the number of steps.
    ways = math.log(math.comb(steps + 5, 10))
    assert float(loss.item()) == pytest.approx(steps * math.log(50) - ways, rel=1e-4)
    loss.backward()
    assert np.isfinite(to_numpy(x.grad)).all()
    assert loss.dtype == xp.float32
    assert to_numpy(x.grad).dtype == np.float32


def test_a_class_of_probability_zero(backend, xp):
    p = np.array([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [0.5, 0.5, 0.0]])
    with np.errstate(divide="ignore"):
        log_p = make(xp, np.log(p)[:, None], requires_grad=True)
    loss = F.ctc_loss(log_p, xg.asarray([[1]]), (3,), (1,), reduction="sum")
    loss.backward()
    total = sum(
        p[0, a] * p[1, b] * p[2, c]
        for a, b, c in itertools.product(range(2), repeat=3)
        if collapsed((a, b, c), 0) == [1]
    )
    assert float(loss.item()) == pytest.approx(-math.log(total))
    assert np.isfinite(to_numpy(log_p.grad)).all()


def test_both_forms_of_targets_and_of_lengths(backend, xp):
    log_p = make(xp, log_probabilities(6, 3, 4))
    padded, joined = xg.asarray([[1, 2, 3], [2, 0, 0], [3, 3, 0]]), xg.asarray([1, 2, 3, 2, 3, 3])
    want = to_numpy(F.ctc_loss(log_p, padded, (6, 5, 6), (3, 1, 2), reduction="none"))
    for targets in (padded, joined, np.asarray(to_numpy(joined))):
        for lengths in (([6, 5, 6], [3, 1, 2]), [xg.asarray([6, 5, 6]), xg.asarray([3, 1, 2])]):
            assert_close(to_numpy(F.ctc_loss(log_p, targets, lengths[0], lengths[1], reduction="none")), want, 1e-14)


def zeros(*shape: int) -> Any:
    return xg.zeros(shape)


BAD = [
    (lambda: F.ctc_loss(zeros(3), xg.asarray([1]), 3, 1), ValueError, r"\(T, N, C\) or \(T, C\).* got \(3,\)"),
    (lambda: F.ctc_loss(zeros(0, 2, 3), xg.asarray([[1], [1]]), (0, 0), (1, 1)), ValueError, "a step"),
    (lambda: F.ctc_loss(xg.asarray([[[1]]]), xg.asarray([[0]]), 1, 1), TypeError, "floating-point dtype"),
    (lambda: F.ctc_loss(zeros(3, 1, 2), xg.asarray([[1.0]]), 3, 1), TypeError, "integers"),
    (lambda: F.ctc_loss(zeros(3, 1, 2), xg.asarray([[1]]), 3, 1, blank=2), ValueError, "blank must be one of the 2"),
    (lambda: F.ctc_loss(zeros(3, 2, 2), xg.asarray([[1]]), (3, 3), (1, 1)), ValueError, r"N is 2; got \(1, 1\)"),
    (
        lambda: F.ctc_loss(zeros(3, 1, 2), xg.asarray([[1]]), (4,), (1,)),
        ValueError,
        "input_lengths must be from 0 to 3",
    ),
    (
        lambda: F.ctc_loss(zeros(3, 1, 2), xg.asarray([[1]]), (3,), (2,)),
        ValueError,
        "target_lengths must be from 0 to 1",
    ),
    (lambda: F.ctc_loss(zeros(3, 1, 2), xg.asarray([[1]]), (3, 3), (1,)), ValueError, "input_lengths .* 1 sequences"),
    (lambda: F.ctc_loss(zeros(3, 1, 2), xg.asarray([[1]]), (3.5,), (1,)), TypeError, "input_lengths"),
    (lambda: F.ctc_loss(zeros(3, 1, 2), xg.asarray([[1]]), (3,), (1,), reduction="x"), ValueError, "'x'"),
    (lambda: nn.CTCLoss(reduction="x"), ValueError, "CTCLoss.*'x'"),
    (lambda: xg.ctc_forward(zeros(3, 4), xg.asarray([True])), ValueError, r"ctc_forward: .*\(3, 4\) and \(1,\)"),
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_wrong_arguments(backend, call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize(
    ("targets", "inputs", "lengths", "says"),
    [
        ([[1, 2]], [9], [2], "input_lengths must be from 0 to 4"),
        ([[1, 2]], [4], [3], "target_lengths must be from 0 to 2"),
        ([[1, 7]], [4], [2], "class numbers must be from 0 to 2"),
    ],
)
def test_what_is_beyond_the_arrays_is_named(targets, inputs, lengths, says):
    with xg.use_backend("numpy"), pytest.raises(IndexError, match=f"^ctc_loss: {says}$"):
        nn.functional.ctc_loss(xg.zeros((4, 1, 3)), *map(xg.asarray, (targets, inputs, lengths)))
