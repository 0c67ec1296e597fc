"""The state of a watched run: the watcher's arguments, the progress of training, and the findings. Rules and fixes read it."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad._words import one_line
from xgrad.diagnose.finding import Finding
from xgrad.diagnose.given import SAMPLE, Given
from xgrad.diagnose.keeping import Modes
from xgrad.diagnose.look import Look
from xgrad.diagnose.network import arguments, rows, rows_in
from xgrad.diagnose.quality import Quality, quality

MOST = 4096  # how many samples the quality at the end is measured on


class Run(Given):
    """The state of a run. The watcher updates it, and it has no reference to the watcher."""

    steps = 0  # the number of calls of the watcher's step()
    updates = 0  # the number of the optimizer's updates
    last: Look | None = None  # the look that the last report took
    batch: tuple[Any, ...] | None = None  # the last arguments of the model
    named: dict[str, Any]  # and those that were given by name
    target: Any = None  # the last target of the loss, if the loss is a module
    quality: Quality | None = None  # how well the network does at the time of the report
    quality_val: Quality | None = None  # the same for x_val and y_val

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.losses: list[float] = []
        self.looks: list[Look] = []
        self.grown: set[str] = set()  # names of parameters whose gradient was added to the one of the step before
        self.found: list[Finding] = []
        self.ending: list[Finding] = []  # what rules find for the report that is being made
        self.known: set[tuple[str, str]] = set()  # (rule, where) of the findings
        self.failed: dict[tuple[str, str], str] = {}  # (rule, moment) of the checks that raised an error, and the error
        self.named = {}

    @property
    def now(self) -> int:
        """The number of the current step."""
        return self.steps if self.optimizer is None else self.updates

    def assess(self) -> None:
        """Find out how well the network does on all samples."""
        self.quality = self._quality(self.x, self.y)
        self.quality_val = self._quality(self.x_val, self.y_val)

    def _quality(self, x: xg.Tensor | None, y: xg.Tensor | None) -> Quality | None:
        if x is None or y is None or self.targets is None:
            return None
        x, y = rows(x, MOST), rows(y, MOST)
        output = self.evaluated(x)
        return quality(output, y, self.targets, self.takes(output)) if isinstance(output, xg.Tensor) else None

    def loss_of(self, output: Any, rows_of: xg.Tensor) -> float:
        """The loss of outputs for the sample that `pairs` gives; nan without a loss, or where it is not one number."""
        pairs = self.pairs()
        if pairs is None or self.loss is None or rows_of.shape != pairs[0].shape:
            return math.nan
        try:
            with xg.no_grad():
                found = self.loss(output, pairs[1])
        except Exception:  # a loss for batches of one size
            return math.nan
        return float(found.item()) if isinstance(found, xg.Tensor) and found.shape == () else math.nan

    def loss_held_out(self) -> float:
        """The loss of held-out samples; nan without them."""
        if self.x_val is None or self.loss is None:
            return math.nan
        x, y = rows(self.x_val, SAMPLE), rows(self.y_val, SAMPLE)
        try:
            with xg.no_grad():
                found = self.loss(self.evaluated(x), y)
        except Exception:  # a loss for batches of one size
            return math.nan
        return float(found.item()) if isinstance(found, xg.Tensor) and found.shape == () else math.nan

    def evaluated(self, x: xg.Tensor) -> Any:
        """The output of the model in evaluation mode."""
        modes = Modes(self.model)
        self.model.eval()
        try:
            with xg.no_grad():
                return self.model(x)
        finally:
            modes.restore()

    def targets_of_batch(self) -> Any:
        """The targets of the last batch, whose rows are looked up in x; None if they are not all there."""
        if self.batch is None or len(self.batch) != 1 or self.x is None or self.y is None:
            return None
        batch = self.batch[0]
        if batch is self.x:
            return self.y
        if batch.shape[1:] != self.x.shape[1:] or batch.dtype != self.x.dtype:
            return None
        known: dict[bytes, int] = {}
        for place, row in enumerate(self.x.numpy()):
            known.setdefault(row.tobytes(), place)
        places = [known.get(row.tobytes()) for row in batch.numpy()]
        if None in places:
            return None
        view = self.y.backend.view
        found: xg.Tensor = view.take(self.y, view.asarray(places), axis=0)
        return found

    def sample(self, most: int = SAMPLE) -> xg.Tensor | None:
        """Inputs for a look: from `x`, or else from the last batch."""
        x = self.x if self.x is not None else self.batch[0] if self.batch and len(self.batch) == 1 else None
        return rows(x, most) if isinstance(x, xg.Tensor) else None

    def call(self, most: int = SAMPLE) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """The arguments of the model for a look: from `x`, or else those of the last batch. None if neither is known."""
        if self.inputs is not None:
            return arguments(rows_in(self.inputs, most))
        if self.batch is None:
            return None
        args, named = rows_in((self.batch, self.named), most)
        return tuple(args), named

    def has_all(self) -> bool:
        """Whether the last batch is all of `x`."""
        args, named = arguments(self.inputs)
        given = [*(self.batch or ()), *self.named.values()]
        whole = [*args, *named.values()]
        return len(given) == len(whole) and all(a is b for a, b in zip(given, whole, strict=True))

    def fail(self, rule: str, moment: str, error: Exception) -> None:
        """Note that a check raised an error. The report says so, and the training goes on."""
        said = one_line(str(error))
        self.failed[rule, moment] = f"could not run: {type(error).__name__}" + (f": {said}" if said else "")

    def failures(self) -> dict[str, str]:
        """What kept a rule from all or some of its checks, in words, by rule."""
        return {rule: why for (rule, _), why in reversed(self.failed.items())}

    def add(self, finding: Finding) -> None:
        """Add a finding, unless its rule has found something at the same place before."""
        if (finding.rule, finding.where) not in self.known:
            self.known.add((finding.rule, finding.where))
            self.found.append(finding)

    def has(self, rule: str) -> bool:
        """Whether a rule has found something, in the run or for the report that is being made."""
        return any(finding.rule == rule for finding in (*self.found, *self.ending))
