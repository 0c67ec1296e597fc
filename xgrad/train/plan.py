"""From a config to everything that a run needs: samples, network, and a Trainer. Nothing is written yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.data import DataError
from xgrad.train import classes, layers
from xgrad.train.config import settings_of
from xgrad.train.document import Document
from xgrad.train.network import RECURRENT, LayerError, build
from xgrad.train.parts import NAMES, Parts, Scales, prepare
from xgrad.train.problems import Problems
from xgrad.train.reading import Samples, check_columns, is_csv, read_arrays, read_csv
from xgrad.train.settings import Data, Named, Settings, batches_of
from xgrad.train.task import Task, task_of
from xgrad.trainer import Metric, Trainer
from xgrad.trainer.history import is_maximized
from xgrad.trainer.metrics import Mean, Root, mean_absolute_error, mean_squared_error

OF_CLASSES = ("accuracy", "top5", "precision", "recall", "f1")  # metrics
OF_NUMBERS = ("r2", "rmse", "mae", "mse")


@dataclass
class Plan:
    """A run that is ready to begin.

    Attributes:
        settings: of the config, with the loss and the metrics that were left open.
        samples: those of data.path.
        task: what is learned.
        parts: the samples, divided.
        kind: the kind of network, or "" where its layers are given.
        layers: the network in words, without its last layer.
        outputs: how many numbers it gives.
        model: the network.
        trainer: its trainer.
    """

    settings: Settings
    samples: Samples
    task: Task
    parts: Parts
    kind: str
    layers: list[layers.Layer]
    outputs: int
    model: nn.Module
    trainer: Trainer


def settings_and_layers(
    document: Document, options: Mapping[str, Any]
) -> tuple[Settings, list[layers.Layer] | None, Problems]:
    """The settings of a config, its layers where it has them, and what is wrong so far."""
    settings, problems = settings_of(document, options)
    found = None
    if settings.network.layers is not None:
        found, faults = layers.read(settings.network.layers)
        for fault in faults:
            problems.add(fault.path, fault.why)
    return settings, found, problems


def samples_of(
    data: Data, given: Mapping[str, Any], folder: Path, problems: Problems
) -> tuple[Samples, dict[str, Samples]] | None:
    """The samples, and those of other files for validation and test; None where there are problems."""
    path = folder / data.path
    can_be_read = not any(problems.has(("data", key)) for key in ("path", "delimiter", "encoding", "header"))
    if can_be_read and "path" in given and is_csv(path):
        check_columns(data, given, folder, problems)
    if problems.has(("data",)):
        return None
    others = {}
    blamed = "path"
    try:
        samples = read_csv(data, path) if is_csv(path) else read_arrays(data, folder, path, problems)
        for blamed in NAMES:
            other = getattr(data, blamed)
            if isinstance(other, str):
                others[blamed] = _other(data, folder, other, blamed, samples, problems)
    except DataError as error:
        problems.add(("data", blamed), f"data.{blamed}: {error}")
        return None
    return samples, others


def _other(data: Data, folder: Path, name: str, key: str, samples: Samples, problems: Problems) -> Samples:
    """The samples of another file, which must be like the first ones."""
    path = folder / name
    if is_csv(path) != (samples.layout is None) or (samples.layout is None and path.suffix.lower() == ".npz"):
        found = read_csv(data, path, samples.layout) if samples.layout else read_arrays(data, folder, path, problems)
        if found.targets is None:
            problems.add(("data", key), f"data.{key}: {name} lacks the targets {', '.join(samples.target_names)}")
        elif found.inputs.shape[1:] != samples.inputs.shape[1:]:
            shapes = f"{found.inputs.shape[1:]}, and those of {data.path} {samples.inputs.shape[1:]}"
            problems.add(("data", key), f"data.{key}: the samples of {name} have shape {shapes}")
    else:
        problems.add(("data", key), f"data.{key}: a share, or a file of the same format as data.path, is needed")
    problems.check()
    return found


def plan(
    document: Document,
    settings: Settings,
    given: list[layers.Layer] | None,
    problems: Problems,
    progress: bool,
) -> Plan:
    """Check the data of a config, and make everything that a run needs. To be called on the backend of the run.

    Args:
        document: the config.
        settings, given, problems: what `settings_and_layers` has given.
        progress: whether the trainer shows its progress.

    Raises:
        ConfigError: for everything that is wrong.
    """
    raw = document.values.get("data")
    folder = Path(document.path).parent
    read = samples_of(settings.data, raw if isinstance(raw, dict) else {}, folder, problems)
    if read is None:
        problems.check()
        raise AssertionError("samples are missing without a problem")
    samples, others = read
    task = task_of(samples, settings.data, problems)
    settings = _completed(settings, task, problems)
    shape = tuple(samples.inputs.shape[1:])
    kind, chosen = ("", given) if given is not None else _of_kind(settings, shape, problems)
    outputs = len(task.classes) if task.classes is not None else len(samples.target_names)
    if task.classes is None and samples.targets is not None and samples.targets.ndim == 2:
        outputs = samples.targets.shape[1]
    weights, order = xg.random.Generator(settings.training.seed).spawn(2)
    model: nn.Module | None = None
    if not problems.has(("network",)):
        try:
            model = build(chosen, shape, outputs, getattr(xg, settings.backend.dtype), weights)
        except LayerError as error:
            problems.add(error.path, str(error))
    is_sequence = any(layer.name in RECURRENT for layer in chosen)
    problems.check()
    assert model is not None
    parts = prepare(samples, others, task, settings, is_sequence, problems)
    _check_batches(settings, chosen, parts, problems)
    made = trainer(settings, task, parts, model, order, progress, problems)
    problems.check()
    assert made is not None
    return Plan(settings, samples, task, parts, kind, chosen, outputs, model, made)


def _of_kind(settings: Settings, shape: tuple[int, ...], problems: Problems) -> tuple[str, list[layers.Layer]]:
    network = settings.network
    kind = network.kind
    if kind == "cnn" and len(shape) == 1:
        problems.add(
            ("network", "kind"), f"network.kind: cnn needs images, and a sample has shape {shape}; use mlp or gru"
        )
        return kind, []
    return layers.of_kind(network, shape)


def _completed(settings: Settings, task: Task, problems: Problems) -> Settings:
    """The settings with the loss and the metrics of the task. Those of the other task are problems."""
    is_classes = task.classes is not None
    loss = settings.loss
    if loss.name is None:
        loss = Named("cross_entropy" if is_classes else "mse")
    elif (loss.name in classes.OF_CLASSES) != is_classes:
        fitting = [name for name in classes.LOSSES if (name in classes.OF_CLASSES) == is_classes]
        problems.add(("loss", "name"), f"loss.name: {loss.name} is not for a {task.name}; use {' or '.join(fitting)}")
    known = OF_CLASSES if is_classes else OF_NUMBERS
    metrics = settings.training.metrics
    if metrics is None:
        metrics = [known[0]]
    for i, name in enumerate(metrics):
        if name not in known:
            problems.add(
                ("training", "metrics", i),
                f"training.metrics[{i}]: {name} is not for a {task.name}; use {', '.join(known)}",
            )
    columns = ["loss", *metrics]
    if settings.data.validation:
        columns += [f"val_{name}" for name in columns]
    monitor = settings.training.monitor
    if monitor is not None and monitor not in columns:
        problems.add(
            ("training", "monitor"), f"training.monitor: there is no {monitor!r:.60}; there are {', '.join(columns)}"
        )
    return replace(settings, loss=loss, training=replace(settings.training, metrics=metrics))


def _check_batches(settings: Settings, chosen: list[layers.Layer], parts: Parts, problems: Problems) -> None:
    training, count = settings.training, parts.count("training")
    if training.drop_last and count < training.batch_size:
        problems.add(
            ("training", "drop_last"),
            f"training.drop_last leaves nothing: there are {count} training samples, and a batch has {training.batch_size}",
        )
    normalized = next((layer for layer in chosen if layer.name == "batchnorm"), None)
    alone = count % training.batch_size == 1 and not training.drop_last
    if normalized is not None and (alone or training.batch_size == 1):
        problems.add(
            ("training", "batch_size"),
            f"training.batch_size: {count} training samples in batches of {training.batch_size} leave one sample alone, from "
            "which batchnorm has no statistics; use another size, or drop_last = true",
        )


def metrics_of(names: Any, scales: Scales, loss: Any) -> list[Any]:
    """The metrics of these names. Errors are in the units of the targets."""

    def in_units(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        scale = scales.targets
        return function if scale is None else lambda p, t: function(scale.inverse(p), scale.inverse(t))

    made: dict[str, Callable[[], Metric]] = {
        "mse": lambda: Mean("mse", in_units(mean_squared_error)),
        "rmse": lambda: Root("rmse", in_units(mean_squared_error)),
        "mae": lambda: Mean("mae", in_units(mean_absolute_error)),
    }
    return [made[name]() if name in made else name for name in names]


def trainer(
    settings: Settings,
    task: Task,
    parts: Parts,
    model: nn.Module,
    order: xg.random.Generator,
    progress: bool,
    problems: Problems,
) -> Trainer | None:
    """The trainer of a run. An optimizer, a schedule or a precision that does not fit the model is a problem."""
    training = settings.training
    loss = classes.loss_of(settings.loss)
    steps = -(-batches_of(parts.count("training"), training) // training.accumulate)
    monitor = training.monitor or ("val_loss" if parts.count("validation") else "loss")
    section = "optimizer"
    try:
        optimizer = classes.optimizer_of(settings.optimizer, model.parameters())
        section = "schedule"
        mode = "max" if is_maximized(monitor) else "min"
        schedule = classes.schedule_of(settings.schedule, optimizer, training.epochs, steps, mode)
        section = "training"
        return Trainer(
            model,
            loss,
            optimizer,
            scheduler=schedule,
            metrics=metrics_of(training.metrics, parts.scales, loss),
            clip_grad_norm=training.clip,
            clip_grad_value=training.clip_value,
            accumulate=training.accumulate,
            precision=training.precision,
            compile=training.compile,
            diagnose=training.diagnose,
            nonfinite=training.nonfinite,
            progress=progress,
            generator=order,
        )
    except (ValueError, TypeError) as error:
        problems.add((section,), f"[{section}]: {error}")
        return None
