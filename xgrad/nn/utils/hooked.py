"""What weight_norm and spectral_norm share: a weight that a hook computes before each forward."""

from __future__ import annotations

from typing import Any

from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter


def given_weight(function: str, kind: type[Any], module: Module, name: str) -> Parameter:
    """The parameter of that name. RuntimeError if such a hook computes it already, ValueError if there is none."""
    if any(isinstance(hook.function, kind) and hook.function.name == name for hook in _hooks(module).values()):
        raise RuntimeError(f"{function}: {name} of {type(module).__name__} has it already")
    weight = vars(module).get(name)
    if not isinstance(weight, Parameter):
        raise ValueError(f"{function}: {type(module).__name__} has no parameter {name!r}")
    return weight


def in_front(module: Module, hook: Any) -> Module:
    """Let the hook compute the weight now, and before each forward."""
    setattr(module, hook.name, hook.weight(module))
    module.register_forward_pre_hook(hook)
    return module


def find(function: str, kind: type[Any], module: Module, name: str) -> Any:
    """The hook of that kind that computes the weight of that name. ValueError if there is none."""
    for hook in _hooks(module).values():
        if isinstance(hook.function, kind) and hook.function.name == name:
            return hook.function
    raise ValueError(f"remove_{function}: {name} of {type(module).__name__} has no {function}")


def removed(module: Module, hook: Any, weight: Any, names: tuple[str, ...]) -> Module:
    """Remove the hook and the attributes of these names; the weight becomes a parameter."""
    for name in (hook.name, *names):
        delattr(module, name)
    module._forward_pre_hooks = {n: each for n, each in _hooks(module).items() if each.function is not hook}
    module._buffers = {name: saved for name, saved in module._buffers.items() if name not in names}
    module.register_parameter(hook.name, Parameter(weight))
    return module


def _hooks(module: Module) -> Any:
    return module._forward_pre_hooks
