"""Running Python in a process of its own, for what a process decides once: the default backend, and what is imported."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

# JAX compiles for each shape, and in tests each program runs once or twice: optimizing it would take three times as long.
XLA_FLAGS = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false"
)

ROOT = Path(__file__).resolve().parent.parent.parent

# Variables of a user's shell that change the behaviour of xgrad, Python, argparse, tqdm or matplotlib.
UNWANTED = (
    *("PYTHONWARNINGS", "PYTHONTRACEMALLOC", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHON_COLORS"),
    *("MPLBACKEND", "MATPLOTLIBRC", "XGRAD_BACKEND", "XGRAD_DEVICE", "XGRAD_DTYPE"),
    "XGRAD_TRANSFER_GUARD",
)


def environment(path: Path | None = None, **variables: str) -> dict[str, str]:
    """This process's environment for another one, without unwanted variables. `path` comes first in its PYTHONPATH."""
    kept = {k: v for k, v in os.environ.items() if k not in UNWANTED and not k.startswith("TQDM_")}
    paths = [str(path or ""), str(ROOT), os.environ.get("PYTHONPATH", "")]
    settings = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    return kept | settings | variables


def run(source: str, *arguments: str, path: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python source in a process of its own, without a time limit, because a loaded machine is slow."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(source), *arguments]
    env = environment(path, **variables)
    return subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=False)


def output(source: str, *arguments: str, **kwargs) -> str:
    """The output of `run`. Fails if the process does."""
    done = run(source, *arguments, **kwargs)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
