"""CONST_OUTPUT: the output is the same for every input."""

from __future__ import annotations

import math
from typing import Any

from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.network import spread
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.trend import is_flat

SETTLED = 100  # it uses looks after so many steps, and after a tenth of the run
NARROW = 0.02  # an output whose std is below this multiple of std(y) is constant
CLOSE = 0.01  # relative difference at which the output counts as mean(y)


class ConstOutput(DiagnosticRule):
    name = "CONST_OUTPUT"
    severity = WARNING
    needs = ("x", "y", "loss")

    def end(self, run: Run) -> Findings:
        settled = max(SETTLED, run.steps // 10)
        late = [look for look in (*run.looks, run.last) if look is not None and look.step >= settled]
        if not late or not run.is_regression or not is_flat(run.losses):
            return
        std_y = spread(run.y)
        narrow = [look.finite and look.std < NARROW * std_y for look in late]
        if not narrow[-1]:
            return
        first = len(narrow) - next((k for k, is_narrow in enumerate(reversed(narrow)) if not is_narrow), len(narrow))
        look, mean_y = late[-1], float(run.y.backend.view.mean(run.y).item())
        says = f"std(prediction) = {number(look.std)} against std(y) = {number(std_y)}"
        evidence: dict[str, Any] = {
            "std_prediction": look.std,
            "mean_prediction": look.mean,
            "std_y": std_y,
            "mean_y": mean_y,
        }
        if look.zero:
            says += "; every prediction is exactly 0: a dead output"
            evidence["constant"] = "zero"
        elif math.isclose(look.mean, mean_y, rel_tol=CLOSE, abs_tol=CLOSE * std_y):
            loss, best = run.losses[-1], std_y * std_y
            evidence |= {"loss": loss, "var_y": best, "constant": "mean"}
            says += f"; it is mean(y) = {number(mean_y)}: the network predicts the mean"
            says += f" (loss {number(loss)}, Var(y) {number(best)})"
        fix = "standardise x and y with a linear output: report.try_fix() tries it"
        yield self.finding(late[first].step, "the output", says, evidence, fix)
