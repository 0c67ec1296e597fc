"""The arguments of a watcher: the model, its optimizer, the loss and the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.network import copy_of, is_float, rows
from xgrad.diagnose.takes import VALUES, what_it_takes
from xgrad.diagnose.targets import targets_of
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
        x_val: Any = None,
        y_val: Any = None,
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
        self.x_val: Any = None if x_val is None else to_tensor(x_val, "for x_val of watch()")
        self.y_val: Any = None if y_val is None else to_tensor(y_val, "for y_val of watch()")
        if (self.x_val is None) != (self.y_val is None):
            raise ValueError("watch: x_val and y_val go together")
        if self.x_val is not None and self.y_val is not None and self.x_val.shape[:1] != self.y_val.shape[:1]:
            raise ValueError(
                f"watch: x_val has shape {self.x_val.shape}, y_val {self.y_val.shape}; they need the same number of samples"
            )
        self.modules = dict(model.named_modules())
        self.paths = {id(module): path for path, module in self.modules.items()}
        self.names = dict(names or {})
        self.start = copy_of(model)
        self._takes: dict[Any, str | None] = {}
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

    def pairs(self, most: int = SAMPLE) -> Any:
        """At most so many samples of x and y; None if one was not given."""
        if self.x is None or self.y is None:
            return None
        return rows(self.x, most), rows(self.y, most)

    @cached_property
    def is_regression(self) -> bool:
        """Whether the loss is a distance from y: least at y itself, and no logarithm of a probability."""
        if self.loss is None or self.y is None or not is_float(self.y):
            return False
        takes = what_it_takes(self.loss, self.y, self.y)
        if takes is not None:
            return takes == VALUES
        try:
            with xg.no_grad():
                return float(self.loss(self.y, self.y).item()) == 0
        except Exception:
            return False

    @cached_property
    def targets(self) -> Any:
        """What the targets are, a `Targets`; None without y."""
        return None if self.y is None else targets_of(self.y)

    def takes(self, output: xg.Tensor) -> str | None:
        """What outputs of this shape and dtype the loss takes (see takes.py); None if that is not known."""
        if self.loss is None or self.y is None:
            return None
        key = (tuple(output.shape[1:]), output.dtype)
        if key not in self._takes:
            self._takes[key] = what_it_takes(self.loss, output, self.y)
        return self._takes[key]
