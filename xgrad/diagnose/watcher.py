"""Watching a training run: when the watcher looks, and at what."""

from __future__ import annotations

import math
import weakref
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.anomaly import Anomaly, Detector
from xgrad.diagnose.causes import explained
from xgrad.diagnose.finding import Finding
from xgrad.diagnose.given import Loss
from xgrad.diagnose.gradients import Gradients, Reading, mark_leftovers
from xgrad.diagnose.hooks import hook
from xgrad.diagnose.log import Log
from xgrad.diagnose.look import Look, look
from xgrad.diagnose.operations import SHAKY, Operations
from xgrad.diagnose.report import Report
from xgrad.diagnose.rules import RULES, DiagnosticRule
from xgrad.diagnose.run import Run
from xgrad.diagnose.stopping import LastGood, StopTraining, listed
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
        stop: whether to end the run before an update that is not finite.
        log: where to write the numbers of the run.
        starting: whether to ask the rules before the first step. A fix that is tried does not.

    Raises:
        TypeError, ValueError, OSError, ImportError: as `watch`.

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
        stop: bool = False,
        log: Any = None,
        starting: bool = True,
    ) -> None:
        _check(optimizer, every, allow, stop)
        self.run = Run(model, optimizer, loss, x, y, names, x_val, y_val)
        self.log = None if log is None else Log(self.run, log)
        self.good = LastGood(self.run) if stop else None
        self.every = every
        self.gradients = Reading(self.run.parameters)
        self.rules: list[DiagnosticRule] = [rule() for rule in RULES]
        self.asked: dict[str, list[DiagnosticRule]] = {}  # the rules that have something to do at a moment
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
                self._tell("start")
        self.operations.arm()
        runs.add(self)

    # --- what the loop calls ---

    def step(self, loss: Any = None) -> None:
        """Call this once in every step, after backward; best after the optimizer's step. `loss` is a 0-d tensor or a number.

        Where the gradients of several batches make one update, call it after each backward or once after the update.
        """
        run = self.run
        value = math.nan if loss is None else _number(loss)
        if run.optimizer is None and not (run.updates and all(p.grad is None for _, p in run.parameters)):
            self.before_update()  # not where the gradients were cleared since: the update was before that
            self.after_update()
        run.losses.append(value)
        if loss is not None:
            self._tell("loss", run.steps, value)
        run.steps += 1
        if self.log is not None:
            self.log.passed(value)
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
        run, value = self.run, _number(loss)
        run.losses.append(value)
        self._tell("loss", run.steps, value)
        run.steps += 1
        if self.log is not None:
            self.log.passed(value)
        run.updates += run.optimizer is not None
        self.operations.huge = self.operations.huge or not abs(value) < run.limit

    def report(self) -> Report:
        """The report on the run so far. The run may go on."""
        run = self.run
        self.operations.disarm()
        with self.operations.privately():
            run.last = self._looked(run.now)
            self._assess()
            run.ending = []
            for rule in self.rules:
                run.ending += self._ask(rule, "end")
        lacking = run.failures() | {rule.name: lacks for rule in self.rules if (lacks := rule.lacks(run))}
        if self.log is not None and self.log.fault:
            lacking["the log"] = self.log.fault
        findings = [*run.found, *(f for f in run.ending if (f.rule, f.where) not in run.known)]
        return Report(explained(findings), lacking, run, partial(Watch, starting=False))

    def close(self) -> None:
        """Remove every hook, and close the log. Reports that were made stay valid."""
        self.pause()
        if self.log is not None:
            self.log.close()

    # --- around an update ---

    def before_update(self) -> None:
        """Read the gradients, and look at the layers if it is time. The optimizer's hook calls it before an update."""
        run, operations = self.run, self.operations
        step = run.now
        due = self._is_due(step)
        here = self.gradients.read(due or step < SHAKY or self.good is not None)
        broken = [] if math.isfinite(self.gradients.top) else here.broken()
        exact = here.zeros()
        if broken and not run.has("NONFINITE"):
            operations.replay()
            self._tell("broken", step, here)
        operations.huge = operations.huge or bool(broken) or self.gradients.top * max(1.0, run.rate) > run.limit
        silenced = self.gradients.more_are_zero(step, exact)
        operations.disarm()
        if not (silenced or due or self.gradients.has_matrices(here)):
            self._tell("update", step, here)  # there is nothing here that makes a rule run the network
        else:
            with operations.privately():
                if silenced or due:
                    self._look(step, here)
                self._tell("update", step, here)
        if self.good is not None:
            faulty = self.good.faulty(here)
            if faulty:
                self._stop(f"the gradient of {listed(faulty)} is not finite")
            self.good.keep()

    def after_update(self) -> None:
        """Count the update. The optimizer's hook calls it after an update."""
        run = self.run
        gone = [] if self.good is None else self.good.moved(run)
        if self.operations.huge or gone:
            with self.operations.privately():
                self._tell("moved", run.now)
        if gone:
            self._stop(f"the update of {type(run.optimizer).__name__} makes {listed(gone)} leave the finite numbers")
        if run.updates < FIRST:
            mark_leftovers(run.parameters, run.grown, used=run.optimizer is not None)
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
        seen = self._looked(step)
        if self.log is not None:
            self.log.looked(run, step, here, seen)
        if seen is None:
            return
        seen.norms = here.by_layer(run.owner)
        x, output = run.sample(), seen.output
        if x is not None and x is run.x and output is not None and output.shape == (x.shape[0], 1):
            seen.prediction = output.numpy()[:, 0].tolist()
        run.looks.append(seen)
        self._tell("look", seen)
        seen.output = None  # only its statistics are needed from here on

    def _looked(self, step: int) -> Look | None:
        """A look at the layers; None where the inputs are not known, or the model does not take them once more."""
        run, call = self.run, self.run.call()
        if call is None:
            return None
        try:
            seen = look(step, lambda: run.model(*call[0], **call[1]), run.name)
            x = run.sample()
            if x is not None:
                seen.loss, seen.loss_val = run.loss_of(seen.output, x), run.loss_held_out()
            return seen
        except Exception as error:
            for rule in self.rules:
                if type(rule).look is not DiagnosticRule.look:
                    run.fail(rule.name, "looked", error)
            return None

    def _assess(self) -> None:
        """Find out how well the network does. A model that raises an error is assessed by no one."""
        try:
            self.run.assess()
        except Exception as error:
            self.run.fail("UNDERTRAINED", "assess", error)

    def _stop(self, why: str) -> None:
        """Put the last good values back, and end the run."""
        assert self.good is not None
        self.good.restore()
        step, report = self.run.now, self.report()
        lines = [f"step {step}: {why}. The step was not taken: the weights are the last good ones."]
        lines += [f"  {line}" for finding in report.errors[:1] for line in str(finding).splitlines()]
        raise StopTraining("\n".join(lines), step, report)

    # --- what rules find ---

    def _tell(self, moment: str, *given: Any) -> None:
        rules = self.asked.get(moment)
        if rules is None:
            plain = getattr(DiagnosticRule, moment)
            rules = self.asked[moment] = [rule for rule in self.rules if getattr(type(rule), moment) is not plain]
        for rule in rules:
            for finding in self._ask(rule, moment, *given):
                self.run.add(finding)

    def _ask(self, rule: DiagnosticRule, moment: str, *given: Any) -> list[Finding]:
        """What a rule finds at a moment. A model or loss of the user's that raises an error here must not end the training."""
        run = self.run
        if rule.lacks(run) or (run.failed and (rule.name, moment) in run.failed and moment != "end"):
            return []
        try:
            found = getattr(rule, moment)(run, *given)
            return list(found) if found else []
        except Exception as error:
            run.fail(rule.name, moment, error)
            return []

    def found(self, anomaly: Anomaly) -> None:
        """Take in the first operation of this step that made a value that is not finite."""
        self._tell("anomaly", self.run.now, anomaly)


