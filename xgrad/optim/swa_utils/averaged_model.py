"""A copy of a model whose parameters are averages."""

from __future__ import annotations

from copy import deepcopy
from itertools import chain
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn import Module
from xgrad.optim.swa_utils.averages import Average, MultiAverage, get_swa_multi_avg_fn, write


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over training.

    Call `update_parameters(model)` where a new value enters the average, after `optimizer.step()` for example. The first time the
    values are copied. The buffer `n_averaged` counts these calls; it is saved with the model. An update reads it on the host.

    Calling the averaged model calls the copy, which is `module`. Its running statistics are those of the model, unless
    `use_buffers`; `update_bn` computes new ones.

    Izmailov et al., https://arxiv.org/abs/1803.05407.

    Args:
        model: the model. It is copied.
        device: the device of the copy; None for the model's.
        avg_fn: a function (averaged, current, num_averaged) -> the new average of one parameter.
        multi_avg_fn: a function (averaged, current, num_averaged) that writes the new averages into a list of parameters of one
            dtype. Without both functions, the average is the mean of all values.
        use_buffers: whether the buffers are averaged too. Otherwise those of the model are copied at each update.

    Raises:
        ValueError: for both functions at once, and in `update_parameters` for a model with other parameters.

    >>> import xgrad as xg
    >>> model = xg.nn.Linear(1, 1, bias=False)
    >>> average = xg.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     with xg.no_grad():
    ...         model.weight[...] = value
    ...     average.update_parameters(model)
    >>> average.module.weight.item(), average.n_averaged.item()
    (3.0, 3)

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.AveragedModel.html
    """

    module: Module
    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel takes avg_fn or multi_avg_fn, not both")
        super().__init__()
        self.module = deepcopy(model)
        self.register_buffer("n_averaged", xg.asarray(0, dtype=xg.int64))
        if device is not None:
            self.to(device)
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the copy computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Let the values of the model enter the average. ValueError for a model with other parameters."""
        pairs = self._pairs(model)
        n = int(self.n_averaged.item())
        with xg.no_grad():
            if n == 0:
                for averaged, current in pairs:
                    write(averaged, current)
            elif self.avg_fn is not None:
                for averaged, current in pairs:
                    write(averaged, self.avg_fn(averaged.detach(), current, n))
            else:
                update = get_swa_multi_avg_fn() if self.multi_avg_fn is None else self.multi_avg_fn
                by_dtype: dict[Any, list[tuple[Tensor, Tensor]]] = {}
                for averaged, current in pairs:
                    by_dtype.setdefault(str(averaged.dtype), []).append((averaged, current))
                for same in by_dtype.values():
                    update([averaged for averaged, _ in same], [current for _, current in same], n)
            if not self.use_buffers:
                for kept, buffer in self._matched(self.module.buffers(), model.buffers()):
                    write(kept, buffer)
            self.n_averaged[...] = n + 1
        xg.persist(self)

    def _pairs(self, model: Module) -> list[tuple[Tensor, Tensor]]:
        """Each averaged tensor, with the value that enters, on its device."""
        if self.use_buffers:
            return self._matched(
                chain(self.module.parameters(), self.module.buffers()), chain(model.parameters(), model.buffers())
            )
        return self._matched(self.module.parameters(), model.parameters())

    def _matched(self, mine: Any, theirs: Any) -> list[tuple[Tensor, Tensor]]:
        own, other = list(mine), [each.detach() for each in theirs]
        if [each.shape for each in own] != [each.shape for each in other]:
            raise ValueError(
                "AveragedModel.update_parameters: the model has other parameters or buffers than the average"
            )
        return [(a, b if b.device == a.device else b.to_device(a.device)) for a, b in zip(own, other, strict=True)]
