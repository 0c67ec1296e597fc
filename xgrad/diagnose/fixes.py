"""Trying the proposed fixes: the run is repeated from the same start with a change."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import xgrad as xg
from xgrad import nn
from xgrad.diagnose.changes import Change, apply
from xgrad.diagnose.finding import Finding, number
from xgrad.diagnose.proposals import changes
from xgrad.diagnose.quality import quality
from xgrad.diagnose.run import Run
from xgrad.diagnose.takes import what_it_takes
from xgrad.diagnose.targets import targets_of

BETTER = 0.1  # gain in the score that makes a change a fix
SURE = 0.95  # a score at which no other change is tried
FLOOR = 0.1  # a lower score is hardly better than that of a constant
FIRST = ("GRADCHECK", "NO_GRADIENT")  # errors in the program, which no setting fixes


class Reported(Protocol):
    """The part of `Report` that this file uses. It cannot import report.py, which imports this file."""

    findings: list[Finding]
    run: Run
    watch: Callable[..., Watching]

    @property
    def errors(self) -> list[Finding]: ...


class Watching(Protocol):
    """The part of `Watch` that this file uses. It cannot import watcher.py, which imports this file."""

    def step(self, loss: Any) -> None: ...

    def report(self) -> Reported: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Trial:
    """A run with a change, and its result."""

    change: Change
    r2: float  # at the end, for numbers; nan for classes
    loss: float  # of all samples at the end; of the standardised y, if y was standardised
    errors: tuple[str, ...]  # the rules that found errors
    right: float = math.nan  # for classes, the share that is right
    usual: float = math.nan  # the share that the most frequent class alone gets right
    is_good: bool = False  # whether little is left to explain

    @property
    def score(self) -> float:
        """1 is perfect, 0 is no better than a constant."""
        if self.errors:
            return -math.inf
        if not math.isnan(self.right):
            return (self.right - self.usual) / (1 - self.usual) if self.usual < 1 else 0.0
        return self.r2 if not math.isnan(self.r2) else -self.loss if math.isfinite(self.loss) else -math.inf


@dataclass(frozen=True)
class Fix:
    """What was tried. `before` is the run that was watched; `best` is the best trial, or None if none helped."""

    before: Trial
    trials: list[Trial] = field(default_factory=list)
    best: Trial | None = None
    why_not: str = ""

    @property
    def verdict(self) -> str:
        """What the best trial is: a fix, or only better than the run."""
        assert self.best is not None
        return "the fix" if self.best.is_good else "better, not good"

    def __str__(self) -> str:
        if self.why_not:
            return f"no fix was tried: {self.why_not}"
        lines = [f"before: {_ended(self.before)}"]
        lines += [f"tried {trial.change}: {_ended(trial)}" for trial in self.trials]
        lines.append(f"{self.verdict}: {self.best.change}" if self.best else "nothing that was tried helped")
        return "\n".join(lines)

    def line(self) -> str:
        """The outcome in one line."""
        if self.why_not:
            return f"no fix was tried: {self.why_not}"
        if self.best:
            return f"{self.verdict}: {self.best.change} ({_ended(self.best)}; before: {_ended(self.before)})"
        tried = "; ".join(f"{trial.change} ({_ended(trial)})" for trial in self.trials)
        return f"nothing that was tried helped: {tried}; before: {_ended(self.before)}"

    def json(self) -> dict[str, Any]:
        """The fix as plain values."""

        def plain(trial: Trial) -> dict[str, Any]:
            ended = {
                "change": str(trial.change), "r2": trial.r2, "right": trial.right, "loss": trial.loss,
                "errors": list(trial.errors),
            }  # fmt: skip
            return {k: v if not isinstance(v, float) or math.isfinite(v) else str(v) for k, v in ended.items()}

        return {
            "before": plain(self.before),
            "trials": [plain(trial) for trial in self.trials],
            "fix": str(self.best.change) if self.best else None,
            "good": self.best is not None and self.best.is_good,
            "why_not": self.why_not,
        }


def try_fix(report: Reported, asked_to_end: Callable[[], bool]) -> Fix:
    """Try changes, the smallest first, until one does well without an error. The watched model does not change."""
    run = report.run
    before = _result(run.model, run.loss, run.x, run.y, Change(), tuple(f.rule for f in report.errors))
    why_not = _why_not(report, run)
    if why_not:
        return Fix(before, why_not=why_not)
    trials: list[Trial] = []
    for change in changes(report.findings, run):
        trial = _run(report, change, asked_to_end)
        if trial is None and asked_to_end():
            break
        if trial is None:
            continue
        trials.append(trial)
        if trial.is_good and trial.score >= SURE:
            break
    if not trials:
        return Fix(before, why_not="it was interrupted" if asked_to_end() else "no change fits this network")
    best = max(trials, key=lambda trial: trial.score)
    return Fix(before, trials, best if _helped(before, best) else None)


def _why_not(report: Reported, run: Run) -> str:
    lacking = [name for name in ("optimizer", "loss", "x", "y") if getattr(run, name) is None]
    if lacking:
        return f"it needs {', '.join(lacking)}: give them to watch()"
    faults = [finding for finding in report.findings if finding.rule in FIRST]
    if faults:
        return f"{faults[0].rule} comes first: {faults[0].fix}"
    return "" if report.findings else "nothing was found wrong"


def _run(report: Reported, change: Change, asked_to_end: Callable[[], bool]) -> Trial | None:
    """Train the changed run, on batches of the same size that are drawn at random. None if it cannot be, or if asked to end."""
    run = report.run
    made = apply(change, run)
    if made is None:
        return None
    x, y = made.x, made.y
    watched = report.watch(made.model, made.optimizer, loss=made.loss, x=x, y=y)
    size = run.batch[0].shape[0] if run.batch else x.shape[0]
    rng = xg.random.Generator(0)
    view = x.backend.view
    try:
        for _ in range(run.steps * change.longer):
            chosen = None if size >= x.shape[0] else view.asarray(rng.host.integers(0, x.shape[0], (size,)).tolist())
            xb, yb = (x, y) if chosen is None else (view.take(x, chosen, axis=0), view.take(y, chosen, axis=0))
            made.optimizer.zero_grad()
            loss = made.loss(made.model(xb), yb)
            loss.backward()
            made.optimizer.step()
            watched.step(loss)
            if asked_to_end():
                return None
        errors = tuple(finding.rule for finding in watched.report().errors)
    finally:
        watched.close()
    return _result(made.model, made.loss, x, y, change, errors)


def _result(model: nn.Module, loss: Any, x: Any, y: Any, change: Change, errors: tuple[str, ...]) -> Trial:
    if loss is None or x is None or y is None:
        return Trial(change, math.nan, math.nan, errors)
    with xg.no_grad():
        output = model(x)
        value = loss(output, y)
    ended = float(value.item()) if value.shape == () else math.nan
    targets = targets_of(y)
    found = quality(output, y, targets, what_it_takes(loss, output, y))
    if found is None:
        return Trial(change, math.nan, ended, errors)
    r2 = found.score if math.isnan(found.right) else math.nan
    return Trial(change, r2, ended, errors, found.right, found.usual, found.is_good)


def _helped(before: Trial, after: Trial) -> bool:
    """Whether a change is worth telling: above the floor of a constant prediction, and clearly above the run."""
    if after.score == -math.inf:
        return False
    if math.isnan(after.right) and math.isnan(after.r2):
        return not before.loss <= 0.9 * after.loss and not math.isclose(before.loss, after.loss, rel_tol=0.1)
    if after.score <= FLOOR:
        return False
    score = before.score if not before.errors else replace(before, errors=()).score
    if math.isnan(before.r2) and math.isnan(before.right):
        return True
    halves = after.is_good and 1 - after.score < (1 - score) / 2  # what was left to explain
    return bool(before.errors and not score >= after.score) or halves or not score > after.score - BETTER


def _ended(trial: Trial) -> str:
    r2 = "" if math.isnan(trial.r2) and math.isfinite(trial.loss) else f"R^2 = {number(trial.r2)}, "
    r2 = r2 if math.isnan(trial.right) else f"{100 * trial.right:.0f}% right, "
    errors = f", {', '.join(dict.fromkeys(trial.errors))}" if trial.errors else ""
    return f"{r2}loss {number(trial.loss)}{errors}"
