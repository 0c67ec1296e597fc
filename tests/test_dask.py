"""dask.array: nothing is computed before it is asked for, and arrays stay in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES, one
from tests.point import Point
from tests.support.arrays import assert_close, small_chunks, to_numpy
from xgrad import nn, optim

dask = pytest.importorskip("dask")
Callback: Any = pytest.importorskip("dask.callbacks").Callback
da = pytest.importorskip("dask.array")


class ComputedError(Exception):
    pass


def refuses(*args: Any, **kwargs: Any) -> Any:
    raise ComputedError("something was computed that nobody asked for")


@pytest.fixture
def lazily() -> Iterator[Any]:
    """The dask backend with arrays in small chunks; `with lazily():` makes it an error to compute any."""
    with xg.use_backend("dask"), small_chunks():
        yield lambda: dask.config.set(scheduler=refuses)


# --- nothing is computed --------------------------------------------------------------------------------


def test_the_scheduler_that_refuses_is_asked(lazily):
    there = xg.asarray([1.0, 2.0])
    x = there * 1.0
    with lazily():
        assert there.numpy().tolist() == [1.0, 2.0]  # values that are there are not computed
        for ask in (x.numpy, xg.sum(x).item, lambda: float(xg.sum(x)), lambda: bool(x[0] > 0), lambda: repr(x)):
            with pytest.raises(ComputedError):
                ask()


LOOKS = {"arange"}  # at its bounds and step, for the number of elements


@pytest.mark.parametrize("name", sorted(set(CASES) - LOOKS))
def test_no_function_and_no_derivative_computes(lazily, name):
    backend = xg.get_backend()
    for case in one(name, "dask"):
        point = Point(case, backend)
        if name in backend.cannot:
            point.assert_cannot()
            continue
        ts, ws = tuple(point.tensors(point.directions)), None
        if "dask" not in case.without:
            ws = tuple(point.tensors(point.weights))
        with lazily():
            xs = point.tensors(point.xs)
            if ws is None:
                with pytest.raises(
                    NotImplementedError, match=r"'dask' cannot do [a-z ]*: the shape of the result depends"
                ):
                    pulled(point.function, xs)
                continue
            got = xg.vjp(point.function, *xs)[1](ws)
            tangents = xg.jvp(point.function, xs, ts)[1]
            assert all(backend.owns(t.data) for t in (*got, *tangents))


def pulled(function: Any, xs: Any) -> Any:
    outputs, pull = xg.vjp(function, *xs)
    return pull(tuple(xg.ones_like(y) for y in outputs))


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.1, centered=True, momentum=0.5),
    "Adam": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
}

LOSSES = {
    "MSELoss": (nn.MSELoss, lambda x: x[:, :3]),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, lambda x: xg.argmax(x[:, :3], axis=1)),
    "CrossEntropyLoss, smoothed": (
        lambda: nn.CrossEntropyLoss(label_smoothing=0.1),
        lambda x: xg.argmax(x[:, :3], axis=1),
    ),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, lambda x: xg.astype(x[:, :3] > 0, x.dtype)),
}


def network(rng: Any) -> Any:
    hidden = nn.Linear(5, 4, dtype=xg.float64, rng=rng)
    return nn.Sequential(hidden, nn.Sigmoid(), nn.Linear(4, 3, dtype=xg.float64, rng=rng))


def trained(optimizer: Any, loss: Any, target: Any, x: Any, *, steps: int = 2) -> tuple[Any, Any]:
    model = network(xg.random.Generator(0))
    made = optimizer(model.parameters())
    loss_function = loss()
    for _ in range(steps):
        made.zero_grad()
        value = loss_function(model(x), target(x))
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        made.step()
    return value, model


@pytest.mark.parametrize(
    ("loss", "optimizer"), [(a, b) for a in LOSSES for b in OPTIMIZERS if a == min(LOSSES) or b == min(OPTIMIZERS)]
)
def test_a_training_step_computes_once_and_in_the_optimizer(lazily, optimizer, loss):
    numbers = np.random.default_rng(1).normal(size=(6, 5))
    calls: list[int] = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return dask.get(*args, **kwargs)

    def stepping(parameters: Any) -> Any:
        made: Any = OPTIMIZERS[optimizer](parameters)
        step = made.step

        def counted() -> None:
            before = len(calls)
            with dask.config.set(scheduler=counting):
                step()
            assert len(calls) == before + 1

        made.step = counted
        return made

    with lazily():
        value, model = trained(stepping, *LOSSES[loss], xg.asarray(numbers))
        value = to_numpy(value)
    parameters = [to_numpy(p) for p in model.parameters()]
    with xg.use_backend("numpy"):
        want, reference = trained(OPTIMIZERS[optimizer], *LOSSES[loss], xg.asarray(numbers))
    assert_close(value, to_numpy(want), 1e-12)
    for p, q in zip(parameters, reference.parameters(), strict=True):
        assert_close(p, to_numpy(q), 1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_rule_is_one_task_for_each_block(optimizer):
    """It writes into copies, so what others hold stays as it is."""
    with xg.use_backend("dask"):
        p = xg.asarray(da.ones((4, 6), chunks=(2, 3)), requires_grad=True)
        made = OPTIMIZERS[optimizer]([p])
        held, g = xg.get_backend().persist([p.data, da.ones((4, 6), chunks=(1, 6))])
        p.data = held
        for _ in range(2):
            p.grad = xg.asarray(g)
            before, tasks = p.data, Tasks()
            with dask.config.set(scheduler="synchronous", **{"optimization.fuse.active": False}), tasks:
                made.step()
            assert len([key for key in tasks.keys if key[0].startswith("rule-step")]) == 4  # one for each block
            assert p.data.chunks == before.chunks
        assert (np.asarray(held) == 1.0).all()
        assert (np.asarray(g) == 1.0).all()


class Tasks(Callback):  # type: ignore[misc]
    """The keys of the tasks that were run."""

    def __init__(self) -> None:
        super().__init__(posttask=lambda key, *_: self.keys.append(key))
        self.keys: list[Any] = []


# --- chunks stay chunks ---------------------------------------------------------------------------------


class Sizes(Callback):  # type: ignore[misc]
    """The size in bytes of the largest thing that a task made, and of all that was held at one time."""

    def __init__(self) -> None:
        super().__init__(posttask=self._after)
        self.largest = self.held = 0

    def _after(self, key: Any, result: Any, graph: Any, state: Any, worker: Any) -> None:
        size = dask.sizeof.sizeof
        self.largest = max(self.largest, size(result))
        self.held = max(self.held, sum(size(value) for value in state["cache"].values()))


def sizes(loss: Any, target: Any, samples: int) -> Sizes:
    """Those of a step on samples in chunks of 100."""
    x = xg.asarray(da.random.default_rng(0).normal(size=(samples, 5), chunks=(100, 5)))
    model = network(xg.random.Generator(0))
    loss(model(x), target(x)).backward()
    found = Sizes()
    with dask.config.set(scheduler="synchronous"), found:
        dask.compute(*(p.grad.data for p in model.parameters()))
    return found


CHUNK = 100 * 5 * 8


@pytest.mark.parametrize("name", LOSSES)
def test_no_task_of_a_step_makes_more_than_a_chunk(name):
    loss: Any
    loss, target = LOSSES[name]
    with xg.use_backend("dask"):
        assert sizes(loss(), target, 3200).largest <= CHUNK + 1000


def numbers(x: Any) -> Any:
    """Class numbers that are not computed from x."""
    made = da.random.default_rng(1).integers(3, size=x.shape[0], chunks=100)
    return xg.asarray(made.astype(np.uint8))


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (nn.MSELoss(), lambda x: x[:, :3]),
        (nn.BCEWithLogitsLoss(), lambda x: xg.astype(x[:, :3] > 0, x.dtype)),
        (nn.CrossEntropyLoss(), numbers),
    ],
    ids=["MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss"],
)
def test_each_chunk_goes_its_own_way_to_the_sum_of_the_gradients(loss, target):
    """So that what is held at a time does not grow with the samples. (A few bytes a chunk do: what is summed.)"""
    with xg.use_backend("dask"):
        small, large = sizes(loss, target, 800), sizes(loss, target, 6400)
    assert large.held < 1.3 * small.held
    assert large.held < 8 * CHUNK


def test_gradients_come_in_the_chunks_of_what_they_are_of():
    with xg.use_backend("dask"):
        x = xg.asarray(da.ones((10, 6), chunks=((3, 7), (4, 2))), requires_grad=True)
    for f in (xg.sum, xg.mean, lambda x: xg.sum(xg.reshape(x, (-1,))), lambda x: xg.sum(x[2:, 1])):
        x.grad = None
        f(x).backward()
        assert x.grad is not None
        assert x.grad.data.chunks == x.data.chunks


# --- what needs more than one chunk at a time -----------------------------------------------------------


def test_what_wants_whole_axes_leaves_the_others_in_chunks():
    with xg.use_backend("dask"):
        x = xg.asarray(da.ones((8, 6), chunks=(2, 3)))
        batch = xg.asarray(da.ones((8, 3, 3), chunks=(2, 2, 2)) + da.eye(3))
    for y in (xg.fft.fft(x), xg.sort(x), xg.linalg.inv(batch), xg.linalg.eigh(batch).eigenvalues):
        assert y.data.numblocks[0] >= 4


def test_shapes_that_depend_on_values_are_refused():
    with xg.use_backend("dask"):
        x = xg.asarray([3.0, 1.0, 3.0])
        for f in (xg.unique_values, xg.nonzero):
            with pytest.raises(NotImplementedError, match="depends on values that are not computed yet"):
                f(x)
        with pytest.raises(NotImplementedError, match=r"cannot do indexing by a mask.*xgrad\.where"):
            x[x > 2]
        x[x > 2] = 0.0  # the shape is known
        assert x.numpy().tolist() == [0.0, 1.0, 0.0]


def test_an_index_out_of_range_is_an_error_when_it_is_computed(lazily):
    x, i = xg.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), xg.asarray([0, 3, 1, 1, 0])
    rows = xg.asarray([0, 1, 1, 1, 1])
    for read in (
        lambda: x[..., i],
        lambda: x[None, 0, i],
        lambda: x[rows, i],
        lambda: xg.take(x, i, axis=1),
        lambda: xg.take_along_axis(x, i[None, :], axis=1),
    ):
        y = read()
        with pytest.raises(IndexError, match="out of"):
            y.numpy()
    for good in (lambda: x[..., i % 3], lambda: x[None, 0, i % 3 - 3], lambda: x[i % 2, ..., 0]):
        assert good().numpy().shape == good().shape


def test_so_is_a_matrix_that_will_not_do(lazily):
    singular = xg.asarray([[1.0, 2.0], [2.0, 4.0]])
    for y in (xg.linalg.inv(singular), xg.linalg.solve(singular, singular), xg.linalg.cholesky(singular - 10.0)):
        with pytest.raises(ValueError, match=r"[Ss]ingular|positive definite"):
            y.numpy()


def test_from_dlpack_takes_the_memory_of_others(lazily):
    host = np.asarray([1.0, 2.0])
    assert xg.from_dlpack(host).numpy().tolist() == [1.0, 2.0]
    x = xg.asarray(host)
    assert xg.from_dlpack(x).data.name == x.data.name


def test_xgrad_fit_trains_as_on_numpy():
    from xgrad.fit import fit

    weights = []
    for backend in ("numpy", "dask"):
        with dask.config.set(scheduler="synchronous"):
            result = fit(steps=3, hidden=(4,), dtype="float64", quiet=True, backend=backend)
        weights.append([to_numpy(p) for p in result.model.parameters()])
    for on_numpy, on_dask in zip(*weights, strict=True):
        assert_close(on_dask, on_numpy, 1e-12)
