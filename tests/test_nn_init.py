"""Starting values: their spread, their dtype, and where they are drawn from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import to_numpy
from xgrad.nn import Parameter, init

OUT, IN = 300, 100
RELU = math.sqrt(2)

SPREADS = {
    "uniform_": (lambda w, g: init.uniform_(w, -2.0, 2.0, generator=g), 2 / math.sqrt(3)),
    "normal_": (lambda w, g: init.normal_(w, 0.0, 0.5, generator=g), 0.5),
    "xavier_uniform_": (lambda w, g: init.xavier_uniform_(w, 2.0, generator=g), 2 * math.sqrt(2 / (IN + OUT))),
    "xavier_normal_": (lambda w, g: init.xavier_normal_(w, generator=g), math.sqrt(2 / (IN + OUT))),
    "kaiming_uniform_": (
        lambda w, g: init.kaiming_uniform_(w, nonlinearity="relu", generator=g),
        RELU / math.sqrt(IN),
    ),
    "kaiming_normal_": (lambda w, g: init.kaiming_normal_(w, mode="fan_out", generator=g), RELU / math.sqrt(OUT)),
}


@pytest.mark.parametrize("name", SPREADS)
def test_spread(backend, name):
    fill, std = SPREADS[name]
    w = Parameter(xg.zeros((OUT, IN), dtype=xg.float32))
    assert fill(w, xg.random.Generator(0)) is w
    values = to_numpy(w)
    assert w.dtype == xg.float32
    assert w.backend is backend
    assert w.requires_grad
    assert values.std() == pytest.approx(std, rel=0.02)
    assert abs(values.mean()) < 0.02 * std
    again = Parameter(xg.ones((OUT, IN), dtype=xg.float32))
    fill(again, xg.random.Generator(0))
    np.testing.assert_array_equal(to_numpy(again), values)


def test_constants(backend):
    w = Parameter(xg.zeros((2, 3)))
    assert (to_numpy(init.ones_(w)) == 1).all()
    assert (to_numpy(init.constant_(w, 0.25)) == 0.25).all()
    assert (to_numpy(init.zeros_(w)) == 0).all()


def test_the_default_generator_is_used(backend):
    w = Parameter(xg.zeros((2, 3)))
    xg.random.seed(4)
    first = to_numpy(init.uniform_(w))
    xg.random.seed(4)
    np.testing.assert_array_equal(to_numpy(init.uniform_(w)), first)


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [
        *((name, None) for name in ("linear", "conv2d", "conv_transpose1d", "sigmoid", "tanh", "relu", "selu")),
        *(("leaky_relu", param) for param in (None, 0.3, 2)),
    ],
)
def test_gains_are_pytorchs(nonlinearity, param):
    torch = pytest.importorskip("torch")
    expected = torch.nn.init.calculate_gain(nonlinearity, param)
    assert init.calculate_gain(nonlinearity, param) == pytest.approx(expected, rel=1e-15)


def test_bad_arguments(backend):
    with pytest.raises(ValueError, match=r"two axes or more, got shape \(3,\)"):
        init.xavier_uniform_(Parameter(xg.zeros(3)))
    with pytest.raises(ValueError, match="'swish'"):
        init.kaiming_normal_(Parameter(xg.zeros((2, 2))), nonlinearity="swish")
    with pytest.raises(ValueError, match="'fan'"):
        init.kaiming_normal_(Parameter(xg.zeros((2, 2))), mode="fan")


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3)])
@pytest.mark.parametrize("name", SPREADS)
def test_a_weight_without_elements_stays_so(backend, name, shape):
    w = Parameter(xg.zeros(shape, dtype=xg.float32))
    assert SPREADS[name][0](w, xg.random.Generator(0)).shape == shape


# --- identities and orthogonal matrices -----------------------------------------------------------


@pytest.mark.parametrize(("shape", "groups"), [((4, 3, 5), 1), ((4, 2, 3, 4), 2), ((6, 3, 2, 3, 1), 3), ((2, 5, 1), 1)])
def test_dirac_is_pytorchs(backend, shape, groups):
    torch = pytest.importorskip("torch")
    expected = torch.nn.init.dirac_(torch.ones(shape), groups)
    w = Parameter(xg.ones(shape, dtype=xg.float32))
    assert init.dirac_(w, groups) is w
    np.testing.assert_array_equal(to_numpy(w), expected.numpy())


def test_dirac_and_eye(backend):
    w = to_numpy(init.dirac_(xg.ones((2, 2, 3))))
    np.testing.assert_array_equal(w, [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]])
    for shape in ((3, 3), (2, 4), (4, 2), (0, 3)):
        np.testing.assert_array_equal(to_numpy(init.eye_(Parameter(xg.ones(shape)))), np.eye(*shape))
    counts = init.eye_(xg.asarray([[3, 4], [5, 6]]))
    assert xg.isdtype(counts.dtype, "integral")
    assert to_numpy(counts).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (4, 2, 3), (2, 3, 4)])
def test_orthogonal_matrices(backend, shape):
    w = init.orthogonal_(Parameter(xg.zeros(shape)), gain=1.5, generator=xg.random.Generator(3))
    flat = to_numpy(w).reshape(shape[0], -1) / 1.5
    product = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, np.eye(min(flat.shape)), atol=1e-12 if w.dtype == xg.float64 else 1e-6)
    with xg.use_backend("numpy"):
        same = init.orthogonal_(xg.zeros(shape), gain=1.5, generator=xg.random.Generator(3)).numpy()
    np.testing.assert_array_equal(to_numpy(w), same)


def test_all_orthogonal_matrices_are_equally_likely():
    """The corner of such a 2 x 2 matrix is the cosine of a uniform angle, so its square has the mean 1/2 and variance 1/8."""
    rng = xg.random.Generator(0)
    corners = np.asarray([init.orthogonal_(xg.zeros((2, 2)), generator=rng).numpy()[0, 0] for _ in range(2000)])
    assert abs(corners.mean()) < 0.05
    assert abs((corners**2).mean() - 0.5) < 0.03
    assert abs((corners**2).var() - 0.125) < 0.01


# --- truncated, sparse ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds", [(-2.0, 2.0), (0.5, 1.0), (-1.0, 5.0), (2.5, 4.0), (-4.0, -2.5), (-math.inf, 1.0)], ids=str
)
def test_truncated_normal_numbers_have_its_distribution(bounds):
    stats = pytest.importorskip("scipy.stats")
    mean, std = 0.25, 1.5
    rng = xg.random.Generator(0)
    w = to_numpy(init.trunc_normal_(xg.zeros((150, 100)), mean, std, bounds[0], bounds[1], rng))
    reference = stats.truncnorm((bounds[0] - mean) / std, (bounds[1] - mean) / std, mean, std)
    assert w.min() >= bounds[0]
    assert w.max() <= bounds[1]
    assert stats.kstest(w.ravel(), reference.cdf).pvalue > 0.001


def test_truncated_normal_numbers_are_the_same_everywhere(backend):
    w = Parameter(xg.zeros((20, 30), dtype=xg.float32))
    assert init.trunc_normal_(w, std=0.02, a=-0.03, b=0.03, generator=xg.random.Generator(1)) is w
    with xg.use_backend("numpy"):
        same = init.trunc_normal_(xg.zeros((20, 30), dtype=xg.float32), 0, 0.02, -0.03, 0.03, xg.random.Generator(1))
    np.testing.assert_array_equal(to_numpy(w), same.numpy())


def test_sparse_columns(backend):
    w = to_numpy(init.sparse_(Parameter(xg.ones((10, 200))), 0.31, std=0.5, generator=xg.random.Generator(0)))
    assert ((w == 0).sum(axis=0) == 4).all()
    assert (w == 0).any(axis=1).all()
    assert w[w != 0].std() == pytest.approx(0.5, rel=0.06)


# --- what cannot be filled ------------------------------------------------------------------------


def test_integers_and_what_is_no_tensor(backend):
    counts = xg.asarray([[1, 2], [3, 4]])
    fill: Any
    for fill in (init.uniform_, init.normal_, init.trunc_normal_, init.orthogonal_, init.xavier_normal_):
        with pytest.raises(TypeError, match=r"floating-point numbers, got one of dtype .*int64"):
            fill(counts)
        with pytest.raises(TypeError):
            fill(np.zeros((2, 2)))
    with pytest.raises(TypeError, match=r"constant_: .* cannot hold 0\.5"):
        init.constant_(counts, 0.5)
    with pytest.raises(TypeError, match="cannot hold the complex number 1j"):
        init.constant_(xg.zeros(2), 1j)
    with pytest.raises(TypeError, match="constant_ fills a tensor in place, got list"):
        init.constant_([1.0], 1.0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(to_numpy(counts), [[1, 2], [3, 4]])
    assert to_numpy(init.constant_(counts, 7.0)).tolist() == [[7, 7], [7, 7]]
    assert to_numpy(init.ones_(xg.asarray([False, False]))).tolist() == [True, True]
    assert to_numpy(init.constant_(xg.asarray([1j], dtype=xg.complex128), 2j)).tolist() == [2j]


def test_arguments_that_do_not_fit(backend):
    w = Parameter(xg.zeros((4, 2)))
    for call, said in {
        (lambda: init.trunc_normal_(w, std=0.0)): "std must be more than 0",
        (lambda: init.trunc_normal_(w, a=2.0, b=1.0)): "a below b",
        (lambda: init.sparse_(w, 1.5)): "sparsity must be from 0 to 1",
        (lambda: init.sparse_(xg.zeros(3), 0.5)): "two axes",
        (lambda: init.eye_(xg.zeros(3))): "two axes",
        (lambda: init.orthogonal_(xg.zeros(3))): "two axes or more",
        (lambda: init.dirac_(w)): "3, 4 or 5 axes",
        (lambda: init.dirac_(xg.zeros((4, 2, 3)), 3)): "groups must divide",
        (lambda: init.calculate_gain("leaky_relu", "a")): "must be a number",  # type: ignore[arg-type]
    }.items():
        with pytest.raises(ValueError, match=said):
            call()
    assert (to_numpy(w) == 0).all()


def test_filling_is_not_recorded_and_reaches_views(backend):
    w = Parameter(xg.zeros((2, 2)))
    init.ones_(w[0])
    assert w.is_leaf
    y = w * 2
    init.normal_(w)
    xg.sum(y * w).backward()
    assert w.grad is not None
