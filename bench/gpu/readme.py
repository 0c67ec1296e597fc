"""Makes README's table of a GPU from the newest results: the seed and the MLP's step, on the host and on the device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.gpu.speed import TITLES
from bench.report import RESULTS, table

BEGIN, END = "<!-- gpu:begin -->", "<!-- gpu:end -->"


def newest(folder: Path = RESULTS) -> str:
    """The table of the newest results by date, or a note that there are none."""
    found = sorted(folder.glob("gpu-*.json"), key=lambda path: path.stem[-len("2026-01-31") :])
    if not found:
        return f"{BEGIN}\nNot measured yet: `python -m bench.gpu` measures.\n{END}"
    return readme(json.loads(found[-1].read_text(encoding="utf-8")))


def readme(results: dict[str, Any]) -> str:
    sections, device = results["sections"], results["device"]
    seeds = sections.get("seed", {}).get("took", {})
    speed = sections.get("speed", {})
    rows = [[f"the seed, {name}", f"{here:.2f} s", f"{there:.2f} s"] for name, (here, there) in seeds.items()]
    for name, here in speed.get("host", {}).items():
        size, there = int(name.split()[1]), speed["times"][name]["seconds"]
        rows.append([f"{TITLES['mlp']} {size:,}", f"{1e3 * here:.2f} ms", f"{1e3 * there:.2f} ms"])
    machine = device["machine"]
    passed = "every section passed" if results["ok"] else "not every section passed"
    where = (
        f"{device['device']}, driver {device['driver']}, CUDA {device['cuda']}, CuPy {device['cupy']}, against one thread of "
        f"{machine['cpu']}; {machine['date']}, commit {machine['commit']}; {passed}."
    )
    return f"{BEGIN}\n{table(['', 'NumPy', 'CuPy'], rows)}\n\n{where}\n{END}"
