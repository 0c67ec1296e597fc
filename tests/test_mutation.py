"""The laws find a rule that is wrong by a thousandth, and the failure names the operation.

Each rule of each operation is scaled by 1.001 in turn, and the laws are tried on that operation's cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cases import CASES
from tests.laws import jvp_is_the_differences, vjp_is_the_differences
from tests.point import Point
from xgrad.backends import load
from xgrad.engine.op import OPS, Op

Rule = Callable[..., Any]


def scaled(result: Any) -> Any:
    if isinstance(result, list):
        return [None if part is None else part * 1.001 for part in result]
    return result * 1.001


def scaled_rule(rule: Rule) -> Rule:
    """The rule, wrong by a thousandth. An operation reads from a rule's parameters what to keep for it."""
    code = rule.__code__
    names = ", ".join(code.co_varnames[: code.co_argcount])
    wrong: Rule = eval(f"lambda {names}: scaled(rule({names}))", {"scaled": scaled, "rule": rule})
    return wrong


def mutants() -> list[tuple[str, int | str]]:
    """Every rule there is: an operation's vjp for an argument, or the attribute that holds another."""
    found: list[tuple[str, int | str]] = []
    for name, op in OPS.items():
        found += [(name, i) for i, rule in enumerate(op.rules) if rule is not None]
        found += [(name, attribute) for attribute in ("jvp", "joint") if getattr(op, attribute, None)]
    return found


@contextmanager
def mutated(op: Op, which: int | str) -> Iterator[None]:
    if isinstance(which, str):
        rule = getattr(op, which)
        setattr(op, which, lambda *args: scaled(rule(*args)))
        try:
            yield
        finally:
            setattr(op, which, rule)
        return
    rules = op.rules
    op.set_rules([scaled_rule(r) if r and i == which else r for i, r in enumerate(rules)])
    try:
        yield
    finally:
        op.set_rules(rules)


def try_the_laws(name: str) -> None:
    numpy = load("numpy")
    for case in CASES[name]:
        point = Point(case, numpy)
        vjp_is_the_differences(point)
        jvp_is_the_differences(point)


@pytest.mark.parametrize(("name", "which"), mutants())
def test_a_wrong_rule_is_noticed(name, which):
    with mutated(OPS[name], which), pytest.raises(AssertionError, match=re.escape(f"{name}(")):
        try_the_laws(name)


def test_the_rules_are_right_again():
    """What the mutants show means something only if the laws hold without them: test_rules.py has the others."""
    for name in list(OPS)[::10]:
        try_the_laws(name)
