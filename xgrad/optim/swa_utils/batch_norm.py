"""New running statistics for a model whose weights have changed, as those of an average do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import xgrad as xg
from xgrad.nn import InstanceNorm1d, InstanceNorm2d, Module


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of a model anew: their means over one pass through the data.

    This is done for each layer that normalizes by statistics of the batch: BatchNorm, and any module that has a `momentum`, which
    may be None for a mean, a `running_mean`, and `reset_running_stats()`. If there is none, the data are not read.

    Args:
        loader: the batches: inputs of the model, or tuples and lists that begin with one.
        model: the model. It is in training mode meanwhile.
        device: the device to move inputs to; None for none.

    Raises nothing of its own.

    >>> import xgrad as xg
    >>> model = xg.nn.BatchNorm1d(1)
    >>> xg.optim.swa_utils.update_bn([xg.asarray([[0.0], [2.0]]), xg.asarray([[4.0], [8.0]])], model)
    >>> model.running_mean.tolist()
    [3.5]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.update_bn.html
    """
    layers: list[Any] = [module for module in model.modules() if _has_statistics(module)]
    if not layers:
        return
    was_training, momenta = model.training, [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        model.train()
        with xg.no_grad():
            for batch in loader:
                x = batch[0] if isinstance(batch, list | tuple) else batch
                model(x if device is None else x.to_device(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(was_training)


def _has_statistics(module: Module) -> bool:
    """Whether a module keeps statistics of batches. Those of InstanceNorm are of single images; PyTorch leaves them too."""
    attributes = ("momentum", "running_mean", "reset_running_stats")
    return all(hasattr(module, name) for name in attributes) and not isinstance(module, InstanceNorm1d | InstanceNorm2d)
