"""Reading and writing at places under vmap, where the arrays differ among the examples, or the places, or both."""

from __future__ import annotations

import contextlib
import random

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.random_keys import some_key


@pytest.mark.parametrize(
    "key",
    [
        lambda i, j: i,
        lambda i, j: (..., i),
        lambda i, j: (slice(None), i),
        lambda i, j: (slice(1, None), i),
        lambda i, j: (slice(None), i, j),
        lambda i, j: (i, slice(None), j),
        lambda i, j: (i, None, slice(None, 2), j),
        lambda i, j: (None, i, j),
        lambda i, j: (0, slice(None), i),
        lambda i, j: (0, i),
        lambda i, j: (i[0], slice(None), j),
        lambda i, j: (i, j, i),
        lambda i, j: (i[:, None], j),
    ],
)
@pytest.mark.parametrize("which", ["both", "array", "index", "second index"])
def test_indices_that_differ(key, which):
    """As NumPy has them, for each example: where an index and an array differ, or one of them."""
    with xg.use_backend("numpy"):
        x = np.arange(2 * 3 * 3 * 3.0).reshape(2, 3, 3, 3)
        i, j = np.asarray([[0, 2], [1, -1]]), np.asarray([[1, 1], [0, 2]])
        axes = {"both": (0, 0, 0), "array": (0, None, None), "index": (None, 0, 0), "second index": (0, None, 0)}[which]
        args = [a if at == 0 else a[0] for a, at in zip((x, i, j), axes, strict=True)]
        each = [[a[n] if at == 0 else a for a, at in zip(args, axes, strict=True)] for n in range(2)]
        tensors = [xg.asarray(a) for a in args]

        read = xg.vmap(lambda x, i, j: x[key(i, j)], axes)(*tensors)
        want = np.stack([x[key(i, j)] for x, i, j in each])
        np.testing.assert_array_equal(to_numpy(read), want)

        weights = np.arange(1.0, 1 + want.size).reshape(want.shape)

        def weighed(x, i, j, w):
            return xg.sum(x[key(i, j)] * w)

        gradient = xg.vmap(xg.grad(weighed), (*axes, 0))(*tensors, xg.asarray(weights))
        expected = np.zeros((2, 3, 3, 3))
        for n, (_, i_n, j_n) in enumerate(each):
            np.add.at(expected[n], key(i_n, j_n), weights[n])
        np.testing.assert_array_equal(to_numpy(gradient), expected)

        written = xg.vmap(lambda x, i, j, w: xg.at(x, key(i, j)).set(w), (*axes, 0))(*tensors, xg.asarray(weights))
        for n, (x_n, i_n, j_n) in enumerate(each):
            expected[n] = x_n
            expected[n][key(i_n, j_n)] = weights[n]
        np.testing.assert_array_equal(to_numpy(written), expected)


def test_writes(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])

    def f(x):
        y = xg.zeros(4)
        y[1:3] = x
        y[0] = x[0] * x[1]
        y[y > 2.5] = 0.0
        y += 1
        return y

    np.testing.assert_array_equal(to_numpy(xg.vmap(f)(x)), [[3, 2, 3, 1], [1, 1, 1, 1]])
    g = xg.vmap(xg.grad(lambda x: xg.sum(f(x))))(x)
    np.testing.assert_array_equal(to_numpy(g), [[3, 2], [0, 0]])
    outside = xp.zeros(2)
    with pytest.raises(TypeError, match="made outside"):
        xg.vmap(lambda x: outside.__setitem__(0, x[0]))(x)


def test_lookups_in_a_table(xp):
    table = make(xp, np.arange(8.0).reshape(4, 2))
    words = make(xp, [[0, 3], [1, 1]])
    got = xg.vmap(lambda i: xg.take(table, i, axis=0))(words)
    np.testing.assert_array_equal(to_numpy(got), to_numpy(table)[to_numpy(words)])
    g = xg.grad(lambda t: xg.sum(xg.vmap(lambda i: xg.take(t, i, axis=0))(words)))(table)
    np.testing.assert_array_equal(to_numpy(g), [[1, 1], [2, 2], [0, 0], [1, 1]])


