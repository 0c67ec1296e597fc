"""Writes the outcomes for each library as JSON, and as README's tables."""

from __future__ import annotations

import json
from importlib.metadata import version as installed
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from bench import report
from bench.libraries import LIBRARIES
from bench.libraries.row import WORKS

RESULTS = Path(__file__).parent.parent / "results" / "libraries.json"
BEGIN, END = "<!-- libraries:begin -->", "<!-- libraries:end -->"


class Library(NamedTuple):
    """The version that was tried, and for each row its name, its outcome, and the reason if it does not work."""

    version: str
    rows: list[list[str]]


def version(library: str) -> str:
    package, _ = LIBRARIES[library]
    return installed(package)


def write(found: dict[str, Library], path: Path = RESULTS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: library._asdict() for name, library in found.items()}, indent=1) + "\n")
    return path


def read(path: Path = RESULTS) -> dict[str, Library]:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    return {name: Library(library["version"], library["rows"]) for name, library in recorded.items()}


def readme(path: Path = RESULTS) -> str:
    """README's two tables between their markers: the calls that work, and those that do not."""
    found = read(path)
    count = sum(word == WORKS for library in found.values() for _, word, _ in library.rows)
    total = sum(len(library.rows) for library in found.values())
    return "\n".join(
        [
            BEGIN,
            f"{count} of {total} calls have the right value, gradient and forward derivative:",
            "",
            report.table(["", "works"], _working(found), numbers=False),
            "",
            "The others do not. None of them gives a wrong number silently:",
            "",
            report.table(["", "what comes of it", "why"], _failing(found), numbers=False),
            END,
        ]
    )


def _working(found: dict[str, Library]) -> list[list[str]]:
    cells = []
    for name, library in found.items():
        works = sorted((row[0] for row in library.rows if row[1] == WORKS), key=_split)
        for module, group in groupby(works, key=lambda row: _split(row)[0]):
            title = f"{name} {library.version} {f'`{module}`' if module else ''}".strip()
            cells.append([title, ", ".join(_split(row)[1] for row in group)])
    return cells


def _failing(found: dict[str, Library]) -> list[list[str]]:
    cells = []
    for name, library in found.items():
        fails = sorted(([word, why, row] for row, word, why in library.rows if word != WORKS), key=lambda f: f[:2])
        for (word, why), group in groupby(fails, key=lambda f: f[:2]):
            cells.append([f"{name} {', '.join(f'`{row}`' for _, _, row in group)}", word, why])
    return cells


def _split(name: str) -> tuple[str, str]:
    """A function's module and its name there.

    >>> _split("stats.ttest_ind (p-value)")
    ('stats', 'ttest_ind (p-value)')
    """
    function, space, remark = name.partition(" (")
    module, _, last = function.rpartition(".") if "(" not in function else ("", "", function)  # at(...).set
    return module, last + space + remark
