"""The transfer guard: which NumPy arrays it reports, where, and at which level. (On a GPU: test_gpu.py.)"""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, raw
from tests.support.processes import run

HOST = np.asarray([1.0, 2.0])


@pytest.fixture
def strict():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict", "device1") as backend:
        yield backend


def test_an_array_that_moves_unasked_is_an_error_with_its_line(strict):
    x = make(strict.view, [3.0, 4.0])
    with xg.transfer_guard("error"), pytest.raises(xg.TransferError) as caught:
        x * HOST
    assert "a NumPy array of shape (2,) and dtype float64 moves to Backend(strict, device1)" in str(caught.value)
    assert __file__ in str(caught.value)


def test_a_warning_names_the_line_of_the_program(strict):
    x = make(strict.view, [3.0, 4.0])
    with xg.transfer_guard("warn"), pytest.warns(UserWarning, match="To move it once") as caught:
        y = x * HOST
    assert y.shape == (2,)
    assert caught[0].filename == __file__


def test_what_a_program_asks_for_is_not_reported(strict):
    with xg.transfer_guard("error"):
        x = xg.asarray(HOST) * 2.0
        layer = xg.nn.Linear(2, 1)
        layer.load_state_dict({name: value.numpy() for name, value in layer.state_dict().items()})
        layer(x) + make(strict.view, [1.0])


def test_on_numpy_nothing_moves():
    with xg.use_backend("numpy") as backend, xg.transfer_guard("error"):
        xg.asarray(raw(backend, [3.0, 4.0])) * HOST


def test_blocks_nest_and_end(strict):
    x = make(strict.view, [3.0, 4.0])
    with xg.transfer_guard("error"):
        with xg.transfer_guard("allow"):
            x * HOST
        with pytest.raises(xg.TransferError):
            x * HOST
    x * HOST


def test_another_level_is_refused():
    message = r"transfer_guard\(level\) is one of 'allow', 'warn', 'error', not 'log'"
    with pytest.raises(ValueError, match=message), xg.transfer_guard("log"):
        pass


@pytest.mark.parametrize(("level", "said"), [("error", "TransferError"), ("log", "XGRAD_TRANSFER_GUARD is one of")])
def test_the_environment_sets_the_level(level, said):
    pytest.importorskip("array_api_strict")
    source = "import numpy, xgrad as xg; xg.asarray([1.0]) * numpy.ones(1)"
    variables = {"XGRAD_BACKEND": "strict", "XGRAD_DEVICE": "device1", "XGRAD_TRANSFER_GUARD": level}
    assert said in run(source, **variables).stderr