@pytest.mark.parametrize(
    "key",
    [
        lambda i: (np.int64(1), slice(None), i),
        lambda i: (np.int64(-1), i),
        lambda i: [0, 1],
        lambda i: ([0, 1], slice(None), [0, 2]),
        lambda i: (slice(None), [0, 1], i),
        lambda i: (0, slice(None), [0, 2]),
        lambda i: ([True, False, True], slice(None), i),
        lambda i: (True, i),
        lambda i: np.True_,
        lambda i: (slice(None, None, -1), slice(3, 0, -2)),
    ],
)
@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)])
def test_keys_that_numpy_takes(key, axes):
    """NumPy's integers, lists and booleans, beside arrays that are neighbours or not."""
    with xg.use_backend("numpy"):
        x, i = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5), np.asarray([[0, 2], [1, 1]])
        each = [(x[n if axes[0] == 0 else 0], i[n if axes[1] == 0 else 0]) for n in range(2)]
        args = [xg.asarray(a if at == 0 else a[0]) for a, at in zip((x, i), axes, strict=True)]
        want = np.stack([x[key(i)] for x, i in each])
        got = xg.vmap(lambda x, i: x[key(i)] + 0 * xg.sum(i), axes)(*args)
        np.testing.assert_array_equal(to_numpy(got), want)

        gradient = xg.vmap(xg.grad(lambda x, i: xg.sum(x[key(i)])), axes)(*args)
        expected = np.zeros(x.shape)
        for n, (_, i_n) in enumerate(each):
            np.add.at(expected[n], key(i_n), 1.0)
        np.testing.assert_array_equal(to_numpy(gradient), expected)

        zeros = xg.zeros((3, 4, 5))  # neither this differs among the examples, nor what is written
        written = xg.vmap(lambda x, i: xg.at(zeros, key(i)).set(1.0) + 0 * xg.sum(i), axes)(*args)
        np.testing.assert_array_equal(to_numpy(written), expected > 0)


