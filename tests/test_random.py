"""Random numbers: NumPy's generators, and the same numbers on every backend."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy

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
    # with NumPy's arguments: the draw is the same call
    **{
        name: (lambda g, call=call, **k: call(g, **k), call)
        for name, call in {
            "standard_normal": lambda g, **k: g.standard_normal((2, 3), **k),
            "standard_exponential": lambda g, **k: g.standard_exponential(4, **k),
            "standard_cauchy": lambda g, **k: g.standard_cauchy(4, **k),
            "random": lambda g, **k: g.random((2,), **k),
            "laplace": lambda g, **k: g.laplace(1.0, 2.0, (3,), **k),
            "gumbel": lambda g, **k: g.gumbel(1.0, 2.0, (3,), **k),
            "logistic": lambda g, **k: g.logistic(1.0, 2.0, (3,), **k),
            "lognormal": lambda g, **k: g.lognormal(1.0, 0.5, (3,), **k),
            "exponential": lambda g, **k: g.exponential(2.0, (3,), **k),
            "standard_gamma": lambda g, **k: g.standard_gamma(0.7, (3,), **k),
            "gamma": lambda g, **k: g.gamma(2.5, 0.5, size=(3,), **k),
            "chisquare": lambda g, **k: g.chisquare(3, 5, **k),
            "standard_t": lambda g, **k: g.standard_t(3, 5, **k),
            "beta": lambda g, **k: g.beta(2.0, 0.5, 5, **k),
            "poisson": lambda g, **k: g.poisson(3.0, (5,), **k),
            "binomial": lambda g, **k: g.binomial(7, 0.3, (5,), **k),
            "geometric": lambda g, **k: g.geometric(0.2, (5,), **k),
            "multinomial": lambda g, **k: g.multinomial(9, [0.2, 0.3, 0.5], (4,), **k),
            "dirichlet": lambda g, **k: g.dirichlet([0.5, 1.0, 3.0], (4,), **k),
            "choice": lambda g, **k: g.choice(9, (2, 3), **k),
            "choice without replacement": lambda g, **k: g.choice(9, (2, 3), replace=False, **k),
            "choice by weight": lambda g, **k: g.choice(3, (50,), p=[0.2, 0.0, 0.8], **k),
            "choice by weight without replacement": lambda g, **k: g.choice(3, 2, False, [0.2, 0.3, 0.5], **k),
            "one choice": lambda g, **k: g.choice(9, **k),
        }.items()
    },
}
WHOLE = ("integers", "permutation", "bernoulli", "poisson", "binomial", "geometric", "multinomial")


@pytest.mark.parametrize("name", DRAWS)
def test_the_numbers_are_numpys(backend, name):
    ours, theirs = DRAWS[name]
    generator, host = xg.random.Generator(3), np.random.default_rng(3)
    dtype = {} if name in WHOLE or "choice" in name else {"dtype": xg.float64}
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


# --- arrays as parameters

P, Q = np.asarray([0.5, 2.0, 7.0]), np.asarray([[0.3], [1.5]])
BY_ARRAYS = {
    "normal": (lambda g, x, y: g.normal(mean=x, std=y), lambda g: P + Q * g.standard_normal((2, 3))),
    "uniform": (lambda g, x, y: g.uniform(low=-y, high=x), lambda g: -Q + (P + Q) * g.random((2, 3))),
    "bernoulli": (lambda g, x, y: g.bernoulli((40, 3), p=x / 7), lambda g: g.random((40, 3)) < P / 7),
    "laplace": (lambda g, x, y: g.laplace(x, y), lambda g: P + Q * g.laplace(0, 1, (2, 3))),
    "gumbel": (lambda g, x, y: g.gumbel(x, y), lambda g: P + Q * g.gumbel(0, 1, (2, 3))),
    "logistic": (lambda g, x, y: g.logistic(x, y), lambda g: P + Q * g.logistic(0, 1, (2, 3))),
    "lognormal": (lambda g, x, y: g.lognormal(x, y), lambda g: np.exp(P + Q * g.standard_normal((2, 3)))),
    "exponential": (lambda g, x, y: g.exponential(x, (4, 3)), lambda g: P * g.standard_exponential((4, 3))),
    "standard_gamma": (lambda g, x, y: g.standard_gamma(x), lambda g: g.standard_gamma(P)),
    "gamma": (lambda g, x, y: g.gamma(x, y), lambda g: Q * g.standard_gamma(P, (2, 3))),
    "chisquare": (lambda g, x, y: g.chisquare(x), lambda g: g.chisquare(P)),
    "standard_t": (lambda g, x, y: g.standard_t(x), lambda g: g.standard_t(P)),
    "beta": (lambda g, x, y: g.beta(x, y), lambda g: g.beta(P, Q)),
    "poisson": (lambda g, x, y: g.poisson(x, (4, 3)), lambda g: g.poisson(P, (4, 3))),
    "binomial": (lambda g, x, y: g.binomial(9, y / 2), lambda g: g.binomial(9, Q / 2)),
    "multinomial": (lambda g, x, y: g.multinomial(9, x / 9.5, 2), lambda g: g.multinomial(9, P / 9.5, 2)),
    "dirichlet": (lambda g, x, y: g.dirichlet(x, 2), lambda g: g.dirichlet(P, 2)),
    "choice": (lambda g, x, y: g.choice(x, (5,)), lambda g: g.choice(P, (5,))),
    "choice by weight": (lambda g, x, y: g.choice(y, 5, p=[0.3, 0.7]), lambda g: g.choice(Q, 5, p=[0.3, 0.7])),
    "choice of columns": (
        lambda g, x, y: g.choice(y + x, 2, replace=False, axis=1),
        lambda g: g.choice(Q + P, 2, replace=False, axis=1),
    ),
}


@pytest.mark.parametrize("name", BY_ARRAYS)
def test_parameters_may_be_arrays(backend, name):
    ours, theirs = BY_ARRAYS[name]
    x, y = make(backend.view, P), make(backend.view, Q)
    generator = xg.random.Generator(3)
    drawn = ours(generator, x, y)
    assert drawn.backend is backend
    host = np.random.default_rng(3)
    np.testing.assert_allclose(to_numpy(drawn), theirs(host), rtol=1e-14)
    assert generator.uniform().item() == host.uniform()  # the stream goes on as NumPy's
    if name in WHOLE or "choice" in name:
        return
    narrow = ours(xg.random.Generator(3), xg.astype(x, xg.float32), xg.astype(y, xg.float32))
    assert narrow.dtype == xg.float32
    np.testing.assert_allclose(to_numpy(narrow), to_numpy(drawn), rtol=1e-4, atol=1e-5)


def test_the_geometric_distribution_of_arrays_has_its_frequencies(backend):
    drawn = to_numpy(xg.random.Generator(0).geometric(make(backend.view, [0.2, 0.9, 1.0]), (4000, 3)))
    assert drawn.min() == 1
    np.testing.assert_allclose([(drawn[:, 0] == k).mean() for k in (1, 2, 3)], [0.2, 0.16, 0.128], atol=0.02)
    np.testing.assert_allclose([(drawn[:, 1] == k).mean() for k in (1, 2)], [0.9, 0.09], atol=0.02)
    assert (drawn[:, 2] == 1).all()


def test_no_gradient_goes_to_a_parameter(xp):
    mean = make(xp, [1.0, 2.0], requires_grad=True)
    assert not xg.random.Generator(0).normal(mean=mean).requires_grad


def test_inside_vmap_each_example_has_gamma_numbers_of_its_own(xp):
    rng = xg.random.Generator(0)
    drawn = xg.vmap(lambda a: rng.standard_gamma(a, (2,)))(make(xp, [0.5, 0.5, 3.0]))
    host = np.random.default_rng(0).standard_gamma(np.repeat([[0.5], [0.5], [3.0]], 2, axis=1))
    np.testing.assert_allclose(to_numpy(drawn), host)


def test_like_is_the_place_of_the_numbers(backend):
    like = make(backend.view, np.zeros(2, "float32"))
    with xg.use_backend("numpy"):
        drawn = xg.random.Generator(0).standard_normal((3,), like=like)
        count = xg.random.Generator(0).poisson(3.0, (3,), like=like)
    assert drawn.backend is backend
    assert drawn.dtype == like.dtype
    assert backend.library.isdtype(count.dtype, "integral")


def test_shuffle(backend):
    order = np.random.default_rng(0).permutation(5)
    x = make(backend.view, np.arange(10.0).reshape(5, 2))
    xg.random.Generator(0).shuffle(x)
    np.testing.assert_array_equal(to_numpy(x), np.arange(10.0).reshape(5, 2)[order])
    y = make(backend.view, np.arange(10.0).reshape(2, 5))
    xg.random.Generator(0).shuffle(y, axis=1)
    np.testing.assert_array_equal(to_numpy(y), np.arange(10.0).reshape(2, 5)[:, order])
    numbers, array = list("abcde"), np.arange(5)
    xg.random.Generator(0).shuffle(numbers)
    xg.random.Generator(0).shuffle(array)
    assert "".join(numbers) == "".join("abcde"[i] for i in order)
    np.testing.assert_array_equal(array, order)


# --- the state


def test_the_state_is_saved_and_restored(backend):
    generator = xg.random.Generator(7)
    generator.integers(5, dtype=xg.int32)
    saved = json.dumps(generator.get_state())
    first = to_numpy(generator.standard_normal((3,)))
    other = xg.random.Generator()
    for each in (generator, other):
        each.set_state(json.loads(saved))
        np.testing.assert_array_equal(to_numpy(each.standard_normal((3,))), first)


def test_the_state_of_the_default_generator(backend):
    saved = xg.random.get_rng_state()
    first = to_numpy(xg.random.default_generator().random((3,)))
    xg.random.set_rng_state(saved)
    np.testing.assert_array_equal(to_numpy(xg.random.default_generator().random((3,))), first)


@pytest.mark.parametrize(
    ("state", "error"), [(3, TypeError), ({}, ValueError), ({"bit_generator": "MT19937"}, ValueError)]
)
def test_what_is_no_state(state, error):
    generator = xg.random.Generator(1)
    with pytest.raises(error, match="get_state returned"):
        generator.set_state(state)
    assert generator.random().item() == xg.random.Generator(1).random().item()


def test_a_checkpointed_function_may_set_the_state(xp):
    generator = xg.random.Generator(0)
    state = generator.get_state()

    def f(x):
        generator.set_state(state)
        return x * xg.asarray(generator.random((3,)))

    x = make(xp, [1.0, 2.0, 3.0], requires_grad=True)
    xg.sum(xg.checkpoint(f)(x)).backward()
    np.testing.assert_array_equal(to_numpy(x.grad), np.random.default_rng(0).random(3).astype(to_numpy(x).dtype))


def test_spawned_generators_are_numpys():
    ours, theirs = xg.random.Generator(3).spawn(2), np.random.default_rng(3).spawn(2)
    assert [g.random().item() for g in ours] == [g.random() for g in theirs]


def test_a_generator_can_be_pickled():
    generator = xg.random.Generator(3)
    generator.random()
    assert pickle.loads(pickle.dumps(generator)).random().item() == generator.random().item()


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda g: g.choice(0), "element to choose from"),
        (lambda g: g.choice(3, 4, replace=False), "4 of 3"),
        (lambda g: g.choice(3, p=[0.5, 0.5]), r"\(3,\)"),
        (lambda g: g.choice(2, p=[0.5, 0.6]), "sum 1"),
        (lambda g: g.choice(2, p=[1.5, -0.5]), "0 or more"),
        (lambda g: g.choice([1.0, 2.0], axis=1), "axis 1"),
        (lambda g: g.multinomial(-1, [1.0]), "n must be 0 or more"),
        (lambda g: g.multinomial(1, [0.3]), "sum 1"),
        (lambda g: g.dirichlet([1.0, 0.0]), "above 0"),
        (lambda g: g.dirichlet([[1.0]]), "a vector"),
        (lambda g: g.gamma(-1.0), "0 or more"),
        (lambda g: g.standard_gamma([1.0, -1.0]), "0 or more"),
        (lambda g: g.beta(0.0, 1.0), "above 0"),
        (lambda g: g.poisson(-1.0), "0 or more"),
        (lambda g: g.binomial(3, 1.5), "from 0 to 1"),
        (lambda g: g.geometric(0.0), "above 0"),
        (lambda g: g.exponential(-1.0), "0 or more"),
        (lambda g: g.laplace(0.0, -1.0), "scale 0 or more"),
        (lambda g: g.normal(std=[1.0, -1.0]), "std 0 or more"),
        (lambda g: g.spawn(-1), "-1"),
    ],
)
def test_bad_parameters_leave_the_stream_where_it_was(draw, says):
    generator = xg.random.Generator(2)
    with xg.use_backend("numpy"):
        with pytest.raises(ValueError, match=says):
            draw(generator)
        assert generator.random().item() == xg.random.Generator(2).random().item()


def test_bad_types():
    with pytest.raises(TypeError, match="like must be a tensor"):
        xg.random.Generator(0).random(like=3)
    with pytest.raises(TypeError, match="shuffle"):
        xg.random.Generator(0).shuffle(3)
    with pytest.raises(TypeError, match="mean must be a real number"):
        xg.random.Generator(0).normal(mean="a")
