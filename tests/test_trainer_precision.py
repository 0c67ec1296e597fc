"""Mixed precision in the trainer: `precision=`, the scale of the losses, and its place in checkpoints."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import dtype_name, to_numpy
from tests.support.trainers import adam, loader, network, trainer
from xgrad import nn, optim

SINGLE = "float32"


@pytest.fixture
def precision(half):
    return half


@pytest.fixture
def sixteen(backend):
    if not backend.has_dtype("float16") or backend.name == "jax":
        pytest.skip(f"{backend.name} has no float16, or takes long for it")


def points(rows: int = 24) -> tuple[Any, Any]:
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    return xg.asarray(x), xg.asarray(x.sum(axis=1, keepdims=True) + 1)


class Dtypes(nn.Module):
    """A network that notes the dtype of its output."""

    def __init__(self) -> None:
        self.inner = network().float()
        self.seen: list[str] = []

    def forward(self, x: Any) -> Any:
        y = self.inner(x)
        self.seen.append(dtype_name(y.dtype))
        return y


def test_products_are_in_that_precision_and_weights_in_float32(precision):
    model = Dtypes()
    ours = trainer(model, precision=precision, metrics=["r2"])
    history = ours.fit(points(), epochs=2, validation=points())
    assert dtype_name(ours.predict(points()[0]).dtype) == precision
    ours.evaluate(points())
    assert set(model.seen) == {precision}
    assert {dtype_name(p.dtype) for p in model.parameters()} == {SINGLE}
    assert all(math.isfinite(value) for column in history.values() for value in column)
    assert ours.scaler.is_enabled() is (precision == "float16")


@pytest.mark.parametrize("word", [None, "float32"])
def test_other_words_compute_in_the_dtype_of_the_model(backend, word):
    model = Dtypes()
    trainer(model, precision=word).fit(points(), epochs=1)
    assert set(model.seen) == {SINGLE}


def losses(precision: str | None, **options: Any) -> Any:
    ours = trainer(network().float(), precision=precision, **options)
    if ours.scaler.is_enabled():  # so that no step is left out
        ours.scaler.load_state_dict({**ours.scaler.state_dict(), "scale": 256.0})
    return np.array(ours.fit(points(), epochs=4, batch_size=8)["loss"]), ours


@pytest.mark.parametrize("options", [{}, {"clip_grad_norm": 0.5}, {"accumulate": 2}, {"nonfinite": "ignore"}], ids=str)
def test_the_losses_are_those_of_float32_nearly(precision, options):
    want, _ = losses(None, **options)
    found, ours = losses(precision, **options)
    np.testing.assert_allclose(found, want, rtol=2e-2 if precision == "float16" else 5e-2)
    assert not ours.skipped


@pytest.mark.parametrize("nonfinite", ["stop", "ignore"])
def test_compiled_steps_are_the_same(precision, nonfinite):
    want, _ = losses(precision, clip_grad_norm=0.5, nonfinite=nonfinite)
    found, ours = losses(precision, clip_grad_norm=0.5, nonfinite=nonfinite, compile=True)
    np.testing.assert_allclose(found, want, rtol=2e-2)
    assert ours.step == 12


@pytest.mark.usefixtures("sixteen")
@pytest.mark.parametrize("compile", [False, True])
def test_overflow_leaves_steps_out_and_says_so(caplog, compile):
    ours = trainer(network().float(), precision="float16", compile=compile)
    ours.scaler.load_state_dict({**ours.scaler.state_dict(), "scale": 2.0**40})
    before = [to_numpy(p) for p in ours.model.parameters()]
    changed = []
    with caplog.at_level(logging.INFO, logger="xgrad"):
        ours.fit(
            points(8),
            epochs=40,
            callbacks=[lambda t: changed.append(not np.array_equal(to_numpy(next(t.model.parameters())), before[0]))],
        )
    assert ours.skipped >= 15
    assert changed[: ours.skipped] == [False] * ours.skipped
    assert all(changed[ours.skipped :])
    assert ours.scaler.get_scale() == 2.0 ** (40 - ours.skipped)
    assert sum("was left out" in record.getMessage() for record in caplog.records) == ours.skipped


@pytest.mark.usefixtures("sixteen")
def test_a_run_whose_gradients_never_are_finite_ends():
    model = network().float()
    loss = lambda output, target: xg.sum(xg.sqrt(xg.abs(output - output.detach())))  # noqa: E731 (its slope is infinite)
    ours = trainer(model, loss=loss, precision="float16")
    with pytest.raises(xg.trainer.NonFiniteError, match="the scaled gradients overflow at every scale"):
        ours.fit(points(8), epochs=100)
    assert ours.scaler.get_scale() < 1


def test_a_loss_that_is_not_finite_ends_the_run_as_it_does_in_float32(precision):
    x, y = points()
    model = network().float()
    weights = [to_numpy(p) for p in model.parameters()]
    ours = trainer(model, precision=precision)
    with pytest.raises(xg.trainer.NonFiniteError):
        ours.fit((x, y * math.inf), epochs=1)
    for p, before in zip(model.parameters(), weights, strict=True):
        np.testing.assert_array_equal(to_numpy(p), before)


@pytest.mark.usefixtures("sixteen")
def test_the_scale_is_part_of_a_checkpoint(tmp_path):
    def run(epochs: int, resume: bool = False) -> Any:
        ours = trainer(network().float(), precision="float16")
        ours.scaler.set_growth_interval(5)
        ours.fit(
            points(), epochs, batch_size=8, callbacks=[xg.trainer.Checkpoint(tmp_path)] if resume or epochs == 3 else [],
            resume=resume,
        )  # fmt: skip
        return ours

    whole = run(6)
    run(3)
    resumed = run(6, resume=True)
    assert resumed.scaler.state_dict() == whole.scaler.state_dict()
    assert whole.scaler.get_scale() != 2.0**16
    for p, q in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        np.testing.assert_array_equal(to_numpy(p), to_numpy(q))


@pytest.mark.usefixtures("sixteen")
def test_a_checkpoint_without_a_scale_is_an_error_that_changes_nothing(tmp_path):
    trainer(network().float()).fit(points(), 1, callbacks=[xg.trainer.Checkpoint(tmp_path)])
    ours = trainer(network().float(), precision="float16")
    before = [to_numpy(p) for p in ours.model.parameters()]
    with pytest.raises(xg.state.StateError, match="has no scaler, and this trainer has"):
        ours.fit(points(), 2, resume=tmp_path)
    np.testing.assert_array_equal(to_numpy(next(ours.model.parameters())), before[0])


@pytest.mark.usefixtures("sixteen")
def test_the_search_for_a_learning_rate_puts_the_scale_back():
    ours = trainer(network().float(), precision="float16")
    before = ours.scaler.state_dict()
    assert len(ours.find_lr(points(), steps=12, batch_size=8).losses) > 5
    assert ours.scaler.state_dict() == before


@pytest.mark.usefixtures("sixteen")
def test_a_closure_needs_another_precision():
    model = network().float()
    for kind, fits in (("float16", False), ("bfloat16", True)):
        if not xg.get_backend().has_dtype(kind):
            continue
        make = lambda p: optim.LBFGS(p, lr=0.1)  # noqa: E731
        if fits:
            trainer(model, make, precision=kind).fit(points(), 1)
        else:
            with pytest.raises(ValueError, match=r'LBFGS evaluates it several times.*"bfloat16" needs no scale'):
                trainer(model, make, precision=kind)


def test_a_backend_without_the_dtype_is_an_error(backend):
    for kind in ("float16", "bfloat16"):
        if not backend.has_dtype(kind):
            with pytest.raises(xg.BackendError, match=rf"precision={kind!r}: .* has no {kind}. These backends have it"):
                trainer(network().float(), precision=kind)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, for gradients that overflow in the plain loop
def test_the_steps_are_those_of_the_plain_loop(precision):
    x, y = points()
    ours = trainer(network().float(), precision=precision)
    ours.fit((x, y), epochs=3, batch_size=8)
    model, scaler = network().float(), xg.amp.GradScaler(enabled=precision == "float16")
    optimizer, batches = adam(model.parameters()), loader(x, y)
    for _ in range(3):
        for xs, ys in batches:
            optimizer.zero_grad()
            with xg.amp.autocast(precision):
                loss = nn.functional.mse_loss(model(xs), ys)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    for p, q in zip(ours.model.parameters(), model.parameters(), strict=True):
        np.testing.assert_array_equal(to_numpy(p), to_numpy(q))


def test_metrics_have_the_digits_of_float32(precision):
    """21 of 30 right is 0.7, and not the nearest number of half precision."""
    model = nn.Linear(1, 2, dtype="float32")
    model.load_state_dict({"weight": np.asarray([[1.0], [-1.0]]), "bias": np.zeros(2)})
    trainer = xg.Trainer(
        model,
        nn.CrossEntropyLoss(),
        optim.SGD(model.parameters()),
        metrics=["accuracy"],
        precision=precision,
        progress=False,
    )
    x = np.ones((30, 1), np.float32)
    found = trainer.evaluate((x, np.asarray([0] * 21 + [1] * 9)), batch_size=30)
    assert found["accuracy"] == pytest.approx(0.7, abs=1e-6)
