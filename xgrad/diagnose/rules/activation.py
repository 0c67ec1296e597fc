"""OUTPUT_ACTIVATION: the last activation does not go with the loss or with the targets."""

from __future__ import annotations

import math
from typing import Any

from xgrad.diagnose.finding import ERROR, WARNING, number
from xgrad.diagnose.look import Activity, Look
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.takes import LOGARITHMS, LOGITS, PROBABILITIES, VALUES, is_of_one_class
from xgrad.diagnose.targets import CLASSES

TINY = 1e-6  # rounding of an output that lies in [0, 1]
Problem = tuple[str, str, str]  # the severity, what is wrong, and what is right


class OutputActivation(DiagnosticRule):
    name = "OUTPUT_ACTIVATION"
    severity = ERROR
    needs = ("y", "loss")

    def look(self, run: Run, look: Look) -> Findings:
        if look.output is None or (self.name, "the output") in run.known:
            return
        last = next((a for a in look.activities if a.is_output), None)
        takes = run.takes(look.output)
        problem = _of_one_unit(look, last) or _PROBLEMS.get(takes or "", _none)(run, look, last)
        if problem is not None:
            severity, says, fix = problem
            evidence: dict[str, Any] = {
                "takes": takes or "unknown", "activation": last.kind if last else look.sums or "none",
                "low": look.low, "high": look.high,
            }  # fmt: skip
            yield self.finding(look.step, "the output", says, evidence, fix, severity=severity)


def _none(run: Run, look: Look, last: Activity | None) -> None:
    return None


def _width(look: Look) -> int:
    shape = () if look.output is None else look.output.shape
    return int(shape[1]) if len(shape) == 2 else 1


def _of_one_unit(look: Look, last: Activity | None) -> Problem | None:
    is_softmax = last is not None and last.kind in ("softmax", "softmin")
    if _width(look) != 1 or not look.low == look.high == 1.0 or (last is not None and not is_softmax):
        return None
    says = "the output is exactly 1 for every input: a softmax over one unit, which always gives 1 and has no gradient"
    return ERROR, says, "a sigmoid for one unit, or a softmax over one unit for each class: report.try_fix() tries it"


def _into_logits(run: Run, look: Look, last: Activity | None) -> Problem | None:
    width = _width(look)
    if look.sums == PROBABILITIES and width > 1:
        least = math.log(1 + (width - 1) * math.exp(-1))
        says = (
            "softmax runs twice: each row of the output sums to 1, and the loss takes logits, which it gives to a softmax of its "
            f"own. The loss cannot fall below {number(least)}, and its gradient is small"
        )
        return ERROR, says, "leave the softmax out of the model: report.try_fix() tries it"
    if last is None or last.activation.reach == (None, None):
        return None
    low, high = last.activation.reach
    if low is not None and high is not None:
        says = (
            f"the loss takes logits, which may be any numbers, and {last.kind} keeps them in [{low:g}, {high:g}]: "
            "no prediction can be sure"
        )
        return ERROR, says, f"leave {last.kind} out of the output: the loss has its own: report.try_fix() tries it"
    if not last.activation.dies:
        return None
    says = f"the loss takes logits, which may be any numbers, and {last.kind} makes all negative ones 0, without a gradient"
    return WARNING, says, f"leave {last.kind} out of the output: report.try_fix() tries it"


def _into_probabilities(run: Run, look: Look, last: Activity | None) -> Problem | None:
    assert run.targets is not None
    kind, width = run.targets.kind, _width(look)
    inside = look.sums == PROBABILITIES or (last is not None and last.activation.reach == (0.0, 1.0))
    fitting = "a softmax" if kind == CLASSES and width > 1 else "a sigmoid"
    if not inside and (look.low < -TINY or look.high > 1 + TINY or (last is not None and last.activation.dies)):
        end = f"ends in {last.kind}" if last is not None else "has no activation at its end"
        says = (
            f"the loss takes probabilities, and the network {end}: its outputs reach from {number(look.low)} to "
            f"{number(look.high)}; the logarithm of what is not above 0 is not finite, and clipped values have no gradient"
        )
        fix = f"end with {fitting}, or leave it out and take a loss of logits: report.try_fix() tries it"
        return ERROR, says, fix
    if look.sums == PROBABILITIES and width > 1 and kind != CLASSES and not _rows_sum_to_one(run):
        return ERROR, _SUMS, "a sigmoid for each output: report.try_fix() tries it"
    assert look.output is not None
    is_sigmoid = last is not None and last.activation.is_elementwise and inside and look.sums != PROBABILITIES
    if is_sigmoid and kind == CLASSES and width > 1 and is_of_one_class(run.loss, look.output, run.y):
        says = (
            f"each sample has one class of {width}, and the loss looks at the output of that class alone or at its share. "
            "Sigmoids "
            "do not compete: they may all be large, and the others learn little"
        )
        return WARNING, says, "end with a softmax: report.try_fix() tries it"
    return None


_SUMS = (
    "softmax makes each row of the output sum to 1, and the rows of y do not: these targets do not exclude each other, so "
    "that no "
    "output can be right for all"
)


def _into_logarithms(run: Run, look: Look, last: Activity | None) -> Problem | None:
    if look.sums == LOGARITHMS or math.isnan(look.low):
        return None
    what = "probabilities" if look.sums == PROBABILITIES else f"numbers from {number(look.low)} to {number(look.high)}"
    says = (
        f"the loss takes log-probabilities, whose exponentials sum to 1 in each row, and the outputs are {what}: the loss falls "
        "without bound by larger outputs, not by better ones"
    )
    fix = "end with a log-softmax, or take the cross-entropy of logits: report.try_fix() tries it"
    return ERROR, says, fix


def _into_values(run: Run, look: Look, last: Activity | None) -> Problem | None:
    if look.sums == PROBABILITIES and _width(look) > 1 and not _rows_sum_to_one(run):
        return ERROR, _SUMS, "a sigmoid or a linear output, as the range of y wants: report.try_fix() tries it"
    return None


def _rows_sum_to_one(run: Run) -> bool:
    """Whether the targets are class numbers, or rows that sum to 1."""
    y = run.y
    if y.ndim != 2 or y.shape[1] == 1 or run.targets is None:
        return True
    view = y.backend.view
    sums = view.sum(view.astype(y, run.parameters[0][1].dtype if run.parameters else y.dtype), axis=1)
    return bool((abs(sums.numpy() - 1) < 1e-3).mean() > 0.95)


_PROBLEMS: dict[str, Any] = {
    LOGITS: _into_logits, PROBABILITIES: _into_probabilities, LOGARITHMS: _into_logarithms, VALUES: _into_values,
}  # fmt: skip
