"""UNDERTRAINED and PLATEAU: the run ended with a poor fit, while the loss still falls, or does not."""

from __future__ import annotations

import math

from xgrad.diagnose.finding import WARNING
from xgrad.diagnose.quality import Quality
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.trend import FLAT, fall

FAST = 0.05  # a fall in a tenth of the run, at which a network that is not good yet will be


class Undertrained(DiagnosticRule):
    name = "UNDERTRAINED"
    severity = WARNING
    needs = ("x", "y", "loss")
    falls = True

    def end(self, run: Run) -> Findings:
        quality, fell = run.quality, fall(run)
        if not run.steps or quality is None or math.isnan(fell) or not quality.is_known:
            return
        wanting = quality.is_poor or (fell > FAST and not quality.is_good)
        if wanting and (fell > FLAT) == self.falls:
            evidence = {"r2" if math.isnan(quality.right) else "score": quality.score, "fell": fell}
            if not math.isnan(quality.right):
                evidence |= {"right": quality.right, "usual": quality.usual}
            yield self.finding(run.steps, "the fit", self.words(quality, fell), evidence, self.cure)

    cure = "more steps, a larger lr or Adam: report.try_fix() tries it"

    def words(self, quality: Quality, fell: float) -> str:
        return f"{quality} at the end, and the loss still falls: by {100 * fell:.1f}% in a tenth of the run"


class Plateau(Undertrained):
    name = "PLATEAU"
    falls = False
    cure = "see the other findings; if there are none, standardise the data and use Adam: report.try_fix() tries it"

    def words(self, quality: Quality, fell: float) -> str:
        return f"{quality} at the end, and the loss no longer falls ({100 * fell:+.1f}% in a tenth of the run)"
