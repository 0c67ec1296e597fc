"""NONFINITE: the first operation that made nan or inf."""

from __future__ import annotations

import math

from xgrad.diagnose.anomaly import BACKWARD, Anomaly
from xgrad.diagnose.finding import ERROR
from xgrad.diagnose.gradients import Gradients
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

LARGE = 1e30  # numbers from which on an overflow, and not a 0, is the fault
FIX = (
    "keep the numbers small: standardise x and y, and use smaller steps if it still grows; report.try_fix() tries it. If an "
    "infinity is intended, name its operation: watch(..., allow=[...])"
)


OF_ZERO = {
    "log": "the logarithm of 0 is -inf: take the cross-entropy of logits, or clip the argument from below, as in "
    "xg.log(xg.clip(p, 1e-7, 1.0))",
    "divide": "a division by 0: add a small number to the divisor, or leave those elements out by xg.where on both sides",
    "sqrt": "the slope of the square root at 0 is infinite: add a small number inside of it",
    "pow": "a power of 0 whose slope is infinite: add a small number to the base",
}


def _advice(anomaly: Anomaly) -> str:
    """What to do: about an argument of 0 where there is one, about large numbers otherwise."""
    # In backward the operands are gradients. The slopes of these operations are infinite at 0 alone.
    has_zero = anomaly.phase == BACKWARD or any(each.low <= 0 <= each.high for each in anomaly.operands)
    large = any(max(abs(each.low), abs(each.high)) > LARGE for each in anomaly.operands)
    return OF_ZERO[anomaly.op] if anomaly.op in OF_ZERO and has_zero and not large else FIX


class NonFinite(DiagnosticRule):
    name = "NONFINITE"
    severity = ERROR

    def __init__(self) -> None:
        self.done = False

    def anomaly(self, run: Run, step: int, anomaly: Anomaly) -> Findings:
        if self.done:
            return
        self.done = True
        layer = run.name(anomaly.site.module)
        op = f"the gradient of '{anomaly.op}'" if anomaly.phase == BACKWARD else f"'{anomaly.op}'"
        given = "; ".join(map(str, anomaly.operands))
        verb = {"made": "is the first to make", "given": "was given", "summed": "is added to others, and the sum is"}
        says = f"{op} {verb[anomaly.how]} {anomaly.kind} in {anomaly.phase}, in {anomaly.output.dtype}"
        says += f"; given {given}" if given else ""
        says += f"; called at {anomaly.site}"
        evidence = {
            "op": anomaly.op,
            "phase": anomaly.phase,
            "kind": anomaly.kind,
            "how": anomaly.how,
            "dtype": anomaly.output.dtype,
            "line": str(anomaly.site),
            "operands": [[each.low, each.high] for each in anomaly.operands],
        }
        yield self.finding(step, layer, says, evidence, _advice(anomaly))

    def broken(self, run: Run, step: int, gradients: Gradients) -> Findings:
        if self.done:
            return
        self.done = True
        names = ", ".join(gradients.broken())
        says = (
            f"gradients are not finite: {names}. The operation is unknown, because this step was not watched. To repeat a step, "
            "the watcher needs the loss as a module, or x and y themselves as the batch"
        )
        yield self.finding(step, names, says, {"op": "", "phase": BACKWARD, "parameters": names}, FIX)

    def moved(self, run: Run, step: int) -> Findings:
        if self.done or run.optimizer is None:
            return
        for name, p in run.parameters:
            xp = p.backend.xp
            if not bool(p.backend.to_numpy(xp.all(xp.isfinite(p.data))).item()):
                self.done = True
                kind = type(run.optimizer).__name__
                says = f"the update of {kind} makes {name} leave the range of {str(p.dtype).rpartition('.')[2]}"
                evidence = {"op": kind, "phase": "update", "kind": "inf", "dtype": str(p.dtype).rpartition(".")[2]}
                yield self.finding(step, f"{run.owner(name)}, {name}", says, evidence, FIX)
                return

    def loss(self, run: Run, step: int, loss: float) -> Findings:
        if not self.done and not math.isfinite(loss) and run.steps >= 0 and run.losses and not math.isnan(loss):
            self.done = True
            yield self.finding(
                step,
                "the loss",
                f"the loss is {loss}, but no operation that was watched made it so",
                {"op": "", "phase": "forward", "kind": str(loss)},
                FIX,
            )
        elif not self.done and math.isnan(loss):
            self.done = True
            yield self.finding(
                step,
                "the loss",
                "the loss is nan; the operation is unknown, because it was not watched",
                {"op": "", "phase": "forward", "kind": "nan"},
                FIX,
            )
