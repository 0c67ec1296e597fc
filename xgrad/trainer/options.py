"""Checks of the arguments of a trainer."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.backends.dtype_names import HALVES, without
from xgrad.diagnose.hooks import needs_closure as needs_closure
from xgrad.optim import lr_scheduler

BY_STEP = (lr_scheduler.OneCycleLR, lr_scheduler.CyclicLR)  # their lengths are given in steps


def check_parts(model: Any, loss: Any, optimizer: Any, scheduler: Any) -> None:
    """TypeError or ValueError for a model, loss, optimizer or schedule that is none, or that is of another model."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"Trainer(model): expected a Module, got {_kind(model)}")
    if loss is not None and (not callable(loss) or isinstance(loss, type)):
        called = f"; write {loss.__name__}()" if isinstance(loss, type) else ""
        raise TypeError(f"Trainer(loss): expected a function of output and target, or None, got {_kind(loss)}{called}")
    if not isinstance(optimizer, optim.Optimizer):
        raise TypeError(f"Trainer(optimizer): expected an Optimizer of xgrad.optim, got {_kind(optimizer)}")
    mine = {id(p) for p in model.parameters()}
    if isinstance(loss, nn.Module):
        mine |= {id(p) for p in loss.parameters()}
    if not any(id(p) in mine for group in optimizer.param_groups for p in group.params):
        raise ValueError(
            "Trainer: the optimizer has no parameter of the model, so that nothing would be trained: make it with "
            "model.parameters(), after the model was made"
        )
    if scheduler is not None:
        if not hasattr(scheduler, "step") or not hasattr(scheduler, "optimizer"):
            raise TypeError(f"Trainer(scheduler): expected a schedule of optim.lr_scheduler, got {_kind(scheduler)}")
        if scheduler.optimizer is not optimizer:
            raise ValueError("Trainer(scheduler): it schedules another optimizer")


def check_numbers(clip_grad_norm: Any, clip_grad_value: Any, accumulate: Any) -> None:
    """ValueError for numbers out of range."""
    for name, value in (("clip_grad_norm", clip_grad_norm), ("clip_grad_value", clip_grad_value)):
        if value is not None and not value > 0:
            raise ValueError(f"Trainer: {name} must be more than 0, or None, got {value!r}")
    if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
        raise ValueError(f"Trainer: accumulate must be an integer, 1 or more, got {accumulate!r}")


def check_precision(precision: Any, backend: Any) -> None:
    """ValueError for a precision that is none; BackendError for one that the backend does not have."""
    if precision is None or precision == "float32":
        return
    if precision not in HALVES:
        raise ValueError(f'Trainer: precision must be None, "float32", "float16" or "bfloat16", got {precision!r}')
    if not backend.has_dtype(precision):
        raise xg.BackendError(f"Trainer: precision={precision!r}: {without(precision, backend)}")


def check_scaling(precision: Any, optimizer: Any) -> None:
    """ValueError for an optimizer whose steps cannot have a scaled loss."""
    if precision == "float16" and needs_closure(optimizer):
        raise ValueError(
            f'Trainer: precision="float16" scales the loss for one step, and {type(optimizer).__name__} evaluates it several '
            'times within a step; precision="bfloat16" needs no scale'
        )


def check_words(nonfinite: Any, scheduler_interval: Any) -> None:
    """ValueError for a word that is not one of those that are known."""
    if nonfinite not in ("stop", "skip", "ignore"):
        raise ValueError(f'Trainer: nonfinite must be "stop", "skip" or "ignore", got {nonfinite!r}')
    if scheduler_interval not in (None, "epoch", "step"):
        raise ValueError(f'Trainer: scheduler_interval must be "epoch" or "step", got {scheduler_interval!r}')


def check_plateau(scheduler: Any, monitor: str, is_maximized: bool) -> None:
    """ValueError for a ReduceLROnPlateau that takes the other direction of the monitored column for the better one."""
    if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau) and (scheduler.mode == "max") is not is_maximized:
        better = "max" if is_maximized else "min"
        raise ValueError(
            f"fit: ReduceLROnPlateau follows the column {monitor!r}, of which the {better}imum is best, and has the mode "
            f'{scheduler.mode!r}: write ReduceLROnPlateau(optimizer, mode="{better}"), or monitor another column first'
        )


def interval_of(scheduler: Any) -> str:
    """When a schedule steps, if nobody says so."""
    return "step" if isinstance(scheduler, BY_STEP) else "epoch"


def _kind(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a value of type {type(value).__name__}"
