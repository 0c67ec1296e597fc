"""SciPy's special functions: its own on plain arrays, xgrad's on tensors."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from tests.support.special_grids import GRIDS
from xgrad.scipy import special as ours

special = pytest.importorskip("scipy.special")


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of polygamma
@pytest.mark.parametrize("name", GRIDS)
def test_plain_arrays_are_scipys(name):
    count = len(GRIDS[name][0])
    args = [np.asarray([1.0, 1.0] if name == "yn" else [0.5, 1.0])] * count
    got = getattr(ours, name)(*args)
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, getattr(special, name)(*args))
    number = getattr(ours, name)(*[1.0] * count)
    assert type(number) is type(getattr(special, name)(*[1.0] * count))


@pytest.mark.parametrize("name", GRIDS)
def test_tensors_are_xgrads(xp, name):
    args = [make(xp, [1.0, 1.0] if name == "yn" else [0.5, 1.0])] * len(GRIDS[name][0])
    with np.errstate(all="ignore"):
        got, want = getattr(ours, name)(*args), getattr(xp.special, name)(*args)
    assert_matches(got, to_numpy(want), xp=xp)


def test_functions_along_an_axis(xp):
    x = np.asarray([[1.0, 2.0], [0.5, -1.0]])
    for name in ("logsumexp", "softmax", "log_softmax"):
        for axis in (None, 0, (0, 1)):
            want = getattr(special, name)(x, axis=axis)
            np.testing.assert_array_equal(getattr(ours, name)(x, axis=axis), want)
            assert_matches(getattr(ours, name)(make(xp, x), axis=axis), want, xp=xp)


@pytest.mark.parametrize("name", ["gammaincln", "gammainccln", "betaincln", "betainccln"])
def test_logarithms_that_scipy_lacks(xp, name):
    args = [np.asarray(each) for each in ([2.0, 5.0], [3.0, 0.5], [0.4, 0.7])][-2 if name.startswith("gamma") else -3 :]
    plain = getattr(ours, name)(*args)
    assert type(plain) is np.ndarray
    np.testing.assert_allclose(plain, np.log(getattr(special, name.removesuffix("ln"))(*args)), rtol=1e-13)
    assert isinstance(getattr(ours, name)(*[0.5] * len(args)), float)
    assert_matches(getattr(ours, name)(*(make(xp, arg) for arg in args)), plain, xp=xp)


def test_a_function_that_xgrad_lacks():
    assert ours.airy is special.airy
    with pytest.raises(TypeError, match="airy"):
        ours.airy(xg.asarray(1.0))
    with pytest.raises(AttributeError, match="nonsense"):
        ours.nonsense  # noqa: B018


def test_names():
    assert {"betainc", "gammaincln", "logsumexp"} <= set(dir(ours))
    assert "beta_slope" not in dir(ours)