@pytest.mark.parametrize("shape", [(), (2,), (2, 2)])
@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)])
def test_take_at_indices_of_any_shape(shape, axes):
    """As NumPy and PyTorch take them, where the standard has one axis."""
    with xg.use_backend("numpy"):
        x, i = (
            np.arange(24.0).reshape(2, 3, 4),
            np.arange(2 * 2 * 2).reshape(2, -1)[:, : max(1, 2 ** len(shape) // 1)] % 3,
        )
        i = np.stack([np.resize(row, shape) for row in i])
        each = [(x[n if axes[0] == 0 else 0], i[n if axes[1] == 0 else 0]) for n in range(2)]
        args = [xg.asarray(a if at == 0 else a[0]) for a, at in zip((x, i), axes, strict=True)]
        for axis in (0, 1):
            got = xg.vmap(lambda x, i, axis=axis: xg.take(x, i, axis=axis), axes)(*args)
            np.testing.assert_array_equal(to_numpy(got), np.stack([np.take(x, i, axis=axis) for x, i in each]))
            gradient = xg.vmap(xg.grad(lambda x, i, axis=axis: xg.sum(xg.take(x, i, axis=axis) ** 2)), axes)(*args)
            for n, (x_n, i_n) in enumerate(each):
                expected = np.zeros(x_n.shape)
                np.add.at(expected, (slice(None),) * axis + (i_n,), 2 * np.take(x_n, i_n, axis=axis))
                np.testing.assert_array_equal(to_numpy(gradient)[n], expected)


@pytest.mark.parametrize("axes", [(0, 0), (None, 0), (0, None)])
def test_an_index_out_of_range_is_found_in_any_example(xp, axes):
    """By the library, or where it does not look, by debug()."""
    x, right, wrong = (make(xp, values) for values in ([[0.0, 1.0, 2.0]] * 2, [[0, 1], [2, 1]], [[0, 1], [5, 1]]))
    look = contextlib.nullcontext() if xp._backend.checks_indices else xg.debug()
    for read in (lambda x, i: x[i], lambda x, i: xp.take(x, i)):
        with look:
            args = [a if at == 0 else a[1, ...] for a, at in zip((x, right), axes, strict=True)]
            to_numpy(xg.vmap(read, axes)(*args))
            args = [a if at == 0 else a[1, ...] for a, at in zip((x, wrong), axes, strict=True)]
            with pytest.raises(
                (IndexError, ValueError), match=r"bounds|out of range"
            ):  # PyTorch's take raises a ValueError
                to_numpy(xg.vmap(read, axes)(*args))


# --- any key ------------------------------------------------------------------------------------------------


def in_other_order(rng, part):
    """The same kind of part for another example."""
    if not isinstance(part, np.ndarray) or part.dtype == bool:
        return part
    return np.asarray(rng.choices(part.ravel().tolist(), k=part.size), dtype=int).reshape(part.shape)


@pytest.mark.parametrize("seed", range(120))
def test_any_key_is_read_and_written_as_numpy_has_it(seed):
    """Against a loop over the examples: the value, the gradient, what is written, and the gradient of what is written."""
    rng = random.Random(seed)
    shape = tuple(rng.choice([1, 2, 3]) for _ in range(rng.randint(1, 4)))
    x = np.arange(1.0, 1 + 2 * np.prod(shape)).reshape(2, *shape)
    one = some_key(rng, shape)
    try:
        x[0][tuple(one)]
    except IndexError:
        pytest.skip("a mask does not fit beside the other arrays of this key")
    keys = [tuple(one), tuple(in_other_order(rng, part) for part in one)]
    varying = [i for i, part in enumerate(one) if part is not keys[1][i]]
    want = np.stack([x_n[key] for x_n, key in zip(x, keys, strict=True)])
    weights = np.arange(1.0, 1 + want.size).reshape(want.shape)

    with xg.use_backend("numpy"):
        tensors = [xg.asarray(a) for a in (x, weights, *(np.stack([key[i] for key in keys]) for i in varying))]

        def key_of(indices):
            found = dict(zip(varying, indices, strict=True))
            return tuple(found.get(i, part) for i, part in enumerate(one))

        def read(x, w, *indices):
            return x[key_of(indices)] * w

        def written(x, w, *indices):
            y = x * 1.0 + 0.0 * xg.sum(w)
            y[key_of(indices)] = w
            return y

        got = to_numpy(xg.vmap(read)(*tensors))
        of_read = to_numpy(xg.vmap(xg.grad(lambda *args: xg.sum(read(*args))))(*tensors))
        y = to_numpy(xg.vmap(written)(*tensors))
        of_written = to_numpy(xg.vmap(xg.grad(lambda *args: xg.sum(written(*args) * args[0].detach()), 1))(*tensors))

    np.testing.assert_array_equal(got, want * weights)
    for n, key in enumerate(keys):
        added, replaced, who = np.zeros(shape), x[n].copy(), np.zeros(shape, dtype=int)
        numbers = np.arange(1, 1 + want[n].size).reshape(want[n].shape)
        np.add.at(added, key, weights[n])
        replaced[key] = weights[n]
        who[key] = numbers
        np.testing.assert_array_equal(of_read[n], added)
        np.testing.assert_array_equal(y[n], replaced)
        np.testing.assert_array_equal(of_written[n], np.where(who[key] == numbers, want[n], 0.0))


def test_an_ellipsis_of_no_axis_parts_neighbours():
    """As in NumPy: the axis that the arrays bring comes first then."""
    with xg.use_backend("numpy"):
        x, i = np.arange(24.0).reshape(1, 2, 3, 4), np.asarray([[3, 0]])
        got = xg.vmap(lambda x, i: x[:, 0, ..., i])(xg.asarray(x), xg.asarray(i))
        np.testing.assert_array_equal(to_numpy(got)[0], [[3.0, 15.0], [0.0, 12.0]])
        got = xg.vmap(lambda x, i: x[:, 0, i])(xg.asarray(x), xg.asarray(i))
        np.testing.assert_array_equal(to_numpy(got)[0], [[3.0, 0.0], [15.0, 12.0]])
