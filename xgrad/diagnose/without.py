"""A network without the activation at its output."""

from __future__ import annotations

from xgrad import nn
from xgrad.diagnose.network import copy_of
from xgrad.nn.activations import Activation


def without_output_activation(model: nn.Module) -> nn.Sequential | None:
    """A copy without the last activation; None for a model that is not a Sequential or does not end in an elementwise one."""
    if not isinstance(model, nn.Sequential) or len(model) < 2:
        return None
    last = model[-1]
    if not isinstance(last, Activation) or not last.is_elementwise:
        return None
    copied = copy_of(model)
    assert isinstance(copied, nn.Sequential)
    return copied[:-1]


def before_output(model: nn.Module) -> nn.Module:
    """A copy without the activation at its end, also one along an axis such as softmax; the model itself if it has none."""
    if not isinstance(model, nn.Sequential) or len(model) < 2 or not isinstance(model[-1], Activation | nn.LogSoftmax):
        return model
    copied = copy_of(model)
    assert isinstance(copied, nn.Sequential)
    return copied[:-1]
