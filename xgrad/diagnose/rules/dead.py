"""DEAD_LAYER: ReLU units that are zero for every sample, and stay so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import xgrad as xg
from xgrad.diagnose.finding import ERROR, WARNING
from xgrad.diagnose.look import Activity, Look, look
from xgrad.diagnose.network import is_plain_sgd, rows
from xgrad.diagnose.rules.rule import Findings, Rule

MANY = 0.99  # of a layer's activations
TINY = 1e-7  # a gradient, as a share of its weights
SURE = 3  # looks running, where momentum may still move a layer without a gradient
APART = 20  # steps that these looks must span
FIX = "standardise x and y, use a linear output, and start anew: report.try_fix() tries it"


@dataclass
class Streak:
    first: int
    looks: int = 0


class DeadLayer(Rule):
    name = "DEAD_LAYER"
    severity = ERROR

    def __init__(self) -> None:
        self.streaks: dict[str, Streak] = {}

    def look(self, w: Any, look: Look) -> Findings:
        dead = {a.where: a for a in look.activities if a.dead}
        self.streaks = {where: streak for where, streak in self.streaks.items() if where in dead}
        for where, activity in dead.items():
            streak = self.streaks.setdefault(where, Streak(look.step))
            streak.looks += 1
            lasts = streak.looks >= SURE and look.step - streak.first >= APART
            if (lasts or (is_plain_sgd(w.optimizer) and w.x is not None)) and _on_every_sample(w, activity):
                yield self._dead(w, streak.first, activity)
        for activity in look.activities:
            if activity.kind == "relu" and not activity.dead and activity.zeros >= MANY:
                yield from self._nearly(w, look, activity)

    def end(self, w: Any) -> Findings:
        """What is dead at the end, and may have come to be so only now."""
        for activity in w.last.activities if w.last is not None else ():
            if activity.dead and _on_every_sample(w, activity):
                streak = self.streaks.get(activity.where)
                finding = self._dead(w, w.now if streak is None else streak.first, activity)
                yield finding if is_plain_sgd(w.optimizer) else replace(finding, severity=WARNING)

    def _dead(self, w: Any, step: int, activity: Activity) -> Any:
        moving = _still_moving(w, activity)
        born = " It was so from the start: born dead." if step == 0 else ""
        layer = "the output" if activity.is_output else "the layer"
        samples = "every sample" if w.x is not None else "every sample of the batches looked at"
        says = f"no unit of {layer} is positive on {samples}, so its gradient is exactly 0"
        says += "; what feeds it still changes, so it may recover." if moving else " and it cannot recover."
        evidence = {"dead_units": 1.0, "born_dead": step == 0, "is_output": activity.is_output}
        where = activity.where
        return self.finding(step, where, says + born, evidence, FIX, severity=WARNING if moving else ERROR)

    def _nearly(self, w: Any, look: Look, activity: Activity) -> Findings:
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


def _on_every_sample(w: Any, activity: Activity) -> bool:
    """Whether it is dead for all of x too, where the look took a part of it."""
    if w.x is None or rows(w.x, _sampled(w)) is w.x:
        return True
    seen = look(0, lambda: w.model(w.x), w.name)
    return any(a.dead and a.where == activity.where for a in seen.activities)


def _sampled(w: Any) -> int:
    sample = w.sample()
    return 0 if sample is None else int(sample.shape[0])


def _still_moving(w: Any, activity: Activity) -> bool:
    """Whether a parameter at or before the layer has a gradient: then it changes by another way through the network."""
    if activity.module is None:
        return True
    own = {id(p) for p in activity.module.parameters()}
    names = [place for place, (_, p) in enumerate(w.parameters) if id(p) in own]
    for _, p in w.parameters[: max(names, default=-1) + 1]:
        if p.grad is not None and bool(xg.any(p.grad.detach() != 0).item()):
            return True
    return False
