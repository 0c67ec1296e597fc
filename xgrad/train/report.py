"""What is said about a run: its data and network before the training, and its numbers afterwards."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad._words import printable, shortened
from xgrad.train.parts import NAMES
from xgrad.train.plan import OF_NUMBERS, Plan, metrics_of
from xgrad.train.result import Trained
from xgrad.train.settings import batches_of
from xgrad.trainer import Metric, confusion_matrix

MOST_NAMES = 200  # characters for the names of columns or classes


class Confusion(Metric):
    """The confusion matrix over all batches."""

    def __init__(self, classes: int) -> None:
        super().__init__("confusion")
        self.classes = classes
        self.total: Any = None  # the matrix so far, which stays on the device

    def reset(self) -> None:
        self.total = None

    def update(self, prediction: Any, target: Any) -> None:
        found = confusion_matrix(target, prediction, num_classes=self.classes)
        self.total = found if self.total is None else self.total + found

    def compute(self) -> float:
        return math.nan  # the matrix is what is asked for

    def matrix(self) -> list[list[int]]:
        """The counts: rows are the true classes."""
        found: list[list[int]] = self.total.tolist()
        return found


def evaluated(made: Plan) -> tuple[dict[str, Any], list[list[int]] | None]:
    """The loss and the metrics for validation and test, and the confusion matrix of the last of them that there is."""
    trainer, task = made.trainer, made.task
    numbers: dict[str, Any] = {}
    confusion = None if task.classes is None else Confusion(len(task.classes))
    for name in (*NAMES, "training"):
        data = made.parts.data(name)
        if data is None or (name == "training" and numbers):
            continue
        further: list[Any] = [confusion] if confusion is not None else []
        if task.classes is None:
            lacking = [each for each in OF_NUMBERS[:3] if each not in (made.settings.training.metrics or ())]
            further = metrics_of(lacking, made.parts.scales, trainer.loss_function)
        found = trainer.evaluate(data, batch_size=made.settings.training.batch_size, metrics=further)
        found.pop("confusion", None)
        numbers[name] = found
    return numbers, None if confusion is None else confusion.matrix()


def described(made: Plan) -> str:
    """The data, the task, the network and the training, a line each."""
    samples, task, settings = made.samples, made.task, made.settings
    shape = tuple(samples.inputs.shape[1:])
    counts = ", ".join(f"{made.parts.count(name)} {name}" for name in ("training", *NAMES) if made.parts.count(name))
    scaled = " and ".join(name for name, value in vars(made.parts.scales).items() if value is not None)
    learned = f"{task.name} of {_listed(samples.target_names)}"
    if task.classes is not None:
        learned += f", {len(task.classes)} classes: {_listed(task.classes)}"
    words = shortened(" ".join([*map(str, made.layers), str(made.outputs)]), 300)
    batches = batches_of(made.parts.count("training"), settings.training)
    return "\n".join(
        (
            f"data: {printable(settings.data.path)}, {f'{shape[0]} inputs' if len(shape) == 1 else f'inputs of shape {shape}'}, "
            f"{counts} samples{f', standardized {scaled}' if scaled else ''}",
            f"task: {learned}{f' ({task.why}; data.task decides otherwise)' if task.why else ''}",
            f"network: {f'{made.kind}: ' if made.kind else ''}{words} "
            f"({sum(p.size for p in made.model.parameters())} parameters, {settings.backend.dtype})",
            f"training: {type(made.trainer.optimizer).__name__}, lr {made.trainer.lr:g}"
            f"{f', {settings.schedule.name}' if settings.schedule.name else ''}, {settings.loss.name}, "
            f"{settings.training.epochs} epochs of {batches} batches on {xg.get_backend().name}",
        )
    )


def _listed(names: list[str]) -> str:
    return shortened(printable(", ".join(names)), MOST_NAMES)


def summary(found: Trained) -> str:
    """What came out: the best epoch, the numbers, and the files."""
    lines = []
    numbers, history = found.numbers, found.history
    if found.trainer.stopped_because:
        lines.append(f"ended early: {found.trainer.stopped_because}")
    elif found.interrupted_by is not None or found.fault:
        epochs = found.bundle.settings["training"]["epochs"]
        lines.append(f"ended after {history.epochs} of {epochs} epochs")
    if "epoch" in numbers:
        lines.append(f"best epoch: {numbers['epoch']} of {history.epochs}, {numbers['monitor']} {numbers['value']:.4g}")
    for name in (*NAMES, "training"):
        if name in numbers:
            lines.append(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in numbers[name].items()))
    if found.trainer.skipped:
        lines.append(f"{found.trainer.skipped} batches were skipped: a loss or a gradient was not finite")
    if found.written:
        lines.append(f"wrote {', '.join(found.written)} in {printable(str(found.folder))}")
    return "\n".join(lines)
