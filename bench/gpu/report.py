"""Writes the results of bench.gpu: a JSON file with everything, and a Markdown report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import report
from bench.gpu.job import write_json

WORDS = {True: "passed", False: "FAILED", None: "not to be had here"}


def stem(results: dict[str, Any]) -> str:
    """
    >>> stem({"device": {"device": "NVIDIA H100 80GB HBM3", "machine": {"date": "2026-01-31"}}, "rehearsal": False})
    'gpu-NVIDIA-H100-80GB-HBM3-2026-01-31'
    """
    date = results["device"]["machine"]["date"]
    if results["rehearsal"]:
        return f"rehearsal-{results['device']['backend']}-{date}"
    return f"gpu-{'-'.join(results['device']['device'].split())}-{date}"


def write(results: dict[str, Any], folder: Path) -> tuple[Path, Path]:
    """Write both files. They replace those of the same device and day."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{stem(results)}.json", folder / f"{stem(results)}.md"
    write_json(paths[0], results)
    paths[1].write_text(markdown(results), encoding="utf-8")
    return paths


def markdown(results: dict[str, Any]) -> str:
    device, sections = results["device"], results["sections"]
    title = "Rehearsal: nothing here was measured on a GPU" if results["rehearsal"] else f"xgrad on {device['device']}"
    facts = {key: value for key, value in device.items() if key not in ("machine", "device")}
    facts |= {key: value for key, value in device["machine"].items() if key != "environment"}
    waiting = [name for name in results["asked"] if name not in sections]
    parts = [
        f"# {title}",
        "Written by `python -m bench.gpu`. " + (f"Not run yet: {', '.join(waiting)}." if waiting else ""),
        report.table(
            ["section", "", "seconds", ""],
            [
                [name, WORDS[found["ok"]], f"{found['seconds']:.0f}", found.get("summary", "")]
                for name, found in sections.items()
            ],
            numbers=False,
        ),
    ]
    for name, found in sections.items():
        parts += [f"## {name.capitalize()}", *_section(found)]
    parts += ["## Where", "\n".join(f"* {key}: {value}" for key, value in facts.items())]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _section(found: dict[str, Any]) -> list[str]:
    parts = [f"* FAILED: {one_line(text)}" for text in found.get("failures", [])]
    parts += [f"* {one_line(text)}" for text in found.get("notes", [])]
    blocks = ["\n".join(parts)] if parts else []
    for title, table in found.get("tables", {}).items():
        blocks += [f"### {title}", report.table(table["header"], table["rows"])]
    blocks += [f"![{name}]({name})" for name in found.get("pictures", [])]
    return blocks or [found.get("summary", "")]


def one_line(text: str) -> str:
    """
    >>> one_line("a\\n  b")
    'a b'
    """
    return " ".join(text.split())
