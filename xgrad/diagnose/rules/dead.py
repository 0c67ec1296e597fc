"""DEAD_LAYER: ReLU units that are zero for every sample, and stay so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import xgrad as xg
from xgrad.diagnose.finding import ERROR, WARNING
from xgrad.diagnose.look import Activity, Look, look
from xgrad.diagnose.network import is_plain_sgd, rows
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

MANY = 0.99  # share of zero activations at which a layer is nearly dead
TINY = 1e-7  # norm of a gradient, relative to that of its weights, below which a layer hardly learns
SURE = 3  # successive looks at which a layer must be dead, since momentum may move it without a gradient
APART = 20  # steps between the first and the last of these looks
FIX = "standardise x and y, use a linear output, and start again: report.try_fix() tries it"


@dataclass
class Streak:
    first: int
    looks: int = 0


class DeadLayer(DiagnosticRule):
    name = "DEAD_LAYER"
    severity = ERROR

    def __init__(self) -> None:
        self.streaks: dict[str, Streak] = {}

    def look(self, run: Run, look: Look) -> Findings:
        dead = {a.where: a for a in look.activities if a.dead}
        self.streaks = {where: streak for where, streak in self.streaks.items() if where in dead}
        sure = []
        for where, activity in dead.items():
            streak = self.streaks.setdefault(where, Streak(look.step))
            streak.looks += 1
            lasts = streak.looks >= SURE and look.step - streak.first >= APART
            if (lasts or (is_plain_sgd(run.optimizer) and run.x is not None)) and (self.name, where) not in run.known:
                sure.append(activity)
        if sure:
            moves = _moving(run)
            for activity in _on_every_sample(run, sure):
                yield self._dead(self.streaks[activity.where].first, activity, moves(activity), run)
        for activity in look.activities:
            if activity.activation.dies and not activity.dead and activity.zeros >= MANY:
                yield from self._nearly(run, look, activity)

    def end(self, run: Run) -> Findings:
        """Layers that are dead at the end, even if only since the last look."""
        dead = [a for a in run.last.activities if a.dead] if run.last is not None else []
        if not dead:
            return
        moves = _moving(run)
        for activity in _on_every_sample(run, dead):
            streak = self.streaks.get(activity.where)
            finding = self._dead(run.now if streak is None else streak.first, activity, moves(activity), run)
            yield finding if is_plain_sgd(run.optimizer) else replace(finding, severity=WARNING)

    def _dead(self, step: int, activity: Activity, moving: bool, run: Run) -> Any:
        born = " It was so from the start: born dead." if step == 0 else ""
        layer = "the output" if activity.is_output else "the layer"
        samples = "every sample" if run.x is not None else "every sample of the batches looked at"
        says = f"no unit of {layer} is positive on {samples}, so its gradient is exactly 0"
        says += "; its input still changes, so it may recover." if moving else " and it cannot recover."
        evidence = {"dead_units": 1.0, "born_dead": step == 0, "is_output": activity.is_output}
        where = activity.where
        return self.finding(step, where, says + born, evidence, FIX, severity=WARNING if moving else ERROR)

    def _nearly(self, run: Run, look: Look, activity: Activity) -> Findings:
        norm = look.norms.get(activity.where)
        if norm is None or activity.module is None:
            return
        weights = sum(float(xg.sum(xg.square(p.detach())).item()) for p in activity.module.parameters())
        if norm > TINY * weights**0.5:
            return
        says = (
            f"{100 * activity.zeros:.1f}% of its activations are zero and the norm of its gradient is {norm:.3g}: "
            "the layer hardly learns"
        )
        evidence = {"zeros": activity.zeros, "dead_units": activity.dead_units, "gradient_norm": norm}
        yield self.finding(look.step, activity.where, says, evidence, FIX, severity=WARNING)


def _on_every_sample(run: Run, dead: list[Activity]) -> list[Activity]:
    """Those of the layers that are dead for all of x, if the look used only a part of x."""
    if run.x is None or rows(run.x, _sampled(run)) is run.x:
        return dead
    still = {a.where for a in look(0, lambda: run.model(run.x), run.name).activities if a.dead}
    return [activity for activity in dead if activity.where in still]


def _sampled(run: Run) -> int:
    sample = run.sample()
    return 0 if sample is None else int(sample.shape[0])


def _moving(run: Run) -> Callable[[Activity], bool]:
    """A function that says whether a parameter in a layer or before it has a nonzero gradient, so that its input changes."""
    places = {id(p): place for place, (_, p) in enumerate(run.parameters)}
    gradients = ((place, p.grad) for place, (_, p) in enumerate(run.parameters) if p.grad is not None)
    first = next((place for place, g in gradients if bool(xg.any(g.detach() != 0).item())), len(places))

    def moves(activity: Activity) -> bool:
        if activity.module is None:
            return True
        return first <= max((places.get(id(p), -1) for p in activity.module.parameters()), default=-1)

    return moves
