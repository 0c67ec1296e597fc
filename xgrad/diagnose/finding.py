"""A finding: what a rule says about a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run, and the numbers that show it. Raises nothing.

    >>> from xgrad.diagnose import Finding
    >>> print(Finding("SCALE", "warning", 0, "x", "x has std 58", {"std": 58.0}, "standardise x"))
    WARNING SCALE at step 0, x: x has std 58
        fix: standardise x

    Args:
        rule: the name of the rule, as in `xgrad/diagnose/rules`.
        severity: "error", "warning" or "note".
        step: the first step at which it was so, counted from 0.
        where: the layer, parameter or operation.
        says: what is wrong, in words.
        evidence: numbers and strings that show it, by name.
        fix: what to do about it.
        because: the rule of the finding that this one follows from; "" for a cause.

    Humbatova et al. collect such faults: https://arxiv.org/abs/1910.11015.
    """

    rule: str
    severity: str
    step: int
    where: str
    says: str
    evidence: dict[str, Any] = field(default_factory=dict)
    fix: str = ""
    because: str = ""

    def __str__(self) -> str:
        head = f"{self.severity.upper()} {self.rule} at step {self.step}, {self.where}: {self.says}"
        return f"{head}\n    fix: {self.fix}" if self.fix else head

    def json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return asdict(self)


def number(value: float) -> str:
    """A number as text, with four digits."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
