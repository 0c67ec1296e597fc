"""SATURATED: sigmoid and tanh units with inputs so large that their slopes are nearly zero."""

from __future__ import annotations

from dataclasses import dataclass

from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.look import FLAT, Look
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

MOST = 0.9  # share of flat slopes above which a layer is saturated
RUNNING = 3  # successive looks at which it must be so
APART = 40  # steps at most between two of these looks


@dataclass
class Streak:
    first: int
    last: int
    looks: int = 0


class Saturated(DiagnosticRule):
    name = "SATURATED"
    severity = WARNING

    def __init__(self) -> None:
        self.streaks: dict[str, Streak] = {}

    def look(self, run: Run, look: Look) -> Findings:
        for activity in look.activities:
            where = activity.where
            if activity.is_output or activity.flat <= MOST:
                self.streaks.pop(where, None)
                continue
            streak = self.streaks.get(where)
            if streak is None or look.step - streak.last > APART:
                streak = self.streaks[where] = Streak(look.step, look.step)
            streak.last = look.step
            streak.looks += 1
            if streak.looks >= RUNNING:
                says = (
                    f"{100 * activity.flat:.0f}% of the {activity.kind} slopes are below {100 * FLAT:.0f}% of their maximum; "
                    f"the inputs have std {number(activity.input_std)}, where about 1 is right"
                )
                evidence = {"share": activity.flat, "input_std": activity.input_std, "kind": activity.kind}
                fix = "standardise x and y, and use Adam if SGD is still slow then: report.try_fix() tries it"
                yield self.finding(streak.first, where, says, evidence, fix)
