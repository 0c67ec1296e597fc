"""A failing program without the operations that do not matter: greedily, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tests.fuzz.check import Fault, first_fault
from tests.fuzz.plain_numpy import names as plain_names
from tests.fuzz.program import Host, Program, Step, spelled

TRIES = 300


def shrunk(fault: Fault, backend: Any) -> Fault:
    """The smallest program found that fails in the same check in the same way."""
    tries, found = TRIES, True
    while found and tries > 0:
        found = False
        for smaller in _smaller(fault.program):
            tries -= 1
            again = _fault_of(smaller, backend, fault.check)
            if again is not None and again.kind == fault.kind:
                fault, found = again, True
                break
            if tries <= 0:
                break
    return fault


def _fault_of(program: Program, backend: Any, check: str) -> Fault | None:
    """None too where the oracle cannot run the program."""
    try:
        return first_fault(program, backend, only=check)
    except Exception:
        return None


def _smaller(program: Program) -> Iterator[Program]:
    if len(program.outputs) > 1:
        for name in program.outputs:
            yield replace(program, outputs=(name,)).without_dead_steps()
    for k in range(len(program.steps) - 1):  # what comes first, up to some step
        defined = program.steps[k].defines
        if defined and not program.views:
            yield replace(program, steps=program.steps[: k + 1], outputs=defined)
    least = program.without_dead_steps()
    if len(least.steps) < len(program.steps):
        yield least
    values = {} if program.views else _values(program)
    for k in reversed(range(len(program.steps))):
        step = program.steps[k]
        if not step.defines:
            yield _with(program, k, ())
        elif step.row != "constant" and not program.views:
            made = tuple(Step("constant", (n,), f"{n} = {spelled(values[n])}") for n in step.defines)
            yield _with(program, k, made)
            for name in sorted(step.uses):  # the value before it instead, where it has the same shape
                if len(made) == 1 and _alike(values.get(name), values[step.defines[0]]):
                    yield _renamed(program, k, step.defines[0], name)


def _with(program: Program, k: int, steps: tuple[Step, ...]) -> Program:
    return replace(program, steps=(*program.steps[:k], *steps, *program.steps[k + 1 :])).without_dead_steps()


def _renamed(program: Program, k: int, old: str, new: str) -> Program:
    """Without step k, whose value another one takes the place of."""

    def renamed(text: str | None) -> Any:
        return text and re.sub(rf"\b{old}\b", new, text)

    after = (replace(s, text=renamed(s.text), plain=renamed(s.plain)) for s in program.steps[k + 1 :])
    outputs = tuple(dict.fromkeys(new if n == old else n for n in program.outputs))
    return replace(program, steps=(*program.steps[:k], *after), outputs=outputs).without_dead_steps()


def _alike(a: Host | None, b: Host) -> bool:
    return a is not None and a.shape == b.shape and a.dtype == b.dtype


def _values(program: Program) -> dict[str, Host]:
    """Each name's value."""
    scope = plain_names(exact=True) | dict(zip(program.arguments, program.inputs, strict=True))
    with np.errstate(all="ignore"):
        for step in program.steps:
            exec(step.plain or step.text, scope)
    found = [*program.arguments, *(n for s in program.steps for n in s.defines)]
    return {n: np.asarray(scope[n]) for n in found}
