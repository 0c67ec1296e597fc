"""Writes the results of the benchmark as JSON, as a Markdown report, and as README's table.

`python -m bench.report --readme` prints README's table from the newest results.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.layer_problems import ALL_WORKLOADS as WORKLOADS
from bench.peers import BASELINE, PEERS

RESULTS = Path(__file__).parent / "results"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """
    >>> print(table(["a", "b"], [["x", "1"]]))
    | a | b |
    | :-- | --: |
    | x | 1 |
    """
    align = [":--", *("--:" if numbers else ":--" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, align, *rows))


def ratios(results: dict[str, Any], baseline: str, *, with_spread: bool) -> str:
    """A table with a row for each workload of that baseline, and a column for each peer. A cell is the ratio to the baseline."""
    speed = {name: row for name, row in results["speed"].items() if WORKLOADS[name].baseline == baseline}
    peers = [p for p in PEERS if p != baseline and any(p in row["peers"] for row in speed.values())]
    header = [f"time / that of {PEERS[baseline].label}", *(PEERS[p].label for p in peers)]
    rows = [
        [WORKLOADS[name].title, *(_cell(row["peers"].get(p), with_spread) for p in peers)]
        for name, row in speed.items()
    ]
    return table(header, rows)


def tables(results: dict[str, Any], *, with_spread: bool) -> str:
    """A table for each baseline. Its first column names the baseline."""
    baselines = dict.fromkeys(WORKLOADS[name].baseline for name in results["speed"])
    return "\n\n".join(ratios(results, baseline, with_spread=with_spread) for baseline in baselines)


def _cell(peer: dict[str, Any] | None, with_spread: bool) -> str:
    if peer is None:
        return "-"
    r = peer["ratio"]
    median = f"{r['median']:.2f}"
    return f"{median} ({r['low']:.2f}-{r['high']:.2f})" if with_spread else median


def readme(results: dict[str, Any]) -> str:
    """README's table between its two markers."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    note = (
        f"CPU time as a ratio to the baseline's in the same run (lower is better), float32, one thread, median of "
        f"{rounds(results)} paired rounds; {where(results)}; {versions}; {results['machine']['date']}."
    )
    parts = [BEGIN + "\n" + tables(results, with_spread=False), *_left_out(results)[1:], note, *_beside_speed(results)]
    return "\n\n".join(parts) + "\n" + END


def where(results: dict[str, Any]) -> str:
    """The processor, its load by other programs before the run, the interpreter and the BLAS."""
    machine = results["machine"]
    coretype = machine["environment"]["OPENBLAS_CORETYPE"]
    load = machine.get("load average before")
    cores = f"{machine['cpu']}, {machine['cores']} cores" + (f" (load average {load} before the run)" if load else "")
    return f"{cores}, {machine['python']}, {machine['blas']}, OPENBLAS_CORETYPE {coretype}"


def _beside_speed(results: dict[str, Any]) -> list[str]:
    """A sentence on memory and one on the import time, if they were measured."""
    memory = [
        f"{name.upper()} {found['xgrad']['peak'] / 2**20:.1f} MiB against {found[BASELINE]['peak'] / 2**20:.1f}"
        for name, found in results.get("memory", {}).items()
        if {"xgrad", BASELINE} <= set(found)
    ]
    sentences = [f"Peak memory of a step, xgrad against hand-written NumPy: {', '.join(memory)}."] if memory else []
    if results.get("imports"):
        ratio = results["imports"]["ratio"]["median"]
        sentences.append(f"`import xgrad` takes {ratio:.2f} times as long as `import numpy`.")
    return [" ".join(sentences)] if sentences else []


def newest_readme(folder: Path = RESULTS) -> str:
    """README's table of the newest results, or a note that there are none."""
    try:
        return readme(newest(folder))
    except FileNotFoundError:
        return f"{BEGIN}\nNot measured yet: `python -m bench` measures.\n{END}"


def rounds(results: dict[str, Any]) -> str:
    return " or ".join(str(n) for n in sorted({row["rounds"] for row in results["speed"].values()}))


