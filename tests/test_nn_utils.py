"""Clipping gradients, parameters as vectors, normalized weights, and tables of layers."""

from __future__ import annotations

import copy
import math
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn
from xgrad.nn import utils

GRADIENTS = [np.array([[3.0, -4.0], [0.0, 1.0]]), np.array([12.0]), np.array(-2.0)]
FLAT = np.concatenate([g.ravel() for g in GRADIENTS])


@pytest.fixture
def params(xp):
    held = [make(xp, np.zeros_like(g), requires_grad=True) for g in GRADIENTS]
    for p, g in zip(held, GRADIENTS, strict=True):
        p.grad = make(xp, g)
    return held


def norm(order):
    return np.linalg.norm(FLAT, order)


@pytest.mark.parametrize("order", [1, 2.0, 3, math.inf])
@pytest.mark.parametrize("bound", [0.5, 1e3])
def test_the_norm_is_brought_down(params, order, bound):
    total = utils.clip_grad_norm_(iter(params), bound, norm_type=order)
    assert total.item() == pytest.approx(norm(order), rel=1e-14)
    factor = min(1.0, bound / (norm(order) + 1e-6))
    for p, g in zip(params, GRADIENTS, strict=True):
        assert p.grad.shape == p.shape
        assert p.grad.dtype == p.dtype
        assert_close(to_numpy(p.grad), factor * g, 1e-14)


def test_agrees_with_pytorch(params):
    torch = pytest.importorskip("torch")
    theirs = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in GRADIENTS]
    for p, g in zip(theirs, GRADIENTS, strict=True):
        p.grad = torch.tensor(g)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 2.0)
    assert utils.clip_grad_norm_(params, 2.0).item() == pytest.approx(expected.item(), rel=1e-15)
    for p, q in zip(params, theirs, strict=True):
        assert_close(to_numpy(p.grad), q.grad.numpy(), 1e-14)


def test_a_gradient_that_somebody_holds_is_not_written(params):
    held = params[0].grad
    utils.clip_grad_norm_(params, 0.1)
    np.testing.assert_array_equal(to_numpy(held), GRADIENTS[0])


def test_one_tensor_and_tensors_without_gradients(params):
    params[1].grad = None
    assert utils.clip_grad_norm_(params[0], 1.0).item() == pytest.approx(math.sqrt(26))
    assert utils.clip_grad_norm_(params[1], 1.0).item() == 0
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    assert params[1].grad is None


