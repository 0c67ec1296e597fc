"""A small training step with any loss and any optimizer, on a small network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import xgrad as xg
from xgrad import nn
from xgrad.nn import functional as F
from xgrad.nn.activations import BY_NAME

ROWS, CLASSES = 4, 2


@dataclass
class Batch:
    """Inputs, and targets for every loss, on the current backend."""

    x: xg.Tensor
    like: xg.Tensor
    shares: xg.Tensor
    labels: xg.Tensor
    classes: xg.Tensor  # as labels, without one to ignore
    weight: xg.Tensor


def batch(dtype: str = "float32") -> Batch:
    def on_device(values: Any, kind: str = dtype) -> xg.Tensor:
        made: xg.Tensor = xg.asarray(np.asarray(values).astype(kind))
        return made

    spread = np.linspace(-1, 1, 12).reshape(ROWS, 3)
    return Batch(
        on_device(spread),
        on_device(spread[:, :CLASSES]),
        on_device([[0.2, 0.8], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]),
        on_device([0, 1, -100, 0], "int64"),
        on_device([1, 1, 1, 0], "int64"),
        on_device([1.0, 3.0]),
    )


LOSSES: dict[str, Callable[[Any, Batch], xg.Tensor]] = {
    "mse_loss": lambda y, b: F.mse_loss(y, b.like),
    "huber_loss": lambda y, b: F.huber_loss(y, b.like),
    "l1_loss": lambda y, b: F.l1_loss(y, b.like),
    "cross_entropy": lambda y, b: F.cross_entropy(y, b.labels),
    "cross_entropy, weighted": lambda y, b: F.cross_entropy(y, b.labels, b.weight),
    "cross_entropy, smoothed": lambda y, b: F.cross_entropy(y, b.labels, label_smoothing=0.1),
    "cross_entropy, of shares": lambda y, b: F.cross_entropy(y, b.shares),
    "nll_loss": lambda y, b: F.nll_loss(F.log_softmax(y, dim=1), b.labels),
    "nll_loss, weighted": lambda y, b: F.nll_loss(F.log_softmax(y, dim=1), b.labels, b.weight),
    "binary_cross_entropy_with_logits": lambda y, b: F.binary_cross_entropy_with_logits(y, b.shares),
    "binary_cross_entropy": lambda y, b: F.binary_cross_entropy(F.sigmoid(y), b.shares),
    "mse_loss, weighted": lambda y, b: F.mse_loss(y, b.like, weight=b.shares),
    "smooth_l1_loss": lambda y, b: F.smooth_l1_loss(y, b.like),
    "poisson_nll_loss": lambda y, b: F.poisson_nll_loss(y, b.shares, full=True),
    "gaussian_nll_loss": lambda y, b: F.gaussian_nll_loss(y, b.like, b.shares),
    "ctc_loss": lambda y, b: F.ctc_loss(F.log_softmax(y, dim=1), b.classes[:1], 4, 1),
    "ctc_loss, of lengths": lambda y, b: F.ctc_loss(
        xg.reshape(F.log_softmax(y, dim=1), (ROWS, 1, CLASSES)),
        b.classes[:2],
        b.classes[2:3] + 3,
        b.classes[:1],
        blank=0,
    ),
    "margin_ranking_loss": lambda y, b: F.margin_ranking_loss(y, b.like, xg.sign(b.like), margin=0.5),
    "hinge_embedding_loss": lambda y, b: F.hinge_embedding_loss(y, xg.sign(b.like)),
    "soft_margin_loss": lambda y, b: F.soft_margin_loss(y, xg.sign(b.like)),
    "multi_margin_loss": lambda y, b: F.multi_margin_loss(y, b.classes, weight=b.weight),
    "multilabel_margin_loss": lambda y, b: F.multilabel_margin_loss(y, xg.stack([b.classes, b.labels], axis=1)),
    "multilabel_soft_margin_loss": lambda y, b: F.multilabel_soft_margin_loss(y, b.shares),
    "cosine_embedding_loss": lambda y, b: F.cosine_embedding_loss(y, b.like, xg.sign(b.like[:, 0])),
    "triplet_margin_loss": lambda y, b: F.triplet_margin_loss(y, b.like, b.shares, swap=True),
    "triplet_margin_with_distance_loss": lambda y, b: F.triplet_margin_with_distance_loss(y, b.like, b.shares),
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "Adagrad": {"weight_decay": 0.01, "lr_decay": 0.1},
    "RMSprop": {"momentum": 0.9, "centered": True, "weight_decay": 0.01},
    "Adam": {"amsgrad": True, "weight_decay": 0.01},
    "AdamW": {"amsgrad": True},
    "Adadelta": {"weight_decay": 0.01},
    "Adamax": {"weight_decay": 0.01},
    "NAdam": {"weight_decay": 0.01, "decoupled_weight_decay": True},
    "RAdam": {"weight_decay": 0.01},
    "Rprop": {},
    "ASGD": {"t0": 1, "weight_decay": 0.01},
    "Lion": {"weight_decay": 0.01},
    "LAMB": {},
    "Adafactor": {"weight_decay": 0.01},
}
# Every optimizer, with each of its options at least once.
OPTIMIZERS_BY_OPTION: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.1, "lr_decay": 0.1}),
    ("Adagrad", {"weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {"amsgrad": True}),
    ("Adadelta", {"weight_decay": 0.1, "maximize": True}),
    ("Adamax", {"weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"weight_decay": 0.1, "maximize": True, "betas": (0.9, 0.8)}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Rprop", {"maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"t0": 0, "weight_decay": 0.1, "maximize": True}),
    ("Lion", {}),
    ("Lion", {"weight_decay": 0.1, "maximize": True}),
    ("LAMB", {"maximize": True}),
]


def network() -> nn.Sequential:
    """A network of Linear layers and of common activations. All layers run in tests/test_nn_parity.py."""
    activations = [BY_NAME[name]() for name in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "gelu", "silu")]
    hidden = (layer for activation in activations for layer in (nn.Linear(4, 4, dtype=xg.float32), activation))
    return nn.Sequential(
        nn.Linear(3, 5, dtype=xg.float32), nn.Flatten(), nn.Linear(5, 4, dtype=xg.float32), nn.Identity(), *hidden,
        nn.Linear(4, 4, dtype=xg.float32), nn.Softmax(dim=1), nn.Linear(4, 4, dtype=xg.float32), nn.LogSoftmax(dim=1),
        nn.Linear(4, CLASSES, dtype=xg.float32), nn.Softplus(),
    )  # fmt: skip


def stepper(loss: str, optimizer: str) -> Callable[[], None]:
    """A training step, with its gradients clipped."""
    model, b = network(), batch()
    moving = getattr(xg.optim, optimizer)(model.parameters(), **OPTIMIZERS[optimizer])

    def step() -> None:
        moving.zero_grad()
        LOSSES[loss](model(b.x), b).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        moving.step()

    return step


PAIRS = [*((loss, "SGD") for loss in LOSSES), *(("mse_loss", name) for name in OPTIMIZERS if name != "SGD")]
