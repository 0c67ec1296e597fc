"""Running out of memory at any allocation of a training step: nothing is lost or half written, and the step can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.allocations import counted
from tests.support.arrays import make, to_numpy
from tests.support.training import CLASSES, LOSSES, OPTIMIZERS_BY_OPTION, Batch, batch, network
from xgrad import optim
from xgrad.engine.op import OPS


@pytest.fixture
def strict():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict", "device1") as backend:
        yield backend


def refuse_each(attempt: Callable[[int | None], bool]) -> int:
    """Call `attempt(k)` for k = 1, 2, ... 16, and then for every third k. It says whether the k-th allocation was refused.

    Returns about how many there were.
    """
    k = 1
    while attempt(k):
        k += 1 if k < 16 else 3
        assert k < 5_000, "this never ends"
    return k - 1


def refused(backend: Any, k: int | None, run: Callable[[], Any]) -> bool:
    """Run with the k-th allocation refused; whether there were so many."""
    try:
        with counted(backend, k):
            run()
    except MemoryError:
        return True
    return False


# --- the optimizer's step -------------------------------------------------------------------------------


class Steps:
    """Three parameters with gradients, of which one is shared with the user, and an optimizer."""

    def __init__(self, name: str, options: dict[str, Any], dtype: str = "float32") -> None:
        self.params = [
            make(xg.get_backend().view, np.linspace(0.5, 2.0, n).astype(dtype) * (1 + n), dtype, requires_grad=True)
            for n in (3, 1, 2)
        ]
        self.kept = self.params[1].data  # somebody else holds this array
        self.before = to_numpy(self.params[1])
        self.optimizer: Any = getattr(optim, name)(self.params, lr=0.1, **options)

    def differentiate(self, scale: float) -> None:
        for p in self.params:
            kind = to_numpy(p).dtype
            g = np.linspace(-1.0, scale, p.size) * (1 + 2j if kind.kind == "c" else 1)
            p.grad = make(xg.get_backend().view, g, str(kind))

    def numbers(self) -> list[Any]:
        saved = self.optimizer.state_dict()["state"]
        state = [v for number in sorted(saved) for _, v in sorted(saved[number].items())]
        return [to_numpy(v) if isinstance(v, xg.Tensor) else v for v in [*self.params, *state]]


def same(got: list[Any], want: list[Any]) -> None:
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS_BY_OPTION)
@pytest.mark.parametrize(("disturbed", "dtype"), [(1, "float32"), (2, "complex64")])
def test_a_step_is_finished_by_the_next_call(strict, name, options, disturbed, dtype):
    undisturbed = Steps(name, options, dtype)
    for step in (1, 2):
        undisturbed.differentiate(step)
        undisturbed.optimizer.step()

    def attempt(k: int | None) -> bool:
        steps = Steps(name, options, dtype)
        happened = False
        for step in (1, 2):
            steps.differentiate(step)
            if step == disturbed:
                happened = refused(strict, k, steps.optimizer.step)
            if step != disturbed or happened:
                steps.optimizer.step()
        same(steps.numbers(), undisturbed.numbers())
        np.testing.assert_array_equal(strict.to_numpy(steps.kept), steps.before)
        return happened

    assert refuse_each(attempt) >= 3


@pytest.mark.parametrize(("name", "options"), [("SGD", {"momentum": 0.9}), ("Adam", {})])
def test_it_may_fail_several_times(strict, name, options):
    undisturbed, steps = Steps(name, options), Steps(name, options)
    for case in (undisturbed, steps):
        case.differentiate(1.0)
    undisturbed.optimizer.step()
    failures = 0
    for k in (7, 6, 5, 4, 3, 2, 1):
        failures += refused(strict, k, steps.optimizer.step)
    steps.optimizer.step()
    assert failures >= 3
    if failures == 7:
        same(steps.numbers(), undisturbed.numbers())


def unfinished(backend: Any) -> Steps:
    """A step that failed at its last allocation."""
    steps = Steps("SGD", {})
    steps.differentiate(1.0)
    with counted(backend) as allocations:
        steps.optimizer.step()
    steps = Steps("SGD", {})
    steps.differentiate(1.0)
    assert refused(backend, allocations.count, steps.optimizer.step)
    assert len(steps.optimizer._moved) == 2
    return steps


def test_new_gradients_are_a_new_step(strict):
    """What a failed step remembers ends with the gradients it was of: nothing is skipped later."""
    steps = unfinished(strict)
    moved = to_numpy(steps.params[0])
    steps.differentiate(1.0)
    steps.optimizer.step()
    assert (to_numpy(steps.params[0]) != moved).any()
    assert not steps.optimizer._moved


def test_zero_grad_lets_go_of_the_gradients(strict):
    steps = unfinished(strict)
    steps.optimizer.zero_grad()
    assert not steps.optimizer._moved


# --- forward and backward -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_arrive_all_or_none(strict, loss):
    """Into `.grad` that holds something already, so that there is something to lose. One loss is of the whole network."""
    every_layer = loss == next(iter(LOSSES))

    def prepared() -> tuple[Any, Batch]:
        xg.random.seed(0)
        return network() if every_layer else xg.nn.Linear(3, CLASSES, dtype=xg.float32), batch()

    model, b = prepared()
    for _ in range(2):
        LOSSES[loss](model(b.x), b).backward()
    want = [to_numpy(p.grad) for p in model.parameters()]
    model, b = prepared()
    LOSSES[loss](model(b.x), b).backward()
    first = [p.grad for p in model.parameters()]
    numbers = [to_numpy(g) for g in first]

    def attempt(k: int | None) -> bool:
        for p, g in zip(model.parameters(), first, strict=True):
            p.grad = g
        happened = refused(strict, k, lambda: LOSSES[loss](model(b.x), b).backward())
        if happened:
            assert all(p.grad is g for p, g in zip(model.parameters(), first, strict=True))
            same([to_numpy(g) for g in first], numbers)
            LOSSES[loss](model(b.x), b).backward()
        same([to_numpy(p.grad) for p in model.parameters()], want)
        return happened

    assert refuse_each(attempt) > (60 if every_layer else 3)


def test_clipping_is_all_or_none(strict):
    def prepared() -> Steps:
        steps = Steps("SGD", {})
        steps.differentiate(3.0)
        return steps

    for clip in (
        lambda params: xg.nn.utils.clip_grad_norm_(params, 0.5),
        lambda params: xg.nn.utils.clip_grad_value_(params, 0.5),
    ):
        undisturbed = prepared()
        clip(undisturbed.params)

        def attempt(k: int | None, clip: Any = clip, undisturbed: Steps = undisturbed) -> bool:
            steps = prepared()
            happened = refused(strict, k, lambda: clip(steps.params))
            if happened:
                clip(steps.params)
            same([to_numpy(p.grad) for p in steps.params], [to_numpy(p.grad) for p in undisturbed.params])
            return happened

        assert refuse_each(attempt) >= 3


@pytest.mark.parametrize(
    "write",
    [
        lambda x, v: x.__setitem__(slice(1, 3), v),
        lambda x, v: x.__iadd__(v[0]),
        lambda x, v: x.__imul__(2.0),
    ],
)
def test_a_write_that_fails_changes_nothing(strict, write):
    start = np.asarray([1.0, 2.0, 3.0])

    def attempt(k: int | None) -> bool:
        leaf, v = make(strict.view, start, requires_grad=True), make(strict.view, [5.0, 7.0], requires_grad=True)
        x = leaf * 1
        happened = refused(strict, k, lambda: write(x, v))
        if happened:
            same([to_numpy(x)], [start])
            write(x, v)
        xg.sum(x * x).backward()
        results.append([to_numpy(a) for a in (x, leaf.grad) if a is not None])
        return happened

    results: list[Any] = []
    refuse_each(attempt)
    for got in results:
        same(got, results[-1])


def test_the_counter_counts(strict):
    a, b = make(strict.view, [1.0, 2.0]).data, make(strict.view, [3.0, 4.0]).data
    with counted(strict) as allocations:
        a + b
        assert allocations.count == 1
        a += b
        a[0] = b[1]
        assert allocations.count <= 2  # reading b[1] makes an array
    with pytest.raises(MemoryError), counted(strict, 1):
        a * b


# --- what is said of it ---------------------------------------------------------------------------------


class LibraryOutOfMemoryError(MemoryError):
    """As CuPy has one of its own."""


@pytest.fixture
def short_of_memory(monkeypatch):
    """NumPy, where a function named here fails for want of memory; and how that is put into words."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise LibraryOutOfMemoryError("allocating 8 bytes")

    with xg.use_backend("numpy") as backend:
        monkeypatch.setattr(type(backend), "in_words", lambda self, error: f"{error} of 9", raising=True)
        yield lambda name: monkeypatch.setattr(backend.xp, name, fail, raising=False)


