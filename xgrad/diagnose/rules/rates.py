"""LR_LOW and LR_HIGH: another learning rate lowers the loss much more, in a few steps that are tried."""

from __future__ import annotations

import math
from itertools import pairwise

from xgrad.diagnose.continuing import STEPS, tried
from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

FASTER = 3.0  # a larger rate must lower the loss by this multiple of what the run's own does
MATTERS = 0.1  # and by this share of the loss
LONG = 200  # steps that are tried where the loss is restless
RISE, LARGE = 1.3, 0.08  # a rise of the loss, to more than this share of the first one
CAUSES = (  # which another rate would only hide
    "STEP_UNSTABLE", "NONFINITE", "FORGOT_ZERO_GRAD", "REGULARISATION", "OUTPUT_ACTIVATION", "LABEL_RANGE",
)  # fmt: skip
TWICE = 2.0  # a restless run must end with more than this multiple of the loss that a smaller rate gives
UP, DOWN = (10.0, 100.0, 1000.0), (0.1, 0.01)  # factors of the rate that are tried


class LearningRateLow(DiagnosticRule):
    name = "LR_LOW"
    severity = WARNING
    needs = ("optimizer", "x", "y", "loss")

    def end(self, run: Run) -> Findings:
        if not _is_in_question(run) or any(map(run.has, (*CAUSES[:3], "DEAD_LAYER"))) or run.last is None:
            return
        now, own = run.last.loss, tried(run, from_start=False)
        if not math.isfinite(now) or not math.isfinite(own):
            return
        found = [(factor, tried(run, from_start=False, rate=factor)) for factor in UP]
        factor, best = min(found, key=lambda pair: pair[1] if math.isfinite(pair[1]) else math.inf)
        if not math.isfinite(best) or now - best < MATTERS * abs(now) or now - best < FASTER * max(now - own, 0.0):
            return
        lr = run.rate
        says = (
            f"with lr {lr:g} the next {STEPS} steps take the loss of the samples from {number(now)} to {number(own)}; with "
            f"{lr * factor:g} they take it to {number(best)}"
        )
        evidence = {"lr": lr, "loss": now, "loss_after": own, "larger_lr": lr * factor, "loss_after_larger": best}
        yield self.finding(
            run.steps, "the learning rate", says, evidence, f"lr {lr * factor:g}: report.try_fix() tries it"
        )


class LearningRateHigh(DiagnosticRule):
    name = "LR_HIGH"
    severity = WARNING
    needs = ("optimizer", "x", "y", "loss")

    def end(self, run: Run) -> Findings:
        if not run.looks or any(run.has(rule) for rule in CAUSES) or not (_is_in_question(run) or _is_restless(run)):
            return
        restless = _is_restless(run)
        steps = max(1, min(LONG if restless else STEPS, run.steps))
        before = run.looks[0].loss
        own = run.last.loss if restless and run.last is not None else tried(run, from_start=True, steps=steps)
        found = [(factor, tried(run, from_start=True, rate=factor, steps=steps)) for factor in DOWN]
        factor, best = min(found, key=lambda pair: pair[1] if math.isfinite(pair[1]) else math.inf)
        gain = before - best
        if math.isnan(own) or not math.isfinite(best) or gain < MATTERS * abs(before):
            return
        if not own > TWICE * best if restless else own - best < max(MATTERS * abs(before), 0.5 * gain):
            return
        lr = run.rate
        says = (
            f"the loss of the samples rises again and again, and ends at {number(own)}"
            if restless
            else f"{steps} steps with lr {lr:g} take the loss of the samples from {number(before)} to {number(own)}"
        )
        says += f"; from the same start, {steps} steps with lr {lr * factor:g} take it to {number(best)}"
        evidence = {"lr": lr, "loss": before, "loss_after": own, "smaller_lr": lr * factor, "loss_after_smaller": best}
        yield self.finding(0, "the learning rate", says, evidence, f"lr {lr * factor:g}: report.try_fix() tries it")


def _is_restless(run: Run) -> bool:
    """Whether the loss of the sample rises again and again, long after the start."""
    losses = [(look.step, look.loss) for look in (*run.looks, run.last) if look is not None]
    large = LARGE * losses[0][1]
    rises = [b for (step, a), (_, b) in pairwise(losses) if step >= 20 and b > max(RISE * a, large)]
    return len(rises) >= 2


def _is_in_question(run: Run) -> bool:
    """Whether the network does so badly that its rate is worth a trial, and nothing forbids one."""
    quality = run.quality
    return quality is not None and quality.is_poor and run.steps > 1 and not run.has("GRADCHECK")
