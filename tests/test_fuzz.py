"""Random programs over the whole namespace: see tests/fuzz."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.data.make_fuzz_reference import SEEDS
from tests.fuzz import __main__ as command
from tests.fuzz import oracle
from tests.fuzz.check import BeyondError, Fault, first_fault, fits
from tests.fuzz.grammar import NAMES, UNREACHABLE, covered, generate
from tests.fuzz.program import Program
from tests.fuzz.shrink import shrunk
from xgrad.backends.refusal import ROWS
from xgrad.engine.op import OPS
from xgrad.engine.registry import DERIVATIVES

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 20

# How many of the fixed seeds are tried: all where it is quick. JAX compiles for each shape, and dask builds graphs.
HOW_MANY = {
    "numpy": len(SEEDS),
    "readonly": 40,
    "strict": 60,
    "torch": 60,
    "jax": 20,
    "dask": 20,
    "cupy": 40,
    "dpnp": 20,
}


@cache
def fixed(seed: int) -> Program:
    return generate(seed)


def fault_of(program: Program, backend: Any) -> Fault | None:
    try:
        return first_fault(program, backend) if fits(program, backend.name) else None
    except BeyondError:
        return None


@pytest.mark.parametrize("first", range(0, len(SEEDS), BLOCK))
def test_programs_of_fixed_seeds(backend, first, request):
    kind = request.node.callspec.params["backend"]
    for seed in range(first, min(first + BLOCK, HOW_MANY[kind])):
        fault = fault_of(fixed(seed), backend)
        assert fault is None, command.told(shrunk(fault, backend), backend.name)


# Programs that write through views are held against NumPy's memory: see rows/writing.py.
OF_VIEWS = {"numpy": 120, "readonly": 40, "strict": 60, "torch": 60, "jax": 10, "dask": 10, "cupy": 20, "dpnp": 10}


@pytest.mark.parametrize("first", range(0, 120, BLOCK))
def test_programs_that_write_through_views(backend, first, request):
    kind = request.node.callspec.params["backend"]
    for seed in range(first, min(first + BLOCK, OF_VIEWS[kind])):
        fault = fault_of(generate(seed, views=True), backend)
        assert fault is None, command.told(shrunk(fault, backend), backend.name)


# --- what the grammar reaches ------------------------------------------------------------------------------------


def differentiable() -> set[str]:
    """What must be in the grammar. A function that is one row of rules/, its text on raw arrays included, may do without."""
    return {name for name, how in DERIVATIVES.items() if not how.startswith("not")} - set(ROWS)


def test_every_differentiable_function_is_in_a_row():
    """A function that nobody put into the grammar is listed with the reason."""
    assert differentiable() - covered() - set(UNREACHABLE) == set()
    assert not covered() & set(UNREACHABLE)
    assert covered() <= set(DERIVATIVES)


# What a text calls by an operator or by brackets; the rest is called by name.
BY_SYMBOL = {"getitem": "[", "setitem": "] = ", "multiply": " * ", "square": " ** 2"}


def test_the_programs_call_what_the_rows_say():
    texts = [fixed(seed).source() for seed in SEEDS]
    named = {name for text in texts for name in re.findall(r"\b(?:xp|F)\.((?:linalg\.|fft\.|special\.)?\w+)\(", text)}
    named |= {name for name, symbol in BY_SYMBOL.items() if any(symbol in text for text in texts)}
    assert differentiable() - named - set(UNREACHABLE) == set()


def test_every_row_is_in_the_fixed_seeds():
    rows = {step.row for seed in SEEDS for step in fixed(seed).steps}
    assert set(NAMES) <= rows


# --- the stored numbers --------------------------------------------------------------------------------------------


def test_the_stored_numbers_are_of_these_programs():
    stale = [seed for seed in SEEDS if oracle.stored()[seed][0] != fixed(seed).key]
    assert not stale, "the grammar has changed: run python -m tests.data.make_fuzz_reference"


def test_the_stored_numbers_are_pytorchs():
    pytest.importorskip("torch")
    for seed in list(SEEDS)[::10]:
        want = oracle.packed(oracle.from_torch(fixed(seed)))
        np.testing.assert_allclose(oracle.stored()[seed][1], want, rtol=1e-9, atol=1e-9)


def test_the_stored_numbers_serve_where_pytorch_is_missing(monkeypatch):
    monkeypatch.setattr(oracle, "HAVE_TORCH", False)
    with xg.use_backend("numpy") as backend:
        for seed in list(SEEDS)[:10]:
            found = oracle.numbers(fixed(seed))
            assert found is not None
            assert found.who == "the stored numbers"
            assert first_fault(fixed(seed), backend) is None
        assert oracle.numbers(generate(10**6)) is None
        assert first_fault(generate(10**6), backend) is None  # differences are left


# --- a wrong rule is caught ----------------------------------------------------------------------------------------

Rule = Callable[..., Any]


def instead(name: str, number: int, rule: Rule) -> Any:
    """The operation with another rule for an argument."""

    @contextmanager
    def mutated() -> Iterator[None]:
        op = OPS[name]
        rules = op.rules
        op.set_rules([rule if i == number else r for i, r in enumerate(rules)])
        try:
            yield
        finally:
            op.set_rules(rules)

    return mutated()


def with_attribute(name: str, attribute: str, change: Callable[[Any], Any]) -> Any:
    """The operation with another attribute."""

    @contextmanager
    def mutated() -> Iterator[None]:
        op = OPS[name]
        before = getattr(op, attribute)
        setattr(op, attribute, change(before))
        try:
            yield
        finally:
            setattr(op, attribute, before)

    return mutated()


def one_part_twice(joint: Rule) -> Rule:
    return lambda *args: joint(*args) * 1.5


MUTANTS: dict[str, tuple[str, Callable[[], Any]]] = {
    "matmul: a sign in a transpose": (
        " @ ",
        lambda: instead("matmul", 1, lambda xp, g, x1: -xp.matmul(xp.matrix_transpose(x1), g)),
    ),
    "sum: the axis is missing": (
        "xp.sum(",
        lambda: instead("sum", 0, lambda xp, g, x_shape, axis: xp.broadcast_to(g, x_shape)),
    ),
    "var: n for n - 1": (
        "correction=1",
        lambda: instead("var", 0, lambda xp, g, x, axis: 2 * g * (x - xp.mean(x, axis=axis, keepdims=True)) / x.size),
    ),
    "cumulative_prod: not backwards": (
        "xp.cumulative_prod(",
        lambda: instead(
            "cumulative_prod", 0, lambda xp, g, x, axis: xp.cumulative_prod(g, axis=-1 if axis is None else axis)
        ),
    ),
    "sort: gathers where it must scatter": (
        "xp.sort(",
        lambda: instead("take_along_axis", 0, lambda xp, g, indices, axis: xp.take_along_axis(g, indices, axis=axis)),
    ),
    "divide: a conj is missing": (" / ", lambda: with_attribute("divide", "holomorphic", lambda before: not before)),
    "setitem: what was replaced keeps its gradient": ("] = ", lambda: instead("setitem", 0, lambda xp, g, key: g + 0)),
    "where: the branches are swapped": (
        "xp.where(",
        lambda: instead("where", 1, lambda xp, g, condition: xp.where(condition, xp.zeros((), dtype=g.dtype), g)),
    ),
    "svd: a factor": ("xp.linalg.svd(", lambda: with_attribute("linalg.svd", "joint", one_part_twice)),
    "fftn: the norm is not turned around": (
        "xp.fft.fft",
        lambda: instead("fft.fftn", 0, lambda xp, g, axes, norm: xp.fft.ifftn(g, axes=axes, norm=norm)),
    ),
    "max: all get the gradient": (
        "xp.max(",
        lambda: instead("max", 0, lambda xp, g, x, axis: xp.broadcast_to(xp.sum(g), x.shape)),
    ),
    "roll: the wrong way": (
        "xp.roll(",
        lambda: instead("roll", 0, lambda xp, g, shift, axis: xp.roll(g, shift, axis=axis)),
    ),
    "getitem: once where a place is named twice": (
        "xp.asarray([",
        lambda: instead("getitem", 0, lambda xp, g, key, x_shape: xp.setitem(xp.zeros(x_shape, dtype=g.dtype), g, key)),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_rule_is_caught_by_the_fixed_seeds(name):
    text, mutated = MUTANTS[name]
    programs = [p for p in map(fixed, SEEDS) if text in p.source()]
    assert programs
    with xg.use_backend("numpy") as backend, mutated():
        assert any(first_fault(p, backend, only="gradient") for p in programs)


# --- what is said of a failing program --------------------------------------------------------------------------------


def failing(backend: Any) -> Fault:
    programs = (p for p in map(fixed, SEEDS) if "xp.roll(" in p.source() and len(p.steps) > 8)
    faults = (first_fault(p, backend) for p in programs)
    return next(f for f in faults if f is not None and "gradient" in f.check)


def test_a_failing_program_is_made_small_and_told_as_a_program_that_runs(tmp_path):
    with xg.use_backend("numpy") as backend, MUTANTS["roll: the wrong way"][1]():
        fault = shrunk(failing(backend), backend)
    assert len(fault.program.steps) <= 4
    assert any("xp.roll(" in step.text for step in fault.program.steps)
    text = command.told(fault, "numpy")
    assert text.startswith(f"# seed {fault.program.seed}: gradient")
    assert " is " in text.splitlines()[1]
    path = tmp_path / "program.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Tensor" in done.stdout


def test_the_command_says_how_many_differ(capsys):
    assert command.main(["--seeds", "0:4"]) == 0
    assert capsys.readouterr().out.startswith("8 programs tried on numpy; 0 differ;")
    with MUTANTS["roll: the wrong way"][1]():
        with xg.use_backend("numpy") as backend:
            seed = failing(backend).program.seed
        assert command.main(["--seeds", str(seed), "--keep", "--no-views"]) == 1
    out = capsys.readouterr().out
    assert "xp.roll(" in out
    assert out.splitlines()[-1].startswith("1 programs tried on numpy; 1 differ;")
