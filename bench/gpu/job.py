"""The Job that is passed to a section: its settings, and the methods that record its results."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

Row = Sequence[str]


@dataclass
class Job:
    """The settings and the results of one section."""

    backend: str
    file: Path
    seconds: float  # the time it may take
    folder: Path  # for pictures
    began: float = field(default_factory=perf_counter)
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def on_device(self) -> bool:
        """Whether this is a measurement on a device, not a rehearsal."""
        return self.backend == "cupy"

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.seconds - (perf_counter() - self.began)

    def put(self, **facts: Any) -> None:
        """Add facts to the results, and write all results so far."""
        self.found |= facts
        self.write()

    def table(self, title: str, header: Row, rows: Sequence[Row]) -> None:
        """Add a table, or replace the one of that title."""
        tables = self.found.setdefault("tables", {})
        tables[title] = {"header": list(header), "rows": [list(row) for row in rows]}
        self.write()

    def note(self, text: str) -> None:
        self.found.setdefault("notes", []).append(text)
        self.write()

    def fail(self, text: str) -> None:
        """Record a failure, with a text that says what is wrong."""
        self.found["ok"] = False
        self.found.setdefault("failures", []).append(text)
        self.write()

    def check(self, holds: bool, text: str) -> None:
        """Record a failure with this text unless `holds` is true."""
        if not holds:
            self.fail(text)

    def write(self) -> None:
        write_json(self.file, self.found)


def write_json(file: Path, value: Any) -> None:
    """Write a JSON file whole, or not at all if this process is killed."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    temporary.replace(file)
