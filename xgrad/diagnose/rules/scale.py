"""SCALE: data far from unit scale."""

from __future__ import annotations

import xgrad as xg
from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.network import is_float, spread
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

LARGE, SMALL = 10.0, 0.05  # the range of standard deviations


class Scale(DiagnosticRule):
    name = "SCALE"
    severity = WARNING
    needs = ("x",)

    def start(self, run: Run) -> Findings:
        for name, data in (("x", run.x), ("y", run.y if run.is_regression else None)):
            if data is None or not is_float(data) or data.size == 0:
                continue
            std, mean = spread(data), float(data.backend.view.mean(data).item())
            largest = float(xg.max(xg.abs(data)).item())
            if std > LARGE or abs(mean) > LARGE or 0 < std < SMALL:
                says = f"{name} has mean {number(mean)}, std {number(std)} and reaches {number(largest)}"
                says += "; mean 0 and std 1 are wanted"
                evidence = {"mean": mean, "std": std, "largest": largest}
                fix = "standardise x and y, both: report.try_fix() tries it"
                yield self.finding(0, name, says, evidence, fix)
