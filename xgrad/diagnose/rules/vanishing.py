"""VANISHING: the gradients of the first layers are far below those of the last."""

from __future__ import annotations

import math

from xgrad.diagnose.finding import WARNING
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

FAR = 0.02  # the norm of the first layer's gradient as a share of the last one's
LOOKS = 3  # at which it must be so, and at more than half of all


class Vanishing(DiagnosticRule):
    name = "VANISHING"
    severity = WARNING

    def end(self, run: Run) -> Findings:
        quality = run.quality
        if (
            quality is None
            or not quality.is_poor
            or any(run.has(rule) for rule in ("DEAD_LAYER", "NONFINITE", "SATURATED"))
        ):
            return
        shares = []
        for look in run.looks:
            norms = list(look.norms.values())
            if (
                len(norms) > 2 and norms[0] > 0 and norms[-1] > 0 and math.isfinite(norms[-1])
            ):  # exact zeros are another fault
                shares.append((norms[0] / norms[-1], look))
        small = [(share, look) for share, look in shares if share < FAR]
        if len(small) < LOOKS or len(small) <= len(shares) / 2:
            return
        share, look = small[-1]
        first, last = next(iter(look.norms)), next(reversed(look.norms))
        kinds = {activity.kind for activity in look.activities if not activity.is_output}
        listed = ", ".join(f"{value:.2g}" for value in look.norms.values())
        says = (
            f"the gradient of {first} is {share:.2g} times that of {last} at step {look.step} (norms by layer: {listed}), so "
            "that the "
            "first layers hardly learn"
        )
        bounded = sorted(kinds & {"sigmoid", "tanh", "hardsigmoid", "softsign", "hardtanh"})
        says += f"; each {' and '.join(bounded)} layer makes it smaller" if bounded else ""
        fix = "ReLU or GELU between the layers, weights by nn.init for the activation, normalisation, or Adam"
        evidence = {"share": share, "norms": dict(look.norms)}
        yield self.finding(small[0][1].step, first, says, evidence, fix)
