"""Schedules of learning rates for the tests: each is made from PyTorch's module or xgrad's, whose names are the same.

PyTorch's learning rates are stored beside this file: `python -m tests.data.schedules` stores them anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "schedules.npz"
STEPS = 200
KEPT = (*range(30), *range(30, STEPS + 1, 10))  # the steps whose learning rates are stored
LRS = (0.1, 0.5, 1e-3)
Make = Callable[[Any, Any], Any]  # (the module lr_scheduler, the optimizer) -> the schedule
Numbers = NDArray[Any]


class Height:
    """A function with a state."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, x: float) -> float:
        return float(self.rate**x)


def three(function: Callable[[int], float]) -> list[Callable[[int], float]]:
    return [function, lambda t: 0.5, Height(0.99)]


SCHEDULES: dict[str, Make] = {
    "StepLR": lambda L, o: L.StepLR(o, 30),
    "StepLR often": lambda L, o: L.StepLR(o, step_size=3, gamma=0.95),
    "StepLR fraction": lambda L, o: L.StepLR(o, 2.5, 0.9),
    "MultiStepLR": lambda L, o: L.MultiStepLR(o, [30, 80]),
    "MultiStepLR twice": lambda L, o: L.MultiStepLR(o, iter((150, 7, 30, 30)), gamma=0.5),
    "MultiStepLR at 0": lambda L, o: L.MultiStepLR(o, (0, 1, 5), 0.5),
    "ConstantLR": lambda L, o: L.ConstantLR(o),
    "ConstantLR long": lambda L, o: L.ConstantLR(o, factor=0.3, total_iters=77),
    "ConstantLR none": lambda L, o: L.ConstantLR(o, 1.0, 0),
    "LinearLR": lambda L, o: L.LinearLR(o),
    "LinearLR down": lambda L, o: L.LinearLR(o, start_factor=1.0, end_factor=0.05, total_iters=60),
    "LinearLR to 0": lambda L, o: L.LinearLR(o, 0.3, 0.0, 7),
    "ExponentialLR": lambda L, o: L.ExponentialLR(o, 0.97),
    "PolynomialLR": lambda L, o: L.PolynomialLR(o),
    "PolynomialLR long": lambda L, o: L.PolynomialLR(o, total_iters=150, power=1.7),
    "CosineAnnealingLR": lambda L, o: L.CosineAnnealingLR(o, 200),
    "CosineAnnealingLR often": lambda L, o: L.CosineAnnealingLR(o, T_max=13, eta_min=1e-4),
    "CosineAnnealingLR of 1": lambda L, o: L.CosineAnnealingLR(o, 1),
    "CosineAnnealingWarmRestarts": lambda L, o: L.CosineAnnealingWarmRestarts(o, 10),
    "CosineAnnealingWarmRestarts doubled": lambda L, o: L.CosineAnnealingWarmRestarts(o, T_0=7, T_mult=2, eta_min=1e-4),
    "CosineAnnealingWarmRestarts tripled": lambda L, o: L.CosineAnnealingWarmRestarts(o, 1, 3),
    "LambdaLR": lambda L, o: L.LambdaLR(o, lambda t: 0.95**t),
    "LambdaLR three": lambda L, o: L.LambdaLR(o, three(lambda t: t // 30 + 1)),
    "MultiplicativeLR": lambda L, o: L.MultiplicativeLR(o, lambda t: 0.95),
    "MultiplicativeLR three": lambda L, o: L.MultiplicativeLR(o, three(lambda t: 1 / (1 + t / 100))),
    "OneCycleLR": lambda L, o: L.OneCycleLR(o, 0.7, 200),
    "OneCycleLR linear": lambda L, o: L.OneCycleLR(
        o, [0.7, 0.2, 3.0], epochs=3, steps_per_epoch=67, pct_start=0.4, anneal_strategy="linear"
    ),
    "OneCycleLR three_phase": lambda L, o: L.OneCycleLR(
        o, 0.7, 230, three_phase=True, div_factor=10.0, final_div_factor=50.0, base_momentum=0.1, max_momentum=0.5
    ),
    "OneCycleLR no momentum": lambda L, o: L.OneCycleLR(o, 0.7, total_steps=201, cycle_momentum=False, pct_start=0.0),
    "CyclicLR": lambda L, o: L.CyclicLR(o, 0.01, 0.2, 30),
    "CyclicLR triangular2": lambda L, o: L.CyclicLR(
        o, [0.01, 0.1, 0.0], [0.3, 0.4, 0.5], 5, 11, mode="triangular2", base_momentum=0.1, max_momentum=[0.5, 0.6, 0.7]
    ),
    "CyclicLR exp_range": lambda L, o: L.CyclicLR(o, 0.01, 0.2, 20, mode="exp_range", gamma=0.99),
    "CyclicLR scale_fn": lambda L, o: L.CyclicLR(o, 0.01, 0.2, 20, scale_fn=lambda n: 1 / n, cycle_momentum=False),
    "CyclicLR scale_mode": lambda L, o: L.CyclicLR(o, 0.01, 0.2, 9, scale_fn=Height(0.98), scale_mode="iterations"),
    "SequentialLR": lambda L, o: L.SequentialLR(
        o, [L.LinearLR(o, 0.1, total_iters=10), L.CosineAnnealingLR(o, 150), L.ExponentialLR(o, 0.9)], [10, 160]
    ),
    "SequentialLR restarts": lambda L, o: L.SequentialLR(
        o, [L.ConstantLR(o, 0.1, 20), L.CosineAnnealingWarmRestarts(o, 8, 2), L.StepLR(o, 4)], milestones=[5, 100]
    ),
    "SequentialLR cyclic": lambda L, o: L.SequentialLR(
        o, [L.ExponentialLR(o, 0.9), L.LambdaLR(o, lambda t: 1 / (1 + t)), L.PolynomialLR(o, 30)], [15, 15 + 40]
    ),
    "SequentialLR at 0": lambda L, o: L.SequentialLR(
        o, [L.ConstantLR(o), L.StepLR(o, 7), L.MultiStepLR(o, [3])], [0, 90]
    ),
    "SequentialLR nested": lambda L, o: L.SequentialLR(
        o,
        [L.SequentialLR(o, [L.ConstantLR(o), L.ExponentialLR(o, 0.9)], [6]), L.StepLR(o, 7), L.LinearLR(o)],
        [30, 90],
    ),
    "SequentialLR of a chain": lambda L, o: L.SequentialLR(
        o, [L.ChainedScheduler([L.ConstantLR(o), L.ExponentialLR(o, 0.9)]), L.CosineAnnealingLR(o, 20)], [12]
    ),
    "ChainedScheduler": lambda L, o: L.ChainedScheduler([L.ConstantLR(o, 0.1, 20), L.ExponentialLR(o, 0.97)]),
    "ChainedScheduler four": lambda L, o: L.ChainedScheduler(
        [L.StepLR(o, 9, 0.9), L.CosineAnnealingLR(o, 30, 1e-5), L.LinearLR(o), L.MultiplicativeLR(o, lambda t: 0.999)],
        o,
    ),
    "ChainedScheduler polynomial": lambda L, o: L.ChainedScheduler([L.PolynomialLR(o, 150), L.MultiStepLR(o, [40])]),
    "ChainedScheduler of a sequence": lambda L, o: L.ChainedScheduler(
        [L.SequentialLR(o, [L.ConstantLR(o), L.ExponentialLR(o, 0.9)], [6]), L.StepLR(o, 7)]
    ),
}
# Where the learning rate of step `last_epoch` is asked for by step(epoch): all but those whose step takes no epoch.
BY_EPOCH = [name for name in SCHEDULES if not name.startswith(("SequentialLR", "ChainedScheduler"))]
# Those that can be made in the middle. The last learning rates are in the groups then.
RESUMED = {
    "StepLR often": lambda L, o: L.StepLR(o, 3, 0.95, last_epoch=40),
    "MultiStepLR": lambda L, o: L.MultiStepLR(o, [41, 80], last_epoch=40),
    "ConstantLR": lambda L, o: L.ConstantLR(o, 0.3, 41, 40),
    "LinearLR": lambda L, o: L.LinearLR(o, 0.5, total_iters=60, last_epoch=40),
    "ExponentialLR": lambda L, o: L.ExponentialLR(o, 0.97, 40),
    "PolynomialLR": lambda L, o: L.PolynomialLR(o, 150, 1.7, 40),
    "CosineAnnealingLR": lambda L, o: L.CosineAnnealingLR(o, 70, 1e-4, 40),
    "CosineAnnealingWarmRestarts": lambda L, o: L.CosineAnnealingWarmRestarts(o, 70, last_epoch=40),
    "LambdaLR": lambda L, o: L.LambdaLR(o, lambda t: 0.95**t, 40),
    "MultiplicativeLR": lambda L, o: L.MultiplicativeLR(o, lambda t: 1 / (1 + t / 100), last_epoch=40),
    "CyclicLR": lambda L, o: L.CyclicLR(o, 0.01, 0.2, 30, last_epoch=40, cycle_momentum=False),
    "OneCycleLR": lambda L, o: L.OneCycleLR(o, 0.7, 300, last_epoch=40, cycle_momentum=False),
}
PLATEAUS: dict[str, dict[str, Any]] = {
    "ReduceLROnPlateau": {},
    "ReduceLROnPlateau max": {"mode": "max", "factor": 0.5, "patience": 2, "threshold": 0.05, "cooldown": 3},
    "ReduceLROnPlateau abs": {"threshold_mode": "abs", "threshold": 0.1, "patience": 0, "factor": 0.9, "min_lr": 1e-3},
    "ReduceLROnPlateau max abs": {"mode": "max", "threshold_mode": "abs", "patience": 1, "min_lr": [0.01, 0.3, 0.0]},
    "ReduceLROnPlateau eps": {"eps": 1e-3, "factor": 0.7, "patience": 3},
}


def optimizer(library: Any, kind: str = "SGD") -> Any:
    """An optimizer of PyTorch or xgrad with three groups, and with momentum."""
    groups = [{"params": [library.nn.Parameter(library.zeros(1))], "lr": lr} for lr in LRS]
    return library.optim.SGD(groups, momentum=0.9) if kind == "SGD" else library.optim.Adam(groups)


def rates(opt: Any) -> list[list[float]]:
    """The learning rate and the momentum of each group."""
    return [[g["lr"], g["momentum"] if "momentum" in g else g["betas"][0]] for g in opt.param_groups]


def run(library: Any, name: str, kind: str = "SGD", steps: int = STEPS) -> Numbers:
    """Learning rates and momentums before each step and after the last."""
    opt = optimizer(library, kind)
    scheduler = SCHEDULES[name](library.optim.lr_scheduler, opt)
    taken = [rates(opt)]
    for _ in range(steps):
        opt.step()
        scheduler.step()
        taken.append(rates(opt))
    return np.array(taken)


EPOCHS = (0, 3, None, None, 7, 5, None, 40, None, 41, 59, 60, None, 61, 100, None, 199, None)


def run_by_epoch(library: Any, name: str) -> Numbers:
    """The same with step(epoch), which jumps."""
    opt = optimizer(library)
    scheduler = SCHEDULES[name](library.optim.lr_scheduler, opt)
    taken = []
    for epoch in EPOCHS:
        opt.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step(epoch)
        taken.append(rates(opt))
    return np.array(taken)


def run_resumed(library: Any, name: str) -> Numbers:
    """The same from step 40 on."""
    opt = optimizer(library)
    for group in opt.param_groups:
        group.update(initial_lr=group["lr"] * 2, max_lr=0.7, min_lr=1e-4)
    scheduler = RESUMED[name](library.optim.lr_scheduler, opt)
    taken = [rates(opt)]
    for _ in range(60):
        opt.step()
        scheduler.step()
        taken.append(rates(opt))
    return np.array(taken)


def run_plateau(library: Any, name: str) -> Numbers:
    """The same for a quantity that falls, rises and stays."""
    opt = optimizer(library)
    scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(opt, **PLATEAUS[name])
    taken = [rates(opt)]
    for quantity in quantities():
        scheduler.step(quantity)
        taken.append(rates(opt))
    return np.array(taken)


def quantities() -> list[float]:
    t = np.arange(STEPS)
    measured: list[float] = (2.0 + np.cos(t / 20) + 0.1 * np.sin(7.0 * t)).tolist()
    return measured


def all_runs(library: Any) -> dict[str, Numbers]:
    """Each run by its name, as it is stored."""
    found = {name: run(library, name)[list(KEPT)] for name in SCHEDULES}
    found.update({f"{name} by epoch": run_by_epoch(library, name) for name in BY_EPOCH})
    found.update({f"{name} resumed": run_resumed(library, name) for name in RESUMED})
    found.update({name: run_plateau(library, name)[list(KEPT)] for name in PLATEAUS})
    return found


@cache
def stored() -> dict[str, Numbers]:
    with np.load(FILE) as archive:
        return {name: archive[name] for name in archive.files}


def main() -> None:
    import torch

    runs: Any = all_runs(torch)
    np.savez_compressed(FILE, **runs)


if __name__ == "__main__":
    main()
