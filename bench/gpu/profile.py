"""Counts the CUDA calls of a training step with a profiler: those that copy between host and device, and those that wait.

It uses PyTorch's profiler if PyTorch with CUDA is installed, otherwise CUPTI, NVIDIA's library for profilers
(`pip install nvidia-cuda-cupti-cu12`). With neither, the section reports that nothing was confirmed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec

import xgrad as xg
from bench.gpu import cupti
from bench.gpu.job import Job
from bench.gpu.residency import steps

Calls = Counter[str]
# Parts of the names of CUDA's functions that copy between host and device, and of those that wait.
TRAFFIC = ("HtoD", "DtoH", "HostToDevice", "DeviceToHost")
WAITS = ("StreamSynchronize", "DeviceSynchronize", "CtxSynchronize", "EventSynchronize")
LAUNCHES = ("LaunchKernel", "LaunchCooperative")


def by_torch(step: Callable[[], None]) -> Calls:
    import torch

    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profiler:
        step()
        names = Counter({"step ended": 1})
    for event in profiler.events() or []:
        if event.name.startswith(("cuda", "cu", "Memcpy")):
            names[event.name] += 1
    names["cudaDeviceSynchronize"] -= 1  # the profiler's own call at its end
    return names


def ways() -> dict[str, Callable[[Callable[[], None]], Calls]]:
    found: dict[str, Callable[[Callable[[], None]], Calls]] = {}
    if find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            found["PyTorch's profiler"] = by_torch
    if cupti.find() is not None:
        found["CUPTI"] = cupti.calls
    return found


def count(calls: Calls, words: tuple[str, ...]) -> int:
    """
    >>> count(Counter({"cuMemcpyDtoHAsync_v2": 2, "cuLaunchKernel": 5}), TRAFFIC)
    2
    """
    return sum(number for name, number in calls.items() if number > 0 and any(word in name for word in words))


def read_back() -> None:
    """A step with known calls. A profiler that does not see them cannot be used."""
    float(xg.sum(xg.ones(3)))


def run(job: Job) -> None:
    if not job.on_device:
        job.put(ok=None, summary="a rehearsal has no driver to ask")
        return
    tried = ways()
    if not tried:
        job.put(ok=None, summary="not confirmed: neither PyTorch with CUDA nor CUPTI (nvidia-cuda-cupti-cu12) is here")
        return
    with xg.use_backend(job.backend):
        made = steps()
        for step in made.values():
            step()
            step()
        for way, profile in tried.items():
            try:
                seen = profile(read_back)
                if not count(seen, (*TRAFFIC, *WAITS)):
                    job.note(f"{way} sees nothing, not even float(): {dict(seen)}")
                    continue
                rows = []
                for name, step in made.items():
                    calls = profile(step)
                    traffic, waits = count(calls, TRAFFIC), count(calls, WAITS)
                    rows.append([name, str(traffic), str(waits), str(count(calls, LAUNCHES))])
                    job.check(not traffic and not waits, f"{name}: {dict(calls)}")
            except Exception as error:
                job.note(f"{way}: {type(error).__name__}: {error}")
                continue
            job.table(f"Calls of CUDA in a training step, by {way}", ["step", "transfers", "waits", "launches"], rows)
            job.put(summary=f"confirmed by {way}" if job.found.get("ok", True) else f"refuted by {way}")
            return
    job.put(ok=None, summary="not confirmed: no profiler worked (see the notes)")
