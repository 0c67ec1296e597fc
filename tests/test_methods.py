"""Methods: NumPy's and PyTorch's names for the functions of the namespace, with the words of either."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from xgrad.engine.registry import FUNCTIONS
from xgrad.rules.methods import BINARY, METHODS, RENAMED, UNARY
from xgrad.rules.pytorch_methods import PYTORCH

A = np.array([[0.5, 0.25, 0.75], [0.125, 0.875, 0.375]])
torch_reference = pytest.mark.filterwarnings("ignore")


def same(found, want):
    """Values, shape and kind of dtype."""
    found, want = to_numpy(found), np.asarray(want)
    assert found.shape == want.shape
    np.testing.assert_allclose(found, want, rtol=1e-12)


# --- against NumPy --------------------------------------------------------------------------------

NUMPYS = {
    "sum": lambda x: (x.sum(), x.sum(1), x.sum(axis=0), x.sum(axis=(0, 1)), x.sum(axis=1, keepdims=True)),
    "mean": lambda x: (x.mean(), x.mean(1), x.mean(axis=0, keepdims=True)),
    "std": lambda x: (x.std(), x.std(0), x.std(axis=1, ddof=1), x.std(axis=1, keepdims=True)),
    "var": lambda x: (x.var(), x.var(1), x.var(axis=0, ddof=1)),
    "max": lambda x: (x.max(), x.max(0), x.max(axis=1, keepdims=True)),
    "min": lambda x: (x.min(), x.min(0), x.min(axis=1, keepdims=True)),
    "prod": lambda x: (x.prod(), x.prod(1), x.prod(axis=0, keepdims=True)),
    "any": lambda x: ((x > 0.8).any(), (x > 0.8).any(1), (x > 0.8).any(axis=0, keepdims=True)),
    "all": lambda x: ((x > 0.2).all(), (x > 0.2).all(1)),
    "argmax": lambda x: (x.argmax(), x.argmax(1), x.argmax(axis=0, keepdims=True)),
    "argmin": lambda x: (x.argmin(), x.argmin(0)),
    "argsort": lambda x: (x.argsort(), x.argsort(0), x.argsort(axis=1)),
    "cumsum": lambda x: (x.cumsum(), x.cumsum(0), x.cumsum(axis=1)),
    "cumprod": lambda x: (x.cumprod(), x.cumprod(1)),
    "reshape": lambda x: (x.reshape(3, 2), x.reshape((3, 2)), x.reshape(-1), x.reshape([6])),
    "flatten": lambda x: (x.flatten(), x.T.flatten()),
    "ravel": lambda x: (x.ravel(), x.T.ravel()),
    "squeeze": lambda x: (x.squeeze(), x[None].squeeze(), x[None].squeeze(0), x[:, None].squeeze(axis=1)),
    "transpose": lambda x: (x.transpose(), x.transpose(1, 0), x.transpose((1, 0)), x[None].transpose(2, 0, 1)),
    "swapaxes": lambda x: (x.swapaxes(0, 1), x[None].swapaxes(0, -1)),
    "astype": lambda x: (x.astype(float), x.astype("float32"), x.astype(int), x.astype(bool)),
    "copy": lambda x: (x.copy(),),
    "clip": lambda x: (x.clip(0.3, 0.6), x.clip(min=0.3), x.clip(max=0.6)),
    "round": lambda x: (x.round(), x.round(1), (x * 1000).round(-2), x.round(decimals=2)),
    "conj": lambda x: (x.conj(), x.conjugate()),
    "diagonal": lambda x: (x.diagonal(), x.diagonal(1), x[None].diagonal(0, 1, 2), x.diagonal(offset=-1)),
    "trace": lambda x: (x.trace(), x.trace(1)),
    "dot": lambda x: (x.dot(x.T), x[0, ...].dot(x[1, ...]), x.dot(x[0, ...])),
    "real": lambda x: (x.real, x.imag),
    "size": lambda x: (x.size, x.ndim),
}


@pytest.mark.parametrize("name", NUMPYS)
def test_as_numpy_has_it(xp, name):
    for found, want in zip(NUMPYS[name](make(xp, A)), NUMPYS[name](A), strict=True):
        same(found, want)


def test_take_and_where_and_searching(xp):
    x, i = make(xp, A), make(xp, [0, 2])
    same(x.take(i, axis=1), A.take([0, 2], axis=1))
    same(x.take(i), A.take([0, 2]))
    same(x.index_select(1, i), A[:, [0, 2]])
    same(x.where(x > 0.4, 0.0), np.where(A > 0.4, A, 0.0))
    same(x.count_nonzero(), 6)


def test_complex_parts(xp):
    z = make(xp, [1.0 + 2.0j, 3.0 - 4.0j])
    same(z.real, [1.0, 3.0])
    same(z.imag, [2.0, -4.0])
    same(z.conj(), [1.0 - 2.0j, 3.0 + 4.0j])


# --- what NumPy's functions call ------------------------------------------------------------------

CALLS = {
    "sum": lambda np, x: np.sum(x, axis=1, keepdims=True),
    "mean": lambda np, x: np.mean(x, axis=0),
    "std": lambda np, x: np.std(x, axis=0, ddof=1),
    "var": lambda np, x: np.var(x),
    "max": lambda np, x: np.max(x, axis=1),
    "min": lambda np, x: np.min(x),
    "prod": lambda np, x: np.prod(x, axis=1),
    "cumsum": lambda np, x: np.cumsum(x, axis=1),
    "cumprod": lambda np, x: np.cumprod(x),
    "clip": lambda np, x: np.clip(x, 0.3, 0.6),
    "reshape": lambda np, x: np.reshape(x, (3, 2)),
    "transpose": lambda np, x: np.transpose(x),
    "squeeze": lambda np, x: np.squeeze(x),
    "swapaxes": lambda np, x: np.swapaxes(x, 0, 1),
    "take": lambda np, x: np.take(x, 1, axis=0) if isinstance(x, np.ndarray) else np.take(x, 1, 0),
}


@pytest.mark.parametrize("name", CALLS)
def test_numpys_functions_call_the_methods_and_keep_the_gradient(xp, name):
    x = make(xp, A, requires_grad=True)
    y = CALLS[name](np, x)
    assert isinstance(y, xg.Tensor)
    same(y, CALLS[name](np, A))
    xp.sum(y).backward()
    step = 1e-6
    for place in np.ndindex(2, 3):
        above, below = A.copy(), A.copy()
        above[place] += step
        below[place] -= step
        slope = (np.sum(CALLS[name](np, above)) - np.sum(CALLS[name](np, below))) / (2 * step)
        assert abs(to_numpy(x.grad)[place] - slope) < 1e-6


def test_out_is_refused(xp):
    x = make(xp, A, requires_grad=True)
    for method in ("sum", "mean", "max", "std", "cumsum", "all"):
        with pytest.raises(TypeError, match="out="):
            getattr(x, method)(out=np.zeros(()))


# --- against PyTorch ------------------------------------------------------------------------------

PYTORCHS = {
    "sum": lambda x: (x.sum(dim=1), x.sum(1, True), x.sum(dim=(0, 1)), x.sum(dim=0, keepdim=True)),
    "mean": lambda x: (x.mean(dim=0), x.mean(1, True)),
    "var": lambda x: (
        x.var(dim=1, unbiased=False),
        x.var(dim=1, unbiased=True),
        x.var(dim=0, correction=0, keepdim=True),
    ),
    "amax": lambda x: (x.amax(1), x.amax(dim=0, keepdim=True), x.amin(dim=1)),
    "argmax": lambda x: (x.argmax(dim=1), x.argmax(1, True)),
    "argsort": lambda x: (x.argsort(dim=0), x.argsort(descending=True)),
    "all": lambda x: ((x > 0).all(dim=1), (x > 0.5).any(1, True)),
    "cumsum": lambda x: (x.cumsum(1), x.cumsum(dim=0), x.cumprod(dim=1)),
    "softmax": lambda x: (x.softmax(1), x.softmax(dim=0), x.log_softmax(dim=-1)),
    "logsumexp": lambda x: (x.logsumexp(1), x.logsumexp(dim=0, keepdim=True)),
    "norm": lambda x: (x.norm(), x.norm(dim=1), x.norm(1, 0), x.norm(p=3, dim=1, keepdim=True)),
    "view": lambda x: (x.view(-1), x.view(3, 2), x.view((6, 1)), x.view_as(x), x.reshape(3, -1)),
    "flatten": lambda x: (x.flatten(), x[None].flatten(1), x[None].flatten(0, 1), x[None].flatten(start_dim=1)),
    "squeeze": lambda x: (x[None].squeeze(0), x.unsqueeze(0), x.unsqueeze(-1), x[None].squeeze(dim=0)),
    "transpose": lambda x: (x[None].transpose(1, 2), x[None].transpose(-2, -1), x.t(), x.transpose(1, 0)),
    "permute": lambda x: (x.permute(1, 0), x.permute((1, 0)), x[None].permute(2, 0, 1), x[None].movedim(0, 2)),
    "expand": lambda x: (x.expand(4, 2, 3), x[None].expand(4, -1, -1), x.expand((2, 3)), x[:1].expand_as(x)),
    "contiguous": lambda x: (x.contiguous(), x.t().contiguous(), x.t().contiguous().view(-1)),
    "split": lambda x: (*x.split(2, dim=1), *x.split([1, 2], 1), *x.split(1), *x.chunk(2, 1), *x.chunk(2, dim=0)),
    "unbind": lambda x: (*x.unbind(), *x.unbind(1)),
    "clamp": lambda x: (x.clamp(0.3, 0.6), x.clamp(min=0.3), x.clamp(max=0.6)),
    "masked_fill": lambda x: (x.masked_fill(x > 0.4, -1.0), x.masked_fill(x[0] > 0.4, float("-inf"))),
    "arithmetic": lambda x: (
        x.add(x),
        x.add(x, alpha=2),
        x.sub(1.0),
        x.mul(x),
        x.div(2.0),
        x.pow(2),
        x.neg(),
        x.matmul(x.t()),
    ),
    "comparisons": lambda x: (
        x.eq(x),
        x.ne(0.5),
        x.lt(0.5),
        x.le(0.5),
        x.gt(0.5),
        x.ge(0.5),
        x.maximum(x),
        x.mm(x.t()),
    ),
    "broadcast_to": lambda x: (x.broadcast_to((4, 2, 3)), x.subtract(x, alpha=0.5)),
    "is_contiguous": lambda x: (x.is_contiguous(), x.t().is_contiguous(), x.t().contiguous().is_contiguous()),
    "layout": lambda x: (x.flip(0), x.flip(0, 1), x.flip((0,)), x.roll(1, 0), x.tile(2, 1), x.tril(), x.triu(1)),
    "sizes": lambda x: (x.numel(), x.dim(), x.size(0), x.size(-1), list(x.size())),
    "clone": lambda x: (
        x.clone(),
        x.detach().clone(),
        x.double(),
        x.type_as(x),
        x.float().double(),
        x.cpu(),
        x.to("cpu"),
    ),
    "new": lambda x: (
        x.new_zeros(2, 3),
        x.new_ones((4,)),
        x.new_full((2,), 1.5),
        x.long().new_zeros(2),
        x.new_zeros(2).float(),
        x.new_tensor([1.0, 2.0]),
        x.new_empty(0, 2),
    ),
    "parts": lambda x: (
        x.narrow(1, 1, 2),
        x.narrow(0, -1, 1),
        x.select(1, 2),
        x.select(0, -1),
        x.unflatten(1, (3, 1)),
        x.unflatten(-1, (1, -1)),
        x.repeat_interleave(2, dim=1),
        x.repeat_interleave(2),
        x.reshape_as(x.t()),
        x.rsqrt(),
    ),
    "asked": lambda x: (
        x.is_floating_point(),
        x.long().is_floating_point(),
        x.is_complex(),
        x.nelement(),
        x.ndimension(),
    ),
    "kinds": lambda x: ((x * 10).long(), (x * 10).int(), (x > 0.5).float(), x.bool(), (x * 10).short()),
}


@pytest.mark.parametrize("name", PYTORCHS)
def test_as_pytorch_has_it(xp, name):
    torch = pytest.importorskip("torch")
    for found, want in zip(PYTORCHS[name](make(xp, A)), PYTORCHS[name](torch.asarray(A)), strict=True):
        if isinstance(found, xg.Tensor):
            same(found, want.numpy())
            assert str(to_numpy(found).dtype) == str(want.dtype).removeprefix("torch.")
        else:
            assert found == want


@pytest.mark.parametrize("name", [*UNARY.split(), "neg", "absolute", "conjugate"])
def test_functions_of_one_array(xp, name):
    function = FUNCTIONS[RENAMED.get(name, name)]
    values = A + 1.5 if name == "acosh" else A > 0.5 if name == "logical_not" else A
    x = make(xp, values)
    same(getattr(x, name)(), to_numpy(function(x)))


@pytest.mark.parametrize("name", sorted({*BINARY.split()} - {"moveaxis", "matmul", "pow", "maximum"}))
def test_functions_of_two_arrays(xp, name):
    values = A > 0.5 if name.startswith("logical") else A
    x, y = make(xp, values), make(xp, values[::-1])
    same(getattr(x, name)(y), to_numpy(FUNCTIONS[name](x, y)))


def test_every_method_has_a_test():
    tried = {*NUMPYS, *PYTORCHS, *UNARY.split(), *BINARY.split(), *RENAMED, *IN_PLACE}
    texts = Path(__file__).read_text()
    untried = [
        name
        for name in {**METHODS, **PYTORCH}
        if name not in tried and f".{name}(" not in texts and f'"{name}"' not in texts
    ]
    assert untried == [], untried


def test_the_gradient_goes_through(xp):
    x = make(xp, A, requires_grad=True)
    a, b = x[None].transpose(1, 2).split([1, 2], dim=1)
    y = a.contiguous().view(-1).pow(2).sum() + b.masked_fill(b > 0.8, 0.0).flatten(1).mean()
    y.backward()
    want = np.where(A > 0.8, 0.0, 0.25)
    want[:, 0] = 2 * A[:, 0]
    assert_matches(x.grad, want, xp=xp)


@pytest.mark.parametrize(("name", "dtype"), [("half", "float16"), ("bfloat16", "bfloat16")])
def test_narrow_floats_where_there_are_any(backend, xp, name, dtype):
    x = make(xp, A)
    if hasattr(backend.library, dtype):
        assert getattr(x, name)().dtype == getattr(backend.library, dtype)
    else:
        with pytest.raises(TypeError, match=rf"no dtype '{dtype}'.*float32"):
            getattr(x, name)()


# --- views and copies -----------------------------------------------------------------------------


def test_which_share_their_elements(xp):
    for method, shares in {
        "view": True, "ravel": True, "t": True, "unsqueeze": True, "flatten": False, "clone": False, "copy": False,
    }.items():  # fmt: skip
        x = make(xp, A)
        y = getattr(x, method)(*{"view": (-1,), "unsqueeze": (0,)}.get(method, ()))
        y[...] = 0.0
        assert bool(xp.all(x == 0.0)) is shares, method
    x = make(xp, A)
    x.split(2, dim=1)[0][...] = 0.0
    same(x[:, :2], np.zeros((2, 2)))


IN_PLACE = {
    "add_": (lambda x: x.add_(1.0), A + 1),
    "add_ with alpha": (lambda x: x.add_(x, alpha=-0.5), A / 2),
    "sub_": (lambda x: x.sub_(0.5), A - 0.5),
    "mul_": (lambda x: x.mul_(2.0), A * 2),
    "div_": (lambda x: x.div_(2.0), A / 2),
    "zero_": (lambda x: x.zero_(), A * 0),
    "fill_": (lambda x: x.fill_(3.0), A * 0 + 3),
    "fill": (lambda x: x.fill(3.0) or x, A * 0 + 3),
    "copy_": (lambda x: x.copy_(x * 3), A * 3),
    "clamp_": (lambda x: x.clamp_(0.3, 0.6), A.clip(0.3, 0.6)),
    "clip_": (lambda x: x.clip_(min=0.3), A.clip(0.3)),
    "masked_fill_": (lambda x: x.masked_fill_(x > 0.4, -1.0), np.where(A > 0.4, -1.0, A)),
    "pow_": (lambda x: x.pow_(3), A**3),
    "rsqrt_": (lambda x: x.rsqrt_(), A**-0.5),
    "abs_": (lambda x: x.neg_().abs_(), A),
    "ceil_": (lambda x: x.ceil_(), np.ceil(A)),
    "cos_": (lambda x: x.cos_(), np.cos(A)),
    "exp_": (lambda x: x.exp_(), np.exp(A)),
    "floor_": (lambda x: x.floor_(), np.floor(A)),
    "log_": (lambda x: x.log_(), np.log(A)),
    "neg_": (lambda x: x.neg_(), -A),
    "reciprocal_": (lambda x: x.reciprocal_(), 1 / A),
    "relu_": (lambda x: x.sub_(0.5).relu_(), np.maximum(A - 0.5, 0)),
    "round_": (lambda x: x.round_(), np.round(A)),
    "sigmoid_": (lambda x: x.sigmoid_(), 1 / (1 + np.exp(-A))),
    "sin_": (lambda x: x.sin_(), np.sin(A)),
    "sqrt_": (lambda x: x.sqrt_(), np.sqrt(A)),
    "square_": (lambda x: x.square_(), A * A),
    "tanh_": (lambda x: x.tanh_(), np.tanh(A)),
    "trunc_": (lambda x: x.mul_(3.0).trunc_(), np.trunc(A * 3)),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(xp, name):
    write, want = IN_PLACE[name]
    x = make(xp, A)
    y = x[...]
    assert write(x) is x
    same(x, want)
    same(y, want)


def test_a_write_in_place_is_differentiable_and_a_leaf_is_written_under_no_grad(xp):
    x = make(xp, A, requires_grad=True)
    y = x * 1.0
    y.exp_()
    (y * y).sum().backward()
    assert_matches(x.grad, 2 * np.exp(2 * A), xp=xp)
    with pytest.raises(RuntimeError, match="leaf"):
        x.clamp_(0.3)
    with xg.no_grad():
        x.clamp_(0.3, 0.6)
    same(x, A.clip(0.3, 0.6))


def test_new_tensors_are_like_the_old(xp):
    x = make(xp, A, "float32", requires_grad=True)
    for y in (x.new_zeros(2), x.new_ones(1, 2), x.new_full((2,), 3), x.new_tensor(np.ones(2)), x.new_empty(2)):
        assert y.dtype == x.dtype
        assert y.backend is x.backend
        assert not y.requires_grad
    assert x.new_zeros((2,), dtype=xp.float64, requires_grad=True).requires_grad
    other = make(xp, [1.0], requires_grad=True)
    assert x.new_tensor(other * 2).is_leaf


def test_a_training_step_as_pytorch_tutorials_have_it(xp):
    w = make(xp, [1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    with xg.no_grad():
        w -= 0.25 * w.grad  # type: ignore[operator]
        w.grad.zero_()  # type: ignore[union-attr]
    same(w, [0.5, 1.0])
    same(w.grad, [0.0, 0.0])


# --- what has two meanings, or is not there -------------------------------------------------------


def test_the_transpose_of_a_matrix_that_means_two_things(xp):
    x = make(xp, A)
    for axes in ((0, 1), (-2, -1), (0, -1)):
        with pytest.raises(TypeError, match=r"NumPy.*PyTorch.*x\.mT"):
            x.transpose(*axes)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: x.sum(axis=0, dim=0), TypeError, "axis= and dim="),
        (lambda x: x.std(True), TypeError, "correction="),
        (lambda x: x.std(ddof=1, correction=1), TypeError, "ddof= and correction="),
        (lambda x: x.view("float32"), TypeError, "astype"),
        (lambda x: x.reshape(3, 2, order="F"), ValueError, "order='C'"),
        (lambda x: x.flatten(1, 0), ValueError, "start_dim 1 comes after"),
        (lambda x: x.split([1, 1], dim=1), ValueError, "add up to 3"),
        (lambda x: x.split(0), ValueError, "1 or more"),
        (lambda x: x.masked_fill(x > 0, x), ValueError, "one number"),
        (lambda x: x.take([0], mode="wrap"), ValueError, "mode='raise'"),
        (lambda x: x[None].dot(x), ValueError, "tensordot"),
        (lambda x: x.to(colour="red"), TypeError, "colour"),
        (lambda x: x.astype("float12"), TypeError, "float12.*float64"),
        (lambda x: x.sort(), AttributeError, r"xgrad\.sort"),
        (lambda x: x.repeat(2), AttributeError, r"xgrad\.tile"),
        (lambda x: x.nonzero(), AttributeError, r"xgrad\.nonzero"),
        (lambda x: x.cuda(), AttributeError, "to_device"),
        (lambda x: x.gather(1, x), AttributeError, r"take_along_axis"),
        (lambda x: x.type(float), AttributeError, "astype"),
        (lambda x: x.narrow(1, 2, 2), ValueError, "2 elements from 2 on"),
        (lambda x: x.select(0, 1.0), TypeError, "index"),
        (lambda x: xg.split(x, 2), AttributeError, r"xgrad\.chunk"),
        (lambda x: xg.chunk(x, 0), ValueError, "1 or more"),
        (lambda x: xg.masked_fill(x, x > 0, x), ValueError, "one number"),
    ],
)
def test_errors_name_the_right_word(xp, call, error, said):
    with pytest.raises(error, match=said):
        call(make(xp, A))


def test_hasattr_is_false_for_what_is_missing(xp):
    x = make(xp, A)
    for name in ("sort", "cuda", "nonzero", "strides", "flat", "scatter_", "no_such_name", "__cuda_array_interface__"):
        assert not hasattr(x, name)
        assert not hasattr(xg.Tensor, name)


def test_size_is_a_number_and_can_be_called(xp):
    import json
    import pickle

    x = make(xp, A)
    assert x.size == 6
    assert x.size + 1 == 7
    assert isinstance(x.size, int)
    assert x.size() == (2, 3)
    rows, columns = x.size()
    assert (rows, columns, x.size(1)) == (2, 3, 3)
    assert json.dumps(x.size) == "6"
    assert type(pickle.loads(pickle.dumps(x.size))) is int


def test_cpu_brings_a_tensor_to_the_host(backend, xp):
    x = make(xp, A, requires_grad=True)
    if backend.host() is None:  # as CuPy, dpnp has no arrays on the host
        with pytest.raises(TypeError, match=r"cpu\(\).*t\.detach\(\)\.cpu\(\)"):
            x.cpu()
        np.testing.assert_array_equal(np.asarray(x.detach().cpu()), A)
        return
    y = x.cpu()
    assert y.backend.on_host
    assert y.backend.name == backend.name
    (y * 2).sum().backward()
    assert_matches(x.grad, A * 0 + 2, xp=xp)
    np.testing.assert_array_equal(np.asarray(x.detach().cpu()), A)
