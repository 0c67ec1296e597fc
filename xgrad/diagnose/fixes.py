"""Trying the proposed fixes: the run is repeated from the same start with a change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.curvature import largest_eigenvalue
from xgrad.diagnose.finding import Finding, number
from xgrad.diagnose.network import copy_of, copy_optimizer, is_float, spread, standardised
from xgrad.diagnose.rules.trained import r_squared
from xgrad.diagnose.run import Run
from xgrad.diagnose.without import without_output_activation

GOOD = 0.9  # R^2 at which no other fix is tried
BETTER = 0.1  # gain in R^2 that makes a change a fix
ADAM = 0.01  # the learning rate of Adam
UNIT = (0.5, 2.0)  # data with a standard deviation in this range is not standardised
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
class Change:
    """A change to the run."""

    standardise: bool = False
    linear_output: bool = False
    adam: bool = False
    lr: float | None = None

    def __str__(self) -> str:
        parts = ["x and y standardised"] * self.standardise + ["a linear output"] * self.linear_output
        parts += [f"Adam with lr {ADAM:g}"] * self.adam + ([] if self.lr is None else [f"lr {self.lr:.3g}"])
        return ", ".join(parts) or "the same, with gradients cleared in every step"


@dataclass(frozen=True)
class Trial:
    """A run with a change, and its result."""

    change: Change
    r2: float  # at the end; nan for a loss that is no distance from y
    loss: float  # of all samples at the end; of the standardised y, if y was standardised
    errors: tuple[str, ...]  # the rules that found errors

    @property
    def score(self) -> float:
        if self.errors:
            return -math.inf
        return self.r2 if not math.isnan(self.r2) else -self.loss if math.isfinite(self.loss) else -math.inf


@dataclass(frozen=True)
class Fix:
    """What was tried. `before` is the run that was watched; `best` is the best trial, or None if none helped."""

    before: Trial
    trials: list[Trial] = field(default_factory=list)
    best: Trial | None = None
    why_not: str = ""

    def __str__(self) -> str:
        if self.why_not:
            return f"no fix was tried: {self.why_not}"
        lines = [f"before: {_ended(self.before)}"]
        lines += [f"tried {trial.change}: {_ended(trial)}" for trial in self.trials]
        lines.append(f"the fix: {self.best.change}" if self.best else "nothing that was tried helped")
        return "\n".join(lines)

    def line(self) -> str:
        """The outcome in one line."""
        if self.why_not:
            return f"no fix was tried: {self.why_not}"
        if self.best:
            return f"the fix: {self.best.change} ({_ended(self.best)}; before: {_ended(self.before)})"
        tried = "; ".join(f"{trial.change} ({_ended(trial)})" for trial in self.trials)
        return f"nothing that was tried helped: {tried}; before: {_ended(self.before)}"

    def json(self) -> dict[str, Any]:
        """The fix as plain values."""

        def plain(trial: Trial) -> dict[str, Any]:
            ended = {"change": str(trial.change), "r2": trial.r2, "loss": trial.loss, "errors": list(trial.errors)}
            return {k: v if not isinstance(v, float) or math.isfinite(v) else str(v) for k, v in ended.items()}

        return {
            "before": plain(self.before),
            "trials": [plain(trial) for trial in self.trials],
            "fix": str(self.best.change) if self.best else None,
            "why_not": self.why_not,
        }


def try_fix(report: Reported, asked_to_end: Callable[[], bool]) -> Fix:
    """Try changes, the smallest first, until one reaches R^2 >= 0.9 without an error. The watched model does not change."""
    run = report.run
    before = _result(
        run.model, run.loss, run.x, run.y, run.is_regression, Change(), tuple(f.rule for f in report.errors)
    )
    why_not = _why_not(report, run)
    if why_not:
        return Fix(before, why_not=why_not)
    trials: list[Trial] = []
    for change in _changes(report, run):
        trial = _run(report, change, asked_to_end)
        if trial is None:
            break
        trials.append(trial)
        if trial.score >= GOOD:
            break
    if not trials and asked_to_end():
        return Fix(before, why_not="it was interrupted")
    best = max(trials, key=lambda trial: trial.score, default=None)
    if best is not None and not _helped(before, best):
        best = None
    return Fix(before, trials, best)


def _why_not(report: Reported, run: Run) -> str:
    lacking = [name for name in ("optimizer", "loss", "x", "y") if getattr(run, name) is None]
    if lacking:
        return f"it needs {', '.join(lacking)}: give them to watch()"
    faults = [finding for finding in report.findings if finding.rule in FIRST]
    if faults:
        return f"{faults[0].rule} comes first: {faults[0].fix}"
    return "" if report.findings else "nothing was found wrong"


def _changes(report: Reported, run: Run) -> Iterator[Change]:
    rules = {finding.rule for finding in report.findings}
    if rules == {"FORGOT_ZERO_GRAD"} or rules == {"FORGOT_ZERO_GRAD", "PLATEAU"}:
        yield Change()
    linear = run.is_regression and without_output_activation(run.start) is not None
    assert run.x is not None
    assert run.y is not None
    off = not _is_unit(run.x) or (run.is_regression and not _is_unit(run.y))
    if off or linear:
        yield Change(standardise=off, linear_output=linear)
    else:
        calm = _calm_rate(run)
        if calm is not None:
            yield Change(lr=calm)
    yield Change(standardise=off, linear_output=linear, adam=True)


def _is_unit(data: xg.Tensor) -> bool:
    if not is_float(data):
        return True
    mean = float(data.backend.view.mean(data).item())
    return abs(mean) < 1 and UNIT[0] <= spread(data) <= UNIT[1]


def _calm_rate(run: Run) -> float | None:
    """The learning rate 1 / (largest eigenvalue), if the optimizer is SGD with a larger one; otherwise None."""
    if not isinstance(run.optimizer, optim.SGD):
        return None
    pairs = run.pairs(256)
    assert pairs is not None
    steepest = largest_eigenvalue(run.start, run.loss, *pairs)
    lr = max(float(group["lr"]) for group in run.optimizer.param_groups)
    return 1 / steepest if math.isfinite(steepest) and 0 < 1 / steepest < lr else None


def _run(report: Reported, change: Change, asked_to_end: Callable[[], bool]) -> Trial | None:
    """Train a copy of the network from its start, for as many steps and on batches of the same size. None if asked to end."""
    run = report.run
    assert run.x is not None
    assert run.y is not None
    assert run.loss is not None
    assert run.optimizer is not None
    model = copy_of(run.start)
    twin = without_output_activation(run.start) if change.linear_output else model
    model = model if twin is None else twin
    x = standardised(run.x) if change.standardise and is_float(run.x) else run.x
    y = standardised(run.y) if change.standardise and run.is_regression else run.y
    if change.adam:
        optimizer: optim.Optimizer = optim.Adam(model.parameters(), lr=ADAM)
    else:
        optimizer = copy_optimizer(run.optimizer, run.model, model)
        for group in optimizer.param_groups:
            if change.lr is not None:
                group["lr"] = change.lr
    trial = report.watch(model, optimizer, loss=run.loss, x=x, y=y)
    size = run.batch[0].shape[0] if run.batch else x.shape[0]
    rng = xg.random.Generator(0)
    view = x.backend.view
    for _ in range(run.steps):
        chosen = None if size >= x.shape[0] else view.asarray(rng.host.integers(0, x.shape[0], (size,)).tolist())
        xb, yb = (x, y) if chosen is None else (view.take(x, chosen, axis=0), view.take(y, chosen, axis=0))
        optimizer.zero_grad()
        loss = run.loss(model(xb), yb)
        loss.backward()
        optimizer.step()
        trial.step(loss)
        if asked_to_end():
            trial.close()
            return None
    errors = tuple(finding.rule for finding in trial.report().errors)
    trial.close()
    return _result(model, run.loss, x, y, run.is_regression, change, errors)


def _result(
    model: nn.Module, loss: Any, x: Any, y: Any, is_regression: bool, change: Change, errors: tuple[str, ...]
) -> Trial:
    if loss is None or x is None or y is None:
        return Trial(change, math.nan, math.nan, errors)
    with xg.no_grad():
        output = model(x)
        value = loss(output, y)
    ended = float(value.item()) if value.shape == () else math.nan
    r2 = r_squared(output, y) if is_regression and output.shape == y.shape else math.nan
    return Trial(change, r2, ended, errors)


def _helped(before: Trial, after: Trial) -> bool:
    if after.score == -math.inf:
        return False
    if math.isnan(after.r2):
        return not before.loss <= 0.9 * after.loss and not math.isclose(before.loss, after.loss, rel_tol=0.1)
    return math.isnan(before.r2) or after.r2 > before.r2 + BETTER


def _ended(trial: Trial) -> str:
    r2 = "" if math.isnan(trial.r2) and math.isfinite(trial.loss) else f"R^2 = {number(trial.r2)}, "
    errors = f", {', '.join(dict.fromkeys(trial.errors))}" if trial.errors else ""
    return f"{r2}loss {number(trial.loss)}{errors}"
