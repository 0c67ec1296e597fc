"""Measures the time of a step on a device in three ways, which together say what limits it.

* `seconds`: the time per step of several steps between two events, as a training loop sees it.
* `device`: the same for steps that are queued behind a kernel that keeps the device busy: the time of the kernels alone.
* `host`: the time in which the host queues a step, without waiting: Python, and launching kernels.

If `seconds` is about `device`, the kernels are the limit. If it is about `host`, Python and launching are.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

Step = Callable[[], Any]
WARM_UP = 3
ROUNDS = 7


@dataclass(frozen=True)
class Times:
    seconds: float
    host: float | None = None
    device: float | None = None

    @property
    def limit(self) -> str:
        """What limits the step: the kernels, or Python and launches."""
        if self.host is None or self.device is None:
            return "-"
        return "kernels" if self.device >= 0.8 * self.seconds else "Python and launches"


class WallClock:
    """A clock for a library without events, and for a rehearsal. `wait` returns when all queued work is done."""

    def __init__(self, wait: Callable[[], Any]) -> None:
        self.wait = wait

    def time(self, step: Step, budget: float) -> Times:
        for _ in range(WARM_UP):
            step()
        self.wait()
        runs = repeats(self.once(step), budget)
        return Times(statistics.median(self.once(step, runs) for _ in range(ROUNDS)))

    def once(self, step: Step, runs: int = 1) -> float:
        began = perf_counter()
        for _ in range(runs):
            step()
        self.wait()
        return (perf_counter() - began) / runs


class Events:
    """A clock of CUDA events on the default stream, which CuPy and PyTorch both use."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.spin = cupy.RawKernel(SPIN, "spin")

    def time(self, step: Step, budget: float) -> Times:
        for _ in range(WARM_UP):
            step()
        self.cupy.cuda.runtime.deviceSynchronize()
        runs = repeats(self.between(step, 1), budget)
        seconds = statistics.median(self.between(step, runs) for _ in range(ROUNDS))
        host = statistics.median(self.asking(step, min(runs, 20)) for _ in range(ROUNDS))
        device = statistics.median(self.behind(step, host) for _ in range(ROUNDS))
        return Times(seconds, host, device)

    def between(self, step: Step, runs: int) -> float:
        first, last = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        first.record()
        for _ in range(runs):
            step()
        last.record()
        last.synchronize()
        return float(self.cupy.cuda.get_elapsed_time(first, last)) / 1e3 / runs

    def asking(self, step: Step, runs: int) -> float:
        began = perf_counter()
        for _ in range(runs):
            step()
        seconds = (perf_counter() - began) / runs
        self.cupy.cuda.runtime.deviceSynchronize()
        return seconds

    def behind(self, step: Step, host: float, runs: int = 3) -> float:
        """The device's time per step for steps that are all queued before the device starts the first."""
        busy = min(0.5, 2 * host * runs + 2e-3)
        self.spin((1,), (1,), (int(1e9 * busy),))
        return self.between(step, runs)


SPIN = r"""
__device__ long long now() {
    long long nanoseconds;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(nanoseconds));
    return nanoseconds;
}
extern "C" __global__ void spin(long long nanoseconds) {
    long long began = now();
    while (now() - began < nanoseconds) { }
}
"""


def repeats(once: float, budget: float) -> int:
    """The number of steps in a round for which the rounds take about the budget.

    >>> repeats(0.01, 0.75)
    10
    """
    return max(1, min(1000, int(budget / ROUNDS / max(once, 1e-7))))
