"""UNDERTRAINED and PLATEAU: the run ended with a poor fit, while the loss still falls, or does not."""

from __future__ import annotations

import math

import xgrad as xg
from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.trend import FLAT, change

GOOD = 0.9  # R^2


def r_squared(output: xg.Tensor, y: xg.Tensor) -> float:
    """1 - mean((y - output)^2) / Var(y), or nan if that is not finite."""
    view = y.backend.view
    scale = float(view.max(view.abs(y)).item()) or 1.0
    away, centered = (y - output) / scale, y / scale
    total = float(view.var(centered).item())
    rest = float(view.mean(away * away).item())
    return 1 - rest / total if total > 0 and math.isfinite(rest) else math.nan


class Undertrained(DiagnosticRule):
    name = "UNDERTRAINED"
    severity = WARNING
    needs = ("x", "y", "loss")
    falls = True

    def end(self, run: Run) -> Findings:
        if not run.steps or not run.is_regression:
            return
        with xg.no_grad():
            output = run.model(run.x)
        if output.shape != run.y.shape:
            return
        r2, fell = r_squared(output, run.y), change(run.losses)
        if not r2 < GOOD or math.isnan(fell) or (fell > FLAT) != self.falls:
            return
        yield self.finding(run.steps, "the fit", self.words(r2, fell), {"r2": r2, "fell": fell}, self.cure)

    cure = "more steps, a larger lr or Adam"

    def words(self, r2: float, fell: float) -> str:
        return f"R^2 = {number(r2)} at the end, and the loss still falls: by {100 * fell:.1f}% in the last tenth of the run"


class Plateau(Undertrained):
    name = "PLATEAU"
    falls = False
    cure = "see the other findings; if there are none, standardise the data and use Adam: report.try_fix() tries it"

    def words(self, r2: float, fell: float) -> str:
        return f"R^2 = {number(r2)} at the end, and the loss no longer falls ({100 * fell:+.1f}% in the last tenth of the run)"
