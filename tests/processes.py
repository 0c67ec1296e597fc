"""Python in a process of its own, for what a process decides once: which backend is the default, and what is imported."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

# JAX compiles for each shape, and what it compiles here runs once or twice: to compile well would take three times as long.
XLA_FLAGS = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false"
)

ROOT = Path(__file__).resolve().parent.parent


def run(source: str, *arguments: str, path: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: the choice of a backend holds for one. `path` goes first on its module path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("XGRAD_")} | variables
    environment["PYTHONPATH"] = os.pathsep.join([*([str(path)] if path else []), str(ROOT)])
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(source), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def output(source: str, *arguments: str, **kwargs) -> str:
    """What it prints; it must not fail."""
    done = run(source, *arguments, **kwargs)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
