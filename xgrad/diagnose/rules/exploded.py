"""LOSS_EXPLODED: the loss has become many times the first one."""

from __future__ import annotations

import math

import xgrad as xg
from xgrad.diagnose.finding import ERROR, number
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

FAR = 1e3  # a loss above this multiple of the first one has exploded


class LossExploded(DiagnosticRule):
    name = "LOSS_EXPLODED"
    severity = ERROR

    def __init__(self) -> None:
        self.first = math.nan

    def start(self, run: Run) -> Findings:
        pairs = run.pairs()
        if pairs is not None and run.loss is not None:  # the loss of the first batch alone may be small by chance
            with xg.no_grad():
                loss = run.loss(run.start(pairs[0]), pairs[1])
            self.first = float(loss.item()) if loss.shape == () else math.nan
        return ()

    def loss(self, run: Run, step: int, loss: float) -> Findings:
        if math.isnan(self.first) or (step == 0 and loss > self.first):
            self.first = loss
        if loss > FAR * self.first > 0:
            says = f"the loss is {number(loss)}, {number(loss / self.first)} times the first one, {number(self.first)}"
            fix = "use smaller steps or standardised data: see the other findings, and report.try_fix()"
            yield self.finding(step, "the loss", says, {"loss": loss, "first_loss": self.first}, fix)
