"""STEP_UNSTABLE: the steps are too large for the network and the data."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.curvature import largest_eigenvalue
from xgrad.diagnose.finding import ERROR, number
from xgrad.diagnose.gradients import UNSEEN, Gradients, length
from xgrad.diagnose.network import copy_of, copy_optimizer, spread, standardised
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.without import without_output_activation

WORST = 5.0  # an update whose norm exceeds this multiple of the weights' norm is too large
STABLE = 4.0  # the limit of lr times the largest eigenvalue, times 1 + momentum: 2 in theory, 4 in practice
CERTAIN = 20.0  # above this, times 1 + momentum, no trial step need confirm it
RISE = 5.0  # a trial step confirms it if the loss rises above this multiple; below it, runs were seen to settle
LEAP, LEAP_ADAPTIVE = (
    10.0,
    100.0,
)  # multiples of the loss after a trial step that are an error; adaptive optimizers recover from more
SMALL = 8  # parameters of fewer elements are not compared with their updates
MATRIX = 2  # nor are those of fewer axes
ROWS = 256  # samples that it uses
FIX = "standardise x and y and use a linear output: report.try_fix() tries it"


class StepUnstable(DiagnosticRule):
    name = "STEP_UNSTABLE"
    severity = ERROR
    needs = ("optimizer",)

    def __init__(self) -> None:
        self.weights: list[float] = []  # the norm of each parameter when it was last measured
        self.done = False  # whether an update was too large; later ones are its effect
        self.waits = False  # whether the first step is still to be checked, once the size of a batch is known

    # --- before the first step ---

    def start(self, run: Run) -> Findings:
        if run.x is not None and run.y is not None and run.loss is not None:
            self.waits = _is_sum(run)  # its curvature grows with the batch
            if not self.waits:
                yield from self._first(run, ROWS)

    def _first(self, run: Run, most: int) -> Findings:
        """What the first step does to the loss of so many samples."""
        x, y = run.pairs(most)
        lr, momentum = _rate(run.optimizer)
        evidence: dict[str, Any] = {"lr": lr, "std_x": spread(x), "std_y": spread(y)}
        said = []
        leapt = self._trial(run, x, y, evidence)
        if isinstance(run.optimizer, optim.SGD):
            said += self._curvature(run, x, y, lr, momentum, evidence)
        said += leapt
        if said:
            said.append(f"std(x) = {number(evidence['std_x'])}, std(y) = {number(evidence['std_y'])}")
            yield self.finding(0, "the whole network", "; ".join(said), evidence, FIX)

    def _curvature(
        self, run: Run, x: xg.Tensor, y: xg.Tensor, lr: float, momentum: float, evidence: dict[str, Any]
    ) -> list[str]:
        model, of = run.start, ""
        steepest = _eigenvalue(model, run.loss, x, y)
        if steepest == 0:  # the output is constant: use the network without its output activation
            behind = without_output_activation(model)
            if behind is not None:
                model, of = behind, " (before the output activation, whose gradient is zero)"
                steepest = _eigenvalue(model, run.loss, x, y)
        ratio = lr * steepest
        evidence |= {"eigenvalue": steepest, "lr_times_eigenvalue": ratio}
        before, after = (evidence.get(name, math.nan) for name in ("loss_before", "loss_after_one_step"))
        settles = after < before or (ratio <= CERTAIN * (1 + momentum) and _rise(before, after) <= RISE)
        if not ratio > STABLE * (1 + momentum) or settles:
            return []
        said = (
            f"lr {lr:g} times the largest Gauss-Newton eigenvalue {number(steepest)}{of} is {number(ratio)}; "
            f"stable is less than {2 * (1 + momentum):g} to {STABLE * (1 + momentum):g}"
        )
        if run.is_regression:
            calm = lr * _eigenvalue(model, run.loss, standardised(x), standardised(y))
            evidence |= {"lr_times_eigenvalue_standardised": calm, "std_standardised": 1.0}
            said += f", and with x and y standardised (both std 1) it would be {number(calm)}"
        return [said]

    def _trial(self, run: Run, x: xg.Tensor, y: xg.Tensor, evidence: dict[str, Any]) -> list[str]:
        try:
            model = copy_of(run.start)
            optimizer = copy_optimizer(run.optimizer, run.start if run.optimizer is None else run.model, model)
        except (TypeError, ValueError, RuntimeError):
            return []  # an optimizer that cannot be copied from its options
        loss = run.loss(model(x), y)
        if not loss.requires_grad or loss.shape != ():
            return []
        loss.backward()
        optimizer.step()
        with xg.no_grad():
            before, after = loss.item(), run.loss(model(x), y).item()
        evidence |= {"loss_before": before, "loss_after_one_step": after}
        leap = LEAP if isinstance(run.optimizer, optim.SGD) else LEAP_ADAPTIVE
        if math.isfinite(before) and not _rise(before, after) <= leap:
            return [f"one step takes the loss from {number(before)} to {number(after)}"]
        return []

    # --- at each step ---

    def update(self, run: Run, step: int, gradients: Gradients) -> Findings:
        if self.waits:
            self.waits = False
            yield from self._first(run, _rows(run))
        if self.done or not isinstance(run.optimizer, optim.SGD):
            return
        for place, (name, p, lr) in enumerate(self._watched(run)):
            square = gradients.squares[place]
            if lr is None or square is None or square == UNSEEN:
                continue
            moves = lr * gradients.norm(place)
            if moves > 0.2 * WORST * self.weights[place]:  # the weights may have changed since
                self.weights[place] = length(p)
            size = self.weights[place]
            if size > 0 and moves > WORST * size:
                self.done = True
                where = f"{run.owner(name)}, {name}"
                says = (
                    f"the update is {number(moves / size)} times as large as the weights "
                    f"(norms {number(moves)} and {number(size)}); more than {WORST:g} times destroys what was learned"
                )
                evidence: dict[str, Any] = {"ratio": moves / size, "update_norm": moves, "weight_norm": size, "lr": lr}
                for key, data in (("std_x", run.x), ("std_y", run.y)):
                    if data is not None:
                        evidence[key] = spread(data)
                        says += f"; {key[:3]}({key[4:]}) = {number(evidence[key])}"
                if run.is_regression:
                    share = self._standardised(run, lr)
                    if share is not None:
                        evidence["ratio_standardised"] = share
                        says += (
                            f"; with x and y standardised (both std 1) the first update would be {number(share)} times"
                        )
                yield self.finding(step, where, says, evidence, FIX)
                return

    def _watched(self, run: Run) -> list[tuple[str, Any, float | None]]:
        rates = {id(p): group["lr"] for group in run.optimizer.param_groups for p in group.params}
        if not self.weights:
            self.weights = [length(p) for _, p in run.parameters]
        return [
            (name, p, rates.get(id(p)) if p.ndim >= MATRIX and p.size >= SMALL else None) for name, p in run.parameters
        ]

    def _standardised(self, run: Run, lr: float) -> float | None:
        """The largest ratio of the first update to the weights, for standardised data."""
        pairs = run.pairs(ROWS)
        if pairs is None:
            return None
        model = copy_of(run.start)
        x, y = map(standardised, pairs)
        run.loss(model(x), y).backward()
        ratios = [
            lr * length(p.grad) / size
            for p in model.parameters()
            if p.grad is not None and p.ndim >= MATRIX and p.size >= SMALL and (size := length(p))
        ]
        return max(ratios, default=None)


def _rate(optimizer: optim.Optimizer) -> tuple[float, float]:
    """The largest learning rate and the largest momentum of the parameter groups."""
    groups = optimizer.param_groups
    return max(float(g["lr"]) for g in groups), max(float(g["momentum"]) if "momentum" in g else 0.0 for g in groups)


def _eigenvalue(model: nn.Module, loss: Any, x: xg.Tensor, y: xg.Tensor) -> float:
    """The largest eigenvalue; nan where a value is not finite, which says nothing about the step."""
    found = largest_eigenvalue(model, loss, x, y)
    return found if math.isfinite(found) else math.nan


def _rise(before: float, after: float) -> float:
    """How many times the loss has become as large; for a loss below 0, 1 plus its rise as a share of its size."""
    if before == 0:
        return 1.0 if after <= 0 else math.inf
    return 1 + (after - before) / abs(before)


def _rows(run: Run) -> int:
    """The number of samples in a batch."""
    shape = run.batch[0].shape if run.batch else ()
    return max(1, int(shape[0])) if shape else ROWS


def _is_sum(run: Run) -> bool:
    """Whether the loss adds up over samples: twice the samples have twice the loss."""
    x, y = run.pairs(ROWS)
    view = x.backend.view
    try:
        with xg.no_grad():
            one = float(run.loss(run.start(x), y).item())
            two = float(run.loss(run.start(view.concat([x, x])), view.concat([y, y])).item())
    except Exception:  # a loss for batches of one size
        return False
    return math.isfinite(two) and one != 0 and math.isclose(two, 2 * one, rel_tol=1e-2)
