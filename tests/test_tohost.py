"""Bringing values to the host: numbers, formatting, lists, and NumPy's functions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make


def on_host(backend):
    return backend.name not in ("cupy", "dpnp") and backend.device_name != "device1"


# --- formats and rounding -------------------------------------------------------------------------


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("spec", [".4f", "8.2e", "+.1f", ">12", "08.3f", "%", "g"])
def test_a_0d_tensor_formats_as_its_number(xp, spec, requires_grad):
    x = make(xp, 2.34567, requires_grad=requires_grad)
    assert format(x, spec) == format(2.34567, spec)
    assert format(x * 2, spec) == format(4.69134, spec)


def test_the_number_is_of_the_tensors_own_kind(xp):
    assert f"{make(xp, 12):>5d}" == "   12"
    assert f"{make(xp, True)!s:.5}" == "Tenso"
    assert f"{make(xp, 1.5 + 0.25j):.2f}" == "1.50+0.25j"
    assert f"{make(xp, 0.1, 'float32'):.3f}" == "0.100"
    with pytest.raises(ValueError, match="'d'"):
        format(make(xp, 1.0), "d")
    assert format(make(xp, np.nan), ".2f") == "nan"


@pytest.mark.parametrize("values", [2.5, [1.0, 2.0]])
def test_without_a_format_it_is_the_text_of_the_tensor(xp, values):
    x = make(xp, values, requires_grad=True)
    assert f"{x}" == format(x) == str(x)
    assert "requires_grad=True" in f"{x}"


@pytest.mark.parametrize("values", [[1.0], [[1.0, 2.0]], []])
def test_an_array_has_no_format_for_numbers(xp, values):
    x = make(xp, values)
    with pytest.raises(TypeError, match=r"'.2f'.*shape \(.*tolist"):
        format(x, ".2f")
    with pytest.raises(TypeError, match=r"shape \(.*xgrad.round"):
        round(x, 2)


@pytest.mark.parametrize("requires_grad", [False, True])
def test_round_gives_a_number(xp, requires_grad):
    x = make(xp, 2.34567, requires_grad=requires_grad)
    assert round(x, 3) == 2.346
    assert round(x) == 2
    assert type(round(x)) is int
    assert f"{round(x, 2)}" == "2.35"
    assert round(make(xp, 1234), -2) == 1200


@pytest.mark.parametrize("values", [2.5, [1.0, 2.0], [[1, 2], [3, 4]], [True, False], [1.0 + 2.0j], []])
def test_tolist(xp, values):
    x = make(xp, values)
    assert x.tolist() == values
    assert make(xp, [1.0, 2.0], requires_grad=True).tolist() == [1.0, 2.0]


def test_item_of_many_says_what_gives_them(xp):
    with pytest.raises(ValueError, match=r"2 elements.*tolist"):
        make(xp, [1.0, 2.0]).item()


# --- NumPy's calls --------------------------------------------------------------------------------


def test_asarray_is_a_copy_of_what_others_hold(backend, xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])
    raw = x.data
    leaf = make(xp, [1.0, 2.0], requires_grad=True)
    saved = make(xp, [1.0, 2.0])
    product = saved * leaf
    for t, want in (
        (x, [[1, 2], [3, 4]]),
        (x.T, [[1, 3], [2, 4]]),
        (leaf.detach(), [1, 2]),
        (saved, [1, 2]),
    ):
        if not on_host(backend):
            with pytest.raises(TypeError, match=r"not in the host's memory.*t\.numpy\(\)"):
                np.asarray(t)
            continue
        found = np.asarray(t)
        np.testing.assert_array_equal(found, want)
        found[...] = 0
        np.testing.assert_array_equal(t.numpy(), want)
        assert np.asarray(t, dtype=np.float32).dtype == np.float32
        assert np.array(t, copy=True).shape == t.shape
        with pytest.raises(ValueError, match="copy=False"):
            np.asarray(t, copy=False)
    assert raw.shape == (2, 2)
    xp.sum(product).backward()
    assert leaf.grad is not None
    np.testing.assert_array_equal(leaf.grad.numpy(), [1, 2])


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x[1], lambda x: x.T, lambda x: x[:, ::-1]])
def test_asarray_shares_memory_that_nobody_else_holds(view):
    """A library that is told to put its result into a tensor does so."""
    with xg.use_backend("numpy"):
        t = view(xg.reshape(xg.zeros(6), (2, 3)))
        np.asarray(t)[...] = 7.0
        assert np.asarray(t, copy=False) is not None
        assert t.numpy().min() == 7.0
        mine, again = np.asarray(t), np.asarray(t)  # the first does not keep the second from it
        again[...] = 8.0
        assert mine.min() == t.numpy().min() == 8.0
        again[...] = 7.0
        t[0] = 1.0  # somebody holds the memory now, so the tensor gets another
        assert mine.min() == 7.0
        copied = np.array(t)
        copied[...] = 0.0
        assert np.asarray(t, dtype=np.float32).dtype == np.float32
        assert t.numpy().max() == 7.0
        with pytest.raises(ValueError, match="a tensor on NumPy of the same dtype"):
            np.asarray(t, dtype=np.float32, copy=False)


def memory_map(tmp_path):
    return np.memmap(tmp_path / "values", dtype=np.float64, mode="w+", shape=4)


@pytest.mark.parametrize(
    "array",
    [
        lambda _: np.frombuffer(bytearray(32)),
        lambda _: np.asarray(memoryview(bytearray(32)).cast("d")),
        lambda folder: np.asarray(memory_map(folder)),
        lambda folder: np.asarray(memory_map(folder))[1:],
        lambda _: np.ndarray(4, buffer=bytearray(32)),
    ],
    ids=["frombuffer", "memoryview", "memmap", "memmap_view", "buffer"],
)
def test_asarray_is_a_copy_of_memory_that_is_no_arrays(array, tmp_path):
    """Whoever made the buffer may look at it."""
    raw = array(tmp_path)
    raw[...] = 1.0
    with xg.use_backend("numpy"):
        t = xg.asarray(raw)
        view = t[1:]
        del raw
        np.asarray(t)[...] = 2.0
        np.asarray(view)[...] = 2.0
        assert set(t.tolist()) == set(view.tolist()) == {1.0}
        t[0] = 3.0
        assert t.tolist()[:2] == [3.0, 1.0]


def test_scipy_fills_a_tensor():
    ndimage = pytest.importorskip("scipy.ndimage")
    with xg.use_backend("numpy"):
        x = xg.reshape(xg.arange(12.0), (3, 4))
        t = xg.zeros((3, 4))
        ndimage.sobel(x, output=t)
        want = ndimage.sobel(x.numpy())
        np.testing.assert_array_equal(t.numpy(), want)
        ndimage.sobel(x, output=x)
        np.testing.assert_array_equal(x.numpy(), want)


def test_a_borrower_does_not_let_others_write_into_what_was_saved():
    with xg.use_backend("numpy"):
        t, w = xg.asarray([1.0, 2.0]), xg.asarray([3.0, 4.0], requires_grad=True)
        borrowed = np.asarray(t)
        y = xg.sum(t * w)
        np.asarray(t)[...] = 0.0
        assert borrowed.tolist() == t.tolist() == [1.0, 2.0]
        y.backward()
        assert w.grad.tolist() == [1.0, 2.0]


def test_lists_of_tensors_and_scalars(backend, xp):
    if not on_host(backend):
        pytest.skip("its values are on a device")
    losses = [make(xp, 1.0), make(xp, 3.0)]
    assert np.mean(losses) == 2.0
    assert np.asarray(losses).tolist() == [1.0, 3.0]
    assert np.stack([make(xp, [1, 2]), make(xp, [3, 4])]).tolist() == [[1, 2], [3, 4]]
    assert np.asarray(make(xp, True)).dtype == np.bool_


def test_a_gradient_is_never_lost_without_a_word(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    losses = [xp.sum(x), xp.sum(x * x)]
    for call in (
        lambda: np.asarray(x),
        lambda: np.array(x * 2),
        lambda: np.mean(losses),
        lambda: np.asarray(losses),
    ):
        with pytest.raises(TypeError, match=r"gradient.*t\.detach\(\).*t\.numpy\(\)"):
            call()
    with xg.no_grad(), pytest.raises(TypeError, match="gradient"):
        np.asarray(x)


def test_inside_of_vmap_there_is_no_one_value(backend, xp):
    with pytest.raises(TypeError, match=r"vmap|device"):
        xg.vmap(lambda x: np.asarray(x).sum())(make(xp, [[1.0, 2.0], [3.0, 4.0]]))


def test_libraries_around_it_take_a_tensor(backend, xp):
    if not on_host(backend):
        pytest.skip("its values are on a device")
    x, y = make(xp, [1.0, 2.0, 4.0]), make(xp, [1, 0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plt = pytest.importorskip("matplotlib.pyplot")
        metrics = pytest.importorskip("sklearn.metrics")
        pandas = pytest.importorskip("pandas")
    figure, axes = plt.subplots()
    (line,) = axes.plot(x, x * x)
    assert line.get_ydata().tolist() == [1.0, 4.0, 16.0]
    axes.hist(x)
    axes.scatter(x, y)
    axes.imshow(make(xp, [[1.0, 2.0]]))
    plt.close(figure)
    assert metrics.accuracy_score([1, 1, 1], y.numpy()) == metrics.accuracy_score([1, 1, 1], y) == 2 / 3
    assert pandas.Series(x).sum() == 7.0
    assert pandas.DataFrame({"x": x, "y": y})["y"].tolist() == [1, 0, 1]
