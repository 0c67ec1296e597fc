"""Values that are not finite stop a run before they reach the weights: the check of each step, and the search for the cause."""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import xgrad as xg
from xgrad.diagnose.finite import all_finite, is_finite_number
from xgrad.diagnose.keeping import Kept
from xgrad.trainer.training import Training

if TYPE_CHECKING:
    from xgrad.diagnose.anomaly import Anomaly

ADVICE = (
    "standardise x and y, lower the learning rate (it is {lr:g}), or clip the gradients (clip_grad_norm=1.0); "
    'nonfinite="skip" leaves such batches out'
)


class NonFiniteError(RuntimeError):
    """A loss or a gradient was nan or infinite. The weights are those before the step, and all of them are finite.

    >>> import warnings, xgrad as xg
    >>> warnings.simplefilter("ignore", RuntimeWarning)
    >>> x = xg.asarray([[1.0], [0.0]])
    >>> model = xg.nn.Linear(1, 1, rng=xg.random.Generator(0))
    >>> logs = lambda output, target: xg.mean(xg.log(target) * output)
    >>> trainer = xg.Trainer(model, logs, xg.optim.SGD(model.parameters(), lr=0.1), progress=False)
    >>> try:
    ...     trainer.fit((x, x), epochs=1)
    ... except xg.trainer.NonFiniteError as error:
    ...     print(error.step, error.epoch, error.batch, error.anomaly.op, error.anomaly.kind)
    0 1 1 log inf

    Attributes:
        step: how many steps had been taken.
        epoch, batch: where it was, counted from 1.
        anomaly: the first operation that made such a value, as of `xg.AnomalyError`; None where it was not found.
    """

    def __init__(self, message: str, step: int, epoch: int, batch: int, anomaly: Anomaly | None) -> None:
        super().__init__(message)
        self.step, self.epoch, self.batch, self.anomaly = step, epoch, batch, anomaly


# --- the check -----------------------------------------------------------------------------------------------------------------


def is_finite(loss: Any, parameters: Sequence[Any]) -> bool:
    """Whether the loss and the gradients of the parameters are finite. It waits for the device once.

    What is read is the sum of the loss and of all elements of the gradients: it is finite only if all of these are. If it is
    not, the sum of large values may have overflowed, and each gradient is looked at.
    """
    backend = loss.backend
    if backend.defers:
        xg.persist(loss, [g for p in parameters if (g := p.grad) is not None])
    total, add = loss._data, backend.xp.sum
    for p in parameters:
        gradient = p.grad
        if gradient is not None:
            if gradient.backend is not backend:
                return all_finite([loss, *(g for p in parameters if (g := p.grad) is not None)])
            total = total + add(gradient._data)
    return is_finite_number(backend, total) or all_finite([loss, *(g for p in parameters if (g := p.grad) is not None)])


# --- the cause -----------------------------------------------------------------------------------------------------------------


def first_anomaly(trainer: Training, batches: Sequence[tuple[Any, ...]]) -> Anomaly | None:
    """Repeat the batches with every operation checked. Returns the first that made a value that is not finite.

    Weights, buffers, gradients and generators stay as they are.
    """
    model = trainer.model
    kept = Kept(model)
    gradients = [(p, p.grad) for p in model.parameters()]
    try:
        with warnings.catch_warnings(), xg.detect_anomaly():
            warnings.simplefilter("ignore")
            for batch in batches:
                trainer.loss_and_output(batch)[0].backward()
    except xg.AnomalyError as error:
        return error.anomaly
    finally:
        for p, gradient in gradients:
            p.grad = gradient
        kept.restore()
    return None


def error_of(trainer: Training, loss: Any, batches: Sequence[tuple[Any, ...]]) -> NonFiniteError:
    """The error about a step that has made a value that is not finite: where it was, what made it, and what to do."""
    anomaly = first_anomaly(trainer, batches)
    model, count = trainer.model, trainer.batches
    value = loss.item()
    broken = [name for name, p in model.named_parameters() if p.grad is not None and not all_finite([p.grad])]
    of = f" of {count}" if count else ""
    where = f"step {trainer.step} (epoch {trainer.epoch}, batch {trainer.batch}{of})"
    if not cmath.isfinite(value):
        what = f"the loss is {value}"
    else:  # a GradScaler has taken the gradients away where it gave up
        what = (
            f"the gradient of {_few(broken)} is not finite"
            if broken
            else "the scaled gradients overflow at every scale"
        )
    lines = [f"{where}: {what}. The step was not taken: the weights are the last good ones."]
    data = bad_data(batches)
    if data:
        lines.append(f"  the data is not finite: {data}")
        advice = 'clean the data, or leave such batches out: nonfinite="skip"'
    else:
        rate = max((float(group["lr"]) for group in trainer.optimizer.param_groups if "lr" in group), default=0.0)
        advice = ADVICE.format(lr=rate)
    if anomaly is not None:
        lines += ["  " + line for line in str(anomaly).splitlines()]
        layer = _path(model, anomaly.site.module)
        if layer:
            lines.append(f"  in the layer {layer}")
    elif not data:
        lines.append("  repeating the batch did not make it again: layers of the model draw random numbers")
    lines.append(f"  advice: {advice}")
    return NonFiniteError("\n".join(lines), trainer.step, trainer.epoch, trainer.batch, anomaly)


def bad_data(batches: Sequence[tuple[Any, ...]]) -> str:
    """Which arrays of the batches have values that are not finite, and in which rows; "" for none."""
    found = []
    for number, batch in enumerate(batches):
        for place, item in enumerate(batch):
            if isinstance(item, xg.Tensor) and not all_finite([item]):
                rows = _bad_rows(item)
                of = (
                    "the target"
                    if place == len(batch) - 1 and place
                    else "the input"
                    if len(batch) < 3
                    else f"input {place}"
                )
                part = f" of part {number + 1}" if len(batches) > 1 else ""
                found.append(
                    f"{of}{part}, in row{'s' if len(rows) > 1 else ''} {_few([str(row) for row in rows])} of the batch"
                )
    return "; ".join(found)


def _bad_rows(item: Any) -> list[int]:
    finite = xg.isfinite(item.detach())
    if not item.ndim:
        return [0]
    good = xg.all(xg.reshape(finite, (item.shape[0], -1)), axis=1)
    return [row for row, fine in enumerate(good.tolist()) if not fine]


def _few(words: list[str]) -> str:
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def _path(model: Any, module: Any) -> str:
    if module is None:
        return ""
    path = next((path for path, each in model.named_modules() if each is module), None)
    kind = type(module).__name__
    return f"{path} ({kind})" if path else kind
