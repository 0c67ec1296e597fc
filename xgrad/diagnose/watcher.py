"""Watching a training run: when the watcher looks, and at what."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.anomaly import Anomaly, Detector
from xgrad.diagnose.causes import explained
from xgrad.diagnose.given import Loss
from xgrad.diagnose.gradients import Gradients, Reading, mark_leftovers
from xgrad.diagnose.hooks import hook
from xgrad.diagnose.look import Look, look
from xgrad.diagnose.operations import SHAKY, Operations
from xgrad.diagnose.report import Report
from xgrad.diagnose.rules import RULES, DiagnosticRule
from xgrad.diagnose.run import Run
from xgrad.engine.watching import runs

OFTEN = 40  # steps between two looks while more than half the slopes of a layer are flat
FIRST = 3  # in so many first steps, it looks for gradients that were not cleared


class Watch:
    """A watcher of a training run. `watch` makes it, with checked arguments. Call `step` in each step, then `report`.

    >>> import xgrad as xg
    >>> model = xg.nn.Linear(1, 1, rng=xg.random.Generator(0))
    >>> w = xg.diagnose.watch(model)
    >>> xg.sum(model(xg.ones((2, 1)))).backward()
    >>> w.step()
    >>> w.report().steps
    1
    >>> w.close()

    Args:
        model: the module that is trained.
        optimizer: its optimizer.
        loss: the function that is minimised, of the output and the target.
        x: the inputs of all training samples.
        y: their targets.
        x_val, y_val: inputs and targets that are held out.
        every: the most steps between two looks at the layers.
        names: what findings call a module, by its id().
        allow: operations that may make inf and nan.
        starting: whether to ask the rules before the first step. A fix that is tried does not.

    Raises:
        TypeError, ValueError: as `watch`.

    A catalog of such checks: https://arxiv.org/abs/2204.00694.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer | None = None,
        *,
        loss: Loss | None = None,
        x: Any = None,
        y: Any = None,
        x_val: Any = None,
        y_val: Any = None,
        every: int = 100,
        names: Mapping[Any, str] | None = None,
        allow: Collection[str] = (),
        starting: bool = True,
    ) -> None:
        self.run = Run(model, optimizer, loss, x, y, names, x_val, y_val)
        self.every = every
        self.gradients = Reading(self.run.parameters)
        self.rules: list[DiagnosticRule] = [rule() for rule in RULES]
        me = weakref.ref(self)  # A watcher that is dropped without close() must not be kept alive.

        def found(anomaly: Anomaly) -> None:
            here = me()
            if here is not None:
                here.found(anomaly)

        self.operations = Operations(self.run, found, allow)
        self.removing = hook(self)
        weakref.finalize(self, Detector.drop, self.operations.detector)
        if starting:
            with self.operations.privately():
                self._tell(lambda rule: rule.start(self.run))
        self.operations.arm()
        runs.add(self)

    # --- what the loop calls ---

    def step(self, loss: Any = None) -> None:
        """Call this once in every step, after backward; best after the optimizer's step. `loss` is a 0-d tensor or a number."""
        run = self.run
        value = math.nan if loss is None else float(loss.item() if isinstance(loss, xg.Tensor) else loss)
        if run.optimizer is None:
            self.before_update()
            self.after_update()
        run.losses.append(value)
        if loss is not None:
            self._tell(lambda rule: rule.loss(run, run.steps, value))
        run.steps += 1
        self.operations.huge = self.operations.huge or not abs(value) < run.limit
        if run.updates <= run.steps:  # otherwise the update of this step is still to come
            self.operations.rearm(self.every)

    def looks_at(self, step: int) -> bool:
        """Whether it reads the gradients and looks at the layers in this step, or checks its operations."""
        return self.operations.huge or self._is_due(step)

    def pause(self) -> None:
        """Stop watching, for steps that are compiled: a program has no operations to watch. `passed` counts them."""
        runs.discard(self)
        self.operations.disarm()
        for remove in self.removing:
            remove()
        self.removing.clear()

    def resume(self) -> None:
        """Go on watching after `pause`."""
        if not self.removing:
            self.removing = hook(self)
            runs.add(self)
            self.operations.rearm(self.every)

    def passed(self, loss: Any) -> None:
        """Count a step that was not watched, and read its loss: a 0-d tensor or a number."""
        run, value = self.run, float(loss.item() if isinstance(loss, xg.Tensor) else loss)
        run.losses.append(value)
        self._tell(lambda rule: rule.loss(run, run.steps, value))
        run.steps += 1
        run.updates += run.optimizer is not None
        self.operations.huge = self.operations.huge or not abs(value) < run.limit

    def report(self) -> Report:
        """The report on the run so far. The run may go on."""
        run = self.run
        self.operations.disarm()
        with self.operations.privately():
            x = run.sample()
            run.last = None if x is None else self._seen(run.now, x)
            run.assess()
            run.ending = []
            for rule in self.rules:
                if not rule.lacks(run):
                    run.ending += rule.end(run) or ()
        lacking = {rule.name: lacks for rule in self.rules if (lacks := rule.lacks(run))}
        findings = [*run.found, *(f for f in run.ending if (f.rule, f.where) not in run.known)]
        return Report(explained(findings), lacking, run, partial(Watch, starting=False))

    def close(self) -> None:
        """Remove every hook. Reports that were made stay valid."""
        self.pause()

    # --- around an update ---

    def before_update(self) -> None:
        """Read the gradients, and look at the layers if it is time. The optimizer's hook calls it before an update."""
        run, operations = self.run, self.operations
        step = run.now
        due = self._is_due(step)
        here = self.gradients.read(due or step < SHAKY)
        broken, exact = here.broken(), here.zeros()
        if broken and not run.has("NONFINITE"):
            operations.replay()
            self._tell(lambda rule: rule.broken(run, step, here))
        operations.huge = operations.huge or bool(broken) or here.largest() * max(1.0, run.rate) > run.limit
        silenced = self.gradients.more_are_zero(step, exact)
        with operations.privately():
            if silenced or due:
                self._look(step, here)
            self._tell(lambda rule: rule.update(run, step, here))
        operations.disarm()

    def after_update(self) -> None:
        """Count the update. The optimizer's hook calls it after an update."""
        run = self.run
        if self.operations.huge:
            with self.operations.privately():
                self._tell(lambda rule: rule.moved(run, run.now))
        if run.updates < FIRST:
            mark_leftovers(run.parameters, run.grown)
        run.updates += 1
        if run.optimizer is not None and run.updates <= run.steps:
            self.operations.rearm(self.every)

    def _is_due(self, step: int) -> bool:
        if is_round(step) or step % self.every == 0:
            return True
        last = self.run.looks[-1] if self.run.looks else None
        return last is not None and step - last.step >= OFTEN and any(a.flat > 0.5 for a in last.activities)

    def _look(self, step: int, here: Gradients) -> None:
        run = self.run
        x = run.sample()
        if x is None:
            return
        seen = self._seen(step, x)
        seen.norms = here.by_layer(run.owner)
        if x is run.x and seen.output is not None and seen.output.shape == (x.shape[0], 1):
            seen.prediction = seen.output.numpy()[:, 0].tolist()
        run.looks.append(seen)
        self._tell(lambda rule: rule.look(run, seen))
        seen.output = None  # only its statistics are needed from here on

    def _seen(self, step: int, x: xg.Tensor) -> Look:
        """A look at the network for inputs x, with the loss of the sample."""
        run = self.run
        seen = look(step, lambda: run.model(x), run.name)
        seen.loss, seen.loss_val = run.loss_of(seen.output, x), run.loss_held_out()
        return seen

    # --- what rules find ---

    def _tell(self, ask: Callable[[DiagnosticRule], Any]) -> None:
        for rule in self.rules:
            if not rule.lacks(self.run):
                for finding in ask(rule) or ():
                    self.run.add(finding)

    def found(self, anomaly: Anomaly) -> None:
        """Take in the first operation of this step that made a value that is not finite."""
        for rule in self.rules:
            for finding in rule.anomaly(self.run, self.run.now, anomaly):
                self.run.add(finding)


