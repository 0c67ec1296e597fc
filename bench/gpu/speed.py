"""Measures the speed of xgrad's steps, compared with PyTorch's and JAX's in the same run, and with the device's limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import xgrad as xg
from bench.gpu.job import Job
from bench.gpu.problems import XGRAD, Step, jax_steps, torch_steps
from bench.gpu.timing import Events, Times, WallClock

FULL = {
    "mlp": [128, 1024, 8192, 65536],
    "chain": [100_000_000],
    "adam": [100_000_000],
    "matmul": [4096],
}
SMALL = {"mlp": [8], "chain": [1000], "adam": [1000], "matmul": [16]}  # the sizes of a rehearsal
TITLES = {
    "mlp": "MLP 784-512-512-10, SGD with momentum, batch",
    "chain": "gradient of sum(sigmoid(1.5x + 0.5) tanh(x)), elements",
    "adam": "Adam, parameters",
    "matmul": "x @ w, forward and both gradients, n",
}
FLOATS = 4  # bytes


def peers(job: Job) -> tuple[dict[str, dict[str, Callable[..., Step]]], list[str]]:
    """The steps of the other libraries, and the reasons why some are left out."""
    found: dict[str, dict[str, Callable[..., Step]]] = {}
    absent = []
    if find_spec("torch") is None:
        absent.append("PyTorch is not installed")
    else:
        import torch

        device = "cuda" if job.on_device else "cpu"
        if job.on_device and not torch.cuda.is_available():
            absent.append("PyTorch is installed without CUDA")
        else:
            torch.backends.cuda.matmul.allow_tf32 = False
            found["PyTorch eager"] = torch_steps(torch, device, compiled=False)
            if job.on_device:
                found["torch.compile"] = torch_steps(torch, device, compiled=True)
    if find_spec("jax") is None:
        absent.append("JAX is not installed")
    elif job.on_device:
        import jax

        if jax.default_backend() == "gpu":
            jax.config.update("jax_default_matmul_precision", "float32")
            found["JAX jit"] = jax_steps(jax)
        else:
            absent.append("JAX is installed without CUDA")
    return found, absent


def run(job: Job) -> None:
    with xg.use_backend(job.backend) as backend:
        clock: Events | WallClock = WallClock(backend.synchronize)
        peaks: dict[str, float] = {}
        if job.on_device:
            import cupy

            clock = Events(cupy)
            peaks = limits(cupy, clock)
            job.put(peaks=peaks)
            copied, flops = peaks["copied bytes per second"] / 1e9, peaks["flops per second"] / 1e12
            job.note(f"A copy of 1e8 float32 moves {copied:.0f} GB/s (read and written), measured here.")
            job.note(f"A float32 matmul of 4096 does {flops:.1f} TFLOP/s, measured here; TF32 is off everywhere.")
        others, absent = peers(job)
        for words in absent:
            job.note(f"{words}: no ratio to it.")
        launches(job, clock)
        rows = []
        for name, sizes in (FULL if job.on_device else SMALL).items():
            for size in sizes:
                rows.append(measure(job, clock, others, peaks, name, size))
                job.table("A step", ["", *HEADER, *others], rows)
                if job.left < 10:
                    job.fail(f"no time was left after {name} {size}")
                    return
    on_the_host(job)
    job.put(summary=f"{len(rows)} steps timed, against {', '.join(others) or 'no other library'}")


def on_the_host(job: Job) -> None:
    """Time the MLP's step on NumPy with one thread, for sizes that take seconds at most."""
    rows = []
    with xg.use_backend("numpy"):
        for size in [n for n in (FULL if job.on_device else SMALL)["mlp"] if n <= 8192]:
            if job.left < 10:
                break
            seconds = WallClock(lambda: None).time(XGRAD["mlp"](size), 0.3 if job.on_device else 0.02).seconds
            there = job.found["times"][f"mlp {size}"]["seconds"]
            job.put(host={**job.found.get("host", {}), f"mlp {size}": seconds})
            rows.append([f"{TITLES['mlp']} {size:,}", f"{1e3 * seconds:.2f}", f"{1e3 * there:.2f}"])
    job.table("A step on the host, one thread, and on the device, in ms", ["", "host", "device"], rows)


HEADER = ["ms", "host ms", "device ms", "waits for", "of the device's limit"]


