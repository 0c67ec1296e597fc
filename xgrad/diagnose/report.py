"""The report on a run: its findings, as text and as plain values."""

from __future__ import annotations

import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

from xgrad.diagnose.causes import sentence
from xgrad.diagnose.finding import ERROR, Finding
from xgrad.diagnose.fixes import Fix, Watching, try_fix
from xgrad.diagnose.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Report:
    """The findings of a run: errors first, then by step, each followed by what it causes. `Watch.report()` makes it.

    `print(report)` begins with one sentence on what happened, why, and what to do, and shows all findings in words.
    `report.json()` has them as plain values, `report.try_fix()` tries what they propose, and `report.save("run.html")` writes one
    page about the run. Raises nothing.

    >>> import xgrad as xg
    >>> model = xg.nn.Linear(1, 1, rng=xg.random.Generator(0))
    >>> x = xg.linspace(-100.0, 100.0, 9)[:, None]
    >>> report = xg.diagnose.watch(model, x=x).report()
    >>> print(report.findings[0])
    WARNING SCALE at step 0, x: x has mean 0, std 64.55 and reaches 100; mean 0 and std 1 are wanted
        fix: standardise x and y, both: report.try_fix() tries it
    >>> report.lacking["STEP_UNSTABLE"]
    'needs optimizer'

    Args:
        findings: the findings, in order.
        lacking: for each rule that was not checked, what it needs.
        run: the run that was watched.
        watch: a function that watches another run, such as that of a fix.

    `json()` keeps to https://www.rfc-editor.org/rfc/rfc8259, which has no nan and inf: these become strings.
    """

    def __init__(
        self, findings: list[Finding], lacking: dict[str, str], run: Run, watch: Callable[..., Watching]
    ) -> None:
        self.findings = findings
        self.lacking = lacking
        self.run = run
        self.watch = watch
        self.steps = run.steps
        self.record: Any = None  # the record of `xgrad fit`, for the page; None: the page shows what the watcher saw

    @property
    def errors(self) -> list[Finding]:
        """The findings that are errors."""
        return [finding for finding in self.findings if finding.severity == ERROR]

    def __str__(self) -> str:
        first = self.sentence
        lines = [first, ""] if first else []
        lines += [_indented(finding) for finding in self.findings] or [f"nothing was found wrong in {self.steps} steps"]
        if self.lacking:
            lines.append("not checked: " + "; ".join(f"{rule} ({needs})" for rule, needs in self.lacking.items()))
        return "\n".join(lines)

    @property
    def sentence(self) -> str:
        """What happened, why, and what to do, in one line; "" where nothing was found wrong."""
        return sentence(self.findings, self.run)

    def __repr__(self) -> str:
        return f"<Report: {len(self.errors)} errors, {len(self.findings)} findings in {self.steps} steps>"

    def json(self) -> dict[str, Any]:
        """Steps, findings and what was not checked, as values of JSON. A number that is not finite is a string."""
        findings = [finding.json() for finding in self.findings]
        plain: dict[str, Any] = _plain(
            {"steps": self.steps, "sentence": self.sentence, "findings": findings, "lacking": self.lacking}
        )
        return plain

    def dumps(self) -> str:
        """`json()` as text, in ASCII, so that it suits a stream of any encoding."""
        return json.dumps(self.json(), allow_nan=False)

    def try_fix(self, asked_to_end: Callable[[], bool] = lambda: False) -> Fix:
        """Train again from the same start with each proposed change, until one works. See `Fix`.

        `asked_to_end` is called after each step. Once it returns True, no more is tried.
        """
        return try_fix(self, asked_to_end)

    def save(self, path: str | Path) -> None:
        """Write the run and its findings as one HTML file that needs no network. It needs matplotlib."""
        import_module("xgrad.fit.page").save_page(self, path)


def _indented(finding: Finding) -> str:
    """A finding as text; one that follows from another stands under it."""
    text = str(finding)
    return text if not finding.because else "    so: " + text.replace("\n", "\n    ")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
