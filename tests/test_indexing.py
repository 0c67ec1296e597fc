"""Reading along an axis; and indices out of range: an error where the library checks them, and under debug() everywhere."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_out_of_range_is_an_error(backend, xp, index):
    if not backend.checks_indices:
        pytest.skip("this library wraps indices around; see the next test")
    x = make(xp, [1.0, 2.0])
    reads = [
        lambda: x[index],
        lambda: x[make(xp, [0, index])],
        lambda: xp.take(x, make(xp, [index])),
        lambda: xp.take_along_axis(x, make(xp, [index])),
    ]
    for read in reads:
        with pytest.raises(IndexError):
            to_numpy(read())


@pytest.mark.parametrize("index", [3, -4])
def test_debug_finds_what_a_library_would_wrap_around(backend, xp, index, monkeypatch):
    monkeypatch.setattr(type(backend), "checks_indices", False)
    if backend.name == "strict":
        pytest.skip("the check waits for the device, which the guard refuses")
    x = make(xp, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    i, rows = make(xp, [0, index]), make(xp, [0, 1])
    reads = [
        lambda: x[..., i],
        lambda: x[rows, i],
        lambda: x[None, 0, i],
        lambda: xp.take(x, i, axis=1),
        lambda: xp.take_along_axis(x, make(xp, [[index], [0]]), axis=1),
        lambda: xp.scatter(make(xp, [1.0, 1.0]), (rows, i), (2, 3)),
        lambda: xp.scatter_take(make(xp, np.ones((2, 2))), i, (2, 3), 1),
        lambda: xp.scatter_along_axis(make(xp, np.ones((2, 1))), make(xp, [[index], [0]]), (2, 3), 1),
        lambda: xg.at(x, (rows, i)).add(1.0),
        lambda: x.__setitem__((rows, i), 0.0),
    ]
    for read in reads:
        with xg.debug(), pytest.raises(IndexError, match=r"axis 1 of shape \(2, 3\) is out of range"):
            read()
    with xg.debug():
        assert to_numpy(x[..., make(xp, [0, -3])]).tolist() == [[1.0, 1.0], [4.0, 4.0]]
        x[rows, make(xp, [2, 2])] = 0.0
        scattered = xp.scatter(make(xp, [5.0]), make(xp, [7]), (8,))
    assert to_numpy(scattered).tolist() == [0.0] * 7 + [5.0]
    assert to_numpy(x).tolist() == [[1.0, 2.0, 0.0], [4.0, 5.0, 0.0]]


# --- take_along_axis where the other axes broadcast ---------------------------------------------------------

BROADCAST = [  # the shapes of x and of the indices, and the axis
    ((3, 3), (3, 1), 1),
    ((2, 2), (1, 3), 1),
    ((1, 2), (3, 1), 1),
    ((1, 3), (3, 2), -1),
    ((3, 1), (2, 4), 0),
    ((2, 1, 3), (1, 4, 2), 2),
    ((1, 4, 2), (3, 2, 1), 1),
]


def taken(x, i, axis):
    """What NumPy takes where both are repeated first."""
    axis %= x.ndim
    shape = np.broadcast_shapes(*((*s[:axis], 1, *s[axis + 1 :]) for s in (x.shape, i.shape)))
    x, i = (np.broadcast_to(a, (*shape[:axis], a.shape[axis], *shape[axis + 1 :])) for a in (x, i))
    return np.take_along_axis(x, i, axis=axis)


def jacobian(i, shape, axis):
    """Of taking from an array of that shape: what is taken from each unit vector, in the last axis."""
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.stack([taken(unit, i, axis) for unit in units], axis=-1)


@pytest.mark.parametrize(("shape", "of_indices", "axis"), BROADCAST)
def test_take_along_axis_broadcasts(xp, shape, of_indices, axis):
    rng = np.random.default_rng(0)
    n = shape[axis]
    x, i = rng.normal(size=shape), rng.integers(-n, n, of_indices)
    want = taken(x, i, axis)
    jac = jacobian(i, shape, axis).reshape(want.size, x.size)
    w, t = rng.normal(size=want.shape), rng.normal(size=shape)
    tensor, index, weights = make(xp, x), make(xp, i), make(xp, w)

    def f(x):
        return xp.sum(xp.take_along_axis(x, index, axis=axis) ** 2 * weights)

    assert_matches(xp.take_along_axis(tensor, index, axis=axis), want, xp=xp, rtol=0)
    gradient = (jac.T @ (2 * w * want).ravel()).reshape(shape)
    assert_matches(xg.grad(f)(tensor), gradient, xp=xp)
    assert_matches(xg.jvp(f, (tensor,), (make(xp, t),))[1], np.sum(gradient * t), xp=xp)
    product = jac.T @ (2 * w.ravel() * (jac @ t.ravel()))
    assert_matches(xg.hvp(f, (tensor,), (make(xp, t),))[0], product.reshape(shape), xp=xp)

    def scattered(weights):
        return xp.scatter_along_axis(weights, index, shape, axis)

    assert_matches(scattered(weights), (jac.T @ w.ravel()).reshape(shape), xp=xp)
    back = xg.grad(lambda weights: xp.sum(scattered(weights) * make(xp, t)))(weights)
    assert_matches(back, taken(t, i, axis), xp=xp)


def test_take_along_axis_of_a_row_that_a_scalar_made(xp):
    s, row, zeros = make(xp, 2.0), make(xp, [[1.0, 2.0, 3.0]]), make(xp, np.zeros((30, 1), dtype=int))
    taken_from_a_row = xg.grad(lambda s: xp.sum(xp.take_along_axis(s * row, zeros, axis=1)))
    assert_matches(taken_from_a_row(s), 30.0, xp=xp)


@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)])
def test_take_along_axis_broadcasts_under_vmap(xp, axes):
    rng = np.random.default_rng(1)
    x, i = rng.normal(size=(3, 1, 2)), rng.integers(-2, 2, (3, 4, 1))
    args = [make(xp, a if at == 0 else a[0]) for a, at in zip((x, i), axes, strict=True)]
    got = xg.vmap(xg.grad(lambda x, i: xp.sum(xp.take_along_axis(x, i, axis=1) ** 2)), axes)(*args)
    for n in range(3):
        x_n, i_n = (a[n if at == 0 else 0] for a, at in zip((x, i), axes, strict=True))
        want = 2 * taken(x_n, i_n, 1).ravel() @ jacobian(i_n, (1, 2), 1).reshape(4, 2)
        assert_matches(got[n, ...], want.reshape(1, 2), xp=xp)


@pytest.mark.parametrize(
    ("shape", "of_indices"), [((3, 2), (2,)), ((2,), (2, 1)), ((3, 2), (2, 2)), ((2, 1), (2, 1, 1))]
)
def test_take_along_axis_of_shapes_that_do_not_fit_is_one_error_everywhere(xp, shape, of_indices):
    x, i = make(xp, np.zeros(shape)), make(xp, np.zeros(of_indices, dtype=int))
    with pytest.raises(
        ValueError, match=r"take_along_axis: the shapes .* must have the same number of axes, and broadcast"
    ):
        xp.take_along_axis(x, i, axis=-1)
    with pytest.raises(ValueError, match="scatter_along_axis: the shapes"):
        xp.scatter_along_axis(x, i, shape, -1)


# --- take at indices of any shape ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (2, 2), (0,), (1, 3, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_take_at_indices_of_any_shape(xp, shape, axis):
    """As NumPy has it, where the standard has one axis; twice at one place, and from the end."""
    rng = np.random.default_rng(2)
    x, i = rng.normal(size=(3, 4)), rng.integers(-3, 3, shape)
    want = np.take(x, i, axis=axis)
    w, t = rng.normal(size=want.shape), rng.normal(size=x.shape)
    tensor, index, weights = make(xp, x), make(xp, i), make(xp, w)

    def f(x):
        return xp.sum(xp.take(x, index, axis=axis) ** 2 * weights)

    assert_matches(xp.take(tensor, index, axis=axis), want, xp=xp, rtol=0)
    key = (slice(None),) * axis + (i,)
    gradient, product = np.zeros(x.shape), np.zeros(x.shape)
    np.add.at(gradient, key, 2 * w * want)
    np.add.at(product, key, 2 * w * np.take(t, i, axis=axis))
    assert_matches(xg.grad(f)(tensor), gradient, xp=xp)
    assert_matches(xg.hvp(f, (tensor,), (make(xp, t),))[0], product, xp=xp)
    assert_matches(xg.jvp(f, (tensor,), (make(xp, t),))[1], np.sum(gradient * t), xp=xp, floor=1.0)
    scattered = np.zeros(x.shape)
    np.add.at(scattered, key, w)
    assert_matches(xp.scatter_take(weights, index, x.shape, axis), scattered, xp=xp)


# --- what the caller changes before backward ----------------------------------------------------------------


def cleared(parts):
    """Change everything that the caller holds of a key or of axes: lists and arrays."""
    for part in parts if isinstance(parts, tuple) else (parts,):
        if isinstance(part, list):
            part[:] = cleared_list(part)
        elif isinstance(part, np.ndarray):
            part[...] = 0


def cleared_list(part):
    return [cleared_list(each) if isinstance(each, list) else 0 for each in part]


@pytest.mark.parametrize(
    "key",
    [
        lambda: [2, 1],
        lambda: (slice(None), [2, 1]),
        lambda: ([1, 0], [2, 1]),
        lambda: ([[1], [0]], [2, 1]),
        lambda: (..., np.asarray([2, 1])),
        lambda: (np.asarray([1, 0]), [2, 1]),
        lambda: np.asarray([[True, False, True], [False, True, False], [False, False, True]]),
        lambda: ([False, True, True],),
    ],
)
@pytest.mark.parametrize("derivative", ["read", "read twice", "added", "written", "value written", "second order"])
def test_a_key_that_the_caller_changes_before_backward(key, derivative):
    """Lists and NumPy's arrays, also within a tuple."""
    with xg.use_backend("numpy"):

        def run(change):
            x = xg.asarray(np.arange(9.0).reshape(3, 3), requires_grad=True)
            k = key()
            v = xg.asarray(np.arange(1.0, 1 + x.detach()[k].size).reshape(x.detach()[k].shape), requires_grad=True)
            if derivative == "read":
                y = x[k] * v
            elif derivative == "read twice":
                y = (x[k] * v) ** 2 * x[k]
            elif derivative == "added":
                y = xg.at(x, k).add(v) ** 2
            elif derivative == "value written":
                y = xg.zeros((3, 3))
                y[k] = v
                y = y * x
            else:
                y = x * x
                y[k] = v
            if derivative == "second order":
                xg.sum(y * y * y).backward(create_graph=True)
                y = x.grad * x.grad
                x.grad = v.grad = None
            if change:
                cleared(k)
            xg.sum(y).backward()
            return [None if each.grad is None else to_numpy(each.grad) for each in (x, v)]

        for got, want in zip(run(True), run(False), strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, a: xg.take(x, a, axis=1),
        lambda x, a: xg.take_along_axis(x, a[None, :], axis=1),
        lambda x, a: xg.flip(x, axis=a.tolist()),
        lambda x, a: xg.flip(x, axis=a),
    ],
)
def test_indices_that_the_caller_changes_before_backward(function):
    with xg.use_backend("numpy"):
        x, a, w = xg.asarray(np.arange(6.0).reshape(2, 3), requires_grad=True), np.asarray([1, 0]), None
        y = function(x, a)
        w = xg.asarray(np.arange(1.0, 1 + y.size).reshape(y.shape))
        want = to_numpy(xg.grad(lambda x: xg.sum(function(x, np.asarray([1, 0])) * w))(x.detach()))
        a[...] = 1
        xg.sum(y * w).backward()
        np.testing.assert_array_equal(to_numpy(x.grad), want)