def test_a_norm_that_is_not_finite(xp, params):
    params[1].grad = make(xp, [math.nan])
    with pytest.raises(RuntimeError, match="is nan: it cannot be clipped"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(to_numpy(params[0].grad), GRADIENTS[0])
    assert math.isnan(utils.clip_grad_norm_(params, 1.0).item())
    assert np.isnan(to_numpy(params[0].grad)).all()


def test_values_are_clipped(params):
    utils.clip_grad_value_(params, 2.5)
    for p, g in zip(params, GRADIENTS, strict=True):
        np.testing.assert_array_equal(to_numpy(p.grad), np.clip(g, -2.5, 2.5))


def test_bad_arguments(params):
    with pytest.raises(ValueError, match=r"max_norm.*-1"):
        utils.clip_grad_norm_(params, -1.0)
    with pytest.raises(ValueError, match=r"max_norm.*nan"):
        utils.clip_grad_norm_(params, math.nan)
    with pytest.raises(ValueError, match=r"norm_type.*0"):
        utils.clip_grad_norm_(params, 1.0, norm_type=0)
    with pytest.raises(ValueError, match=r"clip_value.*-1"):
        utils.clip_grad_value_(params, -1.0)
    np.testing.assert_array_equal(to_numpy(params[0].grad), GRADIENTS[0])


@pytest.mark.parametrize("order", [1, 2.0, 3, math.inf])
def test_gradients_without_elements_add_nothing(xp, params, order):
    for shape in ((0,), (3, 0)):
        empty = make(xp, np.zeros(shape), requires_grad=True)
        empty.grad = make(xp, np.zeros(shape))
        assert utils.clip_grad_norm_([empty, *params], 1e9, norm_type=order).item() == pytest.approx(norm(order))
        assert utils.clip_grad_norm_([empty], 1.0, norm_type=order).item() == 0
        assert empty.grad.shape == shape


def test_gradients_of_two_dtypes_have_a_norm_of_the_wider(xp):
    p, q = make(xp, [0.0], "float32", requires_grad=True), make(xp, [0.0], requires_grad=True)
    p.grad, q.grad = make(xp, [3.0], "float32"), make(xp, [4e100])
    assert utils.clip_grad_norm_([p, q], 1.0).item() == pytest.approx(4e100, rel=1e-14)
    assert_close(to_numpy(q.grad), [1.0], 1e-14)


def test_a_norm_that_is_known(params):
    total = utils.get_total_norm([p.grad for p in params])
    utils.clip_grads_with_norm_(params, 2.0, total, foreach=True)
    for p, g in zip(params, GRADIENTS, strict=True):
        assert_close(to_numpy(p.grad), g * 2 / (norm(2) + 1e-6), 1e-14)
    utils.clip_grads_with_norm_(params[0], 1.0, 0.5)
    assert_close(to_numpy(params[0].grad), GRADIENTS[0] * 2 / (norm(2) + 1e-6), 1e-14)
    with pytest.raises(ValueError, match="max_norm"):
        utils.clip_grads_with_norm_(params, -1.0, total)
    assert utils.get_total_norm(params[1].grad).item() == pytest.approx(1 * 2 * 12 / (norm(2) + 1e-6))


def test_clipping_is_not_recorded(xp):
    x = make(xp, [3.0, 4.0], requires_grad=True)
    xp.sum(x * x * x).backward(create_graph=True)
    held: Any = x.grad
    assert held.requires_grad
    assert not utils.clip_grad_norm_(x, 1.0, foreach=False).requires_grad
    held = x.grad
    assert not held.requires_grad
    utils.clip_grad_value_(x, 0.1, foreach=None)
    assert to_numpy(x.grad).max() <= 0.1


def test_half_precision_is_summed_in_single(backend):
    if not backend.has_dtype("float16"):
        pytest.skip("there is no float16")
    w = xg.asarray(np.full((1000,), 100.0), dtype="float16")
    total = utils.get_total_norm([w, w])
    assert total.dtype == xg.float32
    assert total.item() == pytest.approx(100 * math.sqrt(2000), rel=1e-3)


# --- vectors --------------------------------------------------------------------------------------


def test_parameters_as_a_vector_and_back(backend):
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    vector = utils.parameters_to_vector(net.parameters())
    flat = np.concatenate([to_numpy(p).ravel() for p in net.parameters()])
    np.testing.assert_array_equal(to_numpy(vector), flat)
    xg.sum(vector * vector).backward()
    for p in net.parameters():
        np.testing.assert_allclose(to_numpy(p.grad), 2 * to_numpy(p))
    held = list(net.parameters())
    for new in (vector * 2, 3 * flat):
        utils.vector_to_parameters(new, net.parameters())
        assert all(p is q for p, q in zip(net.parameters(), held, strict=True))
        assert all(p.is_leaf and p.requires_grad for p in held)
        both = np.concatenate([to_numpy(p).ravel() for p in held])
        np.testing.assert_allclose(both, to_numpy(new) if new is not flat else new)


def test_vectors_that_do_not_fit(backend):
    layer = nn.Linear(2, 1)
    before = to_numpy(layer.weight)
    wrong: Any
    for wrong in (xg.zeros(4), xg.zeros(2), xg.zeros((3, 1))):
        with pytest.raises(ValueError, match=r"have 3 elements: .* \(3,\), got"):
            utils.vector_to_parameters(wrong, layer.parameters())
    with pytest.raises(TypeError, match="must be an array, got list"):
        utils.vector_to_parameters([1.0, 2.0, 3.0], layer.parameters())
    with pytest.raises(TypeError):
        utils.vector_to_parameters(xg.asarray([1j, 2j, 3j]), layer.parameters())
    with pytest.raises(ValueError, match="no parameters"):
        utils.parameters_to_vector([])
    np.testing.assert_array_equal(to_numpy(layer.weight), before)


# --- normalized weights ---------------------------------------------------------------------------


def test_weight_norm_keeps_the_weight_and_goes(backend):
    layer = nn.Linear(3, 2)
    weight, x = to_numpy(layer.weight), xg.ones((1, 3))
    want = to_numpy(layer(x))
    for dim in (0, 1, None):
        assert utils.weight_norm(layer, dim=dim) is layer
        assert set(layer.state_dict()) == {"bias", "weight_g", "weight_v"}
        assert layer.weight_g.shape == {0: (2, 1), 1: (1, 3), None: ()}[dim]
        np.testing.assert_allclose(to_numpy(layer(x)), want, rtol=1e-6)
        with pytest.raises(RuntimeError, match="weight of Linear has it already"):
            utils.weight_norm(layer)
        assert utils.remove_weight_norm(layer) is layer
        assert set(layer.state_dict()) == {"bias", "weight"}
        np.testing.assert_allclose(to_numpy(layer.weight), weight, rtol=1e-6)
        assert layer.weight.requires_grad
        assert not layer._forward_pre_hooks
    with pytest.raises(ValueError, match="remove_weight_norm: weight of Linear has no weight_norm"):
        utils.remove_weight_norm(layer)
    with pytest.raises(ValueError, match="no parameter 'scale'"):
        utils.weight_norm(layer, "scale")
    with pytest.raises(ValueError, match="there is no axis 2"):
        utils.weight_norm(layer, dim=2)


def test_a_weight_is_normalized_along_its_axis(backend):
    layer = utils.weight_norm(nn.Linear(3, 2))
    with xg.no_grad():
        layer.weight_g[...] = 2.0
    layer(xg.ones((1, 3)))
    np.testing.assert_allclose(np.linalg.norm(to_numpy(layer.weight), axis=1), [2.0, 2.0], rtol=1e-6)


def test_weight_norm_trains_copies_and_pickles(backend):
    layer = utils.weight_norm(nn.Linear(3, 2))
    x = xg.ones((4, 3))
    xg.optim.SGD(layer.parameters(), lr=0.1)
    for clone in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        xg.sum(clone(x) ** 2).backward()
        assert clone.weight_v.grad is not None
        xg.optim.SGD(clone.parameters(), lr=0.1).step()
        assert (to_numpy(clone(x)) != to_numpy(layer(x))).all()
    assert layer.weight_v.grad is None


def test_spectral_norm_has_singular_value_one(backend):
    layer = nn.Linear(4, 3, dtype=xg.float64)
    with xg.no_grad():
        layer.weight[...] = np.diag([9.0, 1.0, 0.5, 0.0])[:3]
    utils.spectral_norm(layer, n_power_iterations=2, rng=xg.random.Generator(0))
    x = xg.ones((1, 4), dtype=xg.float64)
    assert list(dict(layer.named_buffers())) == ["weight_u", "weight_v"]
    first = to_numpy(layer.weight_u)
    np.testing.assert_allclose(np.linalg.norm(first), 1.0)
    layer.eval()
    layer(x)
    np.testing.assert_array_equal(to_numpy(layer.weight_u), first)
    layer.train()
    for _ in range(2):  # few, since a lazy backend keeps all of them in one graph
        layer(x)
    assert (to_numpy(layer.weight_u) != first).any()
    assert np.linalg.svd(to_numpy(layer.weight))[1][0] == pytest.approx(1.0, rel=1e-6)
    want = to_numpy(layer.weight)
    assert layer.weight_orig.grad is None
    xg.sum(layer(x)).backward()
    assert layer.weight_orig.grad is not None
    assert utils.remove_spectral_norm(layer.eval()) is layer
    assert set(layer.state_dict()) == {"bias", "weight"}
    np.testing.assert_allclose(to_numpy(layer.weight), want, rtol=1e-6)
    with pytest.raises(ValueError, match="has no spectral_norm"):
        utils.remove_spectral_norm(layer)


def test_spectral_norm_draws_the_same_vectors_everywhere(backend):
    def vectors(place):
        with xg.use_backend(place):
            layer = utils.spectral_norm(nn.Linear(4, 3), rng=xg.random.Generator(5))
            return to_numpy(layer.weight_u), to_numpy(layer.weight_v)

    for mine, numpys in zip(vectors(backend.name), vectors("numpy"), strict=True):
        np.testing.assert_array_equal(mine, numpys.astype(mine.dtype))
    with pytest.raises(ValueError, match="n_power_iterations must be 1 or more"):
        utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(RuntimeError, match="has it already"):
        utils.spectral_norm(utils.spectral_norm(nn.Linear(2, 2)))
    with pytest.raises(ValueError, match="there is no axis 3"):
        utils.spectral_norm(nn.Linear(2, 2), dim=3)


# --- a table of the layers ------------------------------------------------------------------------


class Draws(nn.Module):
    """Draws numbers from the default generator and from its own, and changes a buffer."""

    def __init__(self) -> None:
        self.inner = nn.Linear(4, 2)
        self.again = self.inner
        self.unused = nn.Linear(1, 1, bias=False).requires_grad_(False)
        self.rng = xg.random.Generator(0)
        self.register_buffer("calls", xg.zeros((1,)))

    def forward(self, x: Any, scale: Any = 1.0) -> Any:
        self.calls += 1
        noise = xg.random.default_generator().normal((2,)) + self.rng.normal((2,))
        return {"y": self.inner(x) * scale + noise, "more": (self.calls, "text")}


def test_summary(backend):
    net = nn.Sequential(OrderedDict(draws=Draws()))
    net.train()
    xg.random.seed(0)
    before = xg.random.get_rng_state()
    text = utils.summary(net, xg.ones((5, 4)))
    rows = [line.split() for line in text.splitlines()]
    assert rows[0] == ["layer", "output", "shape", "parameters"]
    assert rows[2:6] == [
        ["Sequential", "(5,", "2),", "(1,),", "str", "0"],
        ["draws:", "Draws", "(5,", "2),", "(1,),", "str", "0"],
        ["inner:", "Linear", "(5,", "2)", "10"],
        ["unused:", "Linear", "-", "1"],
    ]
    assert rows[7:] == [["trainable", "parameters", "10"], ["other", "parameters", "1"], ["all", "parameters", "11"]]
    assert len({len(line) for line in text.splitlines()}) == 1
    assert all(m.training for m in net.modules())
    assert to_numpy(net.draws.calls).tolist() == [0.0]
    assert all(p.grad is None for p in net.parameters())
    assert not any(m._forward_hooks for m in net.modules())
    assert xg.random.get_rng_state() == before
    assert to_numpy(net.draws.rng.normal((2,))).tolist() == to_numpy(xg.random.Generator(0).normal((2,))).tolist()


def test_summary_of_what_cannot_be_called(backend):
    with pytest.raises(TypeError, match="must be a Module, got int"):
        utils.summary(3, xg.ones(1))  # type: ignore[arg-type]
    net = Draws().eval()
    state = xg.random.get_rng_state()
    with pytest.raises(ValueError, match="Linear"):
        utils.summary(net, xg.ones((5, 3)))
    assert xg.random.get_rng_state() == state
    assert "(5, 2)" in utils.summary(net, xg.ones((5, 4)), scale=2.0)
    assert "(5, 2)" in utils.summary(net, xg.ones((5, 4)), 2.0)
    assert not net.training


# --- fused layers ---------------------------------------------------------------------------------


FUSED = {
    "conv": (lambda nn: (nn.Conv2d(3, 4, 3, groups=1), nn.BatchNorm2d(4)), "fuse_conv_bn_eval", (), (2, 3, 5, 6)),
    "grouped, no bias": (
        lambda nn: (nn.Conv1d(4, 2, 2, groups=2, bias=False), nn.BatchNorm1d(2, eps=0.1)),
        "fuse_conv_bn_eval", (), (2, 4, 7),
    ),
    "transposed": (
        lambda nn: (nn.ConvTranspose2d(3, 2, 2), nn.BatchNorm2d(2, affine=False)), "fuse_conv_bn_eval", (True,), (2, 3, 4, 4),
    ),
    "linear": (lambda nn: (nn.Linear(3, 2), nn.BatchNorm1d(2)), "fuse_linear_bn_eval", (), (5, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUSED)
def test_a_fused_layer_computes_what_both_compute(backend, name):
    build, function, options, shape = FUSED[name]
    layer, bn = build(nn)
    rng = np.random.default_rng(0)
    state = {
        key: rng.uniform(0.5, 1.5, value.shape) for key, value in bn.state_dict().items() if "num_batches" not in key
    }
    bn.load_state_dict(state, strict=False)
    layer.eval()
    bn.eval()
    before, x = to_numpy(layer.weight), xg.asarray(rng.normal(size=shape))
    fused = getattr(utils, function)(layer, bn, *options)
    assert type(fused) is type(layer)
    assert_close(to_numpy(fused(x)), to_numpy(bn(layer(x))), 1e-6)
    np.testing.assert_array_equal(to_numpy(layer.weight), before)
    assert fused.weight.requires_grad
    assert fused.bias.is_leaf
    torch = pytest.importorskip("torch")
    their_layer, their_bn = build(torch.nn)
    their_layer.load_state_dict({k: torch.tensor(to_numpy(v)) for k, v in layer.state_dict().items()})
    their_bn.load_state_dict({k: torch.tensor(v) for k, v in state.items()}, strict=False)
    theirs = getattr(torch.nn.utils, function)(their_layer.eval(), their_bn.eval(), *options)
    for key, value in theirs.state_dict().items():
        assert_close(to_numpy(fused.state_dict()[key]), value.detach().numpy(), 1e-5)
    with pytest.raises(ValueError, match="in evaluation"):
        getattr(utils, function)(layer, bn.train(), *options)


def test_a_normalization_without_statistics_cannot_be_fused(backend):
    layer, bn = nn.Linear(2, 2).eval(), nn.BatchNorm1d(2, track_running_stats=False).eval()
    with pytest.raises(ValueError, match="no running statistics"):
        utils.fuse_linear_bn_eval(layer, bn)
