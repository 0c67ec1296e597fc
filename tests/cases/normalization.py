"""Cases for standardization."""

from __future__ import annotations

import numpy as np

from tests.cases.case import case, cplx, real


def _standardize(xp, x, *, axis=None, eps=1e-5, centered=True):
    mean = np.mean(x, axis=axis, keepdims=True) * centered
    var = np.mean((x - mean) ** 2, axis=axis, keepdims=True)
    return (x - mean) / np.sqrt(var + eps), mean, var


for _static in (
    {},
    {"axis": -1},
    {"axis": (0, 2), "eps": 0.1},
    {"axis": (1, 2), "centered": False},
    {"axis": 0, "eps": 0.0},
):
    case("standardize", real(3, 2, 3), **_static, reference=_standardize, raw=lambda xp, x, s=_static: _raw(xp, x, **s))
# Large enough for NumPy's own versions, which call BLAS.
case("standardize", real(3, 90), axis=1, reference=_standardize, raw=lambda xp, x: _raw(xp, x, axis=1))
case("standardize", real(2, 3, 50), axis=(0, 2), reference=_standardize, raw=lambda xp, x: _raw(xp, x, axis=(0, 2)))
case("standardize", real(0, 3), axis=1, reference=_standardize, raw=lambda xp, x: _raw(xp, x, axis=1))


def _raw(xp, x, *, axis=None, eps=1e-5, centered=True):
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return xp.standardize(x, axis=tuple(a % x.ndim for a in axes), eps=eps, centered=centered)


def _scale_and_shift(xp, x, scale, shift=0.0):
    return x * scale + shift


for _x, _scale, _shift in (
    ((2, 3), (3,), (3,)),
    ((2, 3, 2), (3, 1), (3, 1)),
    ((2, 3), (2, 3), (1,)),
    ((2, 3), (2, 1), ()),
    ((), (), ()),
    ((0, 2), (2,), (2,)),
    ((5, 60), (60,), (60,)),
):
    case("scale_and_shift", real(*_x), real(*_scale), real(*_shift), reference=_scale_and_shift)
    case("scale_and_shift", real(*_x), real(*_scale), reference=_scale_and_shift)
case("scale_and_shift", real(2, 3), np.ones(3), real(3), reference=_scale_and_shift)
case("scale_and_shift", np.ones((2, 3)), np.ones(3), real(3), reference=_scale_and_shift)
case("scale_and_shift", np.ones((2, 3)), real(3), np.ones(3), reference=_scale_and_shift)
case("scale_and_shift", cplx(2, 3), cplx(3), cplx(3), reference=_scale_and_shift)


def _sum_of_products(xp, x1, x2, *, axis=None, keepdims=False):
    return np.sum(x1 * x2, axis=axis, keepdims=keepdims)


for _shape, _axis in (
    ((2, 3, 2), (0,)),
    ((2, 3, 2), (1, 2)),
    ((2, 3, 2), (0, 2)),
    ((2, 3), (0, 1)),
    ((0, 2), (0,)),
    ((5, 60), (1,)),
    ((60, 5), (0,)),
    ((3, 5, 20), (0, 2)),
    ((3, 20, 5), (1,)),
):
    for _keepdims in (False, True):
        case(
            "sum_of_products",
            real(*_shape),
            real(*_shape),
            axis=_axis,
            keepdims=_keepdims,
            reference=_sum_of_products,
        )
case("sum_of_products", cplx(2, 3), cplx(2, 3), axis=(1,), reference=_sum_of_products)
