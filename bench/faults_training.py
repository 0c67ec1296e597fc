"""Builds and runs a training that faults_generator.py drew, as a program of a user would, and says how well it did."""

from __future__ import annotations

import inspect
import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import xgrad as xg
from bench.faults_generator import BINARY, CLASSES, LABELS, REGRESSION, Data, Training, make, units_of
from xgrad import nn, optim
from xgrad.diagnose import watch

Array = Any
WORST = -1.0  # the score of an output that is not finite, and the lowest
GOOD = 0.9  # R^2, or the mean over the classes of the share that is right, of a healthy run
SURE = 0.5  # its loss, where it has classes, is below this share of the loss at chance: it did not just begin to learn
APART = 0.08  # a healthy run does as well on held-out samples, up to this
TAKES_HELD_OUT = "x_val" in inspect.signature(watch).parameters


# --- the network ------------------------------------------------------------------------------------


class Detached(nn.Module):
    """A fault: no gradient passes."""

    def forward(self, x: Any) -> Any:
        return x.detach()


@xg.primitive
def wrong_relu(x: Any) -> Any:
    """ReLU with x as its derivative."""
    return xg.where(x > 0, x, x * 0)


@xg.primitive
def wrong_tanh(x: Any) -> Any:
    """tanh with the derivative y^2 - 1, whose sign is wrong."""
    return xg.tanh(x)


@xg.primitive
def wrong_sigmoid(x: Any) -> Any:
    """Sigmoid with the derivative y (1 - 3 y)."""
    return 1 / (1 + xg.exp(-x))


wrong_relu.defvjp(lambda g, out, x: xg.where(x > 0, g * x, g * 0))
wrong_tanh.defvjp(lambda g, out, x: g * (out * out - 1))
wrong_sigmoid.defvjp(lambda g, out, x: g * out * (1 - 3 * out))


class Wrong(nn.Module):
    """A fault: an activation with a wrong derivative."""

    def __init__(self, activation: str) -> None:
        self.function = {"relu": wrong_relu, "tanh": wrong_tanh, "sigmoid": wrong_sigmoid}[activation]

    def forward(self, x: Any) -> Any:
        return self.function(x)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "leaky relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "softmax": lambda: nn.Softmax(dim=-1),
    "log softmax": lambda: nn.LogSoftmax(dim=-1),
}


def network(t: Training) -> nn.Sequential:
    rng, dtype = xg.random.Generator(t.seed), getattr(xg, t.dtype)
    sizes = (t.inputs, *t.hidden, t.units or units_of(t))
    layers: list[nn.Module] = []
    for place, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        is_hidden = place < len(t.hidden)
        layers.append(dense(t, fan_in, fan_out, is_hidden, dtype, rng))
        if not is_hidden:
            continue
        if t.between == "BatchNorm":
            layers.append(nn.BatchNorm1d(fan_out, dtype=dtype))
        if t.activation != "none":
            layers.append(Wrong(t.activation) if t.wrong else LAYERS[t.activation]())
        if t.between == "Dropout":
            layers.append(nn.Dropout(0.1, rng=rng))
        if t.detached == place:
            layers.append(Detached())
    if t.last:
        layers.append(LAYERS[t.last]())
    return nn.Sequential(*layers)


def dense(t: Training, fan_in: int, fan_out: int, is_hidden: bool, dtype: Any, rng: Any) -> nn.Linear:
    layer = nn.Linear(fan_in, fan_out, dtype=dtype, rng=rng)
    bias: Any = layer.bias
    if t.init == "glorot":
        nn.init.xavier_uniform_(layer.weight, generator=rng)
    elif t.init == "he":
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=rng)
    elif t.init == "tiny":
        nn.init.normal_(layer.weight, 0.0, 0.05, generator=rng)
    if t.init != "default":
        nn.init.constant_(bias, 0.0)
    with xg.no_grad():
        if t.times != 1 and is_hidden:
            nn.init.normal_(layer.weight, 0.0, t.times / fan_in**0.5, generator=rng)
        if t.bias and is_hidden:
            nn.init.constant_(bias, t.bias)
    return layer


# --- the loss and the optimizer ---------------------------------------------------------------------


def of_probabilities(p: Any, y: Any) -> Any:
    """The cross-entropy of outputs that are first scaled to sum to 1, then clipped."""
    p = xg.clip(p / xg.sum(p, axis=-1, keepdims=True), 1e-7, 1 - 1e-7)
    return -xg.mean(xg.sum(y * xg.log(p), axis=-1))


def binary_clipped(p: Any, y: Any) -> Any:
    p = xg.clip(p, 1e-7, 1 - 1e-7)
    return -xg.mean(y * xg.log(p) + (1 - y) * xg.log(1 - p))


def of_logarithms(output: Any, y: Any) -> Any:
    """A fault: the logarithm of an output that may be 0."""
    return xg.mean(xg.square(xg.log(xg.maximum(output, 0.0)) - xg.log(y)))


def of_roots(output: Any, y: Any) -> Any:
    """A fault: the root of what is 0 for each target above the output."""
    return xg.mean(xg.sqrt(xg.maximum(output - y, 0.0))) + xg.mean(xg.square(output - y))


