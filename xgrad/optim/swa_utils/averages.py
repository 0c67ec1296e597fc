"""The formulas of averages: for one parameter, or for lists of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor

Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The formula of an exponential moving average, of one parameter: decay * averaged + (1 - decay) * current.

    Args:
        decay: the share of the average that is kept, from 0 to 1.

    Returns:
        A function (averaged, current, num_averaged) -> the new average, for `AveragedModel(avg_fn=...)`.

    Raises:
        ValueError: for a decay that is not from 0 to 1.

    >>> import xgrad as xg
    >>> average = xg.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(xg.asarray(4.0), xg.asarray(8.0), 3).item()
    5.0

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.get_ema_avg_fn.html
    """
    _check(decay)

    def ema(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with xg.no_grad():
            return decay * averaged + (1 - decay) * current

    return ema


def get_swa_avg_fn() -> Average:
    """The formula of a mean of all weights so far, of one parameter: averaged + (current - averaged) / (num_averaged + 1).

    Returns:
        A function (averaged, current, num_averaged) -> the new average, for `AveragedModel(avg_fn=...)`.

    Raises nothing.

    >>> import xgrad as xg
    >>> average = xg.optim.swa_utils.get_swa_avg_fn()
    >>> average(xg.asarray(4.0), xg.asarray(8.0), 3).item()
    5.0

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.get_swa_avg_fn.html
    """

    def swa(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with xg.no_grad():
            mean: Tensor = averaged + (current - averaged) / (num_averaged + 1)
            return mean

    return swa


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """The formula of an exponential moving average, of several parameters.

    Args:
        decay: the share of the average that is kept, from 0 to 1.

    Returns:
        A function (averaged, current, num_averaged) that writes the new averages into the list `averaged`, for
        `AveragedModel(multi_avg_fn=...)`.

    Raises:
        ValueError: for a decay that is not from 0 to 1.

    >>> import xgrad as xg
    >>> update = xg.optim.swa_utils.get_ema_multi_avg_fn(0.75)
    >>> averaged = [xg.asarray([4.0]), xg.asarray([0.0, 1.0])]
    >>> update(averaged, [xg.asarray([8.0]), xg.asarray([4.0, 1.0])], 3)
    >>> [each.tolist() for each in averaged]
    [[5.0], [1.0, 1.0]]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.get_ema_multi_avg_fn.html
    """
    return _writes(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> MultiAverage:
    """The formula of a mean of all weights so far, of several parameters.

    Returns:
        A function (averaged, current, num_averaged) that writes the new averages into the list `averaged`, for
        `AveragedModel(multi_avg_fn=...)`.

    Raises nothing.

    >>> import xgrad as xg
    >>> update = xg.optim.swa_utils.get_swa_multi_avg_fn()
    >>> averaged = [xg.asarray([4.0])]
    >>> update(averaged, [xg.asarray([8.0])], 3)
    >>> averaged[0].tolist()
    [5.0]

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.get_swa_multi_avg_fn.html
    """
    return _writes(get_swa_avg_fn())


def _writes(average: Average) -> MultiAverage:
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        with xg.no_grad():
            for old, new in zip(averaged, current, strict=True):
                write(old, average(old, new, num_averaged))

    return update


def write(target: Tensor, value: Tensor) -> None:
    """Set the values of a tensor. Those of an integer tensor are rounded towards 0."""
    target[...] = value if value.dtype == target.dtype else xg.astype(value, target.dtype)


def _check(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"the decay of an average must be from 0 to 1, got {decay!r}")
