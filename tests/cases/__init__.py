"""The cases: for every differentiable function, the arguments that the laws of test_rules.py are checked on.

There is one file for each chapter of xgrad/rules.
"""

from tests.cases import (  # noqa: F401
    activations,
    attention,
    creation,
    data_type,
    elementwise,
    fft,
    indexing,
    linalg,
    linear_algebra,
    losses,
    manipulation,
    network,
    normalization,
    recurrent,
    searching,
    special,
    statistical,
    windows,
)
from tests.cases.case import CASES, Case, Sample

__all__ = ["CASES", "SLOW", "Case", "Sample", "few", "one"]

SLOW = ("jax", "dask", "dpnp")  # few cases run on these: they compile, build graphs, or queue small kernels


def few(name: str, most: int = 2) -> list[Case]:
    """Some of a function's cases, evenly spread."""
    cases = [case for case in CASES[name] if not case.heavy]
    return cases[:: max(1, -(-len(cases) // most))]  # all may be heavy


def one(name: str, backend: str) -> list[Case]:
    """One of a function's cases: on each slow backend another, if there are three."""
    cases = [case for case in few(name, len(SLOW)) if backend not in case.without]
    return cases[SLOW.index(backend) % len(cases) :][:1] if cases else []
