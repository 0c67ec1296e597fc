"""A run: what the watcher was given, how far training has come, and what was found. Rules and fixes read it."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.diagnose.finding import Finding
from xgrad.diagnose.given import SAMPLE, Given
from xgrad.diagnose.look import Look
from xgrad.diagnose.network import rows


class Run(Given):
    """The watcher writes it, as training goes on. It does not know the watcher."""

    steps = 0  # calls of the watcher's step()
    updates = 0  # of the optimizer
    last: Look | None = None  # at the parameters as they are when a report is asked for
    batch: tuple[Any, ...] | None = None  # what the model was last given
    target: Any = None  # and the loss, where it is a module

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.losses: list[float] = []
        self.looks: list[Look] = []
        self.grown: set[str] = set()  # parameters whose gradient was added to a leftover one
        self.found: list[Finding] = []
        self.known: set[tuple[str, str]] = set()  # what was found: rule, and where

    @property
    def now(self) -> int:
        """The step that is under way."""
        return self.steps if self.optimizer is None else self.updates

    def sample(self, most: int = SAMPLE) -> xg.Tensor | None:
        """Inputs to look at: of `x`, else of the last batch."""
        x = self.x if self.x is not None else self.batch[0] if self.batch and len(self.batch) == 1 else None
        return rows(x, most) if isinstance(x, xg.Tensor) else None

    def add(self, finding: Finding) -> None:
        """Keep a finding, unless the same was found before."""
        if (finding.rule, finding.where) not in self.known:
            self.known.add((finding.rule, finding.where))
            self.found.append(finding)

    def has(self, rule: str) -> bool:
        """Whether a rule has found something."""
        return any(finding.rule == rule for finding in self.found)
