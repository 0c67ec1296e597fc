"""What is to be learned: classes or numbers. The targets decide, where the config does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import xgrad as xg
from xgrad._words import shown
from xgrad.train.problems import Problems, instead
from xgrad.train.reading import Host, Samples
from xgrad.train.settings import Data

MOST_CLASSES = 20  # of targets that are whole numbers, where the config does not say what they are
MOST_ASKED = 100_000


@dataclass
class Task:
    """What is to be learned.

    Attributes:
        classes: the names of the classes; None for a regression.
        values: the numbers that stand for the classes in a file; None where they are words, or 0, 1, ...
        why: why it is taken for that, in words; empty where the config says it.
    """

    classes: list[str] | None
    values: list[float] | None = None
    why: str = ""

    @property
    def name(self) -> str:
        return "regression" if self.classes is None else "classification"


def task_of(samples: Samples, data: Data, problems: Problems) -> Task:
    """What the targets of samples are. What does not fit is a problem."""
    if samples.words is not None:
        return _of_words(samples.words, data, problems)
    with xg.use_backend("numpy"):
        targets = xg.asarray(samples.targets)
        bad = ~xg.isfinite(targets) if xg.isdtype(targets.dtype, "real floating") else None
        if bad is not None and bool(xg.any(bad)):
            first = int(xg.argmax(xg.astype(xg.reshape(bad, (-1,)), xg.int32)).item())
            sample = first // (targets.shape[1] if targets.ndim == 2 else 1)
            value = xg.reshape(targets, (-1,))[first].item()
            problems.add(("data", "targets"), f"data.targets: sample {sample} is {value}, not a finite number")
            return Task(None)
        if data.task == "regression":
            return Task(None)
        if targets.ndim == 2:
            if data.task is not None or data.classes is not None:
                key = "task" if data.task is not None else "classes"
                problems.add(
                    ("data", key),
                    f"data.{key}: a classification has one target, and here are {targets.shape[1]}",
                )
            return Task(None, why=f"there are {targets.shape[1]} targets")
        if xg.isdtype(targets.dtype, "bool"):
            return _named(["false", "true"], None, data, problems, "the targets are true or false")
        return _of_numbers(targets, data, problems)


def codes_of(samples: Samples, task: Task, problems: Problems) -> Host:
    """The numbers of the classes of samples, int64 of shape (samples,). A value that is no class is a problem."""
    with xg.use_backend("numpy"):
        targets = xg.asarray(samples.targets)
        if samples.words is not None:
            assert task.classes is not None
            places = xg.asarray([task.classes.index(word) if word in task.classes else 0 for word in samples.words])
            return places[xg.astype(targets, xg.int64)].numpy()
        assert task.classes is not None
        known = task.values if task.values is not None else list(range(len(task.classes)))
        values = xg.asarray(known, dtype=xg.float64)
        targets = xg.astype(targets, xg.float64)
        codes = xg.searchsorted(values, targets)
        codes = xg.minimum(codes, xg.asarray(len(known) - 1))
        wrong = values[codes] != targets
        if bool(xg.any(wrong)):
            first = int(xg.argmax(xg.astype(wrong, xg.int32)).item())
            where = f"line {samples.lines[first]}" if samples.lines else f"sample {first}"
            problems.add(
                ("data", "targets"),
                f"data.targets: {where} is {targets[first].item():g}, which is none of the classes {shown(task.classes)}",
            )
        return xg.astype(codes, xg.int64).numpy()


def _of_words(words: list[str], data: Data, problems: Problems) -> Task:
    if data.task == "regression":
        problems.add(
            ("data", "task"),
            f"data.task: a regression needs numbers, and the targets are words, such as {words[0]!r:.60}",
        )
    if data.classes is not None:
        for word in words:
            if word not in data.classes:
                problems.add(
                    ("data", "classes"),
                    f"data.classes lacks {shown(word)}, which is a target; {instead(word, data.classes, 'it has')}",
                )
    return _named(words, None, data, problems, "the targets are words")


def _of_numbers(targets: Any, data: Data, problems: Problems) -> Task:
    is_whole = xg.isdtype(targets.dtype, "integral") or bool(xg.all(targets == xg.floor(targets)))
    if not is_whole:
        if data.task is not None or data.classes is not None:
            key = "task" if data.task is not None else "classes"
            odd = targets[int(xg.argmax(xg.astype(targets != xg.floor(targets), xg.int32)).item())].item()
            problems.add(
                ("data", key),
                f"data.{key}: the targets of a classification are words or whole numbers, and one is {odd:g}",
            )
        return Task(None, why="the targets are not all whole numbers")
    values = [int(value) for value in xg.unique_values(targets).tolist()]
    if data.classes is not None:
        outside = [value for value in values if not 0 <= value < len(data.classes)]
        if outside:
            problems.add(
                ("data", "classes"),
                f"data.classes has {len(data.classes)} names, for the targets 0 to {len(data.classes) - 1}, and one is "
                f"{outside[0]}",
            )
        return Task(list(data.classes))
    if data.task is None and len(values) > MOST_CLASSES:
        return Task(None, why=f"the targets have {len(values)} different values")
    if len(values) > MOST_ASKED:
        problems.add(
            ("data", "task"), f"data.task: the targets have {len(values)} different values; that is a regression"
        )
        return Task(None)
    numbers: list[float] | None = None if values == list(range(len(values))) else [float(value) for value in values]
    why = f"the targets are whole numbers of {len(values)} different values"
    return _named([str(value) for value in values], numbers, data, problems, why)


def _named(words: list[str], values: list[float] | None, data: Data, problems: Problems, why: str) -> Task:
    classes = words if data.classes is None or values is not None else list(data.classes)
    if len(classes) < 2:
        problems.add(
            ("data", "targets"), f"data.targets: all targets are {classes[0]!r:.60}; a classification needs two classes"
        )
    return Task(classes, values, "" if data.task else why)
