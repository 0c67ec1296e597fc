"""REGULARISATION: weight decay outweighs the loss."""

from __future__ import annotations

import math

import xgrad as xg
from xgrad.diagnose.continuing import STEPS, tried
from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.gradients import length
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

MATTERS = 0.15  # the share of the loss that a few steps without decay must gain
SHRUNK = 0.7  # the weights' norm at the end, as a share of that at the start


class Regularisation(DiagnosticRule):
    name = "REGULARISATION"
    severity = WARNING
    needs = ("optimizer", "x", "y", "loss")

    def end(self, run: Run) -> Findings:
        quality = run.quality
        decay = max((float(g["weight_decay"]) for g in run.optimizer.param_groups if "weight_decay" in g), default=0.0)
        if not decay or quality is None or quality.is_good or run.last is None or not math.isfinite(run.last.loss):
            return
        now = run.last.loss
        with_decay, without = (tried(run, from_start=False, decay=factor) for factor in (1.0, 0.0))
        if not min(now, with_decay) - without >= MATTERS * abs(now):  # weights near 0 take long to grow again
            with_decay, without = (tried(run, from_start=True, decay=factor) for factor in (1.0, 0.0))
        if not math.isfinite(without) or not min(now, with_decay) - without >= MATTERS * abs(now):
            return
        begun, ended = (
            math.hypot(*(length(p.detach()) for p in model.parameters())) for model in (run.start, run.model)
        )
        if ended > SHRUNK * begun:
            return
        pull = decay * ended
        push = math.hypot(*(length(p.grad) for _, p in run.parameters if isinstance(p.grad, xg.Tensor)), 0.0)
        says = (
            f"weight decay {decay:g} outweighs the loss: the norm of the weights fell from {number(begun)} to "
            f"{number(ended)}, decay "
            f"pulls with {number(pull)} against a gradient of {number(push)}, and {STEPS} steps without it take the loss of the "
            f"samples from {number(now)} to {number(without)}"
        )
        evidence = {
            "weight_decay": decay, "norm_before": begun, "norm": ended, "decay_norm": pull, "gradient_norm": push,
            "loss": now, "loss_without": without,
        }  # fmt: skip
        fix = f"weight_decay {decay / 1000:g} or less: report.try_fix() tries 0"
        yield self.finding(run.steps, "the weight decay", says, evidence, fix)
