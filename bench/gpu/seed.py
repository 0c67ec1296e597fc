"""Runs the experiment that started xgrad on the host and on the device from one seed, and draws both curves in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.gpu.job import Job
from xgrad.fit import fit

# y = x**2 on [-100, 100], as `xgrad fit` runs it. In the second run, as in the seed, every ReLU unit dies in the first steps.
RUNS: dict[str, dict[str, Any]] = {
    "adam float64": {"optimizer": "adam", "steps": 1000, "dtype": "float64"},
    "adam float32": {"optimizer": "adam", "steps": 1000, "dtype": "float32"},
    "raw SGD float32": {
        "optimizer": "sgd", "lr": 0.01, "steps": 300, "dtype": "float32", "standardize": False, "output_activation": "relu",
    },
}  # fmt: skip
# The largest differences of the first 100 losses and of the last prediction, relative to the largest value. Rounding errors grow
# from step to step. In float32 two runs on one machine differ as much, so there only the outcome is compared.
LIMITS = {"adam float64": (1e-9, 1e-4), "adam float32": (1e-3, 0.05), "raw SGD float32": (1e-3, 0.05)}


def run(job: Job) -> None:
    rows, curves = [], {}
    for name, options in RUNS.items():
        here, there = (fit(backend=backend, seed=0, **options).history for backend in ("numpy", job.backend))
        curves[name] = here, there
        losses = apart(here["loss"][:100], there["loss"][:100])
        predictions = apart(here["prediction"], there["prediction"])
        rows.append(
            [
                name,
                f"{losses:.1e}",
                f"{apart(here['loss'], there['loss']):.1e}",
                f"{predictions:.1e}",
                f"{here['r2']:.5f}",
                f"{there['r2']:.5f}",
                f"{here['seconds']:.2f}",
                f"{there['seconds']:.2f}",
            ]
        )
        job.table("From one seed, on the host and on the device", HEADER, rows)
        first, last = LIMITS[name]
        job.check(losses <= first, f"{name}: the losses of 100 steps are {losses:.1e} apart, more than {first:g}")
        job.check(predictions <= last, f"{name}: the predictions are {predictions:.1e} apart, more than {last:g}")
    job.put(summary="; ".join(f"{row[0]}: predictions {row[3]} apart" for row in rows))
    job.put(took={name: [one["seconds"] for one in both] for name, both in curves.items()})
    job.put(runs={name: [one["loss"] for one in both] for name, both in curves.items()})
    if job.folder.is_dir():
        name = "seed-on-both.png" if job.on_device else "rehearsal-seed-on-both.png"
        draw(curves, job.folder / name, "device" if job.on_device else f"{job.backend}, in the device's place")
        job.put(pictures=[name])


HEADER = [
    "run", "losses, 100 steps", "losses, all", "predictions", "R² host", "R² device", "seconds host", "seconds device",
]  # fmt: skip


def apart(one: Any, other: Any) -> float:
    """The largest difference, relative to the largest value. nan counts as equal to nan.

    >>> apart([1.0, 2.0], [1.0, 2.5])
    0.25
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (one, other))
    if a.shape != b.shape or (np.isfinite(a) != np.isfinite(b)).any():
        return float("inf")
    finite = np.isfinite(a)
    if not finite.any():
        return 0.0
    return float(np.abs(a - b)[finite].max() / max(float(np.abs(a[finite]).max()), 1e-300))


def draw(curves: dict[str, Any], path: Path, device: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(curves), 6.4), layout="constrained")
    axes = figure.subplots(2, len(curves), squeeze=False)
    for column, (name, (here, there)) in enumerate(curves.items()):
        top, bottom = axes[0][column], axes[1][column]
        top.plot(here["x"], here["y"], color="0.75", linewidth=5, label="x**2")
        bottom.set_yscale("log")
        for history, label, style in ((here, "host", "-"), (there, device, "--")):
            top.plot(history["x"], history["prediction"], style, label=label)
            bottom.plot(history["loss"], style, label=label)
        top.set_title(name)
        bottom.set_xlabel("step")
        bottom.set_ylabel("loss")
        top.legend()
    figure.savefig(path, dpi=100)
