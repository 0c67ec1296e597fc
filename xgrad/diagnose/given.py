"""The arguments of a watcher: the model, its optimizer, the loss and the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.network import copy_of, is_float, rows
from xgrad.transforms.grad import to_tensor

Loss = Callable[[Any, Any], xg.Tensor]

SAMPLE = 512  # how many rows a regular look uses


class Given:
    """The arguments of `watch`, checked, and values that depend on them alone."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer | None,
        loss: Loss | None,
        x: Any,
        y: Any,
        names: Mapping[Any, str] | None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(f"watch(model): expected a Module, got {type(model).__name__}")
        if optimizer is not None and not isinstance(optimizer, optim.Optimizer):
            raise TypeError(f"watch(model, optimizer): expected an Optimizer, got {type(optimizer).__name__}")
        self.model = model
        # Each of the next four may be None. Their type is Any: a rule that `needs` one reads it without a check of its own.
        self.optimizer: Any = optimizer
        self.loss: Any = loss
        self.x: Any = None if x is None else to_tensor(x, "for x of watch()")
        self.y: Any = None if y is None else to_tensor(y, "for y of watch()")
        if self.x is not None and self.y is not None and self.x.shape[:1] != self.y.shape[:1]:
            raise ValueError(
                f"watch: x has shape {self.x.shape}, y {self.y.shape}; they need the same number of samples"
            )
        self.modules = dict(model.named_modules())
        self.paths = {id(module): path for path, module in self.modules.items()}
        self.names = dict(names or {})
        self.start = copy_of(model)
        self.parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]

    @property
    def limit(self) -> float:
        """A larger value may soon overflow the dtype of the parameters: the cube root of the largest number."""
        if not self.parameters:
            return math.inf
        p = self.parameters[0][1]
        largest = float(p.backend.xp.finfo(p.dtype).max)
        return math.pow(largest, 1 / 3)

    @property
    def rate(self) -> float:
        """The largest learning rate, or 0 if there is none."""
        groups = () if self.optimizer is None else self.optimizer.param_groups
        return max((float(group["lr"]) for group in groups if "lr" in group), default=0.0)

    def name(self, module: Any) -> str:
        """A module in words: its name in `names`, or else its path and type."""
        if module is None:
            return "outside of a module"
        if id(module) in self.names:
            return str(self.names[id(module)])
        kind = type(module).__name__
        path = self.paths.get(id(module))
        return f"{path} ({kind})" if path else kind

    def owner(self, parameter: str) -> str:
        """The layer of a parameter, in words."""
        return self.name(self.modules.get(parameter.rpartition(".")[0], self.model))

    def pairs(self, most: int = SAMPLE) -> tuple[xg.Tensor, xg.Tensor] | None:
        """At most so many samples of x and y; None if one was not given."""
        if self.x is None or self.y is None:
            return None
        return rows(self.x, most), rows(self.y, most)

    @cached_property
    def is_regression(self) -> bool:
        """Whether the loss is a distance from y, that is 0 at y itself."""
        if self.loss is None or self.y is None or not is_float(self.y):
            return False
        try:
            with xg.no_grad():
                return float(self.loss(self.y, self.y).item()) == 0
        except Exception:
            return False
