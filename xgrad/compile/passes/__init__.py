"""Passes: each takes a program and returns one with the same outputs, or tells an engine something about it."""

from __future__ import annotations

from typing import Any

from xgrad.compile.passes.common_subexpressions import without_common_subexpressions
from xgrad.compile.passes.constant_folding import folded
from xgrad.compile.passes.contraction import contracted
from xgrad.compile.passes.dead_code import without_dead_code
from xgrad.compile.program import Program


def optimized(program: Program, xp: Any) -> Program:
    """The program after the passes that every engine profits from.

    Args:
        program: the program.
        xp: the raw namespace that constants are folded with, of the library whose arrays the program's constants are.
    """
    program = folded(without_dead_code(program), xp)
    return contracted(without_common_subexpressions(program))
