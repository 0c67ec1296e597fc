"""Changes to a run that a fix tries: its data, its network, its loss, its optimizer and its length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.backends.host import library as np
from xgrad.diagnose.network import copy_of, copy_optimizer, is_float, standardised
from xgrad.diagnose.run import Run
from xgrad.diagnose.targets import BINARY, CLASSES, LABELS, REGRESSION, Targets, targets_of
from xgrad.nn.activations import Activation

LINEAR, SIGMOID, SOFTMAX, LOG_SOFTMAX = (
    "a linear output",
    "a sigmoid output",
    "a softmax output",
    "a log-softmax output",
)
OUTPUTS: dict[str, Callable[[], nn.Module] | None] = {
    LINEAR: None,
    SIGMOID: nn.Sigmoid,
    SOFTMAX: lambda: nn.Softmax(dim=-1),
    LOG_SOFTMAX: lambda: nn.LogSoftmax(dim=-1),
}


@dataclass(frozen=True)
class Change:
    """A change to the run.

    Args:
        standardise: whether x is standardised, and y where it holds numbers to predict.
        output: the activation at the end, one of OUTPUTS; None leaves it as it is.
        proper_loss: whether the loss is that of the targets, on a linear output: the cross-entropy of logits for classes, the
            squared error for numbers.
        relu: whether sigmoids and the like between the layers become ReLUs, with new weights.
        between: whether ReLUs are put between layers that have none.
        no_decay: whether weight decay is 0.
        adam: the learning rate of Adam, which replaces the optimizer.
        lr: another learning rate for the optimizer.
        longer: how many times as many steps.
    """

    standardise: bool = False
    output: str | None = None
    proper_loss: bool = False
    relu: bool = False
    between: bool = False
    no_decay: bool = False
    adam: float | None = None
    lr: float | None = None
    longer: int = 1

    def __str__(self) -> str:
        parts = ["x and y standardised"] * self.standardise
        parts += [self.output] if self.output is not None and not self.proper_loss else []
        parts += ["the loss of the targets on a linear output"] * self.proper_loss
        parts += ["ReLU in place of the activations between the layers, with new weights"] * self.relu
        parts += ["ReLU between the layers"] * self.between + ["no weight decay"] * self.no_decay
        parts += [] if self.adam is None else [f"Adam with lr {self.adam:g}"]
        parts += [] if self.lr is None else [f"lr {self.lr:.3g}"]
        parts += [f"{self.longer} times as many steps"] * (self.longer > 1)
        return ", ".join(parts) or "the same, with gradients cleared in every step and batches drawn at random"


@dataclass
class Changed:
    """A run with a change, ready to train."""

    model: nn.Module
    optimizer: optim.Optimizer
    loss: Any
    x: xg.Tensor
    y: xg.Tensor


def apply(change: Change, run: Run) -> Changed | None:
    """The run with the change, from its start; None where it cannot be made, as for a network of one's own kind."""
    x, y, loss, model = run.x, run.y, run.loss, copy_of(run.start)
    if change.output is not None or change.proper_loss or change.relu or change.between:
        if not isinstance(model, nn.Sequential):
            return None
        layers = list(model)
        if change.output is not None or change.proper_loss:
            layers = _with_output(layers, LINEAR if change.proper_loss else change.output)
        if change.relu:
            layers = _with_relu(layers)
        if change.between:
            layers = _between(layers)
        if change.proper_loss:
            found = _proper(layers, run, run.targets)
            if found is None:
                return None
            layers, loss, y = found
        model = nn.Sequential(*layers)
    if change.standardise:
        x = standardised(x) if is_float(x) else x
        y = standardised(y) if _holds_numbers(run, change, y) else y
    return Changed(model, _optimizer(change, run, model), loss, x, y)


def _holds_numbers(run: Run, change: Change, y: xg.Tensor) -> bool:
    """Whether these are numbers to predict, which may be scaled, and no classes."""
    if run.targets is None or run.targets.kind != REGRESSION or not is_float(y):
        return False
    return change.proper_loss or run.is_regression


def _optimizer(change: Change, run: Run, model: nn.Module) -> optim.Optimizer:
    if change.adam is not None:
        return optim.Adam(model.parameters(), lr=change.adam)
    same = [p.shape for p in model.parameters()] == [p.shape for p in run.model.parameters()]
    if same:
        optimizer = copy_optimizer(run.optimizer, run.model, model)
    else:
        options = {**run.optimizer.param_groups[0].options, "params": list(model.parameters())}
        optimizer = type(run.optimizer)([options])
    for group in optimizer.param_groups:
        if change.lr is not None:
            group["lr"] = change.lr
        if change.no_decay and "weight_decay" in group:
            group["weight_decay"] = 0.0
    return optimizer


# --- layers ---------------------------------------------------------------------------------------------------


def ends_in_activation(layers: list[nn.Module]) -> bool:
    return bool(layers) and isinstance(layers[-1], Activation | nn.LogSoftmax)


def _with_output(layers: list[nn.Module], output: str | None) -> list[nn.Module]:
    """The layers with this activation at the end in place of another one."""
    layers = layers[:-1] if ends_in_activation(layers) else layers
    make = OUTPUTS[output or LINEAR]
    return layers if make is None else [*layers, make()]


def _with_relu(layers: list[nn.Module]) -> list[nn.Module]:
    """ReLUs in place of the activations that are not at the end, and new weights for them."""
    rng = xg.random.Generator(0)
    found: list[nn.Module] = []
    for place, layer in enumerate(layers):
        if isinstance(layer, Activation) and layer.is_elementwise and place < len(layers) - 1:
            found.append(nn.ReLU())
            continue
        if isinstance(layer, nn.Linear):
            layer = _linear(layer.in_features, layer.out_features, layer, rng)
        found.append(layer)
    return found


def _between(layers: list[nn.Module]) -> list[nn.Module]:
    """A ReLU after each linear layer that another one follows at once."""
    found: list[nn.Module] = []
    for layer in layers:
        if found and isinstance(found[-1], nn.Linear) and isinstance(layer, nn.Linear):
            found.append(nn.ReLU())
        found.append(layer)
    return found


def _linear(inputs: int, outputs: int, like: nn.Linear, rng: Any) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=like.bias is not None, dtype=like.weight.dtype, rng=rng)


def _proper(layers: list[nn.Module], run: Run, targets: Targets) -> tuple[list[nn.Module], Any, xg.Tensor] | None:
    """The layers, the loss and the targets, where the loss is that of the targets."""
    last = layers[-1]
    if not isinstance(last, nn.Linear):
        return None
    if targets.in_column:
        targets = targets_of(xg.asarray(run.y.numpy().astype(np.int64)))
    dtype = last.weight.dtype
    if targets.kind == CLASSES:
        count = max(int(targets.numbers.max()) + 1, 2)
        if int(targets.numbers.min()) < 0:
            return None
        if last.out_features < count:
            layers = [*layers[:-1], _linear(last.in_features, count, last, xg.random.Generator(0))]
        return layers, nn.CrossEntropyLoss(), run.y.backend.view.asarray(targets.numbers)
    y: xg.Tensor = run.y if is_float(run.y) else run.y.backend.view.astype(run.y, dtype)
    if targets.kind in (BINARY, LABELS):
        if y.shape[1:] != (last.out_features,):
            return None
        return layers, nn.BCEWithLogitsLoss(), y
    return (layers, nn.MSELoss(), y) if y.shape[1:] == (last.out_features,) else None
