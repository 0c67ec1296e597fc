"""Making and converting tensors with PyTorch's names."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy


def test_tensor_is_a_copy_without_a_past(backend, xp):
    host = np.asarray([1.0, 2.0])
    x = xg.tensor(host.tolist(), requires_grad=True)
    assert x.is_leaf
    assert x.requires_grad
    assert x.backend is backend
    y = xg.tensor(x * 2)
    assert not y.requires_grad
    z = make(xp, host)
    copy = xg.tensor(z)
    copy[0] = 7.0
    np.testing.assert_array_equal(to_numpy(z), host)
    assert xg.tensor([1, 2], dtype=xp.float32).dtype == xp.float32


def test_the_class_says_what_makes_a_tensor():
    with pytest.raises(TypeError, match=r"xgrad\.asarray\(data\).*xgrad\.tensor"):
        xg.Tensor([1.0])  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(float, "float64"), (int, "int64"), (bool, "bool"), (complex, "complex128"), ("float32", "float32")],
)
def test_pythons_types_and_names(xp, dtype, name):
    y = make(xp, [0.0, 1.5]).astype(dtype)
    assert y.dtype == getattr(xp, name)
    np.testing.assert_array_equal(to_numpy(y), np.asarray([0.0, 1.5]).astype(dtype))


def test_to(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    assert x.to(xp.float64) is x
    assert x.to("float32").dtype == x.to(dtype=xp.float32).dtype == x.to(make(xp, 1.0, "float32")).dtype == xp.float32
    assert x.to(x.device) is x
    assert x.to(xp.float64, copy=True) is not x
    assert x.to(x.device, "float32", non_blocking=True).dtype == xp.float32
    xp.sum(x.to(xp.float32) * 2).backward()
    assert x.grad is not None
    assert x.grad.dtype == xp.float64
    assert x.grad.tolist() == [2.0, 2.0]


def test_the_transforms_take_bare_arrays(xp):
    x, v = make(xp, [1.0, 2.0]), make(xp, [1.0, 0.5])

    def f(x):
        return (x**3).sum()

    assert xg.hvp(f, x, v).tolist() == [6.0, 6.0]
    assert xg.hvp(f, x.data, v.data).tolist() == [6.0, 6.0]
    y, t = xg.jvp(f, x, v)
    assert (y.item(), t.item()) == (9.0, 9.0)
    for transform in (xg.hvp, xg.jvp):
        with pytest.raises(TypeError, match=r"\(f, \(x,\), \(v,\)\)"):
            transform(f, x, (v,))


def test_integers_have_no_gradient_and_the_error_says_what_to_write(xp):
    with pytest.raises(TypeError, match=r"int64.*xgrad\.astype"):
        xg.grad(lambda x: x.sum())(make(xp, [1, 2]))
    assert xg.grad(lambda x: x * x)(3).item() == 6.0
