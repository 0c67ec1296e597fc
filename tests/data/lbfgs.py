"""Runs of L-BFGS for the tests, the same in PyTorch and in xgrad: Rosenbrock's function and a small network.

PyTorch's numbers are stored beside this file: `python -m tests.data.lbfgs` stores them anew.

Every iteration multiplies round-off, most of all on Rosenbrock's function with few corrections, so the runs there are short. An
error in the rule shows in the first iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "lbfgs.npz"
STEPS = 3
Numbers = NDArray[Any]
Options = dict[str, Any]

GRID: dict[str, tuple[Any, ...]] = {
    "line_search_fn": (None, "strong_wolfe"),
    "lr": (1, 0.3),
    "max_iter": (1, 3),
    "max_eval": (None, 2),
    "history_size": (100, 2),
    "tolerance_grad": (1e-7, 3.0),
    "tolerance_change": (1e-9, 0.1),
}
CASES: list[Options] = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]


def rosenbrock(library: Any, leaf: Callable[[Any], Any]) -> tuple[list[Any], Callable[[], Any]]:
    """Three parameters of different shapes, and the loss."""
    params = [leaf(-1.2), leaf([[1.0, 0.5]]), leaf([0.8])]

    def loss() -> Any:
        x = library.concat([library.reshape(p, (-1,)) for p in params])
        return library.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return params, loss


def network(library: Any, leaf: Callable[[Any], Any]) -> tuple[list[Any], Callable[[], Any]]:
    """A network of 2-5-1 with tanh, and a parameter that gets no gradient."""
    rng = np.random.default_rng(4)
    x, y = (leaf(a).detach() for a in (rng.normal(size=(12, 2)), rng.normal(size=(12, 1))))
    w, b, v, unused = (leaf(rng.normal(size=shape)) for shape in ((2, 5), (5,), (5, 1), (2,)))
    return [w, unused, b, v], lambda: library.mean((library.tanh(x @ w + b) @ v - y) ** 2)


PROBLEMS = {"rosenbrock": rosenbrock, "network": network}


def run(
    library: Any, leaf: Callable[[Any], Any], to_numpy: Callable[[Any], Any], problem: str, options: Options
) -> Numbers:
    """After each step: its loss, how often the closure was called in all, the counters of the state, and the parameters."""
    params, loss = PROBLEMS[problem](library, leaf)
    optimizer = library.optim.LBFGS(params, **options)
    calls = []

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        calls.append(value)
        return value

    taken = []
    for _ in range(STEPS):
        value = optimizer.step(closure)
        state = optimizer.state[params[0]]
        flat = np.concatenate([np.ravel(to_numpy(p)) for p in params])
        taken.append([value.item(), len(calls), state["n_iter"], state["func_evals"], *flat])
    return np.array(taken)


def torch_run(problem: str, options: Options) -> Numbers:
    import torch

    def leaf(values: Any) -> Any:
        return torch.tensor(values, dtype=torch.float64, requires_grad=True)

    return run(torch, leaf, lambda p: p.detach().numpy(), problem, options)


@cache
def stored() -> dict[str, Numbers]:
    with np.load(FILE) as archive:
        return {name: archive[name] for name in archive.files}


def main() -> None:
    runs: Any = {problem: [torch_run(problem, case) for case in CASES] for problem in PROBLEMS}
    np.savez_compressed(FILE, **runs)


if __name__ == "__main__":
    main()
