"""xgrad.scipy.signal: SciPy's convolutions, and HIPS autograd's over chosen axes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy

scipy_signal = pytest.importorskip("scipy.signal")
signal = xg.scipy.signal
MODES = ("full", "same", "valid")
SHAPES = [
    ((7,), (3,)),
    ((3,), (7,)),
    ((5,), (4,)),
    ((4,), (4,)),
    ((5, 4), (2, 3)),
    ((2, 2), (4, 3)),
    ((1,), (1,)),
    ((4, 3, 2), (2, 2, 2)),
]


def pair(shapes, kind="f"):
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=shape) for shape in shapes]
    if kind == "c":
        return [x + 1j * rng.normal(size=x.shape) for x in arrays]
    return [np.round(9 * x).astype(np.int64) for x in arrays] if kind == "i" else arrays


def sums(a, b, axes, dots):
    """The full convolution over chosen axes, term by term."""
    rest = [[i for i in range(x.ndim) if i not in (*axes[k], *dots[k])] for k, x in enumerate((a, b))]
    a, b = (x.transpose(*rest[k], *dots[k], *axes[k]) for k, x in enumerate((a, b)))
    outer = [x.shape[: len(rest[k])] for k, x in enumerate((a, b))]
    n = len(axes[0])
    sizes = [a.shape[a.ndim - n + i] + b.shape[b.ndim - n + i] - 1 for i in range(n)]
    y = np.zeros((*outer[0], *outer[1], *sizes), dtype=np.result_type(a, b))
    for p in itertools.product(*map(range, outer[0])):
        for q in itertools.product(*map(range, outer[1])):
            for d in itertools.product(*map(range, a.shape[len(rest[0]) : a.ndim - n])):
                y[(*p, *q)] += scipy_signal.convolve(a[(*p, *d)], b[(*q, *d)], method="direct")
    return y


@pytest.mark.parametrize("kind", "fci")
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_values_are_scipys(xp, name, kind):
    for shapes, mode, method in itertools.product(SHAPES, MODES, ("auto", "direct", "fft")):
        a, b = pair(shapes, kind)
        found = getattr(signal, name)(make(xp, a), make(xp, b), mode, method)
        want = getattr(scipy_signal, name)(a, b, mode, "direct")
        assert_close(to_numpy(found), want, 1e-13, f"{shapes} {mode} {method}")
        assert found.backend is xp.empty(0).backend
        if kind == "i" and method != "fft":
            assert found.dtype == xp.int64


@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_transforms_over_some_axes(xp, name):
    ours, theirs = getattr(signal, name), getattr(scipy_signal, name)
    for kind, mode in itertools.product("fc", MODES):
        a, b = pair([(3, 6), (3, 4)], kind)
        for x, y, axes in ((a, b, 1), (a, b[:1], -1), (a, b, None), (a, b, (0,) if mode != "valid" else 1)):
            if axes == (0,):
                x, y = x[:, :4], y
            assert_close(to_numpy(ours(make(xp, x), make(xp, y), mode, axes)), theirs(x, y, mode, axes), 1e-13)
    with pytest.raises(ValueError, match="along axis 0, which is not convolved, 3 and 2 do not broadcast"):
        ours(make(xp, a), make(xp, b[:2]), axes=1)


@pytest.mark.parametrize("method", ["direct", "fft"])
def test_derivatives_are_differences(xp, method):
    for shapes, mode in itertools.product(SHAPES[:6], MODES):
        a, b = (make(xp, x) for x in pair(shapes))
        order = 2 if len(shapes[0]) == 1 else 1
        xg.check_grads(lambda a, b, mode=mode: signal.convolve(a, b, mode, method), a, b, order=order)
    xg.check_grads(lambda a, b: signal.correlate(a, b, "same", method), a, b)


@pytest.mark.parametrize("method", ["direct", "fft"])
def test_derivatives_of_complex_arrays_are_differences(xp, method):
    a, b = pair([(5,), (3,)], "c")

    def f(*parts):
        y = signal.correlate(xg.from_parts(*parts[:2]), xg.from_parts(*parts[2:]), "full", method)
        return xg.real(y), xg.imag(y)

    xg.check_grads(f, *(make(xp, np.ascontiguousarray(x)) for x in (a.real, a.imag, b.real, b.imag)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("shapes", "axes", "dots"),
    [
        (((2, 5, 3), (3, 4, 2)), ([1], [1]), ([2], [0])),
        (((5, 2, 4), (3, 6, 5)), ([0, 2], [0, 1]), ([], [])),
        (((4, 3), (3, 2)), ([0, 1], [0, 1]), ((), ())),
        (((2, 3, 6), (2, 3, 2)), ([-1], [2]), ([0, 1], [0, 1])),
        (((2, 3), (4, 5)), ([1], [1]), None),
    ],
)
def test_convolution_over_chosen_axes(xp, shapes, axes, dots, mode):
    a, b = pair(shapes)
    n = len(axes[0])
    whole = sums(a, b, [[i % 3 if len(shapes[0]) == 3 else i for i in part] for part in axes], dots or ((), ()))
    key: list[Any] = [...]
    for i, j in zip(*axes, strict=True):
        first, count = signal._part(mode, a.shape[i], b.shape[j])
        key.append(slice(first, first + count))
    smaller = [a.shape[i] <= b.shape[j] for i, j in zip(*axes, strict=True)]
    larger = [a.shape[i] >= b.shape[j] for i, j in zip(*axes, strict=True)]

    def f(a, b):
        return signal.convolve(a, b, axes=axes, dot_axes=dots, mode=mode)

    if mode == "valid" and not (all(smaller) or all(larger)):
        with pytest.raises(ValueError, match="one array must be as long as the other"):
            f(make(xp, a), make(xp, b))
        return
    want = whole[tuple(key)]
    assert want.ndim >= n
    assert_close(to_numpy(f(make(xp, a), make(xp, b))), want, 1e-13)
    assert_close(f(a, b), want, 1e-13)
    assert isinstance(f(a, b), np.ndarray)
    xg.check_grads(f, make(xp, a), make(xp, b))


def test_a_long_convolution_goes_by_transforms(xp):
    a, b = pair([(3000,), (200,)])
    assert_close(
        to_numpy(signal.convolve(make(xp, a), make(xp, b), "same")), scipy_signal.convolve(a, b, "same"), 1e-13
    )


def test_edges(xp):
    assert signal.convolve(make(xp, 2.0), 3.0).item() == 6.0
    assert signal.correlate(make(xp, 2.0), 3.0).item() == 6.0
    assert signal.fftconvolve(make(xp, 2), 3).item() == 6.0
    assert signal.convolve(make(xp, []), make(xp, [1.0])).shape == (0,)
    y = signal.fftconvolve(make(xp, [1.0, 2.0], "float32"), make(xp, [1.0], "float32"))
    assert y.dtype == signal.convolve(make(xp, [1.0, 2.0], "float32"), make(xp, [1.0], "float32")).dtype == xp.float32
    rows = make(xp, pair([(3, 5)])[0])
    kernel = make(xp, [1.0, -2.0])
    for method in ("direct", "fft"):
        found = xg.vmap(lambda x, m=method: signal.convolve(x, kernel, "same", m))(rows)
        assert_close(to_numpy(found), np.stack([np.convolve(row, [1.0, -2.0])[:5] for row in to_numpy(rows)]), 1e-13)


def test_plain_arrays_are_scipys():
    a, b = pair([(5, 4), (2, 3)])
    for name in signal.__all__:
        found, want = (getattr(m, name)(a, b, "same") for m in (signal, scipy_signal))
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, want)
    np.testing.assert_array_equal(signal.medfilt(a), scipy_signal.medfilt(a))


def test_wrong_arguments_are_named(xp):
    a, b = (make(xp, x) for x in pair([(5, 4), (2, 3)]))
    for options, message in (
        ({"mode": "half"}, "mode must be 'full', 'same' or 'valid', not 'half'"),
        ({"method": "slow"}, "method must be 'auto', 'direct' or 'fft', not 'slow'"),
        ({"axes": ([0],)}, r"axes is a pair of sequences of axes, of in1 and of in2"),
        ({"axes": ([0], [0, 1])}, "as many axes of in1 as of in2"),
        (
            {"axes": ([0], [0]), "dot_axes": ([1], [1])},
            r"along dot_axes the arrays must be equally long, not \[4\] and \[3\]",
        ),
        ({"axes": ([0], [0]), "dot_axes": ([0], [0])}, "equally long|not in both"),
        ({"axes": ([2], [0])}, "axis 2"),
    ):
        with pytest.raises(ValueError, match=message):
            signal.convolve(a, b, **options)
    with pytest.raises(ValueError, match=r"as many axes, not shapes \(5, 4\) and \(3,\)"):
        signal.correlate(a, b[0])
    with pytest.raises(ValueError, match="one array must be as long as the other along each axis"):
        signal.convolve(a, b.mT[:, :1] + make(xp, np.ones((1, 6))), mode="valid")
    with pytest.raises(TypeError, match=r"scipy\.signal\.medfilt does not take tensors"):
        signal.medfilt(a)


def test_no_axis_is_convolved(xp):
    """What is left is the sum of products over dot_axes."""
    a, b = np.arange(6.0).reshape(2, 3), np.arange(8.0).reshape(2, 4)
    found = signal.convolve(make(xp, a), make(xp, b), axes=([], []), dot_axes=([0], [0]))
    assert_close(to_numpy(found), np.tensordot(a, b, axes=([0], [0])), 1e-13)
    assert_close(signal.convolve(a, b, axes=([], []), dot_axes=([0], [0])), np.tensordot(a, b, axes=([0], [0])), 1e-13)
