"""Losses: PyTorch's values and gradients for every combination of options."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import xgrad as xg
from tests.data import make_torch_reference as reference
from tests.support.arrays import assert_close, make, to_numpy

F = xg.nn.functional
CASES = [(f, i) for f in reference.LOSSES for i in range(len(reference.loss_cases(f)))]


def tensors(options):
    return {k: make(xg, v) if isinstance(v, np.ndarray) else v for k, v in options.items()}


@pytest.mark.parametrize(("function", "index"), CASES)
def test_value_and_gradient_are_pytorchs(backend, function, index):
    x, target, options = reference.loss_arguments(reference.loss_cases(function)[index])
    leaf = make(xg, x, requires_grad=True)
    loss = getattr(F, function)(leaf, make(xg, target), **tensors(options))
    assert loss.dtype == xg.float64
    xg.sum(loss).backward()
    assert to_numpy(leaf.grad).shape == x.shape
    numbers = np.concatenate([to_numpy(loss).ravel(), to_numpy(leaf.grad).ravel()])
    expected = reference.expected_loss(function, index)
    np.testing.assert_allclose(numbers, expected, rtol=1e-12, atol=1e-13)


def test_stored_numbers_are_what_pytorch_computes():
    pytest.importorskip("torch")
    for function, index in CASES:
        expected = reference.expected_loss(function, index)
        np.testing.assert_allclose(reference.stored_loss(function, index), expected, rtol=1e-12)


MODULES = {
    "MSELoss": ("mse_loss", {}),
    "L1Loss": ("l1_loss", {"reduction": "sum"}),
    "HuberLoss": ("huber_loss", {"delta": 0.5}),
    "BCEWithLogitsLoss": (
        "binary_cross_entropy_with_logits",
        {"weight": np.array([1.0, 2.0, 3.0]), "pos_weight": np.array([3.0, 1.0, 2.0])},
    ),
    "CrossEntropyLoss": (
        "cross_entropy",
        {"weight": np.array([1.0, 2.0, 3.0]), "ignore_index": 1, "label_smoothing": 0.1},
    ),
    "NLLLoss": ("nll_loss", {"weight": np.array([1.0, 2.0, 3.0]), "reduction": "none"}),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_module_is_the_function(backend, name):
    function, options = MODULES[name]
    x = xg.asarray([[0.5, -1.0, 2.0], [1.0, 0.0, -3.0]])
    target = xg.asarray([0, 2]) if name in ("CrossEntropyLoss", "NLLLoss") else xg.abs(x) / 3
    options = tensors(options)
    module = getattr(xg.nn, name)(**options)
    expected = getattr(F, function)(x, target, **options)
    np.testing.assert_array_equal(to_numpy(module(x, target)), to_numpy(expected))
    assert not list(module.parameters())
    assert {n for n, _ in module.named_buffers()} == {n for n in options if "weight" in n}


EXTREME = [-1e4, -50.0, 0.0, 50.0, 1e4]


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: F.binary_cross_entropy_with_logits(x, xg.zeros_like(x)),
        lambda x: F.binary_cross_entropy_with_logits(x, xg.ones_like(x)),
        lambda x: F.cross_entropy(x, xg.asarray(0)),
        lambda x: F.cross_entropy(x, xg.asarray(4), label_smoothing=0.1),
        lambda x: F.cross_entropy(x, F.softmax(-x, 0)),
        lambda x: F.mse_loss(x, -x),
        lambda x: F.huber_loss(x, -x),
        lambda x: xg.sum(F.softplus(x)),
        lambda x: xg.sum(F.logsigmoid(x)),
        lambda x: xg.sum(F.sigmoid(x)),
        lambda x: xg.sum(F.log_softmax(x, 0)),
    ],
)
def test_extreme_inputs_in_single_precision(backend, loss):
    x = xg.asarray(EXTREME, dtype=xg.float32, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = loss(x)
        value.backward()
    assert value.dtype == x.grad.dtype == xg.float32
    assert math.isfinite(value.item())
    assert np.isfinite(to_numpy(x.grad)).all()


def test_a_confident_right_answer_keeps_its_digits(backend):
    x = xg.asarray([30.0], dtype=xg.float32)
    loss = F.binary_cross_entropy_with_logits(x, xg.ones_like(x)).item()
    assert loss == pytest.approx(math.exp(-30), rel=1e-5)


def test_losses_have_second_derivatives(backend):
    x = xg.asarray([0.3, -0.7, 1.9], dtype=xg.float64)
    target = xg.asarray([0.1, 0.2, 0.7], dtype=xg.float64)
    for loss in (
        lambda x: F.mse_loss(x, target),
        lambda x: F.huber_loss(x, target),
        lambda x: F.binary_cross_entropy_with_logits(x, target),
        lambda x: F.cross_entropy(x, target),
        lambda x: F.cross_entropy(x, xg.asarray(1), label_smoothing=0.1),
    ):
        xg.check_grads(loss, x, order=2)


def test_huber_is_smooth_where_the_difference_is_zero(backend):
    zero = xg.zeros((), dtype=xg.float64)
    assert xg.hessian(lambda x: F.huber_loss(x, zero))(zero).item() == 1


def test_nothing_leaks_from_an_ignored_sample(backend):
    x = xg.asarray([[1.0, 2.0], [-math.inf, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, xg.asarray([0, -100]))
    assert loss.item() == pytest.approx(math.log(1 + math.e))
    loss.backward()
    assert to_numpy(x.grad)[1].tolist() == [0.0, 0.0]


def test_a_class_that_does_not_exist_is_noticed(backend):
    x = xg.zeros((2, 3))
    for wrong in (3, -1):
        try:
            said = str(F.cross_entropy(x, xg.asarray([0, wrong])).item())
        except IndexError as error:
            said = str(error)
        found_late = backend.name == "dask" and "out of bounds for axis 1 with size 3" in said
        assert said == "nan" or "outside 0 ... 2 (3 classes)" in said or found_late


def test_shapes_that_differ_are_broadcast_with_a_warning(backend):
    with pytest.warns(UserWarning, match=r"mse_loss: input has shape \(3, 1\), target \(3,\)"):
        F.mse_loss(xg.zeros((3, 1)), xg.zeros((3,)))


@pytest.mark.parametrize(
    ("name", "further"),
    [
        *(("mse_loss", ()), ("l1_loss", ()), ("huber_loss", ()), ("smooth_l1_loss", ()), ("poisson_nll_loss", ())),
        *(("kl_div", ()), ("hinge_embedding_loss", ()), ("soft_margin_loss", ()), ("gaussian_nll_loss", (0.5,))),
    ],
)
def test_all_losses_of_differences_warn_of_broadcasting(name, further):
    with pytest.warns(UserWarning, match=rf"{name}: input has shape \(3, 1\), target \(3,\)") as warned:
        getattr(F, name)(xg.ones((3, 1)), xg.ones((3,)), *further, reduction="sum")
    assert warned[0].filename == __file__


def test_the_mean_of_kl_div_warns():
    with pytest.warns(UserWarning, match="batchmean"):
        F.kl_div(xg.zeros(2), xg.ones(2))
    with pytest.warns(UserWarning, match="batchmean"):
        xg.nn.KLDivLoss()(xg.zeros(2), xg.ones(2))


def test_binary_cross_entropy_at_the_ends(backend):
    x = xg.asarray([0.0, 1.0, 0.0, 1.0], dtype=xg.float64, requires_grad=True)
    loss = F.binary_cross_entropy(x, xg.asarray([1.0, 0.0, 0.0, 1.0], dtype=xg.float64), reduction="none")
    xg.sum(loss).backward()
    assert to_numpy(loss).tolist() == [100.0, 100.0, 0.0, 0.0]
    np.testing.assert_allclose(to_numpy(x.grad), [-1e12, 1e12, 0.0, 0.0], rtol=1e-8)


X = [[0.3, -0.7, 1.9], [0.6, 0.4, -0.2]]
Y = [[0.1, 0.2, 0.7], [-0.4, 0.9, 0.5]]
SMOOTH = {
    "smooth_l1_loss": lambda x, y: F.smooth_l1_loss(x, y, beta=0.45),
    "weighted": lambda x, y: F.mse_loss(x, y, weight=xg.abs(y)),
    "binary_cross_entropy": lambda x, y: F.binary_cross_entropy(xg.sigmoid(x), xg.sigmoid(y)),
    "kl_div": lambda x, y: F.kl_div(x, xg.exp(y), reduction="batchmean"),
    "poisson_nll_loss": lambda x, y: F.poisson_nll_loss(x, xg.exp(2 * y), full=True),
    "gaussian_nll_loss": lambda x, y: F.gaussian_nll_loss(x, y, xg.exp(x)),
    "soft_margin_loss": F.soft_margin_loss,
    "multilabel_soft_margin_loss": lambda x, y: F.multilabel_soft_margin_loss(x, xg.sigmoid(y)),
    "multi_margin_loss": lambda x, y: F.multi_margin_loss(x * y, xg.asarray([2, 0]), p=2),
    "multilabel_margin_loss": lambda x, y: F.multilabel_margin_loss(x * y, xg.asarray([[2, -1, 0], [1, 0, -1]])),
    "cosine_similarity": lambda x, y: xg.sum(F.cosine_similarity(x, y)),
    "pairwise_distance": lambda x, y: xg.sum(F.pairwise_distance(x, y, p=3)),
    "cosine_embedding_loss": lambda x, y: F.cosine_embedding_loss(x, y, xg.asarray([1, -1]), margin=-0.9),
    "triplet_margin_loss": lambda x, y: F.triplet_margin_loss(x, y, xg.square(x), swap=True),
    "margin_ranking_loss": lambda x, y: F.margin_ranking_loss(x * x, y, xg.ones_like(x), margin=0.3),
    "hinge_embedding_loss": lambda x, y: F.hinge_embedding_loss(x * y, xg.asarray([[1, -1, 1], [-1, -1, 1]])),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_further_losses_have_second_derivatives_in_both_arguments(backend, name):
    x, y = (xg.asarray(values, dtype=xg.float64) for values in (X, Y))
    xg.check_grads(lambda x, y: SMOOTH[name](x, y), x, y, order=2)


@pytest.mark.parametrize("name", [name for name in SMOOTH if name not in ("cosine_similarity", "pairwise_distance")])
def test_single_precision_stays(backend, name):
    x, y = (xg.asarray(values, dtype=xg.float32, requires_grad=True) for values in (X, Y))
    loss = SMOOTH[name](x, y)
    loss.backward()
    assert loss.dtype == x.grad.dtype == y.grad.dtype == xg.float32


BAD = [
    (
        lambda: F.mse_loss(xg.zeros(2), xg.zeros(2), weight=xg.zeros(1)),
        ValueError,
        r"mse_loss: weight .*\(2,\), got \(1,\)",
    ),
    (lambda: F.huber_loss(xg.zeros(2), xg.zeros(2), weight=xg.zeros(1)), ValueError, "huber_loss: weight"),
    (lambda: F.smooth_l1_loss(xg.zeros(2), xg.zeros(2), beta=-1.0), ValueError, "smooth_l1_loss: beta"),
    (lambda: xg.nn.SmoothL1Loss(beta=-1.0), ValueError, "SmoothL1Loss: beta"),
    (lambda: F.binary_cross_entropy(xg.zeros((2, 1)), xg.zeros(2)), ValueError, r"\(2, 1\) and \(2,\)"),
    (lambda: F.kl_div(xg.zeros(2), xg.zeros(2), reduction="x"), ValueError, "kl_div: .*'x'"),
    (lambda: xg.nn.KLDivLoss(reduction="x"), ValueError, "KLDivLoss: .*'x'"),
    (lambda: F.gaussian_nll_loss(xg.zeros(2), xg.zeros(2), -1.0), ValueError, "var must not be negative"),
    (lambda: F.gaussian_nll_loss(xg.zeros(2), xg.zeros(2), 1.0, eps=0.0), ValueError, "eps"),
    (
        lambda: F.gaussian_nll_loss(xg.zeros((2, 3)), xg.zeros((2, 3)), xg.zeros(3)),
        ValueError,
        r"\(2, 3\).* got \(3,\)",
    ),
    (lambda: F.margin_ranking_loss(xg.zeros((2, 3)), xg.zeros(3), xg.zeros(3)), ValueError, "number of axes"),
    (lambda: F.multilabel_soft_margin_loss(xg.zeros((2, 3)), xg.zeros(3)), ValueError, "same shape"),
    (lambda: F.multi_margin_loss(xg.zeros((2, 3)), xg.asarray([0, 1]), p=3), ValueError, "p must be 1 or 2, got 3"),
    (lambda: xg.nn.MultiMarginLoss(p=3), ValueError, "MultiMarginLoss: p"),
    (lambda: F.multi_margin_loss(xg.zeros((2, 3)), xg.asarray([0])), ValueError, r"\(2, 3\) and \(1,\)"),
    (lambda: F.multi_margin_loss(xg.zeros((1, 3)), xg.asarray([0]), weight=xg.ones(2)), ValueError, "weight"),
    (lambda: F.multilabel_margin_loss(xg.zeros((2, 3)), xg.asarray([[0], [1]])), ValueError, "same shape"),
    (lambda: F.cosine_similarity(xg.zeros(2), xg.zeros(2)), ValueError, "axis dim=1"),
    (lambda: F.pairwise_distance(1.0, 2.0), ValueError, "axis"),
    (lambda: F.cosine_embedding_loss(xg.zeros((2, 3)), xg.zeros((2, 3)), xg.asarray(1)), ValueError, "target"),
    (lambda: F.triplet_margin_loss(xg.zeros(2), xg.zeros(2), xg.zeros(2), margin=0.0), ValueError, "margin"),
    (lambda: xg.nn.TripletMarginLoss(margin=0.0), ValueError, "TripletMarginLoss: margin"),
    (lambda: F.triplet_margin_loss(xg.zeros((2, 3)), xg.zeros(3), xg.zeros(3)), ValueError, "number of axes"),
    (lambda: F.mse_loss("x", xg.zeros(2)), TypeError, "mse_loss"),
    (lambda: F.pairwise_distance("x", xg.zeros(2)), TypeError, "pairwise_distance"),
    (lambda: F.mse_loss(xg.zeros(2), xg.zeros(2), reduction="average"), ValueError, "average"),
    (lambda: F.nll_loss(xg.zeros((1, 2)), xg.asarray([0]), reduction="x"), ValueError, "'x'"),
    (lambda: F.nll_loss(xg.asarray([[1, 2]]), xg.asarray([0])), TypeError, "floating-point dtype .*int"),
    (lambda: xg.nn.MSELoss(reduction="average"), ValueError, "MSELoss.*average"),
    (lambda: F.huber_loss(xg.zeros(2), xg.zeros(2), delta=0.0), ValueError, "0.0"),
    (lambda: xg.nn.HuberLoss(delta=-1.0), ValueError, "-1.0"),
    (
        lambda: F.binary_cross_entropy_with_logits(xg.zeros((2, 1)), xg.zeros(2)),
        ValueError,
        r"\(2, 1\) and \(2,\)",
    ),
    (lambda: F.cross_entropy(xg.zeros(()), xg.asarray(0)), ValueError, "class axis"),
    (lambda: F.cross_entropy(xg.zeros((2, 3)), xg.asarray(0)), ValueError, r"\(2,\), got \(\)"),
    (
        lambda: F.cross_entropy(xg.zeros((2, 3)), xg.zeros((2, 4))),
        ValueError,
        r"\(2, 3\), got \(2, 4\)",
    ),
    (
        lambda: F.cross_entropy(xg.zeros((2, 3)), xg.asarray([True, False])),
        TypeError,
        "class numbers",
    ),
    (
        lambda: F.cross_entropy(xg.zeros((2, 3)), xg.asarray([0, 1]), weight=xg.ones(2)),
        ValueError,
        r"\(3,\), got \(2,\)",
    ),
    (
        lambda: F.cross_entropy(xg.zeros(3), xg.asarray(0), label_smoothing=1.5),
        ValueError,
        "1.5",
    ),
    (
        lambda: F.cross_entropy(xg.zeros((2, 3)), xg.zeros((2, 3)), ignore_index=1),
        ValueError,
        "ignore_index",
    ),
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_bad_arguments(backend, call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"ignore_index": 1}, {"label_smoothing": 0.1}])
def test_class_numbers_may_be_unsigned(backend, xp, options):
    x = make(xp, np.linspace(-1.0, 2.0, 12).reshape(4, 3), requires_grad=True)
    losses = []
    for dtype in ("int64", "uint8"):
        x.grad = None
        loss = F.cross_entropy(x, make(xp, [0, 2, 1, 1], dtype), **options)
        loss.backward()
        losses.append((to_numpy(loss), to_numpy(x.grad)))
    for signed, unsigned in zip(*losses, strict=True):
        assert_close(unsigned, signed, 1e-15)
