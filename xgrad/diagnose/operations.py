"""Watching operations for values that are not finite: when each one is looked at, and running a step again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from xgrad.diagnose.anomaly import Anomaly, Detector
from xgrad.diagnose.run import Run

SHAKY = 10  # first steps, in which every operation is looked at


class Operations:
    """Switches the detector on where values may leave the range of the dtype, and off where the watcher itself computes."""

    def __init__(self, run: Run, found: Callable[[Anomaly], None], allow: Collection[str]) -> None:
        self.run = run
        self.detector = Detector(found, allow, recorded_only=True)
        self.armed = False
        self.private = False  # what runs now is the watcher's own
        self.huge = False  # something is on its way out of the dtype's range

    def arm(self, *, anew: bool = True) -> None:
        """From here on look at every operation, until the next update."""
        if not self.armed and not self.private and not self.run.has("NONFINITE"):
            self.armed = True
            self.detector.start(anew=anew)

    def disarm(self) -> None:
        if self.armed:
            self.armed = False
            self.detector.stop()

    def rearm(self, every: int) -> None:
        """Look at the next step, if it is one of the first, one of `every`, or follows something very large."""
        if self.huge or self.run.now < SHAKY or self.run.now % every == 0:
            self.arm()
        self.huge = False

    @contextmanager
    def privately(self) -> Iterator[None]:
        """What runs in the block is the watcher's own."""
        armed, before = self.armed, self.private
        self.disarm()
        self.private = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a library's, of overflow: it is what is looked for
                yield
        finally:
            self.private = before
            if armed:
                self.arm(anew=False)

    def replay(self) -> None:
        """Run the step again, watched: the parameters are still what they were."""
        run = self.run
        target = run.target
        if run.batch and target is None and run.batch[0] is run.x:
            target = run.y
        if run.batch is None or run.loss is None or target is None:
            return
        kept = [p.grad for _, p in run.parameters]
        with self.privately():
            self.detector.start()
            try:
                for _, p in run.parameters:
                    p.grad = None
                run.loss(run.model(*run.batch), target).backward()
            finally:
                self.detector.stop()
                for (_, p), grad in zip(run.parameters, kept, strict=True):
                    p.grad = grad
