"""Weight normalization: a weight as a length and a direction."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.nn.utils.hooked import find, given_weight, in_front, removed


class WeightNorm:
    """The hook that computes the weight before each forward."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.weight(module))

    def weight(self, module: Module) -> Any:
        """The weight as the module has it now: g * v / |v|."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / self.length(v))

    def length(self, v: Any) -> Any:
        """The norms of the slices along the axis `dim`, with axes of length 1 in place of the others; of all of v for -1."""
        if self.dim == -1:
            return xg.linalg.vector_norm(v)
        others = tuple(i for i in range(v.ndim) if i != self.dim)
        return xg.linalg.vector_norm(v, axis=others, keepdims=True) if others else xg.abs(v)


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Any:
    """Split a weight into its length g and its direction v: from now on it is g * v / |v|, and g and v are trained.

    The parameter `weight` becomes the two parameters `weight_g` and `weight_v`. A hook computes the weight from them before each
    forward. Salimans and Kingma, https://arxiv.org/abs/1602.07868.

    Args:
        module: a module, which is changed.
        name: the name of its parameter.
        dim: the axis along which each slice has a length of its own; None (or -1) for one length of the whole weight.

    Returns:
        The module itself.

    Raises:
        ValueError: for a module without such a parameter, or an axis that it does not have.
        RuntimeError: for a parameter that is split already.

    >>> import xgrad as xg
    >>> layer = xg.nn.utils.weight_norm(xg.nn.Linear(3, 2))
    >>> {name: p.shape for name, p in layer.named_parameters()}
    {'bias': (2,), 'weight_g': (2, 1), 'weight_v': (2, 3)}

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html
    """
    dim = -1 if dim is None else dim
    weight = given_weight("weight_norm", WeightNorm, module, name)
    if not -1 <= dim < weight.ndim:
        raise ValueError(f"weight_norm: {name} has {weight.ndim} axes, there is no axis {dim}; None means all of it")
    hook = WeightNorm(name, dim)
    with xg.no_grad():
        g = Parameter(hook.length(weight))
    delattr(module, name)
    module.register_parameter(f"{name}_g", g)
    module.register_parameter(f"{name}_v", Parameter(weight))
    return in_front(module, hook)


def remove_weight_norm(module: Module, name: str = "weight") -> Any:
    """Put one parameter in the place of the two that `weight_norm` made, with the value that the weight has now.

    Args:
        module: the module, which is changed.
        name: the name of the weight.

    Returns:
        The module itself.

    Raises:
        ValueError: for a weight that is not split.

    >>> import xgrad as xg
    >>> layer = xg.nn.utils.remove_weight_norm(xg.nn.utils.weight_norm(xg.nn.Linear(3, 2)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.remove_weight_norm.html
    """
    hook = find("weight_norm", WeightNorm, module, name)
    with xg.no_grad():
        weight = hook.weight(module)
    return removed(module, hook, weight, (f"{name}_g", f"{name}_v"))
