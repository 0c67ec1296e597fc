"""Running a user's own training script under the watch. The script is not changed: its optimizer's first step tells the rest."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

import xgrad as xg
from xgrad._interrupt import Interrupted, raising
from xgrad.diagnose.hooks import First, needs_closure
from xgrad.diagnose.listening import Found, Listener, find
from xgrad.diagnose.report import Report
from xgrad.diagnose.watcher import Watch
from xgrad.engine import tape
from xgrad.engine.watching import runs

MOST = 2048  # samples that are collected for the rules
INTERRUPT = 2  # the number of the signal of Ctrl-C


@dataclass
class Ran:
    """What came of a script.

    Args:
        report: on the steps of the first optimizer that made one; None if there was none that can be watched.
        steps: how many steps it made.
        others: how many other optimizers made steps, which are not in the report.
        fault: what ended the script, where that was an error.
        signal: the number of the signal that ended it.
    """

    report: Report | None = None
    steps: int = 0
    others: int = 0
    fault: str = ""
    signal: int | None = None


def run_script(path: str, code: CodeType, arguments: Sequence[str] = ()) -> Ran:
    """Run the code of a script as `python path arguments` does, under the watch. Its errors are in the result."""
    session, ran = Session(), Ran()
    with session.listener.listening(), raising(), _as_main(path, arguments) as module:
        runs.add(session)  # so that compiled functions run without their programs, from the start
        try:
            exec(code, vars(module))
        except SystemExit as error:
            ran.fault = _ended(error)
        except KeyboardInterrupt as error:
            ran.signal = error.number if isinstance(error, Interrupted) else INTERRUPT
        except Exception as error:
            ran.fault = _said(error, path)
        finally:
            runs.discard(session)
    ran.steps, ran.others = session.steps, len(session.others)
    if session.watch is not None:
        session.data.finish(session.watch)
        ran.report = session.watch.report()
        session.watch.close()
    return ran


class Session:
    """What is known about a script while it runs. The first step of an optimizer begins the watch."""

    def __init__(self) -> None:
        self.listener = Listener(self._stepped)
        self.optimizer: Any = None  # the first that made a step
        self.watch: Watch | None = None
        self.data = Data()
        self.steps = 0
        self.others: set[int] = set()
        self.inside = False  # whether a step is running, which may call that of a base class

    def _stepped(self, step: Any, optimizer: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Make a step of an optimizer, with what the watcher does before and after it."""
        if self.inside:
            return step(optimizer, *args, **named)
        if self.optimizer is None:
            self.optimizer = optimizer
        if optimizer is not self.optimizer:
            self.others.add(id(optimizer))
            return step(optimizer, *args, **named)
        closure = args[0] if args else named.get("closure")
        self.inside = True
        try:
            loss = None
            if closure is not None and needs_closure(optimizer):
                loss = step(optimizer, First(closure, self._before))
            else:
                if closure is not None:
                    with tape.set_recording(True):
                        loss = closure()
                self._before()
                step(optimizer)
            self._after()
        finally:
            self.inside = False
        return loss

    def _before(self) -> None:
        if not self.steps:
            found = find(self.listener.calls, self.optimizer)
            self.listener.enough(None if found is None else found.called)
            if found is not None:
                self.watch = self.data.begin(found, self.optimizer)
        if self.watch is not None:
            last = self.listener.last
            if last is not None:
                self.watch.run.target = last.args[1] if len(last.args) > 1 else None
            if self.steps:
                self.data.add(self.watch)
            self.watch.before_update()

    def _after(self) -> None:
        self.steps += 1
        losses = self.listener.taken()
        if self.watch is None:
            return
        self.watch.after_update()
        values = [loss.item() for loss in (losses[:1] if needs_closure(self.optimizer) else losses)]
        self.watch.step(sum(values) / len(values) if values else None)


