"""What a rule says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run, and the numbers that show it."""

    rule: str
    severity: str  # "error", "warning" or "note"
    step: int  # at which it was first so, counted from 0
    where: str  # the layer, parameter or operation
    says: str  # in words
    evidence: dict[str, Any] = field(default_factory=dict)  # plain numbers and strings, by name
    fix: str = ""

    def __str__(self) -> str:
        head = f"{self.severity.upper()} {self.rule} at step {self.step}, {self.where}: {self.says}"
        return f"{head}\n    fix: {self.fix}" if self.fix else head

    def json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return asdict(self)


def number(value: float) -> str:
    """A number for people: four digits."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
