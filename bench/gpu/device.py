"""The device, and the versions of its driver and libraries."""

from __future__ import annotations

import subprocess
from typing import Any

from bench import machine
from xgrad.backends import load, usable


def require(backend: str) -> None:
    """Raise BackendError, with a message of one line, if the backend has no device."""
    usable(backend)


def describe(backend: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"machine": machine.describe(), "backend": backend}
    found = load(backend)
    if backend != "cupy":
        return facts | {"device": f"none: a rehearsal on {found}", "version": type(found).version()}
    import cupy

    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(found.device.id)
    return facts | {
        "device": properties["name"].decode(),
        "memory": int(properties["totalGlobalMem"]),
        "compute_capability": found.device.compute_capability,
        "driver": driver(),
        "driver_api": version(runtime.driverGetVersion()),
        "cuda": version(runtime.runtimeGetVersion()),
        "cupy": cupy.__version__,
    }


def version(number: int) -> str:
    """
    >>> version(12040)
    '12.4'
    """
    return f"{number // 1000}.{number % 1000 // 10}"


def driver() -> str:
    """The version of the driver, if nvidia-smi is installed."""
    try:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown (nvidia-smi is not there)"
