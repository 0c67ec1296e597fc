"""The arguments of a watcher: the model, its optimizer, the loss and the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.network import copy_of, is_float, is_tree, rows, samples_in
from xgrad.diagnose.takes import VALUES, what_it_takes
from xgrad.diagnose.targets import targets_of
from xgrad.engine import trees
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
        if optimizer is not None and not _shares(model, optimizer):
            raise ValueError("watch(model, optimizer): the optimizer has none of the parameters of the model")
        if loss is not None and not callable(loss):
            raise TypeError(f"watch(loss): expected a function of the output and the target, got {type(loss).__name__}")
        self.model = model
        # Each of the next four may be None. Their type is Any: a rule that `needs` one reads it without a check of its own.
        self.optimizer: Any = optimizer
        self.loss: Any = loss
        self.inputs: Any = _tensors(x, "x")  # as they were given: one tensor, or several in a tuple, a list or a dict
        self.answers: Any = _tensors(y, "y")
        self.x: Any = (
            None if is_tree(self.inputs) else self.inputs
        )  # only where it is one tensor, as most rules need it
        self.y: Any = None if is_tree(self.answers) else self.answers
        if self.x is not None and self.y is not None and self.x.shape[:1] != self.y.shape[:1]:
            raise ValueError(
                f"watch: x has shape {self.x.shape}, y {self.y.shape}; they need the same number of samples"
            )
        counts = samples_in(self.inputs), samples_in(self.answers)
        if None not in counts and counts[0] != counts[1]:
            raise ValueError(f"watch: x has {counts[0]} samples, y {counts[1]}; they need the same number of samples")
        self.x_val: Any = None if x_val is None else to_tensor(x_val, "for x_val of watch()")
        self.y_val: Any = None if y_val is None else to_tensor(y_val, "for y_val of watch()")
        if (self.x_val is None) != (self.y_val is None):
            raise ValueError("watch: x_val and y_val go together")
        if self.x_val is not None and self.y_val is not None and self.x_val.shape[:1] != self.y_val.shape[:1]:
            raise ValueError(
                f"watch: x_val has shape {self.x_val.shape}, y_val {self.y_val.shape}; they need the same number of samples"
            )
        self._limit: tuple[Any, float] = (None, math.inf)  # of the dtype for which it was computed last
        self._takes: dict[Any, str | None] = {}
        self.modules = dict(model.named_modules())
        self.paths = {id(module): path for path, module in self.modules.items()}
        self.names = dict(names or {})
        try:
            self.start = copy_of(model)
        except Exception as error:  # a file or a lock in an attribute, for example
            raise TypeError(f"watch(model): it cannot be copied, as its start must be: {error}") from error
        self.parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]

    @property
    def limit(self) -> float:
        """A larger value may soon overflow the dtype of the parameters: the cube root of the largest number."""
        if not self.parameters:
            return math.inf
        p = self.parameters[0][1]
        if p.dtype is not self._limit[0]:
            self._limit = (p.dtype, math.pow(float(p.backend.xp.finfo(p.dtype).max), 1 / 3))
        return self._limit[1]

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

    def lacking(self, name: str) -> str:
        """What to call an argument that a rule needs and the run lacks."""
        given = {"x": self.inputs, "y": self.answers}.get(name)
        return name if given is None else f"{name} as one array"

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

    def forget_losses(self) -> None:
        """Find out anew what the loss takes, after y has changed."""
        self._takes.clear()

    def takes(self, output: xg.Tensor) -> str | None:
        """What outputs of this shape and dtype the loss takes (see takes.py); None if that is not known."""
        if self.loss is None or self.y is None:
            return None
        key = (tuple(output.shape[1:]), output.dtype)
        if key not in self._takes:
            self._takes[key] = what_it_takes(self.loss, output, self.y)
        return self._takes[key]


def _tensors(data: Any, name: str) -> Any:
    """The data of `watch` as tensors: one, or several in the same tuple, list or dict. None stays None."""
    what = f"for {name} of watch()"
    if data is None or not is_tree(data):
        return None if data is None else to_tensor(data, what)
    return trees.map_leaves(lambda leaf: to_tensor(leaf, what) if hasattr(leaf, "shape") else leaf, data)


def _shares(model: nn.Module, optimizer: optim.Optimizer) -> bool:
    """Whether the optimizer has a parameter of the model. A model without parameters has none to share."""
    own = {id(p) for p in model.parameters()}
    return not own or any(id(p) in own for group in optimizer.param_groups for p in group.params)
