"""When the anomaly detector checks operations in a watched run, and the replay of a step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import ClassVar

from xgrad.diagnose.anomaly import Anomaly, Detector
from xgrad.diagnose.keeping import Kept, Tensors
from xgrad.diagnose.run import Run

SHAKY = 10  # in so many first steps every operation is checked


class Operations:
    """Turns the detector on where values may overflow their dtype, and off where the watcher itself computes."""

    busy: ClassVar[int] = 0  # how many watchers are computing now

    def __init__(self, run: Run, found: Callable[[Anomaly], None], allow: Collection[str]) -> None:
        self.run = run
        self.detector = Detector(found, allow, recorded_only=True)
        self.armed = False
        self.private = False  # whether the watcher itself is computing
        self.huge = False  # whether some value may soon overflow its dtype

    def arm(self, *, anew: bool = True) -> None:
        """Check every operation from now on, until the next update."""
        if not self.armed and not self.private and not self.run.has("NONFINITE"):
            self.armed = True
            self.detector.start(anew=anew)

    def disarm(self) -> None:
        """Stop checking operations."""
        if self.armed:
            self.armed = False
            self.detector.stop()

    def rearm(self, every: int) -> None:
        """Check the next step if it is one of the first, a multiple of `every`, or follows a very large value."""
        if self.huge or self.run.now < SHAKY or self.run.now % every == 0:
            self.arm()
        self.huge = False

    @contextmanager
    def privately(self) -> Iterator[None]:
        """In this block the watcher itself computes: operations are not checked, and buffers and generators do not change."""
        armed, before = self.armed, self.private
        self.disarm()
        self.private = True
        Operations.busy += 1
        kept, kept_start = Kept(self.run.model), Tensors(*self.run.start.buffers())  # rules run the start too
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # the library's warnings of overflow
                yield
        finally:
            kept.restore()
            kept_start.restore()
            self.private = before
            Operations.busy -= 1
            if armed:
                self.arm(anew=False)

    def replay(self) -> None:
        """Run the step again with the detector on. The parameters have not been updated yet."""
        run = self.run
        if run.batch is None or run.loss is None:
            return
        target, batch, named = run.target, run.batch, run.named
        if target is None:
            target = run.answers if run.has_all() else run.targets_of_batch()
        if target is None:
            if run.x is None or run.y is None:
                return
            batch, named, target = (run.x,), {}, run.y  # the batch is among them
        kept = [p.grad for _, p in run.parameters]
        with self.privately():
            self.detector.start()
            try:
                for _, p in run.parameters:
                    p.grad = None
                run.loss(run.model(*batch, **named), target).backward()
            except Exception as error:  # the step of the user's program may do more than this
                run.fail("NONFINITE", "replay", error)
            finally:
                self.detector.stop()
                for (_, p), grad in zip(run.parameters, kept, strict=True):
                    p.grad = grad