def is_round(step: int) -> bool:
    """Whether a step is one of 0 to 9, 10 to 90 by ten, 100 to 900 by a hundred, and so on: most faults show early."""
    return not str(step)[1:].strip("0")


def watch(
    model: nn.Module,
    optimizer: optim.Optimizer | None = None,
    *,
    loss: Loss | None = None,
    x: Any = None,
    y: Any = None,
    x_val: Any = None,
    y_val: Any = None,
    every: int = 100,
    names: Mapping[Any, str] | None = None,
    allow: Collection[str] = (),
) -> Watch:
    """Watch a training run, to find out why it fails. Call this before the loop, and `step` in the loop.

    Only the model is required. `report().lacking` names the rules that were not checked, and what they need.

    >>> import xgrad as xg
    >>> rng = xg.random.Generator(0)
    >>> model = xg.nn.Sequential(xg.nn.Linear(1, 8, rng=rng), xg.nn.Tanh(), xg.nn.Linear(8, 1, rng=rng))
    >>> x = xg.linspace(-1, 1, 9)[:, None]
    >>> optimizer, loss = xg.optim.SGD(model.parameters(), lr=100.0), xg.nn.MSELoss()
    >>> w = xg.diagnose.watch(model, optimizer, loss=loss, x=x, y=x)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     value = loss(model(x), x)
    ...     value.backward()
    ...     optimizer.step()
    ...     w.step(value)
    >>> first = w.report().findings[0]
    >>> first.rule, first.severity, first.step
    ('STEP_UNSTABLE', 'error', 0)

    Args:
        model: the module that is trained.
        optimizer: its optimizer, whose `step` is watched until `close()`.
        loss: the function that is minimised, `loss(output, target)`.
        x, y: the inputs and targets of all training samples, if they fit into memory: arrays or tensors, as the model and the
            loss take them, with the samples along the first axis.
        x_val, y_val: inputs and targets that are held out, to tell whether the network fits the training samples alone.
        every: the most steps between two looks at the layers. It also looks at steps 0 to 9, at 10 to 90 by ten, and so on.
        names: what findings call a module, by its id().
        allow: operations that may make inf and nan, as for `xgrad.detect_anomaly`.

    Returns:
        A `Watch`, with `step(loss)`, `report()` and `close()`.

    Raises:
        TypeError: where `model` is no Module, `optimizer` no Optimizer, or `x` or `y` no array.
        ValueError: where `x` and `y` differ in their number of samples.

    A catalog of such checks: https://arxiv.org/abs/2204.00694.
    """
    return Watch(model, optimizer, loss=loss, x=x, y=y, x_val=x_val, y_val=y_val, every=every, names=names, allow=allow)
