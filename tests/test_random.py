"""Random numbers: NumPy's generators, and the same numbers on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import to_numpy

DRAWS = {
    "normal": (
        lambda g, **k: g.normal((2, 3), mean=1.0, std=2.0, **k),
        lambda g: g.normal(1.0, 2.0, (2, 3)),
    ),
    "uniform": (
        lambda g, **k: g.uniform((2, 3), low=-0.5, high=0.5, **k),
        lambda g: g.uniform(-0.5, 0.5, (2, 3)),
    ),
    "integers": (lambda g, **k: g.integers(3, 9, (7,), **k), lambda g: g.integers(3, 9, (7,))),
    "permutation": (lambda g, **k: g.permutation(10, **k), lambda g: g.permutation(10)),
    "bernoulli": (lambda g, **k: g.bernoulli((20,), p=0.3, **k), lambda g: g.random(20) < 0.3),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_numbers_are_numpys(backend, name):
    ours, theirs = DRAWS[name]
    generator, host = xg.random.Generator(3), np.random.default_rng(3)
    dtype = {"dtype": xg.float64} if name in ("normal", "uniform") else {}
    for _ in range(2):
        drawn = ours(generator, **dtype)
        assert drawn.backend is backend
        assert not drawn.requires_grad
        np.testing.assert_array_equal(to_numpy(drawn), theirs(host))


def test_dtypes(backend):
    generator = xg.random.Generator(0)
    defaults = backend.view.__array_namespace_info__().default_dtypes()
    assert generator.normal(2).dtype == defaults["real floating"]
    assert generator.uniform(2).dtype == defaults["real floating"]
    assert generator.integers(5).dtype == defaults["integral"]
    assert generator.permutation(2).dtype == defaults["integral"]
    assert generator.bernoulli().dtype == xg.bool
    assert generator.uniform((), dtype=xg.float32).dtype == xg.float32
    assert generator.bernoulli((), dtype=xg.float32).dtype == xg.float32
    assert generator.integers(5, shape=(2,), dtype=xg.int32).dtype == xg.int32


def test_single_precision_is_the_same_stream_rounded(backend):
    single = xg.random.Generator(1).normal((5,), dtype=xg.float32)
    double = np.random.default_rng(1).normal(size=5)
    np.testing.assert_array_equal(to_numpy(single), double.astype(np.float32))


def test_device_may_be_named(backend):
    drawn = xg.random.Generator(1).normal((5,), device=backend.device)
    assert drawn.backend is backend


def test_the_default_generator_is_seeded(backend):
    xg.random.seed(5)
    first = xg.random.default_generator().uniform((3,))
    layer = xg.nn.Linear(2, 2)
    xg.random.seed(5)
    np.testing.assert_array_equal(to_numpy(first), to_numpy(xg.random.default_generator().uniform((3,))))
    np.testing.assert_array_equal(to_numpy(layer.weight), to_numpy(xg.nn.Linear(2, 2).weight))


@pytest.mark.parametrize(
    ("draw", "error", "says"),
    [
        (lambda: xg.random.Generator(-1), ValueError, "-1"),
        (lambda: xg.random.Generator(0.5), TypeError, "0.5|float"),
        (lambda: xg.random.Generator(0).normal((2, -1)), ValueError, r"\(2, -1\)"),
        (lambda: xg.random.Generator(0).normal(std=-1.0), ValueError, "-1.0"),
        (lambda: xg.random.Generator(0).normal(mean=float("nan")), ValueError, "nan"),
        (lambda: xg.random.Generator(0).uniform(low=1.0, high=0.0), ValueError, "1.0 and 0.0"),
        (lambda: xg.random.Generator(0).uniform(high=float("inf")), ValueError, "inf"),
        (lambda: xg.random.Generator(0).integers(0), ValueError, "low must be below high, got 0 and 0"),
        (lambda: xg.random.Generator(0).permutation(-1), ValueError, "-1"),
        (lambda: xg.random.Generator(0).permutation((2, 3)), TypeError, "n must be an integer"),
        (lambda: xg.random.Generator(0).bernoulli(p=1.5), ValueError, "1.5"),
    ],
)
def test_bad_arguments(draw, error, says):
    with pytest.raises(error, match=says):
        draw()


def test_an_error_leaves_the_stream_where_it_was(backend):
    generator = xg.random.Generator(2)
    with pytest.raises(ValueError, match="std"):
        generator.normal((3,), std=-1.0)
    with pytest.raises(xg.BackendError):
        generator.normal((3,), device="no such device")
    assert generator.uniform().item() == xg.random.Generator(2).uniform().item()
