"""The choice of an engine: by name, by backend, and what an error says."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

import xgrad as xg
from xgrad.backends import load
from xgrad.compile.engines.choice import ENGINES, check_name, engine_for, prepare
from xgrad.compile.recorder import record


def program(backend):
    return record(lambda xp, x: x + x, backend.asarray([1.0, 2.0]), base=backend)


def test_every_engine_has_a_module_with_prepare():
    for module, _ in ENGINES.values():
        assert find_spec(f"xgrad.compile.engines.{module}"), module


@pytest.mark.parametrize("name", ["auto", "replay"])
def test_every_backend_has_an_engine(backend, name):
    assert engine_for(name, backend) in ENGINES
    runner = prepare(name, program(backend), backend)
    np.testing.assert_array_equal(backend.to_numpy(runner.run([backend.asarray([1.5, 2.0])])[0]), [3.0, 4.0])


def test_an_unknown_name_lists_the_known_ones():
    for check in (check_name, lambda name: engine_for(name, load("numpy")), lambda name: xg.compile(abs, engine=name)):
        with pytest.raises(ValueError, match=r"no engine 'tvm'.*'auto'.*'numpy'.*'xla'.*'cupy'.*'replay'"):
            check("tvm")


def test_an_engine_for_other_arrays_is_refused():
    numpy = load("numpy")
    with pytest.raises(
        xg.CompileError, match=r"'cupy' computes on the arrays of cupy, and these .* numpy.*'numpy', 'xla', 'replay'"
    ):
        prepare("cupy", program(numpy), numpy)