def test_an_operation_is_named(short_of_memory, monkeypatch):
    x = xg.asarray([[1.0, 2.0]])
    short_of_memory("tensordot")
    monkeypatch.setitem(OPS["tensordot"].raw, xg.get_backend(), xg.get_backend().xp.tensordot)
    with pytest.raises(MemoryError, match=r"^tensordot of \(1, 2\) float64 and .*: allocating 8 bytes of 9$") as caught:
        xg.tensordot(x, x, axes=2)
    assert type(caught.value) is MemoryError
    assert isinstance(caught.value.__cause__, LibraryOutOfMemoryError)


def test_an_operation_is_named_in_backward(short_of_memory):
    x = xg.asarray([[1.0, 2.0]], requires_grad=True)
    y = xg.sum(xg.tanh(xg.matmul(x, xg.matrix_transpose(x))))
    short_of_memory("matmul")
    with pytest.raises(MemoryError, match=r"^backward of matmul: allocating 8 bytes of 9$"):
        y.backward()
    assert x.grad is None


def test_an_optimizer_is_named(short_of_memory):
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    w.grad = xg.asarray([1.0, 1.0])
    optimizer = optim.Adam([w])
    short_of_memory("sqrt")
    with pytest.raises(MemoryError, match=r"^Adam.step of a parameter \(2,\): allocating 8 bytes of 9$"):
        optimizer.step()
    assert to_numpy(w).tolist() == [1.0, 2.0]


def test_other_errors_stay_as_they_are():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    w.grad = xg.asarray([1.0, 1.0])
    with pytest.raises(ZeroDivisionError):
        Failing([w], {}).step()


class Failing(optim.Optimizer):
    checks = {}  # noqa: RUF012

    @staticmethod
    def update(xp: Any, p: Any, g: Any, state: Any, o: Any) -> Any:
        raise ZeroDivisionError


def test_pytorchs_own_error_is_a_memory_error():
    pytest.importorskip("torch")
    with xg.use_backend("torch", "cpu"), pytest.raises(MemoryError, match=r"zeros|allocate"):
        xg.zeros((2**40,)) + xg.zeros((1,))
