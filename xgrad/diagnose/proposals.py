"""Which changes to try for which findings, the smallest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.changes import LINEAR, LOG_SOFTMAX, SIGMOID, SOFTMAX, Change, ends_in_activation
from xgrad.diagnose.curvature import largest_eigenvalue
from xgrad.diagnose.finding import NOTE, Finding
from xgrad.diagnose.network import copy_of, is_float, spread
from xgrad.diagnose.run import Run
from xgrad.diagnose.takes import LOGARITHMS, LOGITS, PROBABILITIES
from xgrad.diagnose.targets import CLASSES, REGRESSION

UNIT = (0.5, 2.0)  # data with a standard deviation in this range is not standardised
ADAM = (0.01, 0.001)  # the learning rates of Adam
ENOUGH = 2000  # steps that a run may be lengthened to
MOST = 100  # times as many steps at most


def changes(findings: Sequence[Finding], run: Run) -> Iterator[Change]:
    """Changes to try, each at most once: what the findings ask for, that with Adam, and all of it for longer."""
    rules = {finding.rule for finding in findings if finding.severity != NOTE}
    seen: set[Change] = set()
    for change in _in_order(rules, findings, run):
        if change not in seen:
            seen.add(change)
            yield change


def _in_order(rules: set[str], findings: Sequence[Finding], run: Run) -> Iterator[Change]:
    if rules == {"FORGOT_ZERO_GRAD"} or rules == {"FORGOT_ZERO_GRAD", "PLATEAU"}:
        yield Change()
    change = _asked_for(rules, run)
    lr = _rate(findings)
    longer = max(1, min(MOST, ENOUGH // max(run.steps, 1)))
    wrong_loss = bool(rules & {"LABEL_RANGE", "LOSS_TASK"})
    if wrong_loss:
        yield from _of_proper_loss(change, run, longer)
    if lr is not None:
        yield replace(change, lr=lr)
    elif change != Change() or "NOT_SHUFFLED" in rules:
        yield change
    calm = _calm_rate(run) if change == Change() and lr is None else None
    if calm is not None:
        yield Change(lr=calm)
    for adam in ADAM:
        yield replace(change, adam=adam)
    if longer > 1 and rules & {"UNDERTRAINED", "LR_LOW", "PLATEAU", "OUTPUT_ACTIVATION", "SCALE"}:
        yield replace(change, longer=longer)
        yield replace(change, adam=ADAM[0], longer=longer)
        yield replace(change, adam=ADAM[1], longer=longer)
    if not wrong_loss and rules & {"OUTPUT_ACTIVATION", "NONFINITE"}:
        yield from _of_proper_loss(change, run, longer)


def _of_proper_loss(change: Change, run: Run, longer: int) -> Iterator[Change]:
    """The loss of the targets, on a linear output."""
    proper = replace(change, output=None, proper_loss=True)
    proper = replace(proper, standardise=_is_off(run, proper))
    yield proper
    for adam in ADAM:
        yield replace(proper, adam=adam)
    if longer > 1:
        yield replace(proper, adam=ADAM[0], longer=longer)


def _asked_for(rules: set[str], run: Run) -> Change:
    """What the findings ask for, but for the optimizer."""
    layers = list(run.start) if isinstance(run.start, nn.Sequential) else []
    output = None
    if run.is_regression and run.targets is not None and run.targets.kind == REGRESSION:
        output = LINEAR if ends_in_activation(layers) else None
    elif "OUTPUT_ACTIVATION" in rules:
        output = _right_output(run)
    change = Change(
        output=output,
        relu="VANISHING" in rules,
        between="LINEAR_NETWORK" in rules,
        no_decay="REGULARISATION" in rules,
    )
    return replace(change, standardise=_is_off(run, change))


def _right_output(run: Run) -> str | None:
    """The activation that goes with the loss and the targets."""
    assert run.targets is not None
    output = run.last.output if run.last is not None else None
    takes = None if output is None else run.takes(output)
    width = int(output.shape[1]) if output is not None and output.ndim == 2 else 1
    if takes == LOGITS:
        return LINEAR
    if takes == LOGARITHMS:
        return LOG_SOFTMAX
    if takes == PROBABILITIES:
        return SOFTMAX if run.targets.kind == CLASSES and width > 1 else SIGMOID
    return SIGMOID if run.targets.low >= 0 and run.targets.high <= 1 else LINEAR


def _is_off(run: Run, change: Change) -> bool:
    """Whether x, or y where it holds numbers, is far from unit scale. A linear output goes with data of unit scale."""
    holds_numbers = (
        run.targets is not None and run.targets.kind == REGRESSION and (run.is_regression or change.proper_loss)
    )
    return not _is_unit(run.x) or (holds_numbers and not _is_unit(run.y))


def _is_unit(data: xg.Tensor) -> bool:
    if not is_float(data):
        return True
    mean = float(data.backend.view.mean(data).item())
    return abs(mean) < 1 and UNIT[0] <= spread(data) <= UNIT[1]


def _rate(findings: Sequence[Finding]) -> float | None:
    """The learning rate that was found to be better."""
    for finding in findings:
        for name in ("smaller_lr", "larger_lr"):
            if finding.rule in ("LR_HIGH", "LR_LOW") and name in finding.evidence and not finding.because:
                return float(finding.evidence[name])
    return None


def _calm_rate(run: Run) -> float | None:
    """The learning rate 1 / (largest eigenvalue), if the optimizer is SGD with a larger one; otherwise None."""
    if not isinstance(run.optimizer, optim.SGD):
        return None
    pairs = run.pairs(256)
    assert pairs is not None
    steepest = largest_eigenvalue(copy_of(run.start), run.loss, *pairs)  # a batch norm counts what it has seen
    lr = max(float(group["lr"]) for group in run.optimizer.param_groups)
    return 1 / steepest if math.isfinite(steepest) and 0 < 1 / steepest < lr else None
