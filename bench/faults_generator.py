"""Draws trainings at random: task, data, network, loss, optimizer and rate, as plain values, and makes their data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

Array = Any
Rng = np.random.Generator

CLASSES, BINARY, REGRESSION, LABELS = "classes", "binary", "regression", "labels"
TASKS = (CLASSES, BINARY, REGRESSION, LABELS)
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "leaky relu", "elu")
HELD_OUT = 300  # samples that are kept to judge a network
RATES = {  # the optimizers, each with its momentum and the range of its rates
    "SGD": (0.0, 0.02, 0.3),
    "SGD with momentum": (0.9, 0.005, 0.05),
    "Adam": (0.0, 0.001, 0.02),
    "AdamW": (0.0, 0.001, 0.02),
    "RMSprop": (0.0, 0.0005, 0.005),
}
WORK = 2e8  # at most so many multiplications in the forward passes of a training
RIM = 0.05  # targets of an output between 0 and 1 stay so far from both


@dataclass(frozen=True)
class Training:
    """A training. A fault changes some of its values; nearly all after `validation` are for faults alone."""

    seed: int
    task: str
    data: str
    samples: int
    inputs: int
    classes: int  # classes or labels; for a regression its outputs
    noise: float
    center: float  # of the inputs
    spread: float
    y_center: float
    y_spread: float
    reach: bool  # whether the targets of a regression lie between 0 and 1, or for tanh between -1 and 1
    hidden: tuple[int, ...]
    activation: str
    between: str  # "", "BatchNorm" or "Dropout", in each hidden layer
    init: str
    last: str  # the activation of the output
    loss: str
    targets: str  # their form: integers, one-hot, column, labels, real
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    batch: int  # 0: all samples
    steps: int
    dtype: str
    validation: bool  # whether the watcher gets held-out samples
    units: int = 0  # of the output; 0: as many as there are classes
    scaled: str = ""  # what is done to the targets
    majority: float = 0.0  # the share of the largest class; 0: as drawn
    missing: int = -1  # a class without samples to train on
    flipped: float = 0.0  # the share of targets that are drawn anew, or the noise of a regression
    inputs_are: str = ""  # "pixels" or "prices"
    is_sorted: bool = False
    shuffle: bool = True
    times: float = 1.0  # multiplies the first weights
    bias: float = 0.0  # the first biases of the hidden layers; 0: as drawn
    zero_grad: bool = True
    left_out: tuple[int, ...] = ()  # layers that the optimizer does not get
    detached: int = -1  # a hidden layer whose output is detached
    wrong: bool = False  # whether the activation has a wrong derivative

    def words(self) -> str:
        """The training in words. What no fault changed is left out."""
        width = self.units or units_of(self)
        net = "-".join(map(str, (self.inputs, *self.hidden, width)))
        parts = [
            f"{self.task} ({self.data}, {self.samples} samples of {self.inputs}, {self.classes} outputs or classes, "
            f"noise {self.noise:.2g})",
            f"{net} {self.activation}{' with ' + self.between if self.between else ''}, {self.init} weights, "
            f"output {self.last or 'linear'}",
            f"{self.loss} of {self.targets} targets",
            f"{self.optimizer} lr {self.lr:.3g}"
            + (f" weight decay {self.weight_decay:g}" if self.weight_decay else ""),
            f"{self.steps} steps, batch {self.batch or 'all'}, {self.dtype}",
            f"inputs {self.center:.2g} +- {self.spread:.2g}",
        ]
        if self.task == REGRESSION:
            parts.append(
                "targets within the range of the output"
                if self.reach
                else f"targets {self.y_center:.2g} +- {self.y_spread:.2g}"
            )
        ours = fields(self)
        first = next(k for k, field in enumerate(ours) if field.name == "units")
        changed = [(f.name, getattr(self, f.name)) for f in ours[first:] if getattr(self, f.name) != f.default]
        parts += [f"{name} = {value}" for name, value in changed]
        return "; ".join(parts)


def units_of(training: Training) -> int:
    """The units of the output that suit the task."""
    return 1 if training.task == BINARY else training.classes


def between(rng: Rng, low: float, high: float) -> float:
    """A number between two others, evenly in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def choice(rng: Rng, options: Sequence[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def draw(rng: Rng, tasks: Sequence[str] = TASKS) -> Training:
    """A training of one of the tasks. It is not known yet whether it trains well."""
    task = choice(rng, tasks)
    classes = {BINARY: 2, CLASSES: int(rng.integers(2, 11)), LABELS: int(rng.integers(2, 7))}.get(task, 0)
    classes = classes or (1 if rng.random() < 0.7 else int(rng.integers(2, 4)))
    data = choice(rng, KINDS[task])
    inputs = round(between(rng, *INPUTS[data]))
    classes = min(classes, 4) if data == "spirals" else classes
    hidden = tuple(round(between(rng, 4, 256)) for _ in range(int(rng.integers(1, 6)) - 1))
    if sum(a * b for a, b in itertools.pairwise(hidden)) > 30_000:  # larger ones take too long
        hidden = tuple(min(width, 64) for width in hidden)
    optimizer = choice(rng, list(RATES))
    momentum, low, high = RATES[optimizer]
    samples = round(between(rng, 100, 2000))
    last, loss, targets, reach = choice(rng, LOSSES[task])
    y_center, y_spread = choice(rng, [(0.0, 1.0), (rng.uniform(-1, 1), between(rng, 0.3, 3))])
    batch, steps = choice(rng, [0, 8, 16, 32, 64, 128]), round(between(rng, 200, 1200))
    sizes = (inputs, *hidden, classes)
    weights = sum(a * b for a, b in itertools.pairwise(sizes))
    while (batch or samples) * weights * steps > WORK and (batch or samples) > 8:
        batch = max(8, min(batch or samples, samples) // 2)
    is_sorted = bool(rng.random() < 0.3)
    return Training(
        seed=int(rng.integers(2**31)),
        task=task,
        data=data,
        samples=samples,
        inputs=inputs,
        classes=classes,
        noise=choice(rng, [0.0, between(rng, 0.01, 0.1)]) if task == REGRESSION else 0.0,
        center=choice(rng, [0.0, float(rng.uniform(-2, 2))]),
        spread=choice(rng, [1.0, between(rng, 0.3, 3)]),
        y_center=y_center,
        y_spread=y_spread,
        reach=reach,
        hidden=hidden,
        activation=choice(rng, ACTIVATIONS) if hidden else "relu",
        between=str(rng.choice(["", "BatchNorm", "Dropout"], p=[0.76, 0.12, 0.12])) if hidden else "",
        init=choice(rng, ["default", "glorot", "he"]),
        last=last,
        loss=loss,
        targets=targets,
        optimizer=optimizer,
        lr=between(rng, low, high),
        momentum=momentum,
        weight_decay=0.01 if optimizer == "AdamW" else choice(rng, [0.0, 0.0, 0.0, 1e-4, 1e-3]),
        batch=batch,
        steps=steps,
        dtype=choice(rng, ["float32", "float64"]),
        validation=bool(rng.random() < 0.5),
        majority=0.9 if task in (BINARY, CLASSES) and rng.random() < 0.1 else 0.0,
        is_sorted=is_sorted,
        shuffle=bool(rng.random() < 0.8)
        or (is_sorted and batch != 0),  # sorted samples do no harm to a program that shuffles
    )


LOSSES: dict[
    str, list[tuple[str, str, str, bool]]
] = {  # last, loss, targets, and whether these lie in the output's range
    CLASSES: [
        ("", "CrossEntropyLoss", "integers", False),
        ("", "CrossEntropyLoss", "integers", False),
        ("", "CrossEntropyLoss", "one-hot", False),
        ("softmax", "cross-entropy of probabilities", "one-hot", False),
        ("log softmax", "NLLLoss", "integers", False),
    ],
    BINARY: [
        ("", "BCEWithLogitsLoss", "column", False),
        ("sigmoid", "BCELoss", "column", False),
        ("sigmoid", "binary cross-entropy, clipped", "column", False),
        ("sigmoid", "MSELoss", "column", False),
    ],
    LABELS: [("", "BCEWithLogitsLoss", "labels", False), ("sigmoid", "BCELoss", "labels", False)],
    REGRESSION: [
        ("", "MSELoss", "real", False),
        ("", "MSELoss", "real", False),
        ("", "L1Loss", "real", False),
        ("", "SmoothL1Loss", "real", False),
        ("sigmoid", "MSELoss", "real", True),
        ("relu", "MSELoss", "real", True),
        ("tanh", "MSELoss", "real", True),
    ],
}
KINDS = {
    CLASSES: ("blobs", "spirals", "teacher", "linear"),
    BINARY: ("blobs", "spirals", "teacher", "linear"),
    LABELS: ("teacher", "linear"),
    REGRESSION: ("teacher", "linear", "sines"),
}
INPUTS = {"blobs": (1, 64), "spirals": (2, 2), "teacher": (2, 24), "linear": (1, 64), "sines": (1, 3)}


# --- data -------------------------------------------------------------------------------------------


@dataclass
class Data:
    """Inputs and targets of the samples to train on, of those held out, and the true targets of both."""

    x: Array
    y: Array
    x_held: Array
    y_held: Array
    truth: Array
    truth_held: Array


def make(training: Training) -> Data:
    """The data of a training; the same each time."""
    t, rng = training, np.random.default_rng(training.seed)
    many = t.samples if not t.majority else (2 + 2 * t.classes) * t.samples
    x, truth = MADE[t.data](t, many + HELD_OUT, rng)
    chosen = unbalanced(truth[:many], t, rng) if t.majority else np.arange(many)
    if t.missing >= 0:
        chosen = chosen[truth[chosen] != t.missing]
    if t.is_sorted:
        by = truth[chosen] if truth.ndim == 1 else truth[chosen][:, 0]
        chosen = chosen[np.argsort(by, kind="stable")]
    order, n = [*chosen, *range(many, many + HELD_OUT)], len(chosen)
    x, truth = inputs_of(t, x[order], n), truth[order]
    if t.task == REGRESSION:
        truth = reals_of(t, truth, n, rng)
    y = formed(flipped(truth, t, rng), t)
    x = x.astype(t.dtype)
    return Data(x[:n], y[:n], x[n:], y[n:], truth[:n], truth[n:])


def inputs_of(t: Training, x: Array, n: int) -> Array:
    """The inputs at the scale that was drawn; the first n are those to train on."""
    mean, std = x[:n].mean(axis=0), x[:n].std(axis=0)
    x = (x - mean) / np.where(std > 0, std, 1)
    if t.inputs_are == "pixels":
        low, high = x[:n].min(axis=0), x[:n].max(axis=0)
        return 255 * (x - low) / np.where(high > low, high - low, 1)
    return 20_000 + 4_000 * x if t.inputs_are == "prices" else t.center + t.spread * x


def reals_of(t: Training, y: Array, n: int, rng: Rng) -> Array:
    """The targets of a regression at the scale that was drawn."""
    y = (y - y[:n].mean(axis=0)) / y[:n].std(axis=0)
    y = y + t.noise * rng.normal(size=y.shape)
    if not t.reach:
        return t.y_center + t.y_spread * y
    low, high = y.min(axis=0), y.max(axis=0)
    y = RIM + (1 - 2 * RIM) * (y - low) / (high - low)
    return 2 * y - 1 if t.last == "tanh" else y


def unbalanced(labels: Array, t: Training, rng: Rng) -> Array:
    """Samples of which the largest class has the share `majority`."""
    labels = labels.reshape(-1)
    largest = np.bincount(labels.astype(int)).argmax()
    first, others = np.flatnonzero(labels == largest), np.flatnonzero(labels != largest)
    few = max(t.classes, round((1 - t.majority) * t.samples))
    return rng.permutation(np.concatenate([first[: t.samples - few], others[:few]]))


def flipped(truth: Array, t: Training, rng: Rng) -> Array:
    """The targets with noise."""
    if not t.flipped:
        return truth
    if t.task == REGRESSION:
        return truth + t.flipped * t.y_spread * rng.normal(size=truth.shape)
    if t.task == LABELS:
        return np.where(rng.random(truth.shape) < t.flipped, 1 - truth, truth)
    return np.where(rng.random(len(truth)) < t.flipped, rng.integers(0, t.classes, len(truth)), truth)


SCALED: dict[str, Callable[[Array], Array]] = {
    "": lambda y: y,
    "/ 255": lambda y: y / 255,
    "* 255": lambda y: y * 255,
    "1 and 2": lambda y: y + 1,
    "-1 and 1": lambda y: 2 * y - 1,
    "// 255": lambda y: y // 255,
    "* 1000": lambda y: 1000 * y,
    "rounded": lambda y: np.where(np.abs(y) < 0.3, 0.0, y),  # some are exactly 0
}


def formed(truth: Array, t: Training) -> Array:
    """The targets in the form that the loss gets."""
    scale = SCALED[t.scaled]
    if t.targets == "integers":
        return scale(truth).astype(np.int64)
    if t.targets == "one-hot":
        return scale(np.eye(t.classes)[truth]).astype(t.dtype)
    return scale(truth.reshape(len(truth), -1)).astype(t.dtype)


def blobs(t: Training, n: int, rng: Rng) -> tuple[Array, Array]:
    centers = rng.normal(size=(t.classes, t.inputs)) * (4 / np.sqrt(t.inputs))
    kind = rng.choice(t.classes, n, p=shares(t.classes, rng))
    return centers[kind] + rng.normal(size=(n, t.inputs)), kind


def spirals(t: Training, n: int, rng: Rng) -> tuple[Array, Array]:
    kind = rng.choice(t.classes, n, p=shares(t.classes, rng))
    radius, turn = rng.uniform(0.15, 1, n), rng.uniform(1.0, 4.0)
    angle = 2 * np.pi * kind / t.classes + turn * radius
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return x + rng.uniform(0.01, 0.04) * rng.normal(size=x.shape), kind


def shares(classes: int, rng: Rng) -> Array:
    """The shares of classes, the largest at most twice the smallest."""
    share = rng.uniform(1, 2, classes)
    return share / share.sum()


def of_function(t: Training, n: int, rng: Rng, function: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Samples of a function of x, with one output for each class. Samples at the border of two classes are left out."""
    x = rng.normal(size=(n if t.task == REGRESSION else 2 * n, t.inputs))
    out = function(x)
    if t.task == REGRESSION:
        return x, out
    out = (out - out.mean(axis=0)) / out.std(axis=0)
    if t.task == LABELS:
        sure, kind = np.abs(out).min(axis=1), (out > 0).astype(float)
    else:
        ranked = np.sort(out, axis=1)
        sure, kind = ranked[:, -1] - ranked[:, -2], out.argmax(axis=1)
    keep = np.sort(np.argsort(-sure)[:n])
    return x[keep], kind[keep]


def teacher(t: Training, n: int, rng: Rng) -> tuple[Array, Array]:
    first = rng.normal(size=(t.inputs, 8)) * (1.2 / np.sqrt(t.inputs))
    bias, second = rng.normal(size=8) * 0.5, rng.normal(size=(8, t.classes))
    return of_function(t, n, rng, lambda x: np.tanh(x @ first + bias) @ second)


def linear(t: Training, n: int, rng: Rng) -> tuple[Array, Array]:
    weights = rng.normal(size=(t.inputs, t.classes))
    return of_function(t, n, rng, lambda x: x @ weights)


def sines(t: Training, n: int, rng: Rng) -> tuple[Array, Array]:
    waves = rng.normal(size=(t.inputs, 3, t.classes)) * 1.2
    phase = rng.uniform(0, 2 * np.pi, (3, t.classes))
    return of_function(t, n, rng, lambda x: np.sin(np.tensordot(x, waves, 1) + phase).sum(axis=1))


MADE: dict[str, Callable[[Training, int, Rng], tuple[Array, Array]]] = {
    "blobs": blobs,
    "spirals": spirals,
    "teacher": teacher,
    "linear": linear,
    "sines": sines,
}
