"""Putting samples together, as PyTorch does."""

from collections import OrderedDict, namedtuple
from decimal import Decimal

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, dtype_name, make
from xgrad.data import default_collate, default_convert

Point = namedtuple("Point", "x y")

BATCHES = [
    [np.float32(1), np.float32(2)],
    [np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)],
    [np.zeros((0,), np.int64)] * 2,
    [1, 2, 3],
    [1.5, 2.5],
    [True, False],
    ["a", "bc"],
    [b"a", b"b"],
    [(1, "a", np.ones(2)), (2, "b", np.zeros(2))],
    [[1, 2], [3, 4]],
    [{"x": np.ones(2), "more": {"n": 1}}, {"x": np.zeros(2), "more": {"n": 2}}],
    [OrderedDict(a=1), OrderedDict(a=2)],
    [Point(1, np.ones(1)), Point(2, np.zeros(1))],
    [((1, 2), [3.0]), ((4, 5), [6.0])],
]


def plain(value):
    """The structure with arrays as nested lists and dtypes, and PyTorch's lists of tuples as tuples."""
    if hasattr(value, "tolist"):
        return dtype_name(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(part) for key, part in value.items()}
    if isinstance(value, Point):
        return Point(*map(plain, value))
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("i", range(len(BATCHES)))
def test_collates_as_pytorch(xp, i):
    torch = pytest.importorskip("torch")
    assert plain(default_collate(BATCHES[i])) == plain(torch.utils.data.default_collate(BATCHES[i]))


def test_tuples_stay_tuples():
    assert type(default_collate([(1, "a")])) is tuple
    assert type(default_collate([[1, "a"]])) is list
    assert type(default_collate([Point(1, 2)])) is Point


def test_arrays_become_tensors_of_the_current_backend(xp):
    host = [np.array([1.0, 2.0], np.float32), np.array([3.0, 4.0], np.float32)]
    want = np.array(host)
    assert_matches(default_collate(host), want, xp=xp)
    tensors = [make(xp, each) for each in host]
    assert_matches(default_collate(tensors), want, xp=xp)
    assert_matches(default_collate([t.data for t in tensors]), want, xp=xp)
    assert_matches(default_convert({"x": host[0]})["x"], host[0], xp=xp)


def test_a_tensor_of_another_backend_moves(xp):
    with xg.use_backend("numpy"):
        elsewhere = xg.asarray([1.0, 2.0])
    assert_matches(default_collate([elsewhere, elsewhere]), np.array([[1.0, 2.0]] * 2), xp=xp)


def test_arrays_in_another_byte_order(xp):
    assert_matches(default_collate([np.array([1.0, 2.0], ">f8")]), np.array([[1.0, 2.0]]), xp=xp)


@pytest.mark.parametrize(
    ("batch", "error", "said"),
    [
        ([], ValueError, "there are no samples"),
        ([None, None], TypeError, "a sample is None .NoneType.; it must be an array"),
        ([(1, Decimal(1))], TypeError, r"a sample\[1\] is Decimal"),
        ([{"x": {"y": object()}}], TypeError, r"a sample\['x'\]\['y'\]"),
        ([np.zeros(2), np.zeros(3)], ValueError, r"of shape \(2,\) in the first .* of shape \(3,\) in sample 1"),
        ([(np.zeros(2), 0), (5, 0)], ValueError, r"a sample\[0\] .* 5 \(int\) in sample 1"),
        ([(1, 2), (1,)], ValueError, "has 2 parts here and 1 there"),
        ([{"a": 1}, {"b": 1}], KeyError, "a"),
        ([np.array(["a"])], TypeError, "it must be an array, a number"),
    ],
)
def test_what_cannot_be_collated(batch, error, said):
    with pytest.raises(error, match=said):
        default_collate(batch)


def test_convert_leaves_what_is_no_array():
    sample = {"x": np.ones(2), "name": "a", "n": 3, "words": np.array(["a"]), "pair": (np.zeros(1), None)}
    found = default_convert(sample)
    assert isinstance(found["x"], xg.Tensor)
    assert isinstance(found["pair"][0], xg.Tensor)
    assert found["pair"][1] is None
    assert (found["name"], found["n"]) == ("a", 3)
    assert found["words"] is sample["words"]
