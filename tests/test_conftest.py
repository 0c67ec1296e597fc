"""XGRAD_TEST_BACKENDS: a backend that is asked for is tested, or the run fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import KINDS
from tests.support.processes import environment
from xgrad.backends import backends

ROOT = Path(__file__).resolve().parent.parent
ONE_TEST = "tests/test_mixing.py::test_gradients_are_cast_back"


def run_with(kinds: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ONE_TEST],
        env=environment(XGRAD_TEST_BACKENDS=kinds),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_is_selected_runs():
    code, said = run_with("numpy, readonly")
    assert code == 0
    assert "2 passed" in said


def test_a_backend_that_cannot_be_used_fails():
    missing = [kind for kind, (name, _) in KINDS.items() if name not in backends()]
    if not missing:
        pytest.skip("every backend can be used here")
    code, said = run_with(f"numpy,{missing[0]}")
    assert code == 1
    assert "cannot be used" in said
    assert "1 passed" in said


def test_an_unknown_name_is_an_error():
    code, said = run_with("abacus")
    assert code not in (0, 1)
    assert "no abacus; choose from numpy, readonly" in said