def is_round(step: int) -> bool:
    """Whether a step is one of 0 to 9, 10 to 90 by ten, 100 to 900 by a hundred, and so on: most faults show early."""
    return not str(step)[1:].strip("0")


def _number(loss: Any) -> float:
    """The loss of a step as a number."""
    if isinstance(loss, float):
        return loss
    shape = getattr(loss, "shape", ())
    if shape and math.prod(shape) != 1:
        raise ValueError(f"Watch.step(loss): expected one number, got an array of shape {tuple(shape)}")
    try:
        return float(loss.item() if isinstance(loss, xg.Tensor) else loss)
    except (TypeError, ValueError):
        raise TypeError(f"Watch.step(loss): expected a 0-d tensor or a number, got {type(loss).__name__}") from None


def _check(optimizer: Any, every: Any, allow: Any, stop: Any) -> None:
    """Raise the errors of the arguments that the run does not check."""
    if not isinstance(every, int) or every < 1:
        raise ValueError(f"watch(every): expected a whole number, 1 or more, got {every!r}")
    if isinstance(allow, str):
        raise TypeError(f"watch(allow): expected a list of names of operations, not one string; use [{allow!r}]")
    if stop and optimizer is None:
        raise ValueError("watch(stop=True) needs the optimizer, whose updates it stops")


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
    stop: bool = False,
    log: Any = None,
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
            loss take them, with the samples along the first axis. Several inputs are a tuple, `model(*x)`, or a dict,
            `model(**x)`. Some rules need one array each.
        x_val, y_val: inputs and targets that are held out, to tell whether the network fits the training samples alone.
        every: the most steps between two looks at the layers. It also looks at steps 0 to 9, at 10 to 90 by ten, and so on.
        names: what findings call a module, by its id().
        allow: operations that may make inf and nan, as for `xgrad.detect_anomaly`.
        stop: whether to end the run before an update that is not finite: the optimizer's step raises `StopTraining`, and weights,
            buffers and moments are the last good ones. Each step then reads all gradients, and keeps a copy of the moments.
        log: where to write the numbers of each look, such as loss and norm of the gradient: a file "run.csv", a folder for
            TensorBoard, a logger such as `xgrad.trainer.CSVLog`, a function that is called with a dict, or a list of these.

    Returns:
        A `Watch`, with `step(loss)`, `report()` and `close()`.

    Raises:
        TypeError: where `model` is no Module or cannot be copied, `optimizer` is no Optimizer, `loss` no function, `x` or `y` no
            array, or `log` none of the above.
        ValueError: where `x` and `y` differ in their number of samples, the optimizer has no parameter of the model, `every` is
            below 1, or `stop` is given without an optimizer.
        OSError: where the log cannot be written.
        ImportError: for a TensorBoard, where its library is not installed.

    A catalog of such checks: https://arxiv.org/abs/2204.00694.
    """
    return Watch(
        model, optimizer, loss=loss, x=x, y=y, x_val=x_val, y_val=y_val, every=every, names=names, allow=allow, stop=stop, log=log
    )  # fmt: skip
