"""A network without the activation at its output."""

from __future__ import annotations

from xgrad import nn
from xgrad.diagnose.network import copy_of

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus)


def without_output_activation(model: nn.Module) -> nn.Sequential | None:
    """A copy that ends before its last activation; None if it is not a Sequential that ends in one."""
    if not isinstance(model, nn.Sequential) or len(model) < 2 or not isinstance(model[-1], ACTIVATIONS):
        return None
    copied = copy_of(model)
    assert isinstance(copied, nn.Sequential)
    return copied[:-1]
