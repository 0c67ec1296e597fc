"""What the host reads while a function is minimized: few numbers, in few transfers, and no vector."""

from __future__ import annotations

from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest

import xgrad as xg
from bench.minimizer_problems import rosen
from tests.support.arrays import backend_of, make
from xgrad.backends.base import Backend

SIZE = 50  # variables
MOST = 8  # numbers in one transfer


@contextmanager
def counted(backend):
    """Count the transfers, and refuse all that bring an array of the size of the problem, or of half of it, to the host."""
    transfers = []
    plain, read = type(backend).to_numpy, Backend.read

    def to_numpy(self, array):
        assert np.prod(array.shape, dtype=int) <= MOST, f"an array of shape {tuple(array.shape)} came to the host"
        return plain(self, array)

    def counted_read(self, arrays):
        transfers.append(len(arrays))
        return read(self, arrays)

    with patch.object(type(backend), "to_numpy", to_numpy), patch.object(Backend, "read", counted_read):
        yield transfers


@contextmanager
def nothing_by_pytorch(backend):
    """Refuse PyTorch's own ways to the host."""
    if backend.name != "torch":
        yield
        return
    torch = pytest.importorskip("torch")

    def refused(name):
        def way(self, *args, **kwargs):
            if self.numel() > MOST:
                raise AssertionError(f"{name} brings an array to the host")
            return plain[name](self, *args, **kwargs)

        return way

    names = ("__array__", "tolist", "cpu", "numpy")
    plain = {name: getattr(torch.Tensor, name) for name in names}
    with patch.multiple(torch.Tensor, **{name: refused(name) for name in names}):
        yield


def few(backend):
    if backend.name in ("jax", "dask", "dpnp"):
        pytest.skip("slow, and there is nothing else to see than on array-api-strict")


def start(xp):
    return make(xp, np.resize([-1.2, 1.0], SIZE))


@pytest.mark.parametrize("method", ["lbfgs", "bfgs", "newton-cg", "trust-ncg"])
def test_only_numbers_come_to_the_host(backend, xp, method):
    few(backend)
    x0 = start(xp)
    with counted(backend) as transfers, nothing_by_pytorch(backend), xg.transfer_guard("error"):
        found = xg.optimize.minimize(rosen, x0, method=method, options={"maxiter": 12})
    assert found.nit == 12
    expected = {
        "lbfgs": found.nfev,
        "bfgs": found.nfev + found.nit,
        "newton-cg": found.nfev + found.nit + found.get("nhev", 0),
        "trust-ncg": found.nfev + found.njev + found.get("nhev", 0),
    }
    assert len(transfers) == expected[method]
    assert max(transfers) <= MOST


def test_only_numbers_of_residuals_come_to_the_host(backend, xp):
    few(backend)
    x0 = start(xp)

    def residuals(x):
        return xg.concat([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x])

    with counted(backend) as transfers, nothing_by_pytorch(backend), xg.transfer_guard("error"):
        found = xg.optimize.least_squares(residuals, x0, max_nfev=10)
    assert found.nfev == 10
    assert max(transfers) <= MOST
    assert len(transfers) <= 2 + 3 * found.nfev + 2 * (found.njev + 1) + 10 * found.nfev


def test_what_comes_to_the_host_is_counted(backend, xp):
    """The test of the tests: a function that reads its argument fails."""
    few(backend)
    x0 = start(xp)
    with counted(backend), pytest.raises(AssertionError, match="came to the host"):
        xg.optimize.minimize(lambda x: xg.sum(x) * x.numpy()[0], x0)


def test_arguments_move_once(xp):
    """NumPy arrays among the arguments would move in each call."""
    if backend_of(xp).name == "numpy":
        pytest.skip("nothing moves")
    target = np.asarray([1.0, 2.0])
    moves = []
    plain = Backend.move_in

    def move_in(self, array):
        moves.append(array.shape)
        return plain(self, array)

    with patch.object(Backend, "move_in", move_in):
        found = xg.optimize.minimize(lambda x, t: xg.sum((x - t) ** 2), make(xp, [0.0, 0.0]), args=(target,))
    assert found.nfev > 1
    assert moves == [(2,)]