class Data:
    """The inputs and targets of a script's batches, for the rules that need data: those of the first steps."""

    def __init__(self) -> None:
        self.batches: list[tuple[Any, Any]] = []
        self.complete = False
        self.several = False  # whether inputs or targets are several arrays, of which no batches are collected

    def begin(self, found: Found, optimizer: Any) -> Watch:
        """A watch of what was found. The rules that look before the first step get the first batch."""
        call = found.call
        args, named = ((), {}) if call is None else (call.args, call.named)
        x, y = _without_graph(_inputs(args, named)), _without_graph(found.target)
        try:
            w = Watch(found.model, optimizer, loss=found.loss, x=x, y=y)
        except (
            TypeError,
            ValueError,
        ):  # inputs that are no arrays, or as many targets as there are words in the inputs
            w = Watch(found.model, optimizer, loss=found.loss)
        w.removing.pop()()  # the hook of the optimizer's step: the session is called at each step
        run = w.run
        run.batch, run.named, run.target = None if call is None else args, named, found.target
        self.several = run.x is None or (run.y is None and found.target is not None)
        if not self.several:
            self.batches.append((run.x, run.y))
            _set(w, None, None)  # until it is known whether the first batch is all there is
        return w

    def add(self, w: Watch) -> None:
        """Take in the batch of a step. The first batch once more, or many samples, complete the data."""
        batch, target = w.run.batch, w.run.target
        if self.complete or self.several or not batch:
            return
        x, y = _without_graph(batch[0]), _without_graph(target)
        first_x, first_y = self.batches[0]
        is_alike = _is_alike(x, first_x) and (first_y is None or _is_alike(y, first_y)) and len(batch) == 1
        if not is_alike or _is_same(x, first_x) or sum(b[0].shape[0] for b in self.batches) + x.shape[0] > MOST:
            self.finish(w)
            return
        self.batches.append((x, None if first_y is None else y))

    def finish(self, w: Watch) -> None:
        """Give the data to the rules."""
        if self.complete or not self.batches:
            return
        self.complete = True
        whole = [
            None if part[0] is None else part[0] if len(part) == 1 else xg.concat(part)
            for part in zip(*self.batches, strict=True)
        ]
        _set(w, *whole)


def _set(w: Watch, x: Any, y: Any) -> None:
    run = w.run
    run.x = run.inputs = x
    run.y = run.answers = y
    for name in ("is_regression", "targets"):  # they are computed from y
        vars(run).pop(name, None)
    run.forget_losses()


def _inputs(args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The arguments of a model as `watch` takes them; None where some are named and others are not."""
    if args and named:
        return None
    return args[0] if len(args) == 1 else args or named or None


def _without_graph(value: Any) -> Any:
    return value.detach() if isinstance(value, xg.Tensor) else value


def _is_alike(value: Any, other: xg.Tensor) -> bool:
    """Whether this is a tensor that can be put behind the other."""
    if not isinstance(value, xg.Tensor) or value.backend is not other.backend or not value.ndim:
        return False
    return value.shape[1:] == other.shape[1:] and value.dtype == other.dtype


def _is_same(x: xg.Tensor, other: xg.Tensor) -> bool:
    return x is other or (x.shape == other.shape and bool(xg.all(x == other).item()))


# --- the script as a program --------------------------------------------------------------------------------------


@contextmanager
def _as_main(path: str, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """The module `__main__` of a script, with the arguments and the path that Python would give it, while the block runs."""
    module = ModuleType("__main__")
    module.__file__ = path
    before = sys.argv, sys.path[:], sys.modules.get("__main__")
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    sys.modules["__main__"] = module
    try:
        yield module
    finally:
        sys.argv, sys.path[:] = before[0], before[1]
        if before[2] is not None:
            sys.modules["__main__"] = before[2]


def _ended(error: SystemExit) -> str:
    """What a script said when it ended itself; nothing if all was well."""
    if error.code is None or error.code == 0:
        return ""
    return f"it ended with exit status {error.code}" if isinstance(error.code, int) else str(error.code)


def _said(error: Exception, path: str) -> str:
    """An error of a script, and the line of the script that it came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    where = f"line {lines[-1]}: " if lines else ""
    text = str(error)
    return f"{where}{type(error).__name__}" + (f": {text}" if text else "")
