"""`xg.detect_anomaly`: the first operation that gave nan or inf, and the line of the program that called it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import xgrad as xg
from xgrad.diagnose import anomaly
from xgrad.diagnose.anomaly import Anomaly, AnomalyError, detect_anomaly
from xgrad.engine import tape, watching
from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def found(run: Callable[[], Any], **options: Any) -> Anomaly:
    with pytest.raises(AnomalyError) as error, detect_anomaly(**options):
        run()
    assert not tape.watchers
    assert Tensor in plain_types
    return error.value.anomaly


def leaf(xp: Any, *values: float) -> Any:
    return xp.asarray(list(values), dtype=xp.float64, requires_grad=True)


def test_forward_names_the_producer_and_not_what_follows(xp: Any) -> None:
    x = leaf(xp, 0.0, 1.0)

    def run() -> None:
        y = xp.exp(xp.log(x))  # the producer
        xp.sum(y * 2).backward()

    it = found(run)
    assert (it.op, it.phase, it.kind, it.how) == ("log", "forward", "inf", "made")
    assert it.site.file == __file__
    assert "the producer" in str(it)
    assert (it.operands[0].low, it.operands[0].high) == (0.0, 1.0)
    assert "2 float64, 0 to 1" in str(it)


def test_backward_names_the_operation_and_the_line_that_recorded_it(xp: Any) -> None:
    x = leaf(xp, 0.0, 4.0)

    def run() -> None:
        root = xp.sqrt(x)  # recorded here
        loss = xp.sum(root * 3)
        loss.backward()

    it = found(run)
    assert (it.op, it.phase, it.kind, it.how) == ("sqrt", "backward", "inf", "made")
    assert "recorded here" in str(it)


def test_an_infinity_that_relu_hides(xp: Any) -> None:
    x = leaf(xp, -1e200)
    assert found(lambda: xp.relu(x * 1e200)).op == "multiply"


def test_gradients_whose_sum_overflows(xp: Any) -> None:
    x = leaf(xp, 1.0)

    def run() -> None:
        y = x * 1.0
        (xp.sum(y * 1e308) / 8 + xp.sum(y * 1e308) / 8).backward(xp.asarray(8.0, dtype=xp.float64))

    it = found(run)
    assert (it.op, it.how) == ("multiply", "summed")


def test_a_nan_that_was_given(xp: Any) -> None:
    data = xp.asarray([float("nan"), 1.0], dtype=xp.float64)
    it = found(lambda: leaf(xp, 1.0, 2.0) * data)
    assert (it.op, it.how) == ("multiply", "given")


def test_masks_that_are_meant(xp: Any) -> None:
    x = leaf(xp, 0.0, 1.0)
    keep = xp.asarray([True, False])
    with detect_anomaly():
        scores = xp.where(keep, x, xp.full_like(x.detach(), -xg.inf))
        xp.sum(xp.softmax(scores)).backward()
    mask = xp.asarray([0.0, 1.0], dtype=xp.float64, requires_grad=True)

    def attend() -> None:
        xp.softmax(xp.log(mask) + x)

    assert found(attend).op == "log"
    with detect_anomaly(allow=["log"]):
        attend()


def test_what_is_let_through_does_not_hide_another(xp: Any) -> None:
    x = leaf(xp, 0.0, 1e200)
    assert found(lambda: (xp.log(x), x * x), allow=["log"]).op == "multiply"


def test_a_derivative_of_a_derivative(xp: Any) -> None:
    def run() -> None:
        xg.grad(xg.grad(lambda x: x**1.5))(xp.asarray(0.0, dtype=xp.float64))

    assert found(run).kind in ("inf", "nan")


def test_a_primitive_and_an_operation_with_several_outputs(xp: Any) -> None:
    @xg.primitive
    def half(x: Any) -> Any:
        return x / 2

    half.defvjp(lambda g, out, x: g / (x - x))
    it = found(lambda: xp.sum(half(leaf(xp, 1.0))).backward())
    assert (it.op, it.phase) == ("half", "backward")

    def degenerate() -> None:  # eigenvectors of equal eigenvalues
        _, vectors = xp.linalg.eigh(xp.asarray([[1.0, 0.0], [0.0, 1.0]], dtype=xp.float64, requires_grad=True))
        xp.sum(vectors * xp.asarray([[1.0, 2.0], [3.0, 4.0]], dtype=xp.float64)).backward()

    with detect_anomaly():
        try:
            degenerate()
        except AnomalyError as error:
            assert error.anomaly.op == "linalg.eigh"  # noqa: PT017 (a backend may give 0 there)


def test_values_are_those_of_the_quick_way(xp: Any) -> None:
    def run() -> list[Any]:
        layer = xg.nn.Linear(3, 2, rng=xg.random.Generator(0))
        x = xp.asarray([[1.0, -2.0, 3.0]], dtype=layer.weight.dtype)
        y = xp.sum(xp.tanh(layer(x)) * 3.0 / 7.0)
        y.backward()
        return [y.numpy(), *(p.grad.numpy() for p in layer.parameters() if p.grad is not None)]

    plain = run()
    with detect_anomaly():
        watched = run()
    for a, b in zip(plain, watched, strict=True):
        assert (a == b).all()


def test_other_threads_are_left_alone(xp: Any) -> None:
    failed: list[Exception] = []

    def elsewhere() -> None:
        try:
            with xg.use_backend(xg.get_backend()):
                xp.log(leaf(xp, 0.0))
        except Exception as error:
            failed.append(error)

    with detect_anomaly():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert not failed


def test_it_warns_when_it_is_left_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(anomaly, "LONG", 5)
    x = xg.asarray([1.0])
    switch = detect_anomaly()
    switch.__enter__()
    try:
        for _ in range(3):
            x = x + 1
        with pytest.warns(UserWarning, match="still on"):
            x = x + (x + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x + 1  # once is enough
        anomaly._at_exit()
        assert "left on" in capsys.readouterr().err
    finally:
        switch.__exit__()


def test_nested_blocks_and_errors_leave_nothing_behind() -> None:
    with detect_anomaly(), detect_anomaly():
        assert len(tape.watchers) == 2
        assert not plain_types
    assert not tape.watchers
    assert Tensor in plain_types
    assert xg.nn.Parameter in plain_types
    watching.remove(print)  # was not there
    with pytest.raises(TypeError, match="list of names"):
        detect_anomaly(allow="log")
