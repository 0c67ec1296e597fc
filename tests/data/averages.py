"""Averages of weights for the tests, the same in PyTorch and in xgrad: a small model whose weights are set at each step.

PyTorch's numbers are stored beside this file: `python -m tests.data.averages` stores them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "averages.npz"
STEPS = 200
SNAPSHOTS = (1, 2, 10, 200)
Numbers = NDArray[Any]

# The arguments of AveragedModel, from the module swa_utils.
AVERAGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "mean": lambda s: {},
    "mean, one by one": lambda s: {"avg_fn": s.get_swa_avg_fn()},
    "mean, several": lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
    "moving": lambda s: {"avg_fn": s.get_ema_avg_fn(0.9)},
    "moving, several": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn()},
    # Exact fractions: PyTorch computes averages of integers in float32, and cuts them off.
    "moving, buffers": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.75), "use_buffers": True},
    "moving one by one, buffers": lambda s: {"avg_fn": s.get_ema_avg_fn(0.5), "use_buffers": True},
    "of one's own": lambda s: {"avg_fn": lambda averaged, current, n: averaged + (current - averaged) / (n + 3)},
}
SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "SWALR": lambda s, o: s.SWALR(o, 0.05),
    "SWALR linear": lambda s, o: s.SWALR(o, [0.05, 0.7, 1e-3], anneal_epochs=7, anneal_strategy="linear"),
    "SWALR at once": lambda s, o: s.SWALR(o, swa_lr=0.05, anneal_epochs=0),
}


def model(library: Any) -> Any:
    nn, f64 = library.nn, library.float64
    return nn.Sequential(nn.Linear(2, 3, dtype=f64), nn.BatchNorm1d(3, dtype=f64), nn.Linear(3, 1, dtype=f64))


def set_state(held: Any, array: Callable[[Any], Any], rng: Any) -> None:
    """New parameters and buffers."""
    for tensor in (*held.parameters(), *held.buffers()):
        integers = tensor.ndim == 0
        tensor[...] = array(rng.integers(100) if integers else rng.uniform(0.5, 2, tuple(tensor.shape)))


def state_of(held: Any, to_numpy: Callable[[Any], Numbers]) -> Numbers:
    return np.concatenate([np.ravel(to_numpy(value)) for value in held.state_dict().values()])


def run(library: Any, array: Callable[[Any], Any], to_numpy: Callable[[Any], Numbers], name: str) -> Numbers:
    """The whole state of the average after some of the updates."""
    rng, trained = np.random.default_rng(5), model(library)
    average = library.optim.swa_utils.AveragedModel(trained, **AVERAGES[name](library.optim.swa_utils))
    taken = []
    for step in range(1, STEPS + 1):
        with library.no_grad():
            set_state(trained, array, rng)
        average.update_parameters(trained)
        if step in SNAPSHOTS:
            taken.append(state_of(average, to_numpy))
    return np.array(taken)


def run_statistics(library: Any, array: Callable[[Any], Any], to_numpy: Callable[[Any], Numbers]) -> Numbers:
    """The state of the model after update_bn."""
    rng, held = np.random.default_rng(6), model(library)
    with library.no_grad():
        set_state(held, array, rng)
    batches = [array(rng.normal(size=(n, 2))) for n in (4, 7, 5)]
    library.optim.swa_utils.update_bn([batches[0], [batches[1], None], (batches[2],)], held)
    return state_of(held, to_numpy)


def run_schedule(library: Any, name: str) -> Numbers:
    """The learning rates before each step and after the last."""
    params = [{"params": [library.nn.Parameter(library.zeros(1))], "lr": lr} for lr in (0.1, 0.5, 1e-3)]
    optimizer = library.optim.SGD(params)
    scheduler = SCHEDULES[name](library.optim.swa_utils, optimizer)
    taken = [[group["lr"] for group in optimizer.param_groups]]
    for _ in range(30):
        optimizer.step()
        scheduler.step()
        taken.append([group["lr"] for group in optimizer.param_groups])
    return np.array(taken)


def torch_runs() -> dict[str, Numbers]:
    import torch

    def array(values: Any) -> Any:
        return torch.tensor(values)

    def to_numpy(tensor: Any) -> Numbers:
        numbers: Numbers = tensor.detach().numpy()
        return numbers

    found = {name: run(torch, array, to_numpy, name) for name in AVERAGES}
    found.update({name: run_schedule(torch, name) for name in SCHEDULES})
    return {**found, "statistics": run_statistics(torch, array, to_numpy)}


@cache
def stored() -> dict[str, Numbers]:
    with np.load(FILE) as archive:
        return {name: archive[name] for name in archive.files}


def main() -> None:
    runs: Any = torch_runs()
    np.savez_compressed(FILE, **runs)


if __name__ == "__main__":
    main()
