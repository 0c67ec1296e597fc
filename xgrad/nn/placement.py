"""Moving a module to another backend, device or dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.backends import load
from xgrad.backends.base import Backend
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.transfer import transfer
from xgrad.namespace import DTYPES
from xgrad.nn.modulelike import ModuleLike
from xgrad.rules.conversions import is_dtype

Target = tuple[Backend, Any]  # where a tensor goes: a backend, and a dtype or None for that of the tensor
Destination = Callable[[Tensor], Target]


def move(module: ModuleLike, destination: Destination) -> None:
    """Copy all tensors first and replace them then, so that an error leaves the module as it was."""

    def moved(t: Tensor) -> Tensor:
        target, wanted = destination(t)
        if target is t.backend and wanted in (None, t.dtype):
            return t
        return wrap(transfer(t.data, t.backend, target, wanted), target)

    parameters = [(p, moved(p), None if p.grad is None else moved(p.grad)) for p in module.parameters()]
    buffers = {id(b): moved(b) for b in module.buffers()}

    for p, new, grad in parameters:
        if new is not p:
            p.hold(new.data, new.backend)
            p.grad = grad
    for owner in module.modules():
        for name in owner._buffers:
            held = vars(owner).get(name)
            if held is not None:
                setattr(owner, name, buffers[id(held)])


def sorted_out(where: tuple[Any, ...], device: Any, dtype: Any) -> tuple[Any, Any]:
    """The device and the dtype among positional arguments: either, both in any order, or a tensor."""
    for each in where:
        if isinstance(each, Tensor):
            device, dtype = each.device, each.dtype
        elif is_dtype(each):
            dtype = each
        elif each is not None:
            device = each
    return device, dtype


def to(device: Any, dtype: Any, backend: Any) -> Destination:
    """To a device, a dtype and a backend, None for those of the tensor. Integers keep their dtype."""

    def place(t: Tensor) -> Target:
        home = to_host(t)[0] if device == "cpu" and backend is None else target_of(t.backend, device, backend)
        return home, dtype_of(home, dtype) if t.backend.is_inexact(t.dtype) else None

    return place


def cast(dtype: Any, only_real: bool = False) -> Destination:
    """To a dtype on the same backend; `only_real`: of real floating-point tensors only."""

    def place(t: Tensor) -> Target:
        if only_real:
            real = t.backend.is_inexact(t.dtype) and t.dtype not in t.backend.complex_dtypes
            return t.backend, dtype_of(t.backend, dtype) if real else None
        return t.backend, t.backend.as_dtype(dtype)

    return place


def to_host(t: Tensor) -> Target:
    """To the host's memory: the CPU of the library, or NumPy where it has none."""
    return t.backend.host() or load("numpy", None), None


def target_of(now: Backend, device: Any, backend: Any) -> Backend:
    """The target backend of a move from `now`."""
    target = now
    if isinstance(backend, Backend):
        target = backend
    elif backend is not None and backend != now.name:
        target = load(backend, device)
    return target if device is None else target.on_device(device)


def dtype_of(backend: Backend, dtype: Any) -> Any:
    """The dtype of the backend for a name or for one of its own dtypes; None for None. TypeError for any other."""
    if dtype is None:
        return None
    found = getattr(backend.xp, dtype, None) if isinstance(dtype, str) else dtype
    there = backend.library.__array_namespace_info__().dtypes(device=backend.device)
    if isinstance(dtype, str) and dtype in DTYPES and dtype not in there:
        raise TypeError(
            f"a module cannot become {dtype!r}: backend {backend} has no such dtype; it has {', '.join(there)}"
        )
    try:
        right = found is not None and backend.is_inexact(found)  # for NumPy and JAX, None means float64
    except (TypeError, AttributeError):
        right = False
    if not right:
        raise TypeError(
            f"a module cannot become {dtype!r}: give a floating-point or complex dtype of backend {backend.name!r}, "
            'or the name of one, such as "float32"'
        )
    return found
