"""OUTPUT_RANGE: targets that the output's activation cannot reach."""

from __future__ import annotations

import math

from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.look import Look
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

MOST = 0.05  # share of targets that may be outside


class OutputRange(DiagnosticRule):
    name = "OUTPUT_RANGE"
    severity = WARNING
    needs = ("y", "loss")

    def look(self, run: Run, look: Look) -> Findings:
        last = next((a for a in look.activities if a.is_output), None)
        if last is None or not run.is_regression:
            return
        low, high = last.activation.reach
        view = run.y.backend.view
        outside = [run.y < low] if low is not None else []
        outside += [run.y > high] if high is not None else []
        if not outside:
            return
        share = sum(float(view.mean(view.astype(each, run.y.dtype)).item()) for each in outside)
        if share > MOST:
            span = (-math.inf if low is None else low, math.inf if high is None else high)
            least, most = float(view.min(run.y).item()), float(view.max(run.y).item())
            says = (
                f"{100 * share:.0f}% of the targets (from {number(least)} to {number(most)}) lie outside of "
                f"[{span[0]:g}, {span[1]:g}], the range of {last.kind}"
            )
            evidence = {"share": share, "low": span[0], "high": span[1], "activation": last.kind}
            fix = "a linear output, with x and y standardised: report.try_fix() tries it"
            yield self.finding(look.step, "the output", says, evidence, fix)
