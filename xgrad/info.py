"""`xgrad info`: the backends, their devices, and whether each computes a gradient correctly."""

from __future__ import annotations

import os
import platform

import xgrad as xg
from xgrad._words import one_line
from xgrad.backends import BackendError, backend_class, load, names
from xgrad.backends.base import Backend
from xgrad.backends.dtype_names import name_of_dtype
from xgrad.engine.registry import FUNCTIONS


def info() -> tuple[str, bool]:
    """The report as text, and whether the gradient is right on every usable backend."""
    lines = [
        f"xgrad {xg.__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"default backend: {_default()}",
        "",
    ]
    right = True
    for name in names():
        try:
            cls = backend_class(name)
            devices = cls.devices()
        except BackendError as error:
            lines.append(f"{name:<8} not usable: {_reason(name, error)}")
            continue
        lacking = f"; cannot do {len(cls.cannot)} of {len(FUNCTIONS)} functions" if cls.cannot else ""
        lines.append(f"{name:<8} {cls.version()}{lacking}")
        if cls.remark():
            lines.append(f"{'':<8} {cls.remark()}")
        for device in devices:
            outcome = _try_gradient(name, device)
            right = right and outcome == "right"
            memory = _memory(name, device)
            lines.append(f"{'':<8} {device:<10} gradient {outcome:<8} memory {memory}")
    return "\n".join(lines), right


def _default() -> str:
    variables = ("XGRAD_BACKEND", "XGRAD_DEVICE")
    named = [f"{name}={os.environ[name]}" for name in variables if os.environ.get(name)]
    why = f" ({', '.join(named)})" if named else " (XGRAD_BACKEND is not set)"
    try:
        backend = xg.get_backend()
    except BackendError as error:
        return one_line(f"none{why}: {error}")
    return f"{backend.name} on {backend.device_name}{why}, default dtype {_dtype(backend)}"


def _dtype(backend: Backend) -> str:
    try:
        return name_of_dtype(backend.default_dtype)
    except (BackendError, ValueError) as error:
        return one_line(f"none: {error}")


def _reason(name: str, error: BackendError) -> str:
    """The error without its beginning, the name of the backend, which the line has already."""
    return str(error).removeprefix(f"backend {name!r} is not usable: ")


def _memory(name: str, device: str) -> str:
    try:
        return load(name, device).memory()
    except Exception:  # a driver may raise anything, and the report goes on
        return "unknown"


def _try_gradient(name: str, device: str) -> str:
    """ "right" if the gradient of sum(x^3) on a device is 3 x^2; else what went wrong."""
    try:
        with xg.use_backend(name, device):
            x = xg.asarray([1.0, -2.0, 3.0], dtype=xg.float32)
            found = xg.grad(lambda t: xg.sum(t * t * t))(x).numpy().tolist()
    except Exception as error:  # a driver may raise anything, and the report goes on
        return one_line(f"failed ({type(error).__name__}: {error})")
    return "right" if found == [3.0, 12.0, 27.0] else f"WRONG: {found}, not [3, 12, 27]"
