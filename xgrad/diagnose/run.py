"""The state of a watched run: the watcher's arguments, the progress of training, and the findings. Rules and fixes read it."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.diagnose.finding import Finding
from xgrad.diagnose.given import SAMPLE, Given
from xgrad.diagnose.look import Look
from xgrad.diagnose.network import rows


class Run(Given):
    """The state of a run. The watcher updates it, and it has no reference to the watcher."""

    steps = 0  # the number of calls of the watcher's step()
    updates = 0  # the number of the optimizer's updates
    last: Look | None = None  # the look that the last report took
    batch: tuple[Any, ...] | None = None  # the last arguments of the model
    target: Any = None  # the last target of the loss, if the loss is a module

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.losses: list[float] = []
        self.looks: list[Look] = []
        self.grown: set[str] = set()  # names of parameters whose gradient was added to the one of the step before
        self.found: list[Finding] = []
        self.known: set[tuple[str, str]] = set()  # (rule, where) of the findings

    @property
    def now(self) -> int:
        """The number of the current step."""
        return self.steps if self.optimizer is None else self.updates

    def sample(self, most: int = SAMPLE) -> xg.Tensor | None:
        """Inputs for a look: from `x`, or else from the last batch."""
        x = self.x if self.x is not None else self.batch[0] if self.batch and len(self.batch) == 1 else None
        return rows(x, most) if isinstance(x, xg.Tensor) else None

    def add(self, finding: Finding) -> None:
        """Add a finding, unless its rule has found something at the same place before."""
        if (finding.rule, finding.where) not in self.known:
            self.known.add((finding.rule, finding.where))
            self.found.append(finding)

    def has(self, rule: str) -> bool:
        """Whether a rule has found something."""
        return any(finding.rule == rule for finding in self.found)
