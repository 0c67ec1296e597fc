"""PyTorch's functions that draw numbers: their arguments, shapes and dtypes, and where they draw from."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy

DRAWS = {
    "randn": (lambda r: xg.randn(3, 4, generator=r), lambda h: h.normal(0, 1, (3, 4))),
    "rand": (lambda r: xg.rand((3, 4), generator=r), lambda h: h.uniform(0, 1, (3, 4))),
    "randint": (lambda r: xg.randint(3, 9, (5,), generator=r), lambda h: h.integers(3, 9, (5,))),
    "randint from 0": (lambda r: xg.randint(9, (5, 2), generator=r), lambda h: h.integers(0, 9, (5, 2))),
    "randint by size": (lambda r: xg.randint(9, size=(4,), generator=r), lambda h: h.integers(0, 9, (4,))),
    "randperm": (lambda r: xg.randperm(6, generator=r), lambda h: h.permutation(6)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_numpys_from_either_generator(backend, name):
    draw, want = DRAWS[name]
    first = draw(xg.random.Generator(3))
    np.testing.assert_allclose(to_numpy(first), want(np.random.default_rng(3)), rtol=1e-6)
    assert first.backend is backend
    assert xg.manual_seed(3) is xg.random.default_generator()
    np.testing.assert_array_equal(to_numpy(draw(None)), to_numpy(first))


def test_dtypes_and_leaves(backend):
    assert xg.randn(2, dtype=xg.float32).dtype == xg.float32
    assert xg.rand(2, dtype="float32", device=backend.device).dtype == xg.float32
    assert xg.randn(2, 2, requires_grad=True).is_leaf
    assert xg.rand(2, requires_grad=True).requires_grad
    assert xg.randn().shape == xg.rand(()).shape == ()
    assert xg.isdtype(xg.randint(5, (2,)).dtype, "integral")
    assert xg.randint(5, (2,), dtype=xg.float32).dtype == xg.float32
    with pytest.raises(TypeError, match="randint: give a shape"):
        xg.randint(3, 9)
    with pytest.raises(ValueError, match="0 or more"):
        xg.randn(-1)
    with pytest.raises(TypeError):
        xg.rand(2.5)


@pytest.mark.parametrize("name", ["randn_like", "rand_like"])
def test_numbers_like_an_array(backend, xp, name):
    x = make(xp, np.zeros((2, 3)), "float32", requires_grad=True)
    xg.manual_seed(1)
    y = getattr(xg, name)(x)
    assert (y.shape, y.dtype, y.requires_grad, y.backend) == ((2, 3), x.dtype, False, x.backend)
    xg.manual_seed(1)
    whole = xg.randn(2, 3) if name == "randn_like" else xg.rand(2, 3)
    np.testing.assert_allclose(to_numpy(y), to_numpy(whole), rtol=1e-6)
    assert getattr(xg, name)(np.zeros(2)).shape == (2,)
    assert getattr(xg, name)(x, dtype=xg.float64, requires_grad=True).dtype == xg.float64
    assert xg.isdtype(getattr(xg, name)(xg.asarray([1, 2])).dtype, "real floating")


def test_bernoulli(backend, xp):
    chances = make(xp, np.repeat([0.0, 0.25, 1.0], 4000).reshape(3, 4000), "float32")
    drawn = xg.bernoulli(chances, generator=xg.random.Generator(0))
    assert (drawn.dtype, drawn.shape) == (chances.dtype, chances.shape)
    assert set(np.unique(to_numpy(drawn))) == {0.0, 1.0}
    means = to_numpy(drawn).mean(axis=1)
    assert (means[0], means[2]) == (0.0, 1.0)
    assert means[1] == pytest.approx(0.25, abs=0.03)


def test_multinomial(backend, xp):
    weights = make(xp, [[1.0, 0.0, 3.0], [0.0, 5.0, 0.0]])
    drawn = to_numpy(xg.multinomial(weights, 4000, replacement=True, generator=xg.random.Generator(0)))
    assert drawn.shape == (2, 4000)
    assert set(drawn[1]) == {1}
    assert set(drawn[0]) == {0, 2}
    assert (drawn[0] == 2).mean() == pytest.approx(0.75, abs=0.03)
    whole = to_numpy(xg.multinomial(make(xp, [1.0, 1.0, 2.0, 0.0]), 3, generator=xg.random.Generator(0)))
    assert sorted(whole) == [0, 1, 2]
    assert xg.isdtype(xg.multinomial(make(xp, [0.5, 0.5]), 1).dtype, "integral")
    for wrong, said in ((make(xp, 1.0), "shape"), (make(xp, np.ones((2, 2, 2))), "shape")):
        with pytest.raises(ValueError, match=said):
            xg.multinomial(wrong, 1)
    with pytest.raises(ValueError, match="num_samples"):
        xg.multinomial(weights, 0)
    if backend.on_host and not backend.defers:
        with pytest.raises(ValueError, match="not all 0"):
            xg.multinomial(make(xp, [0.0, 0.0]), 1)
        with pytest.raises(ValueError, match="0 or more"):
            xg.multinomial(make(xp, [-1.0, 2.0]), 1)


def test_the_face_has_them_too():
    for name in ("bernoulli", "manual_seed", "multinomial", "rand", "rand_like", "randint", "randn", "randn_like"):
        assert getattr(xg, name) is getattr(xg.random, name)
        assert name in dir(xg)
    assert not hasattr(xg, "split")
