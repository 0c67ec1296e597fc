"""Operations with arguments of one library, of two, and on two devices. (NumPy's arrays: test_host_data.py.)"""

from __future__ import annotations

import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw, to_numpy
from xgrad.backends import BackendError, load

TWO_ARRAYS = {
    "add": lambda xp, x, y: x + y,
    "radd": lambda xp, x, y: y + x,
    "matmul": lambda xp, x, y: x @ y,
    "linear": lambda xp, x, y: xp.linear(x[None, :], y[None, :]),
    "where": lambda xp, x, y: xp.where(x > 0, x, y),
    "concat": lambda xp, x, y: xp.concat([x, y]),
    "stack": lambda xp, x, y: xp.stack([x, y]),
    "clip": lambda xp, x, y: xp.clip(x, y, None),
    "take": lambda xp, x, y: xp.take(x, xp.zeros_like(y, dtype=y.__array_namespace__().int64)),
    "equal": lambda xp, x, y: x == y,
    "in place": lambda xp, x, y: (x * 1.0).__iadd__(y),
    "write": lambda xp, x, y: (x * 1.0).__setitem__(..., y),
    "asarray": lambda xp, x, y: xp.asarray([x, y]),
    "gradient": lambda xp, x, y: xg.vjp(lambda x: x * x, x)[1](y),
    "backward": lambda xp, x, y: (xp.asarray(x, requires_grad=True) * 1.0).backward(y),
}


@pytest.mark.parametrize("name", TWO_ARRAYS)
@pytest.mark.parametrize("pair", [("numpy", "strict"), ("strict", "torch"), ("torch", "numpy"), ("device1", "device2")])
def test_two_backends_or_devices_are_both_named(name, pair):
    try:
        one, two = (load("strict", n) if n.startswith("device") else load(n) for n in pair)
    except BackendError as error:
        pytest.skip(str(error))
    x, y = make(one.view, [1.0, 2.0]), make(two.view, [3.0, 4.0])
    with pytest.raises((xg.MixedBackendsError, TypeError, ValueError)) as caught:
        TWO_ARRAYS[name](one.view, x, y)
    for word in pair:
        assert word in str(caught.value)
    assert_matches(x, [1.0, 2.0], xp=one.view)


def test_a_raw_array_of_another_library(backend, xp):
    torch = pytest.importorskip("torch")
    if backend.name == "torch":
        pytest.skip("it is PyTorch's")
    x, other = make(xp, [1.0, 2.0]), torch.ones(2)
    for call in (lambda: x + other, lambda: xp.multiply(other, x), lambda: xp.concat([x, other])):
        with pytest.raises(xg.MixedBackendsError, match=r"(?s)torch\.Tensor of shape \(2,\).*xgrad\.asarray\(array\)"):
            call()


@pytest.mark.parametrize("name", ["sin", "sum", "relu", "softmax", "sort", "isnan", "argmax", "flip", "std"])
def test_a_raw_array_of_the_backend_is_taken_by_any_function(backend, xp, name):
    array = raw(backend, [[1.0, 2.0], [3.0, 5.0]])
    got, want = (getattr(xp, name)(a) for a in (array, make(xp, to_numpy(array))))
    assert isinstance(got, xg.Tensor)
    assert_matches(got, to_numpy(want), xp=xp)


@pytest.mark.parametrize(
    "call",
    [
        lambda xp, a: xp.diff(a),
        lambda xp, a: xp.unstack(a)[0],
        lambda xp, a: xp.repeat(a, 2),
        lambda xp, a: xp.tile(a, (2,)),
        lambda xp, a: xp.meshgrid(a, a)[1],
        lambda xp, a: xp.broadcast_arrays(a, a)[0],
        lambda xp, a: xp.moveaxis(a, 0, 0),
        lambda xp, a: xp.clip(a, 1.0, 2.0),
        lambda xp, a: xp.take(a, xp.asarray([0])),
        lambda xp, a: xp.vecdot(a, a),
    ],
)
def test_also_by_compositions(backend, xp, call):
    array = raw(backend, [1.0, 2.0, 4.0])
    got, want = call(xp, array), call(xp, xp.asarray(array))
    assert isinstance(got, xg.Tensor)
    assert_matches(got, to_numpy(want), xp=xp)


@pytest.mark.parametrize(
    "call", [lambda xp, x: xp.linear("x", x), lambda xp, x: xp.scatter_along_axis("x", x, (2, 2), 0)]
)
def test_what_is_no_array_is_named(xp, call):
    with pytest.raises(TypeError, match=r"expected a tensor, an array of backend .* got 'x'"):
        call(xp, xp.ones((2, 2)))