def measure(job: Job, clock: Any, others: Any, peaks: dict[str, float], name: str, size: int) -> list[str]:
    """A row: xgrad's times, and each peer's as a ratio to xgrad's (more than 1: xgrad is faster)."""
    own: Times = clock.time(XGRAD[name](size), 0.7 if job.on_device else 0.02)
    release(job)
    job.put(times={**job.found.get("times", {}), f"{name} {size}": vars(own)})

    def ms(seconds: float | None) -> str:
        return "-" if seconds is None else f"{1e3 * seconds:.3f}"

    row = [f"{TITLES[name]} {size:,}", ms(own.seconds), ms(own.host), ms(own.device), own.limit]
    row.append(share(name, size, own.seconds, peaks))
    for label, steps in others.items():
        row.append(ratio(job, clock, label, steps, name, size, own.seconds))
        release(job)
    return row


def ratio(job: Job, clock: Any, label: str, steps: Any, name: str, size: int, own: float) -> str:
    if name not in steps or job.left < 15:
        return "-"
    timer = WallClock(lambda: None) if label == "JAX jit" else clock
    try:
        seconds = timer.time(steps[name](size), 0.5 if job.on_device else 0.02).seconds
    except Exception as error:  # an error of another library does not fail the section
        job.note(f"{label} on {name} {size}: {type(error).__name__}: {str(error)[:200]}")
        return "failed"
    job.put(peers={**job.found.get("peers", {}), f"{label}: {name} {size}": seconds})
    return f"{seconds / own:.2f}"


def share(name: str, size: int, seconds: float, peaks: dict[str, float]) -> str:
    """The step's speed as a share of the measured limit of the device. For the chain, each value counts as moved once.

    >>> share("adam", 100, 7.0, {"copied bytes per second": 800.0, "flops per second": 1.0})
    '50 % of copying'
    """
    if not peaks:
        return "-"
    if name == "matmul":
        return f"{100 * 3 * 2 * size**3 / seconds / peaks['flops per second']:.0f} % of matmul"
    moved = {"adam": 7, "chain": 2}.get(name)  # p, g, m, v read and p, m, v written; x read and its gradient written
    if moved is None:
        return "-"
    return f"{100 * moved * FLOATS * size / seconds / peaks['copied bytes per second']:.0f} % of copying"


def limits(cupy: Any, clock: Events) -> dict[str, float]:
    """The device's measured limits: bytes per second of a copy, and floating-point operations per second of a matrix product."""
    n = 4096

    def matrix() -> Any:
        return cupy.random.random((n, n), dtype=cupy.float32)

    source, target = cupy.ones(100_000_000, dtype=cupy.float32), cupy.empty(100_000_000, dtype=cupy.float32)
    copied = clock.time(partial(cupy.copyto, target, source), 0.3)
    product = clock.time(partial(cupy.matmul, matrix(), matrix()), 0.5)
    return {
        "copied bytes per second": 2 * FLOATS * 1e8 / (copied.device or copied.seconds),
        "flops per second": 2 * n**3 / (product.device or product.seconds),
    }


def launches(job: Job, clock: Any) -> None:
    """The host's time for an operation on a small array: the library's own, xgrad's, and xgrad's when it is recorded."""
    backend = xg.get_backend()
    x = xg.zeros((16,), dtype=xg.float32) + 0.5
    leaf = x.detach()
    leaf.requires_grad = True
    raw, compute = x.data, backend.xp
    pairs: dict[str, tuple[Step, Step, Step]] = {
        "x + x": (lambda: compute.add(raw, raw), lambda: x + x, lambda: leaf + leaf),
        "2 * x": (lambda: raw * 2.0, lambda: x * 2.0, lambda: leaf * 2.0),
        "tanh(x)": (lambda: compute.tanh(raw), lambda: xg.tanh(x), lambda: xg.tanh(leaf)),
        "sum(x)": (lambda: compute.sum(raw), lambda: xg.sum(x), lambda: xg.sum(leaf)),
    }
    rows = []
    for name, steps in pairs.items():
        host = [1e6 * (times.host or times.seconds) for times in (clock.time(step, 0.15) for step in steps)]
        rows.append([name, *(f"{us:.2f}" for us in host), f"{host[2] - host[0]:.2f}"])
        if job.on_device:
            job.check(
                host[2] - host[0] <= 3.0, f"{name}: recording costs {host[2] - host[0]:.2f} us more, not 3 or less"
            )
    header = ["microseconds of the host", "the library", "xgrad", "recorded", "recorded, more"]
    job.table("An operation on 16 elements", header, rows)


def release(job: Job) -> None:
    """Return the pools' memory to the device, because the next library has a pool of its own."""
    if job.on_device:
        import gc

        import cupy

        gc.collect()
        cupy.get_default_memory_pool().free_all_blocks()
        if find_spec("torch") is not None:
            import torch

            torch.cuda.empty_cache()
