"""GRADCHECK: a wrong derivative, found by finite differences before training."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.diagnose.curvature import norm
from xgrad.diagnose.finding import ERROR, number
from xgrad.diagnose.gradients import length
from xgrad.diagnose.network import Functional, copy_of, is_float, rows
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.engine.watching import watching
from xgrad.transforms.primitive import Primitive

WRONG = 0.01  # relative difference at which a gradient is wrong
ROWS = 64  # samples that it uses
MOST = 64  # at most so many parameters, or groups of them, get a difference of their own
STEPS = (1e-6, 1e-5, 1e-4)  # steps of the differences in float64, relative to the parameters
COARSE = (1e-3, 1e-2)  # and in float32
NOISE = 0.05  # biases that are all zero are moved by about this, away from the kink of ReLU


class GradCheck(DiagnosticRule):
    name = "GRADCHECK"
    severity = ERROR
    needs = ("loss", "x", "y")

    def start(self, run: Run) -> Findings:
        x, y = rows(run.x, ROWS), rows(run.y, ROWS)
        model = copy_of(run.start)
        steps: tuple[float, ...] = STEPS
        wrong = WRONG
        try:
            model, x, y = model.to(dtype="float64"), _double(x), _double(y)
        except Exception:  # the backend or device has no float64
            model, steps, wrong = copy_of(run.start), COARSE, 10 * WRONG
        _off_the_kink(model)
        call = Functional(model)
        places = [p.detach() for p in call.parameters]

        custom: list[str] = []

        def note(op: Any, *rest: Any) -> None:
            if isinstance(op, Primitive) and op.name not in custom:
                custom.append(op.name)

        def value(tensors: Any) -> float:
            with xg.no_grad():
                return float(run.loss(call(tensors, x), y).item())

        with watching(note):
            run.loss(model(x), y).backward()
        gradient = [p.grad for p in call.parameters]
        base = value(places)
        if not math.isfinite(base) or base != value(places):  # a random loss cannot be checked
            return
        names = [name for name, _ in model.named_parameters()]
        bad = []
        suspects = []
        for group in _groups(places, gradient):
            found = None if len(group) == 1 else _disagreement(value, base, places, gradient, group, steps)
            if len(group) == 1 or (found is not None and found[0] > wrong / 2):
                suspects += group
        for place in sorted(suspects)[-MOST:]:
            found = _disagreement(value, base, places, gradient, [place], steps)
            if found is not None and found[0] > wrong:
                bad.append((names[place], *found))
        if bad:
            name, off, slope, difference = bad[-1]  # the one nearest to the output
            rule = f"the rule of {', '.join(custom)}" if custom else "a rule that it depends on"
            says = (
                f"the gradient of {', '.join(b[0] for b in bad)} is wrong: along it the loss changes by "
                f"{number(difference)}, the gradient of {name} says {number(slope)} ({100 * off:.3g}% off): {rule} is wrong"
            )
            evidence = {
                "parameters": [b[0] for b in bad],
                "gradient": slope,
                "difference": difference,
                "off": off,
                "custom": custom,
            }
            fix = (
                "correct this derivative first, since other fixes can hide it (xgrad.check_grads finds the element); "
                "or is a detach() there intended?"
            )
            yield self.finding(0, f"{run.owner(name)}, {name}", says, evidence, fix)


def _groups(places: list[xg.Tensor], gradient: list[Any]) -> list[list[int]]:
    """At most MOST groups of parameters. Each group is moved together, and has parameters with slopes of similar size.

    A difference runs the whole network, so one for each parameter would take time that grows with the square of the depth.
    """
    found = [place for place, g in enumerate(gradient) if g is not None]  # the rule NO_GRADIENT is for the others
    each = -(-len(found) // MOST)
    if each > 1:
        found.sort(key=lambda place: _size(places[place]) * length(gradient[place]))
    return [found[i : i + each] for i in range(0, len(found), each or 1)]


def _size(p: xg.Tensor) -> float:
    return length(p) or 1.0


def _disagreement(
    value: Any, base: float, places: list[xg.Tensor], gradient: list[Any], group: list[int], steps: tuple[float, ...]
) -> tuple[float, float, float] | None:
    """(relative difference, slope, finite difference), at the step where slope and difference agree best.

    Several parameters move together, each along its own gradient and in proportion to its norm. The difference is then relative
    to the largest slope among them; for one parameter, to the larger of slope and difference.
    """
    moves, slopes = dict[int, xg.Tensor](), []
    unit = _size(places[group[0]]) if len(group) == 1 else 1.0
    for place in group:
        p, g = places[place], gradient[place]
        direction = g if norm([g]) != 0 else xg.ones_like(p)  # a zero gradient may be wrong too
        moves[place] = direction * (_size(p) / length(direction))
        slopes.append(float(xg.sum(g * moves[place]).item()) / unit)
    slope = sum(slopes)
    best = None
    for step in steps:
        ahead, behind = (
            value([q + s * step * moves[i] if i in moves else q for i, q in enumerate(places)]) for s in (1.0, -1.0)
        )
        difference = (ahead - behind) / (2 * step * unit)
        if not math.isfinite(difference):
            continue
        rounding = 1e-13 * abs(base) / (step * unit)  # the rounding error of the difference
        scale = max(abs(slope), abs(difference)) if len(group) == 1 or slope == 0 else max(slopes)
        if scale * WRONG <= rounding:
            continue
        off = abs(slope - difference) / scale
        if best is None or off < best[0]:
            best = (off, slope, difference)
    return best


def _double(t: xg.Tensor) -> xg.Tensor:
    return t.backend.view.astype(t, t.backend.xp.float64) if is_float(t) else t


def _off_the_kink(model: nn.Module) -> None:
    for p in model.parameters():
        if p.ndim == 1 and not bool(xg.any(p.detach() != 0).item()):
            ramp = [NOISE * (1 + k % 7 - 3.3) for k in range(p.size)]
            p.data = p.backend.asarray(ramp, dtype=p.dtype)
