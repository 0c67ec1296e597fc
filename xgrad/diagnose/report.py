"""What was found, for people and for programs."""

from __future__ import annotations

import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

from xgrad.diagnose.finding import ERROR, Finding
from xgrad.diagnose.fixes import Fix, Watching, try_fix
from xgrad.diagnose.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Report:
    """The findings of a run, errors first, and by step.

    `str(report)` is a readable text, `report.json()` plain values; `report.lacking` says of each rule that could not be checked
    what it needs. `report.try_fix()` tries what is proposed, `report.save("run.html")` draws the run.
    """

    def __init__(
        self, findings: list[Finding], lacking: dict[str, str], run: Run, watch: Callable[..., Watching]
    ) -> None:
        self.findings = findings
        self.lacking = lacking
        self.run = run
        self.watch = watch  # watches another run, such as that of a fix
        self.steps = run.steps
        self.record: Any = None  # a run as `xgrad fit` keeps it, to be drawn; else it is made of what the watcher saw

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == ERROR]

    def __str__(self) -> str:
        lines = [str(finding) for finding in self.findings] or [f"nothing was found wrong in {self.steps} steps"]
        if self.lacking:
            lines.append("not checked: " + "; ".join(f"{rule} ({needs})" for rule, needs in self.lacking.items()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Report: {len(self.errors)} errors, {len(self.findings)} findings in {self.steps} steps>"

    def json(self) -> dict[str, Any]:
        """Findings and what was not checked, as values that JSON has; what is not finite becomes "nan", "inf" or "-inf"."""
        plain: dict[str, Any] = _plain(
            {"steps": self.steps, "findings": [f.json() for f in self.findings], "lacking": self.lacking}
        )
        return plain

    def dumps(self) -> str:
        """`json()` as text, in ASCII: it may go to a stream of any encoding."""
        return json.dumps(self.json(), allow_nan=False)

    def try_fix(self, asked_to_end: Callable[[], bool] = lambda: False) -> Fix:
        """Run again from the same start with what is proposed, until something works. See `Fix`.

        `asked_to_end` is called after each step; where it says so, what was tried by then is all that there is.
        """
        return try_fix(self, asked_to_end)

    def save(self, path: str | Path) -> None:
        """Write the run and its findings as one HTML file that needs no network. Needs matplotlib."""
        import_module("xgrad.fit.page").save_page(self, path)  # it draws what a fit keeps


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
