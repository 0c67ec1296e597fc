"""LABEL_RANGE: targets outside of what the loss takes, labels that were scaled, and classes that never occur."""

from __future__ import annotations

from typing import Any

from xgrad.backends.host import library as np
from xgrad.diagnose.finding import ERROR, NOTE, WARNING, number
from xgrad.diagnose.look import Look
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.takes import LOGARITHMS, LOGITS, PROBABILITIES
from xgrad.diagnose.targets import CLASSES, FEW, Targets

PIXEL = 255.0
ENOUGH = 10  # samples for each output, from which on a class that is absent is missed


class LabelRange(DiagnosticRule):
    name = "LABEL_RANGE"
    severity = ERROR
    needs = ("y", "loss")

    def __init__(self) -> None:
        self.takes: str | None = None

    def look(self, run: Run, look: Look) -> Findings:
        if look.output is None or (self.name, "y") in run.known:
            return
        targets, self.takes = run.targets, run.takes(look.output)
        shape = look.output.shape
        width = int(shape[1]) if len(shape) == 2 else 1
        is_scaled = _pixels(run, targets)
        if targets.kind == CLASSES and width > 1:
            yield from self._of_classes(look.step, targets, width)
        elif self.takes in (PROBABILITIES, LOGITS) and (targets.low < 0 or targets.high > 1):
            says = (
                f"the loss takes targets from 0 to 1, and y reaches from {number(targets.low)} to {number(targets.high)}: beyond "
                "them the loss has no least value, and may be negative"
            )
            fix = (
                _SCALED
                if is_scaled
                else "one output for each class with its cross-entropy, or a squared error for a regression"
            )
            yield self.finding(look.step, "y", says, {"low": targets.low, "high": targets.high}, fix)
        elif is_scaled:
            says = (
                f"y reaches from {number(targets.low)} to {number(targets.high)}, in steps of {is_scaled}: labels that "
                "were scaled"
            )
            yield self.finding(
                look.step, "y", says, {"low": targets.low, "high": targets.high}, _SCALED, severity=WARNING
            )

    def _of_classes(self, step: int, targets: Targets, width: int) -> Findings:
        numbers, shares = targets.numbers, targets.shares
        least, most = int(numbers.min()), int(numbers.max())
        if targets.one != 1:
            says = f"each row of y has one value of {number(targets.one)}, where a 1 is wanted: labels that were scaled"
            yield self.finding(step, "y", says, {"one": targets.one}, _SCALED)
        elif most >= width or (least < 0 and least != -100):
            says = f"y has the classes {least} to {most}, and the network has {width} outputs, for classes 0 to {width - 1}"
            fix = "number the classes from 0, and give the network one output for each"
            yield self.finding(step, "y", says, {"low": least, "high": most, "outputs": width}, fix)
        elif numbers.size >= ENOUGH * width:
            present = sum(share > 0 for share in shares)
            if present < width:
                says = f"{present} classes occur in {numbers.size} samples, and the network has {width} outputs"
                fix = "one output for each class that occurs; or were the others lost where the samples were chosen?"
                severity = WARNING if present <= width / 2 else NOTE
                yield self.finding(step, "y", says, {"classes": present, "outputs": width}, fix, severity=severity)

    def loss(self, run: Run, step: int, loss: float) -> Findings:
        if loss < -1e-6 and self.takes in (PROBABILITIES, LOGITS, LOGARITHMS) and not run.has("OUTPUT_ACTIVATION"):
            says = f"the loss is {number(loss)}: it is the negative logarithm of a probability, which is never below 0"
            fix = "look at the targets, which must lie from 0 to 1, and at the outputs"
            yield self.finding(step, "y", says, {"loss": loss}, fix)


_SCALED = "do not scale labels as if they were pixels: only x is divided by 255"


def _pixels(run: Run, targets: Targets) -> str:
    """The step of the labels, in words, if they are whole numbers times or divided by 255; else nothing."""
    if targets.kind == CLASSES or run.y.dtype in run.y.backend.complex_dtypes or not 0 <= targets.low < targets.high:
        return ""
    values: Any = np.unique(run.y.numpy()).astype(float)
    if not 2 <= len(values) <= FEW or values[0] != 0:
        return ""
    for step, words in ((1 / PIXEL, "1/255"), (PIXEL, "255")):
        steps = values / step
        if np.allclose(steps, np.rint(steps), rtol=1e-4) and steps[-1] < 2 * FEW and len(values) > steps[-1] / 2:
            return words
    return ""