@pytest.mark.parametrize(
    ("function", "axes"),
    [
        (lambda x, axes: xg.flip(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.roll(x, (1, 2), axis=axes), [0, 2]),
        (lambda x, axes: xg.roll(x, axes, axis=(0, 1)), [1, 2]),
        (lambda x, axes: xg.sum(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.mean(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.max(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.prod(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.var(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.std(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.permute_dims(x, axes), [1, 2, 0]),
        (lambda x, axes: xg.moveaxis(x, tuple(axes), (0, 1)), [2, 1]),
        (lambda x, axes: xg.reshape(x, axes), [4, 6]),
        (lambda x, axes: xg.broadcast_to(x, axes), [2, 2, 3, 4]),
        (lambda x, axes: xg.expand_dims(x, axis=axes), [0, 2]),
        (lambda x, axes: xg.squeeze(xg.expand_dims(x, axis=(0, 1)), axis=axes), [0, 1]),
        (lambda x, axes: xg.tile(x, axes), [2, 1, 3]),
        (lambda x, axes: xg.tensordot(x, x, axes=axes), [[2, 1], [2, 1]]),
        (lambda x, axes: xg.linalg.vector_norm(x, axis=axes), [1, 2]),
        (lambda x, axes: xg.logsumexp(x, axis=axes), [1, 2]),
        (lambda x, axes: xg.real(xg.fft.fftn(x, axes=axes)), [1, 2]),
        (lambda x, axes: xg.real(xg.fft.fftn(x, s=axes, axes=[1, 2])), [2, 2]),
    ],
)
def test_axes_that_the_caller_changes_before_backward(function, axes):
    with xg.use_backend("numpy"):
        x = xg.asarray(np.random.default_rng(0).normal(size=(2, 3, 4)), requires_grad=True)
        given = [list(each) if isinstance(each, list) else each for each in axes]
        y = function(x, given)
        w = xg.asarray(np.arange(1.0, 1 + y.size).reshape(y.shape))
        cleared(given)
        for each in given:
            cleared(each)
        xg.sum(y * w).backward()
        want = xg.grad(lambda x: xg.sum(function(x, axes) * w))(x.detach())
        np.testing.assert_array_equal(to_numpy(x.grad), to_numpy(want))


def test_static_arguments_of_a_primitive_that_the_caller_changes_before_backward(xp):
    """Arrays, tensors, and lists and dicts of them: the rules get what the call got."""
    f = xg.primitive(lambda x, *, by, at, names: x * by["scale"] * at[0] * names["n"][0])
    f.defvjp(lambda g, out, x, *, by, at, names: g * by["scale"] * at[0] * names["n"][0])
    x, scale = make(xp, [1.0, 2.0], requires_grad=True), make(xp, [3.0, 4.0])
    by, at, names = {"scale": scale}, [2.0], {"n": np.asarray([5.0])}
    y = f(x, by=by, at=at, names=names)
    scale[0] = 0.0
    by.clear()
    at[0] = 0.0
    names["n"][...] = 0.0
    xp.sum(y).backward()
    assert_matches(x.grad, [30.0, 40.0], xp=xp)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"])
def test_places_of_any_integer_dtype(backend, xp, dtype):
    """PyTorch takes uint8 for a mask."""
    if backend.name == "dask":
        pytest.skip("dask.array reads at one array of integers of its own")
    if (backend.name, dtype) == ("strict", "uint64"):
        pytest.skip("the standard has no dtype for uint64 and int64 together")
    x, i = make(xp, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), make(xp, [2, 0, 1], dtype)
    ways = {
        "take": lambda x: xp.take(x, i, axis=0),
        "take_along_axis": lambda x: xp.take_along_axis(x, xp.broadcast_to(i[:, None], (3, 2)), axis=0),
    }
    if backend.name != "strict":
        ways["x[i]"] = lambda x: x[i]
        assert_matches(xp.setitem(x[:, 0], 7.0, i), [7.0, 7.0, 7.0], xp=xp)
        assert_matches(xg.at(x[:, 0], i).add(1.0), [2.0, 4.0, 6.0], xp=xp)
    for name, f in ways.items():
        assert_matches(f(x), [[5.0, 6.0], [1.0, 2.0], [3.0, 4.0]], xp=xp, what=name)
        g = xg.grad(lambda x, f=f: xp.sum(f(x) * make(xp, [[1.0], [2.0], [3.0]])))(x)
        assert_matches(g, [[2.0, 2.0], [3.0, 3.0], [1.0, 1.0]], xp=xp, what=name)
