"""The right diagnosis of a run, found without the watcher."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from bench.diagnose_runs import Outcome, Run
from xgrad import nn
from xgrad.diagnose import Finding

Array = Any


@dataclass
class Truth:
    run: Run
    rules: set[str] = field(default_factory=set)
    collapse: int | None = None  # the step after which the run cannot recover
    broken: tuple[int, str, str] | None = None  # step, phase and operation of the first nan or inf
    born_dead: bool = False
    unknown: set[str] = field(default_factory=set)  # rules that this file cannot decide

    def compare(self, findings: Sequence[Finding]) -> Iterator[str]:
        """The ways in which the findings differ from the right ones."""
        steps: dict[str, int] = {}
        for finding in findings:
            steps[finding.rule] = min(finding.step, steps.get(finding.rule, finding.step))
        if self.run.kind == "healthy":
            yield from (str(f).splitlines()[0] for f in findings if f.severity == "error")
        wanted = {"A": ["STEP_UNSTABLE", "SATURATED"], "B": ["STEP_UNSTABLE", "DEAD_LAYER"], "C": ["NONFINITE"]}
        for rule in wanted.get(self.run.kind, self.run.expected):
            if rule not in steps:
                yield f"{rule} is missing"
        if self.run.kind == "A" and steps.get("STEP_UNSTABLE", 0) != 0:
            yield f"STEP_UNSTABLE at step {steps['STEP_UNSTABLE']}, not 0"
        if self.run.kind in "BC" and self.collapse is not None:
            for rule in ("STEP_UNSTABLE", "DEAD_LAYER" if self.run.kind == "B" else "NONFINITE"):
                if steps.get(rule, 0) > self.collapse:
                    yield f"{rule} at step {steps[rule]}, after the collapse at {self.collapse}"
        if self.broken is not None and "NONFINITE" in steps:
            finding = next(f for f in findings if f.rule == "NONFINITE")
            found = (finding.step, finding.evidence["phase"], finding.evidence["op"])
            if found != self.broken:
                yield f"NONFINITE at {found}, not {self.broken}"


def truth(outcome: Outcome) -> Truth:
    run, losses = outcome.run, outcome.watch.run.losses
    true = Truth(run, set(run.expected))
    if run.kind in "ABC":
        true.rules.add("STEP_UNSTABLE")
        true.broken = first_broken(run, len(losses))
    if true.broken is not None or not all(map(math.isfinite, losses)):
        true.rules.add("NONFINITE")
    if run.fault == "detached":
        true.rules.add("FROZEN")
    first = losses[0]
    if any(loss > 1e3 * first for loss in losses) and not run.batch:
        true.rules.add("LOSS_EXPLODED")
    x, y = outcome.x.numpy(), outcome.y.numpy()
    if not run.classes:
        scaled = {abs(x.mean()), x.std(), abs(y.mean()), y.std()}
        if max(scaled) > 10:
            true.rules.add("SCALE")
        _add_ending(true, outcome, x, y)
    dead = all(loss == losses[-1] for loss in losses[-50:]) and math.isclose(
        losses[-1], float(np.mean(y**2)), rel_tol=1e-6
    )
    if run.kind == "B" and dead:
        true.collapse = len(losses) - next(
            (k for k, loss in enumerate(reversed(losses)) if loss != losses[-1]), len(losses)
        )
        true.born_dead = true.collapse == 0
    if run.kind == "C":
        true.collapse = next((k for k, loss in enumerate(losses) if not math.isfinite(loss)), None)
    if true.rules & {"UNDERTRAINED", "PLATEAU"}:
        true.unknown |= {"LR_LOW", "LR_HIGH"}  # whether another rate does better is only known by trying it
    return true


def _add_ending(true: Truth, outcome: Outcome, x: Array, y: Array) -> None:
    """Add what can be read from the final weights."""
    losses, h = outcome.watch.run.losses, x
    hidden: list[tuple[str, Array]] = []
    if not isinstance(outcome.model, nn.Sequential):
        true.unknown = {"DEAD_LAYER", "CONST_OUTPUT", "PLATEAU", "UNDERTRAINED"}
        return
    with np.errstate(all="ignore"):
        modules = list(outcome.model)
        for module in modules:
            if isinstance(module, nn.Linear):
                assert module.bias is not None
                h = h @ module.weight.numpy().T + module.bias.numpy()
            else:
                h = ACTIVATIONS[type(module).__name__](h)
                hidden.append((type(module).__name__, h))
    if any(name == "ReLU" and (a <= 0).all() for name, a in hidden):
        true.rules.add("DEAD_LAYER")
    inner = hidden[:-1] if not isinstance(modules[-1], nn.Linear) else hidden
    slopes = [4 * a * (1 - a) if name == "Sigmoid" else 1 - a * a for name, a in inner if name in ("Sigmoid", "Tanh")]
    if any((s < 0.01).mean() > 0.9 for s in slopes):
        true.rules.add("SATURATED")
    if not np.isfinite(h).all():
        return
    tenth = max(1, len(losses) // 10)
    now, then = float(np.mean(losses[-tenth:])), float(np.mean(losses[-2 * tenth : -tenth]))
    fell = (then - now) / then if then else 0.0
    if h.std() < 0.02 * y.std() and abs(fell) < 0.01 and len(losses) > 100:
        true.rules.add("CONST_OUTPUT")
    r2 = 1 - np.mean((y - h) ** 2) / y.var()
    if r2 < 0.9:
        true.rules.add("UNDERTRAINED" if fell > 0.01 else "PLATEAU")
    low, high = REACH.get(type(modules[-1]).__name__, (-np.inf, np.inf))
    if ((y < low) | (y > high)).mean() > 0.05:
        true.rules.add("OUTPUT_RANGE")


def sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * x))


ACTIVATIONS: dict[str, Any] = {
    "ReLU": lambda x: np.maximum(x, 0),
    "LeakyReLU": lambda x: np.where(x > 0, x, 0.01 * x),
    "Sigmoid": sigmoid,
    "Tanh": np.tanh,
    "Softplus": lambda x: np.logaddexp(x, 0),
}
REACH = {"ReLU": (0, np.inf), "Softplus": (0, np.inf), "Sigmoid": (0, 1), "Tanh": (-1, 1)}


class FoundError(Exception):
    """The first nan or inf was found."""


def first_broken(run: Run, steps: int) -> tuple[int, str, str] | None:
    """The step, the phase and the operation of the first nan or inf, from the seed's network written in NumPy."""
    dtype = np.dtype(run.dtype)
    rng = np.random.default_rng(run.seed)
    weights, biases = [], []
    for fan_in, fan_out in pairwise((1, *run.hidden, 1)):
        bound = 1 / math.sqrt(fan_in)
        weights.append(rng.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype))
        biases.append(rng.uniform(-bound, bound, fan_out).astype(dtype))
    x = np.linspace(-run.span, run.span, run.points, dtype=dtype)[:, None]
    y = x * x
    kinds = [run.activation] * len(run.hidden) + [run.output]
    with np.errstate(all="ignore"):
        for step in range(steps):
            try:
                _step(x, y, weights, biases, kinds, dtype.type(run.lr))
            except FoundError as found:
                phase, op = found.args
                return step, phase, op
    return None


