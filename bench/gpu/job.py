"""What a section is given, and what it gives."""

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
    """One section's work: where to run it, and where to write what is found."""

    backend: str
    file: Path
    seconds: float  # the time it may take
    folder: Path  # for pictures
    began: float = field(default_factory=perf_counter)
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def on_device(self) -> bool:
        """Whether this is a measurement, and not a rehearsal."""
        return self.backend == "cupy"

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (perf_counter() - self.began)

    def put(self, **facts: Any) -> None:
        """Add facts to the result, and write down all that there is."""
        self.found |= facts
        self.write()

    def table(self, title: str, header: Row, rows: Sequence[Row]) -> None:
        """Add a table, or write one of that title anew."""
        tables = self.found.setdefault("tables", {})
        tables[title] = {"header": list(header), "rows": [list(row) for row in rows]}
        self.write()

    def note(self, text: str) -> None:
        self.found.setdefault("notes", []).append(text)
        self.write()

    def fail(self, text: str) -> None:
        """Note what is wrong: the section has then failed."""
        self.found["ok"] = False
        self.found.setdefault("failures", []).append(text)
        self.write()

    def check(self, holds: bool, text: str) -> None:
        """The section has failed, with this text, unless it holds."""
        if not holds:
            self.fail(text)

    def write(self) -> None:
        write_json(self.file, self.found)


def write_json(file: Path, value: Any) -> None:
    """Write all of it or, if this process is killed meanwhile, nothing."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    temporary.replace(file)
