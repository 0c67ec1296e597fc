"""The peers of the benchmark: one module per library, with the workloads as a user of that library writes them.

A peer module has functions such as w1, each from a problem to a `Case`. PyTorch and xgrad share those in layers.py.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any

from bench.peers import layers
from bench.problems import Case, Problem, Workload


@dataclass(frozen=True)
class Peer:
    """A peer. `needs` is the module that it imports, and `packages` are those whose versions are reported."""

    label: str
    module: str
    needs: str
    packages: tuple[str, ...]
    engine: str = ""  # of xg.compile: `module` is then compiled.py

    def usable(self) -> bool:
        return importlib.util.find_spec(self.needs) is not None

    def load(self) -> Any:
        module = importlib.import_module(f"bench.peers.{self.module}")
        return module.of(self.engine) if self.engine else module

    def versions(self) -> dict[str, str]:
        found = {}
        for package in self.packages:
            try:
                found[package] = metadata.version(package)
            except metadata.PackageNotFoundError:  # run from a checkout
                found[package] = str(getattr(importlib.import_module(package), "__version__", "?"))
        return found


BASELINE = "naive"

PEERS: dict[str, Peer] = {
    "naive": Peer("NumPy, by hand", "numpy_naive", "numpy", ("numpy",)),
    "tuned": Peer("NumPy, tuned by hand", "numpy_tuned", "numpy", ("numpy",)),
    "xgrad": Peer("xgrad", "xgrad", "xgrad", ("xgrad",)),
    "compiled": Peer("xgrad compiled", "compiled", "xgrad", ("xgrad",), "numpy"),
    "xla": Peer("xgrad compiled, XLA", "compiled", "jax", ("xgrad", "jax", "jaxlib"), "xla"),
    "torch": Peer("PyTorch eager", "torch", "torch", ("torch",)),
    "torch_compile": Peer("PyTorch compile", "torch_compile", "torch", ("torch",)),
    "torch_func": Peer("PyTorch compile, torch.func", "torch_func", "torch", ("torch",)),
    "autograd": Peer("HIPS autograd", "autograd", "autograd", ("autograd",)),
    "mygrad": Peer("MyGrad", "mygrad", "mygrad", ("mygrad",)),
    "advect": Peer("advect", "advect", "advect", ("advect",)),
    "advect_staged": Peer("advect staged", "advect_staged", "advect", ("advect",)),
    "tinygrad": Peer("tinygrad TinyJit", "tinygrad", "tinygrad", ("tinygrad",)),
    "jax": Peer("JAX jit", "jax", "jax", ("jax", "jaxlib")),
}


def function(peer: str, workload: Workload) -> Callable[[Any], Case] | None:
    """What computes the workload: a function of the peer's module, or one that PyTorch and xgrad share. None if there is none."""
    module = PEERS[peer].load()
    own: Callable[[Any], Case] | None = getattr(module, workload.function, None)
    if own is None and hasattr(module, "LIBRARY"):
        return partial(getattr(layers, workload.function), module.LIBRARY)
    return own


def build(peer: str, workload: Workload, problem: Problem) -> Case:
    """The problem as the peer's `Case`."""
    found = function(peer, workload)
    assert found is not None, f"{peer} has no {workload.function}"
    return found(problem)