def _step(x: Array, y: Array, weights: list[Array], biases: list[Array], kinds: list[str], lr: Any) -> None:
    def seen(value: Array, phase: str, op: str) -> Array:
        if not np.isfinite(value).all():
            raise FoundError(phase, op)
        return value

    inputs, outputs, h = [], [], x
    for weight, bias, kind in zip(weights, biases, kinds, strict=True):
        inputs.append(h)
        h = seen(h @ weight + bias, "forward", "linear")
        if kind == "sigmoid":
            h = sigmoid(h)
        elif kind != "none":
            h = np.where(h > 0, h, (0 if kind == "relu" else h.dtype.type(0.01)) * h)
        seen(h, "forward", kind)
        outputs.append(h)
    away = seen(h - y, "forward", "subtract")
    seen(np.mean(seen(away * away, "forward", "square")), "forward", "mean")
    g = seen(2 * away / h.dtype.type(away.size), "backward", "square")
    for i in reversed(range(len(weights))):
        a = outputs[i]
        if kinds[i] == "sigmoid":
            g = g * a * (1 - a)
        elif kinds[i] != "none":
            g = np.where(a > 0, g, (0 if kinds[i] == "relu" else a.dtype.type(0.01)) * g)
        seen(g, "backward", kinds[i])
        by_weight = seen(inputs[i].T @ g, "backward", "linear")
        by_bias = seen(g.sum(axis=0), "backward", "linear")
        g = seen(g @ weights[i].T, "backward", "linear") if i else g
        weights[i] = seen(weights[i] - lr * by_weight, "update", "SGD")
        biases[i] = seen(biases[i] - lr * by_bias, "update", "SGD")
