"""Watches a training run: what it sees, and when it looks."""

from __future__ import annotations

import math
import warnings
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose import gradients
from xgrad.diagnose.anomaly import Anomaly, Detector
from xgrad.diagnose.finding import ERROR, Finding
from xgrad.diagnose.gradients import Gradients, Leftover
from xgrad.diagnose.hooks import hook
from xgrad.diagnose.look import Look, look
from xgrad.diagnose.network import copy_of, is_float, rows
from xgrad.diagnose.report import Report
from xgrad.diagnose.rules import RULES, Rule
from xgrad.transforms.grad import lift

Loss = Callable[[Any, Any], xg.Tensor]

SAMPLE = 512  # rows that a regular look takes
OFTEN = 40  # steps between two looks, where slopes can saturate
SHAKY = 10  # first steps, in which every operation is looked at
GROWN = 3.0  # times what it was, a gradient that tells to read them all
FIRST = 3  # steps in which leftover gradients are watched for


class Watch:
    """See `watch`."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer | None = None,
        *,
        loss: Loss | None = None,
        x: Any = None,
        y: Any = None,
        every: int = 100,
        names: Mapping[Any, str] | None = None,
        allow: Collection[str] = (),
        starting: bool = True,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(f"watch(model): expected a Module, got {type(model).__name__}")
        if optimizer is not None and not isinstance(optimizer, optim.Optimizer):
            raise TypeError(f"watch(model, optimizer): expected an Optimizer, got {type(optimizer).__name__}")
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.x, self.y = (None if data is None else lift(data) for data in (x, y))
        if self.x is not None and self.y is not None and self.x.shape[:1] != self.y.shape[:1]:
            raise ValueError(f"watch: x has {self.x.shape[:1]} samples, y {self.y.shape[:1]}; they go together")
        self.every = every
        self.modules = dict(model.named_modules())
        self.paths = {id(module): path for path, module in self.modules.items()}
        self.names = dict(names or {})
        self.start = copy_of(model)
        self.parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]

        self.probes = gradients.probes(self.parameters)
        self.calm = 0.0  # the largest of their norms, when all gradients were last read

        self.steps = 0  # calls of step()
        self.updates = 0  # of the optimizer
        self.losses: list[float] = []
        self.looks: list[Look] = []
        self.last: Look | None = None  # at the parameters as they are when a report is asked for
        self.found: list[Finding] = []
        self.known: set[tuple[str, str]] = set()  # what was found: rule, and where
        self.batch: tuple[Any, ...] | None = None  # what the model was last given
        self.target: Any = None  # and the loss, where it is a module
        self.silent: dict[int, int] = {}  # how many gradients of an update were exactly 0, by step
        self.huge = False  # something is on its way out of the dtype's range
        self.private = False
        self.grown: set[str] = set()  # parameters whose gradient was added to a leftover one

        self.rules: list[Rule] = [rule() for rule in RULES]
        me = weakref.ref(self)  # who forgets a watcher without closing it is not to be watched for ever

        def found(anomaly: Anomaly) -> None:
            here = me()
            if here is not None:
                here._anomaly(anomaly)

        self.detector = Detector(found, allow, recorded_only=True)
        self.armed = False
        self.removing = hook(self)
        weakref.finalize(self, Detector.stop, self.detector)
        if starting:
            with self.privately():
                self._tell(lambda rule: rule.start(self))
        self._arm()

    # --- what the loop calls ---

    def step(self, loss: Any = None) -> None:
        """Once in every step, after its backward: best after the optimizer's step. `loss` is a tensor or a number."""
        value = math.nan if loss is None else float(loss.item() if isinstance(loss, xg.Tensor) else loss)
        if self.optimizer is None:
            self.before_update()
            self.after_update()
        self.losses.append(value)
        if loss is not None:
            self._tell(lambda rule: rule.loss(self, self.steps, value))
        self.steps += 1
        self.huge = self.huge or not abs(value) < self.limit
        if self.updates <= self.steps:  # else the update is still to come
            self._rearm()

    def report(self) -> Report:
        """What was found so far. The run may go on."""
        self._disarm()
        with self.privately():
            x = self.sample()
            self.last = None if x is None else look(self.now, lambda: self.model(x), self.name)
            ending = [finding for rule in self.rules for finding in rule.end(self)]
        lacking = {rule.name: lacks for rule in self.rules if (lacks := rule.lacks(self))}
        findings = [*self.found, *(f for f in ending if (f.rule, f.where) not in self.known)]
        return Report(sorted(findings, key=lambda f: (f.severity != ERROR, f.step)), lacking, self)

    def close(self) -> None:
        """Take every hook off again. The report stays."""
        self._disarm()
        for remove in self.removing:
            remove()
        self.removing.clear()

    # --- what rules ask ---

    @property
    def now(self) -> int:
        """The step that is under way."""
        return self.steps if self.optimizer is None else self.updates

    @property
    def limit(self) -> float:
        """What is larger may soon leave the range of the dtype."""
        if not self.parameters:
            return math.inf
        p = self.parameters[0][1]
        largest = float(p.backend.xp.finfo(p.dtype).max)
        return math.pow(largest, 1 / 3)

    @property
    def rate(self) -> float:
        """The largest learning rate; 0 if there is none."""
        groups = () if self.optimizer is None else self.optimizer.param_groups
        return max((float(group["lr"]) for group in groups if "lr" in group), default=0.0)

    def name(self, module: Any) -> str:
        """A module in words: what it was named, else its path and type."""
        if module is None:
            return "outside of a module"
        if id(module) in self.names:
            return str(self.names[id(module)])
        kind = type(module).__name__
        path = self.paths.get(id(module))
        return f"{path} ({kind})" if path else kind

    def owner(self, parameter: str) -> str:
        """The layer of a parameter, in words."""
        return self.name(self.modules.get(parameter.rpartition(".")[0], self.model))

    def sample(self, most: int = SAMPLE) -> xg.Tensor | None:
        """Inputs to look at: of `x`, else of the last batch."""
        x = self.x if self.x is not None else self.batch[0] if self.batch and len(self.batch) == 1 else None
        return rows(x, most) if isinstance(x, xg.Tensor) else None

    def pairs(self, most: int = SAMPLE) -> tuple[xg.Tensor, xg.Tensor] | None:
        if self.x is None or self.y is None:
            return None
        return rows(self.x, most), rows(self.y, most)

    @cached_property
    def is_regression(self) -> bool:
        """Whether the loss is a distance from y: 0 at y itself."""
        if self.loss is None or self.y is None or not is_float(self.y):
            return False
        try:
            with xg.no_grad():
                return float(self.loss(self.y, self.y).item()) == 0
        except Exception:
            return False

    @contextmanager
    def privately(self) -> Iterator[None]:
        """What runs in the block is the watcher's own."""
        armed, before = self.armed, self.private
        self._disarm()
        self.private = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a library's, of overflow: it is what is looked for
                yield
        finally:
            self.private = before
            if armed:
                self._arm(anew=False)

    # --- around an update ---

    def before_update(self) -> None:
        step = self.now
        due = self._is_due(step)
        here = self._measure(due or step < SHAKY)
        broken, exact = here.broken(), here.zeros()
        if broken and not self._has("NONFINITE"):
            self._replay()
            self._tell(lambda rule: rule.broken(self, step, here))
        self.huge = self.huge or bool(broken) or here.largest() * max(1.0, self.rate) > self.limit
        silenced = self.silent.get(step - 1, 0) < exact
        self.silent = {step: exact}
        with self.privately():
            if silenced or due:
                self._look(step, here)
            self._tell(lambda rule: rule.update(self, step, here))
        self._disarm()

    def after_update(self) -> None:
        if self.huge:
            with self.privately():
                self._tell(lambda rule: rule.moved(self, self.now))
        if self.updates < FIRST:
            for name, p in self.parameters:
                if p.grad is not None:
                    p.grad = Leftover.of(p.grad, name, self.grown)
        self.updates += 1
        if self.optimizer is not None and self.updates <= self.steps:
            self._rearm()

    def _measure(self, all_of_them: bool) -> Gradients:
        """The gradients of this step: the small ones, and all of them where these have grown or gone."""
        if not all_of_them:
            here = gradients.measure(self.parameters, self.probes)
            if here.largest() <= GROWN * self.calm and not here.zeros():
                return here
        here = gradients.measure(self.parameters)
        self.calm = here.largest(self.probes)
        return here

    def _is_due(self, step: int) -> bool:
        if is_round(step) or step % self.every == 0:
            return True
        last = self.looks[-1] if self.looks else None
        return last is not None and step - last.step >= OFTEN and any(a.flat > 0.5 for a in last.activities)

    def _look(self, step: int, here: Gradients | None) -> None:
        x = self.sample()
        if x is None:
            return
        seen = look(step, lambda: self.model(x), self.name)
        if here is not None:
            seen.norms = here.by_layer(self.owner)
        if x is self.x and seen.output is not None and seen.output.shape == (x.shape[0], 1):
            seen.prediction = seen.output.numpy()[:, 0].tolist()
        self.looks.append(seen)
        self._tell(lambda rule: rule.look(self, seen))
        seen.output = None  # its numbers are kept; the array need not be

    def _tell(self, ask: Callable[[Rule], Any]) -> None:
        for rule in self.rules:
            if not rule.lacks(self):
                for finding in ask(rule) or ():
                    self.add(finding)

    def add(self, finding: Finding) -> None:
        """Keep a finding, unless the same was found before."""
        if (finding.rule, finding.where) not in self.known:
            self.known.add((finding.rule, finding.where))
            self.found.append(finding)

    def _has(self, rule: str) -> bool:
        return any(finding.rule == rule for finding in self.found)

    # --- what is not finite ---

    def _rearm(self) -> None:
        if self.huge or self.now < SHAKY or self.now % self.every == 0:
            self._arm()
        self.huge = False

    def _arm(self, *, anew: bool = True) -> None:
        """From here on look at every operation, until the next update."""
        if not self.armed and not self.private and not self._has("NONFINITE"):
            self.armed = True
            self.detector.start(anew=anew)

    def _disarm(self) -> None:
        if self.armed:
            self.armed = False
            self.detector.stop()

    def _anomaly(self, anomaly: Anomaly) -> None:
        for rule in self.rules:
            for finding in rule.anomaly(self, self.now, anomaly):
                self.add(finding)

    def _replay(self) -> None:
        """Run the step again, watched: the parameters are still what they were."""
        target = self.target
        if self.batch and target is None and self.batch[0] is self.x:
            target = self.y
        if self.batch is None or self.loss is None or target is None:
            return
        kept = [p.grad for _, p in self.parameters]
        with self.privately():
            self.detector.start()
            try:
                for _, p in self.parameters:
                    p.grad = None
                self.loss(self.model(*self.batch), target).backward()
            finally:
                self.detector.stop()
                for (_, p), grad in zip(self.parameters, kept, strict=True):
                    p.grad = grad


def is_round(step: int) -> bool:
    """0 to 9, 10 to 90 by ten, 100 to 900 by a hundred ...: runs are decided in their first steps."""
    return not str(step)[1:].strip("0")


def watch(
    model: nn.Module,
    optimizer: optim.Optimizer | None = None,
    *,
    loss: Loss | None = None,
    x: Any = None,
    y: Any = None,
    every: int = 100,
    names: Mapping[Any, str] | None = None,
    allow: Collection[str] = (),
) -> Watch:
    """Watch a training run, and be told why it died. Call this before the loop, and `step` in it.

    Args:
        model: what is trained.
        optimizer: what trains it; its `step` is watched until `close()`.
        loss: `loss(output, target)`, the one that is minimised.
        x, y: all training samples, where there are few enough: arrays or tensors, as the model and the loss take them.
        every: steps between two looks at the layers, besides those at steps 0 to 9, 10 to 90 by ten, and so on.
        names: what to call modules in findings, by their id().
        allow: operations whose infinities are meant, as for `xgrad.detect_anomaly`.

    Only the model is needed; `report().lacking` says which rules were not checked for want of the others.

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
    """
    return Watch(model, optimizer, loss=loss, x=x, y=y, every=every, names=names, allow=allow)
