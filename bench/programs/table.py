"""Writes the results of `python -m bench.programs` as a report, and as README's table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench import report

BEGIN, END = "<!-- programs:begin -->", "<!-- programs:end -->"
Results = dict[str, Any]


def in_words(found: Results | None) -> str:
    """A cell of the table: the difference from NumPy's numbers, or what happened instead."""
    if found is None:
        return "-"
    if "failed" in found:
        return "FAILED"
    if "left out" in found:
        return "left out"
    words = f"{found['apart']:.0e}" if found["apart"] else "0"
    return words if found["ok"] else f"DIFFERS: {words}"


def differences(results: Results) -> str:
    """A table with a row for each program and a column for each backend."""
    backends = results["backends"]
    rows = []
    for name, row in results["programs"].items():
        end, value = next(iter(row["ends"].items()))
        cells = [in_words(row["backends"].get(backend)) for backend in backends]
        rows.append([f"[`{name}`]({{0}}programs/{name}.py)", f"{end} {value:.6g}", f"{row['tolerance']:.0e}", *cells])
    return report.table(["program", "ends on NumPy with", "tolerance", *(f"`{b}`" for b in backends)], rows)


def remarks(results: Results) -> list[str]:
    """The runs that were shortened, left out or failed."""
    lines = [f"* `{backend}` left out: {why}" for backend, why in results["missing"].items()]
    lines += [f"* `{backend}` was run apart: {where}" for backend, where in results.get("added", {}).items()]
    for name, row in results["programs"].items():
        for backend, found in row["backends"].items():
            lines += [
                f"* {name} on `{backend}` {word}: {found[word]}" for word in ("left out", "failed") if word in found
            ]
    return lines


def shortened(results: Results) -> str:
    few = results["few"]
    return (
        f" On {' and '.join(f'`{b}`' for b in few)} a program takes its fewest steps, against as many on NumPy."
        if few
        else ""
    )


def markdown(results: Results) -> str:
    where = results["machine"]
    threads = ", ".join(f"{name}={value}" for name, value in where["environment"].items() if "THREADS" in name)
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    rows = [
        [
            name,
            str(row["steps"]),
            f"{row['seconds']:.1f}",
            *(_seconds(row["backends"].get(backend)) for backend in results["backends"]),
        ]
        for name, row in results["programs"].items()
    ]
    ends = [
        [name, ", ".join(f"{end} {value:.10g}" for end, value in row["ends"].items()), row["title"]]
        for name, row in results["programs"].items()
    ]
    parts = [
        "# The same program on every backend",
        f"{where['date']}, commit {where['commit']}, {where['cpu']}, {where['cores']} cores, {where['python']}, {versions}, "
        f"{threads}. Written by `python -m bench.programs`.",
        "Each program runs in a process of its own, its text unchanged: XGRAD_BACKEND chooses the backend, and XGRAD_DTYPE is "
        "float64. A cell is the largest difference of its ends from NumPy's, relative to these." + shortened(results),
        differences(results).replace("{0}", "../"),
        *(["\n".join(remarks(results))] if remarks(results) else []),
        "## Ends on NumPy",
        report.table(["program", "ends", ""], ends, numbers=False),
        "## Seconds",
        "On a machine with other work, the first calls and what a library compiles included: no measure of speed.",
        report.table(["program", "steps", "`numpy`", *(f"`{b}`" for b in results["backends"])], rows),
    ]
    return "\n\n".join(parts) + "\n"


def _seconds(found: Results | None) -> str:
    return f"{found['seconds']:.1f}" if found and "seconds" in found else "-"


def write(results: Results, folder: Path = report.RESULTS) -> Path:
    """Write programs-DATE.json and .md. A second run on a day replaces the first."""
    path = folder / f"programs-{results['machine']['date']}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(results), encoding="utf-8")
    return path


def add(results: Results, folder: Path = report.RESULTS) -> Path:
    """Write the backends of these results into the newest results, in place of theirs."""
    path = sorted(folder.glob("programs-*.json"))[-1]
    newest: Results = json.loads(path.read_text(encoding="utf-8"))
    where = results["machine"]
    for backend in results["backends"]:
        newest["missing"].pop(backend, None)
        newest.setdefault("added", {})[backend] = f"{where['date']}, commit {where['commit']}, {where['python']}"
        for name, row in results["programs"].items():
            newest["programs"][name]["backends"][backend] = row["backends"][backend]
    for list_of in ("backends", "few"):
        newest[list_of] += [backend for backend in results[list_of] if backend not in newest[list_of]]
    own = {name: version for name, version in results["versions"].items() if name not in ("numpy", "scipy")}
    newest["versions"] |= own
    path.write_text(json.dumps(newest, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(newest), encoding="utf-8")
    return path


def readme(folder: Path = report.RESULTS) -> str:
    """README's table of the newest results, or a note that there are none."""
    paths = sorted(folder.glob("programs-*.json"))
    if not paths:
        return f"{BEGIN}\nNot run yet: `python -m bench.programs` runs them.\n{END}"
    results = json.loads(paths[-1].read_text(encoding="utf-8"))
    words = (
        f"The largest difference of a program's ends from NumPy's, relative to these, in float64.{shortened(results)} "
        f"{results['machine']['date']}, commit {results['machine']['commit']} "
        f"([results](results/{paths[-1].with_suffix('.md').name}); `python -m bench.programs` runs them again)."
    )
    lines = [
        differences(results).replace("{0}", ""),
        words,
        *(["\n".join(remarks(results))] if remarks(results) else []),
    ]
    return "\n".join([BEGIN, "\n\n".join(lines), END])