def relative(output: Any, y: Any) -> Any:
    """A fault: a division by targets of which some are 0."""
    return xg.mean(xg.abs((output - y) / y))


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "cross-entropy of probabilities": of_probabilities,
    "binary cross-entropy, clipped": binary_clipped,
    "squared error of logarithms": of_logarithms,
    "root of what is above": of_roots,
    "relative error": relative,
}


def loss_of(t: Training) -> Callable[[Any, Any], Any]:
    function: Callable[[Any, Any], Any] = FUNCTIONS.get(t.loss) or getattr(nn, t.loss)()
    return function


def optimizer_of(t: Training, model: nn.Sequential) -> optim.Optimizer:
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    out = {id(p) for place in t.left_out for p in linear[place].parameters()}
    parameters = [p for p in model.parameters() if id(p) not in out]
    if t.optimizer.startswith("SGD"):
        return optim.SGD(parameters, lr=t.lr, momentum=t.momentum, weight_decay=t.weight_decay)
    kind: Any = getattr(optim, t.optimizer)
    made: optim.Optimizer = kind(parameters, lr=t.lr, weight_decay=t.weight_decay)
    return made


# --- running it -------------------------------------------------------------------------------------


class Outcome:
    """A training that has run: its network, data and report, and how well it does."""

    def __init__(self, training: Training, model: nn.Sequential, data: Data, report: Any, losses: list[float]) -> None:
        self.training, self.model, self.data, self.report, self.losses = training, model, data, report, losses
        self.score = score(training, model, data.x, data.truth)
        self.held_out = score(training, model, data.x_held, data.truth_held)

    @property
    def is_healthy(self) -> bool:
        if self.score < GOOD or self.held_out < self.score - APART:
            return False
        t, last = self.training, self.losses[-max(1, len(self.losses) // 10) :]
        chance = math.log(t.classes if t.task == CLASSES else 2)
        return t.task == REGRESSION or sum(last) / len(last) < SURE * chance


def perform(t: Training, *, watched: bool = True) -> Outcome:
    """Train, with or without a watcher."""
    data, dtype = make(t), getattr(xg, t.dtype)
    x, y = xg.asarray(data.x, dtype=dtype), xg.asarray(data.y)
    model, loss = network(t), loss_of(t)
    optimizer = optimizer_of(t, model)
    held: dict[str, Any] = {}
    if t.validation and TAKES_HELD_OUT:
        held = {"x_val": xg.asarray(data.x_held), "y_val": xg.asarray(data.y_held)}
    losses = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # faulty runs overflow
        w = watch(model, optimizer, loss=loss, x=x, y=y, **held) if watched else None
        batches = batches_of(t, data, x, y)
        for _ in range(t.steps):
            xb, yb = next(batches)
            if t.zero_grad:
                optimizer.zero_grad()
            value = loss(model(xb), yb)
            value.backward()
            optimizer.step()
            losses.append(float(value.item()))
            if w is not None:
                w.step(value)
        report = None
        if w is not None:
            report = w.report()
            w.close()
        return Outcome(t, model, data, report, losses)


def batches_of(t: Training, data: Data, x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    n = len(data.x)
    if not t.batch or t.batch >= n:
        while True:
            yield x, y
    rng = np.random.default_rng(t.seed + 1)
    while True:
        order = rng.permutation(n) if t.shuffle else np.arange(n)
        for k in range(0, n - t.batch + 1, t.batch):
            chosen = order[k : k + t.batch]
            yield xg.asarray(data.x[chosen]), xg.asarray(data.y[chosen])


# --- how well it does -------------------------------------------------------------------------------


def score(t: Training, model: nn.Module, x: Array, truth: Array) -> float:
    """R^2, or the mean over the classes (or labels) of the share that is right."""
    model.eval()
    with xg.no_grad():
        out = model(xg.asarray(x)).numpy().astype(np.float64)
    model.train()
    if not np.isfinite(out).all():
        return WORST
    if t.task == REGRESSION:
        real = truth.reshape(len(truth), -1)
        real = 1000 * real if t.scaled == "* 1000" else real
        with np.errstate(all="ignore"):
            return max(WORST, float(1 - ((real - out) ** 2).mean() / real.var(axis=0).mean()))
    middle = 0.0 if t.loss == "BCEWithLogitsLoss" else 0.5  # as the loss takes the output
    if t.task == LABELS:
        return float(np.mean([balanced(out[:, k] > middle, truth[:, k]) for k in range(t.classes)]))
    if t.task == CLASSES and out.shape[1] == 1:  # an output that is the number of the class
        return balanced(np.rint(out[:, 0]), truth)
    return balanced(out[:, 0] > middle if t.task == BINARY else out.argmax(axis=1), truth)


def balanced(found: Array, truth: Array) -> float:
    """The mean over the classes of the share that is right.

    >>> balanced(np.asarray([0, 0, 0, 1]), np.asarray([0, 0, 1, 1]))
    0.75
    """
    return float(np.mean([(found[truth == kind] == kind).mean() for kind in np.unique(truth)]))
