"""Evaluation and prediction: the model in evaluation, without gradients, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.diagnose.keeping import Modes
from xgrad.trainer.batches import OnBackend, batch_length, is_array, loader_of
from xgrad.trainer.metrics import Metric
from xgrad.trainer.sums import Sums
from xgrad.trainer.training import Training, in_precision


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """In this block the model is in evaluation, and nothing is recorded. Afterwards each layer has its mode again."""
    modes = Modes(model)
    model.eval()
    try:
        with xg.no_grad():
            yield
    finally:
        modes.restore()


def evaluate(trainer: Training, loader: Any, metrics: list[Metric]) -> dict[str, float]:
    """The mean loss and the metrics over all samples of a loader."""
    losses, place = Sums(), OnBackend(trainer.model)
    for metric in metrics:
        metric.reset()
    with evaluating(trainer.model):
        for found in loader:
            batch = place(found)
            loss, output = trainer.loss_and_output(batch)
            losses.add(loss, batch_length(batch))
            for metric in metrics:
                metric.update(output, batch[-1])
            if loss.backend.defers:
                losses.flush()
    if not losses.counts:
        raise ValueError("evaluate: the data gave no batches")
    return {"loss": losses.mean(), **{metric.name: metric.compute() for metric in metrics}}


def predict(trainer: Training, data: Any, batch_size: int) -> Any:
    """The outputs of the model for all samples."""
    is_inputs = is_array(data) or (isinstance(data, tuple) and all(map(is_array, data)))
    loader, place = loader_of("predict", data, batch_size=batch_size), OnBackend(trainer.model)
    outputs = []
    with evaluating(trainer.model):
        for found in loader:
            batch = place(found)
            with in_precision(trainer.precision):
                outputs.append(trainer.model(*(batch if is_inputs or len(batch) == 1 else batch[:-1])))
            if isinstance(outputs[-1], xg.Tensor) and outputs[-1].backend.defers:
                xg.persist(outputs[-1])
        if not outputs:
            raise ValueError("predict: the data gave no batches")
        if isinstance(outputs[0], tuple):
            return tuple(xg.concat(list(parts)) for parts in zip(*outputs, strict=True))
        return outputs[0] if len(outputs) == 1 else xg.concat(outputs)
