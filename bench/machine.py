"""Describes where a measurement was made, so that it can be repeated: machine, versions, environment, date and commit."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.runner import ENVIRONMENT

UNSET = "not set"


def describe() -> dict[str, Any]:
    """The machine, the interpreter, BLAS, the environment, the date and the commit."""
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load average before": _load(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "blas": _blas(),
        "environment": ENVIRONMENT
        | {
            name: os.environ.get(name, UNSET)
            for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NPY_DISABLE_CPU_FEATURES")
        },
    }


def commit(folder: Path = Path(__file__).parent) -> str:
    """The commit of a checkout, with "-dirty" if tracked files are changed."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True, cwd=folder).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    model = facts.get("model name", platform.processor() or "unknown")
    if "model" in facts and "cpu family" in facts:
        model += f" (family {facts['cpu family']}, model {facts['model']})"
    return model


def _load() -> str:
    """How many programs wanted to run, on average over the last minute: before a measurement, what other programs take."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _blas() -> str:
    """NumPy's BLAS and the kernels that it chose, if threadpoolctl is installed."""
    import_module("numpy")
    try:
        threadpoolctl = import_module("threadpoolctl")
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool.get("user_api") == "blas"]
    return ", ".join(
        f"{pool['internal_api']} {pool['version']} with {pool.get('architecture', '?')} kernels" for pool in pools
    )