def markdown(results: dict[str, Any]) -> str:
    """The whole report."""
    parts = [
        f"# Speed, {results['machine']['date']}",
        "Every figure is a ratio to the baseline in the same run, lower is better: the median of the ratios of paired rounds, "
        "with their quartiles. The baseline is NumPy by hand (`bench/peers/numpy_naive.py`), or PyTorch in eager mode where a "
        "table says so. One process per peer, one thread, pinned to one core, float32. Times are CPU times of a process, so that "
        "other programs on the machine count little. Every peer's numbers were compared with "
        "the baseline's before it was timed.",
    ]
    if (load := results["machine"].get("load average before")) not in (None, "unknown") and float(load) >= 1:
        parts.append(f"Other programs ran on the machine: its load average was {load} before the run.")
    if results["speed"]:
        parts += [tables(results, with_spread=True), "## Times per run", _seconds(results)]
    parts += _left_out(results)
    if results.get("memory"):
        parts += ["## Peak memory of a step, as tracemalloc counts it", _memory(results["memory"])]
    if results.get("imports"):
        r, n = results["imports"]["ratio"], results["imports"]["numpy"]
        parts += [
            "## Import",
            f"`import xgrad` takes {_cell({'ratio': r}, True)} times as long as `import numpy` "
            f"({1000 * n['median']:.0f} ms), as whole processes.",
        ]
    parts += ["## Where", _where(results)]
    return "\n\n".join(parts) + "\n"


def _seconds(results: dict[str, Any]) -> str:
    peers = [p for p in PEERS if any(p in row["peers"] for row in results["speed"].values())]

    def cell(row: dict[str, Any], peer: str) -> str:
        found = row["peers"].get(peer)
        return f"{1e6 * found['seconds']['median']:,.0f}" if found else "-"

    rows = [
        [WORKLOADS[name].title, *(cell(row, p) for p in peers), str(row["runs_per_round"])]
        for name, row in results["speed"].items()
    ]
    return table(["microseconds", *(PEERS[p].label for p in peers), "runs per round"], rows)


def _left_out(results: dict[str, Any]) -> list[str]:
    lines = [f"* {PEERS[p].label}: {reason}" for p, reason in results["missing"].items()]
    for name, row in results["speed"].items():
        lines += [f"* {PEERS[p].label} on {name}: {reason}" for p, reason in row["failed"].items()]
    return ["## Left out", "\n".join(lines)] if lines else []


def _memory(memory: dict[str, Any]) -> str:
    rows = [
        [
            WORKLOADS[name].title,
            PEERS[peer].label,
            *(f"{found[k] / 2**20:.2f}" for k in ("peak", "working")),
        ]
        for name, peers in memory.items()
        for peer, found in peers.items()
    ]
    return table(["", "peer", "peak MiB", "of it added by the step"], rows)


def _where(results: dict[str, Any]) -> str:
    facts = {k: v for k, v in results["machine"].items() if k != "environment"}
    facts |= results["versions"]
    lines = [f"* {name}: {value}" for name, value in facts.items()]
    environment = results["machine"]["environment"]
    return "\n".join([*lines, *(f"* `{k}`: {v}" for k, v in environment.items())])


def write(results: dict[str, Any], folder: Path = RESULTS) -> tuple[Path, Path]:
    """Write speed-DATE.json and speed-DATE.md. A second run on a day replaces the first."""
    return write_both("speed", results, markdown(results), folder)


def write_both(name: str, results: dict[str, Any], text: str, folder: Path = RESULTS) -> tuple[Path, Path]:
    """Write NAME-DATE.json with the results, and NAME-DATE.md with their report."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{name}-{results['machine']['date']}"
    paths = stem.with_suffix(".json"), stem.with_suffix(".md")
    paths[0].write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    paths[1].write_text(text, encoding="utf-8")
    return paths


def newest(folder: Path = RESULTS) -> dict[str, Any]:
    """The newest results, by the date in the file name."""
    paths = sorted(folder.glob("speed-*.json"))
    if not paths:
        raise FileNotFoundError(f"no speed-*.json in {folder}; `python -m bench` writes one")
    loaded: dict[str, Any] = json.loads(paths[-1].read_text(encoding="utf-8"))
    return loaded


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--readme", action="store_true", help="only README's table")
    print(newest_readme() if parser.parse_args().readme else markdown(newest()))


if __name__ == "__main__":
    main()
