"""OVERFITTING: held-out samples are fitted far worse. IMBALANCE: the output is the share of the classes."""

from __future__ import annotations

import math

from xgrad.diagnose.finding import WARNING, number
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.targets import BINARY, CLASSES

GAP = 0.2  # of the scores on training samples and held-out ones
RISE = 1.2  # the held-out loss at the end, as a multiple of its least one
RARE = 0.8  # the share of the most frequent class, from which on classes are imbalanced


class Overfitting(DiagnosticRule):
    name = "OVERFITTING"
    severity = WARNING
    needs = ("x", "y", "loss")  # and held-out samples, without which it says nothing

    def end(self, run: Run) -> Findings:
        train, held = run.quality, run.quality_val
        if train is None or held is None or run.last is None:
            return
        seen = [(look.loss_val, look.step) for look in (*run.looks, run.last) if math.isfinite(look.loss_val)]
        if len(seen) < 2:
            return
        (least, step), now = min(seen), seen[-1][0]
        ours, theirs = (q.score if math.isnan(q.right) else q.right for q in (train, held))
        rises = now > RISE * least > 0 and run.last.loss < least
        if not ours - theirs > GAP and not (rises and ours - theirs > GAP / 4):
            return
        says = (
            f"training samples: {train}; held-out samples: {held}. The loss of held-out samples is {number(now)}, and was "
            f"{number(least)} at step {step}; that of training samples is {number(run.last.loss)}"
        )
        evidence = {"score": ours, "score_val": theirs, "loss_val": now, "least_loss_val": least, "at": step}
        fix = "stop at that step, or more samples, a smaller network, weight decay or dropout"
        yield self.finding(step, "the fit", says, evidence, fix)


class Imbalance(DiagnosticRule):
    name = "IMBALANCE"
    severity = WARNING
    needs = ("x", "y", "loss")

    def end(self, run: Run) -> Findings:
        quality, targets = run.quality, run.targets
        if quality is None or targets.kind not in (CLASSES, BINARY) or not targets.shares:
            return
        most = max(targets.shares)
        if not RARE <= most < 1 or not abs(quality.right - most) < 0.25 * (1 - most) or quality.score > 0.3:
            return
        shares = ", ".join(f"{100 * share:.1f}%" for share in targets.shares[:6])
        says = (
            f"the classes have the shares {shares}, and the network predicts the most frequent one: "
            f"{100 * quality.right:.1f}% are right, "
            "as without looking at x"
        )
        fix = (
            "weight the loss by class (weight=, pos_weight=) or draw rare classes more often; judge by recall, not by "
            "the share right"
        )
        yield self.finding(run.steps, "the outputs", says, {"shares": targets.shares, "right": quality.right}, fix)
