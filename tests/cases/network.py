"""Cases for the functions that networks need."""

from __future__ import annotations

import numpy as np

from tests.cases.case import case, cplx, real


def _logsumexp(xp, x, *, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def _softmax(xp, x, *, axis=-1):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


ELEMENTWISE = {
    "sigmoid": lambda xp, x: 1 / (1 + np.exp(-x)),
    "softplus": lambda xp, x: np.log1p(np.exp(x)),
    "relu": lambda xp, x: np.where(x > 0, x, 0.0),
}
for _name, _reference in ELEMENTWISE.items():
    for _shape in ((2, 3), (), (0, 2)):
        case(_name, real(*_shape), reference=_reference)

for _shape in ((2, 3), (), (0, 2)):
    case(
        "leaky_relu",
        real(*_shape),
        negative_slope=0.2,
        reference=lambda xp, x, negative_slope: np.where(x > 0, x, negative_slope * x),
    )
case("leaky_relu", real(3), 0.1, reference=lambda xp, x, slope: np.where(x > 0, x, slope * x))


def _sigmoid_cross_entropy(xp, x, target):
    return np.log1p(np.exp(x)) - x * target


for _first, _second in (((2, 3), (2, 3)), ((), ()), ((2, 1), (3,)), ((0, 2), (2,))):
    case("sigmoid_cross_entropy", real(*_first), real(*_second, low=0.1, high=0.9), reference=_sigmoid_cross_entropy)
case("sigmoid_cross_entropy", real(2), np.asarray([0.0, 1.0]), reference=_sigmoid_cross_entropy)

for _static in (
    {},
    {"axis": 0},
    {"axis": -1, "keepdims": True},
    {"axis": (0, 2)},
    {"axis": (-1, 0), "keepdims": True},
    {"axis": ()},
):
    case("logsumexp", real(2, 2, 2), **_static, reference=_logsumexp)
case("logsumexp", real(), reference=_logsumexp)
case("logsumexp", real(0, 2), axis=1, reference=_logsumexp)

for _name, _reference in {
    "softmax": _softmax,
    "log_softmax": lambda xp, x, *, axis=-1: np.log(_softmax(xp, x, axis=axis)),
}.items():
    for _axis in (0, 1, -1, -2):
        case(_name, real(2, 3), axis=_axis, reference=_reference)
    case(
        _name,
        real(3),
        raw=lambda xp, x, n=_name: getattr(xp, n)(x, axis=-1),
        reference=_reference,
    )
    case(_name, real(0, 3), axis=1, reference=_reference)


def _cross_entropy(xp, x, number, *, axis=-1, ignore_index=-100):
    p = np.moveaxis(_softmax(np, x, axis=axis), axis, -1)
    picked = np.take_along_axis(p, np.where(number == ignore_index, 0, number)[..., None], axis=-1)[..., 0]
    return np.where(number == ignore_index, 0.0, -np.log(picked))


case("softmax_cross_entropy", real(3, 4), np.array([0, 3, 1]), axis=1, reference=_cross_entropy)
case("softmax_cross_entropy", real(3, 4), np.array([0, -100, 1]), axis=1, reference=_cross_entropy)
case("softmax_cross_entropy", real(3), np.array(2), reference=_cross_entropy)
case(
    "softmax_cross_entropy", real(2, 3, 2), np.array([[0, 2], [1, 1]]), axis=1, ignore_index=1, reference=_cross_entropy
)


def _linear(xp, x, weight, bias=None):
    y = x @ weight.T
    return y if bias is None else y + bias


case("weight_gradient", real(4, 2), real(4, 3), np.ones((2, 3)), reference=lambda xp, g, x, weight: g.T @ x)
for _x in (real(2, 3), real(3), real(2, 1, 3), real(0, 3)):
    case("linear", _x, real(2, 3), real(2), reference=_linear)
    case("linear", _x, real(2, 3), reference=_linear)
case("linear", real(2, 1), real(3, 1), real(3), reference=_linear)
for _x, _w in ((real(0), real(2, 0)), (real(2, 3, 0), real(2, 0)), (real(2, 3, 2), real(0, 2))):
    case("linear", _x, _w, reference=_linear)
case("linear", real(2, 3), np.ones((2, 3)), real(2), reference=_linear)
case("linear", np.ones((2, 3)), real(2, 3), np.ones(2), reference=_linear)
case("linear", np.ones((2, 3)), np.ones((2, 3)), real(2), reference=_linear)
case("linear", cplx(2, 2), cplx(3, 2), cplx(3), reference=_linear)
case("linear", cplx(2, 2), real(3, 2), reference=_linear)
