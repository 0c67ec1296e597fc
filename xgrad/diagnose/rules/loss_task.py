"""LOSS_TASK: a distance as the loss of classes, or a cross-entropy as the loss of numbers."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.diagnose.finding import ERROR, NOTE, WARNING, number
from xgrad.diagnose.look import Look
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.takes import LOGITS, PROBABILITIES, VALUES
from xgrad.diagnose.targets import REGRESSION


class LossTask(DiagnosticRule):
    name = "LOSS_TASK"
    severity = WARNING
    needs = ("y", "loss")

    def __init__(self) -> None:
        self.takes: str | None = None
        self.width = 1

    def look(self, run: Run, look: Look) -> Findings:
        if look.output is None:
            return
        self.takes = run.takes(look.output)
        self.width = int(look.output.shape[1]) if look.output.ndim == 2 else 1
        targets = run.targets
        beyond = max(0.0 - targets.low, targets.high - 1.0)
        if (
            targets.kind == REGRESSION
            and self.takes in (PROBABILITIES, LOGITS)
            and beyond > 0
            and not targets.in_column
        ):
            says = (
                f"the loss is a cross-entropy, for classes or shares from 0 to 1, and y has numbers from "
                f"{number(targets.low)} to "
                f"{number(targets.high)}: it cannot tell how far an output is from its target"
            )
            evidence = {"takes": self.takes, "low": targets.low, "high": targets.high}
            yield self.finding(
                look.step, "the loss", says, evidence, "a squared error with a linear output", severity=ERROR
            )

    def end(self, run: Run) -> Findings:
        if self.takes != VALUES:
            return
        targets, quality = run.targets, run.quality
        is_poor = quality is not None and quality.is_poor
        if targets.kind == REGRESSION:
            if targets.in_column and self.width == 1 and is_poor:
                says = (
                    f"y has whole numbers from 0 to {targets.high:g} in one column. If they are numbers of classes, the "
                    "loss takes "
                    "class 2 for twice class 1"
                )
                fix = "one output for each class, and their cross-entropy; none, if y counts something"
                yield self.finding(0, "the loss", says, {"high": targets.high}, fix)
            return
        power = _power(run)
        what = {1: "an absolute", 2: "a squared"}.get(power, "a")
        cost: dict[str, Any] = {"power": power}
        says = f"the loss is {what} error, and y has classes"
        if power == 1:
            says += ": its best constant is the most frequent class, and its slope does not tell a near miss from a sure mistake"
        elif quality is not None:
            says += ": an output that is sure and wrong gets a small gradient through a sigmoid or softmax"
            cost["right"] = quality.right
        says += "" if quality is None or math.isnan(quality.right) else f"; {quality}"
        severity = WARNING if power == 1 or is_poor else NOTE
        fix = "the cross-entropy of logits: report.try_fix() tries it"
        yield self.finding(0, "the loss", says, cost, fix, severity=severity)


def _power(run: Run) -> int:
    """1 for an absolute error, 2 for a squared one, 0 for another one."""
    y = run.pairs()[1]
    try:
        with xg.no_grad():
            one, two = (float(run.loss(y + step, y).item()) for step in (1.0, 2.0))
    except Exception:
        return 0
    return round(two / one) // 2 if one > 0 and math.isclose(two / one, round(two / one), rel_tol=1e-3) else 0
