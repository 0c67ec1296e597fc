"""The commands `xgrad fit` and `xgrad diagnose`: from their options to what they say, and the exit status."""

from __future__ import annotations

import math
import sys
from contextlib import nullcontext, redirect_stdout
from typing import Any

from xgrad._interrupt import Interrupted, ending
from xgrad._streams import complain
from xgrad._words import one_line, printable
from xgrad.diagnose import Report
from xgrad.diagnose.script import run_script
from xgrad.fit import plot
from xgrad.fit.config import Config
from xgrad.fit.errors import FitError
from xgrad.fit.history import configuration
from xgrad.fit.result import NotWrittenError, Result
from xgrad.fit.run import fit
from xgrad.fit.script import code_of, is_script, nothing_in
from xgrad.fit.streams import say
from xgrad.fit.targets import check, standard_output_is_one_of

SIGNALLED = 128  # plus the number of a signal, the exit status of a program that the signal ended
CANNOT = 2


def fit_command(options: dict[str, Any]) -> int:
    """Fit a network, and say what came out. Returns the exit status."""
    config = Config(**options)
    # If a file is written to the standard output, nothing else may go there.
    tell = complain if standard_output_is_one_of((config.out, config.gif, config.history)) else say
    fault = None
    try:
        result = fit(config)
    except NotWrittenError as error:
        fault, result = error, error.result
    if not config.quiet:
        tell(_summary(config, result, fault))
        tell(_findings(result))
    elif config.fix:
        tell(_line_on_fix(result))
    if result.fault:
        steps = len(result.history["loss"])
        complain(f"xgrad fit: error: {one_line(result.fault)}, after {steps} of {config.steps} steps, which are kept")
    if fault is not None:
        raise fault
    return _status(result)


def diagnose_command(options: dict[str, Any]) -> int:
    """Repeat the run of a history, or run a script, and diagnose it. Returns the exit status."""
    if is_script(options["history"]):
        return _diagnose_script(options)
    page, as_json = options["html"], options["json"]
    config = configuration(options["history"], fix=options["fix"])
    data = config.data if isinstance(config.data, str) else None
    check({"--html": page}, read={"the history": options["history"], "the data of the history": data})
    if page:
        plot.require_matplotlib()
    tell = complain if standard_output_is_one_of([page]) else say
    result = fit(config)
    tell(result.report.dumps() if as_json else _findings(result))
    if not result.completed:
        why = f"error: {one_line(result.fault)}," if result.fault else "interrupted"
        complain(f"xgrad diagnose: {why} after {len(result.history['loss'])} of {config.steps} steps")
    status = _status(result)
    if page:
        with ending() as asked:
            asked.saving = True
            _save_page(result.report, page)
        status = status or (SIGNALLED + asked.number if asked.number else 0)
    return status


def _diagnose_script(options: dict[str, Any]) -> int:
    """Run a script under the watch, and print the report, also after an error or a signal has ended it."""
    path, page, as_json = options["history"], options["html"], options["json"]
    code = code_of(path)
    check({"--html": page}, read={"the script": path})
    if page:
        plot.require_matplotlib()
    # What the script itself prints must not come between the lines of a result on the standard output.
    apart = as_json or standard_output_is_one_of([page])
    with redirect_stdout(sys.stderr) if apart else nullcontext():
        ran = run_script(path, code, options.get("arguments", ()))
    report = ran.report
    ended = f"{path}, {ran.fault}" if ran.fault.startswith("line ") else f"{path}: {ran.fault}"
    if report is None:
        if ran.signal is not None:
            raise Interrupted(ran.signal)
        raise FitError(ended if ran.fault else nothing_in(path, ran))
    status = SIGNALLED + ran.signal if ran.signal is not None else CANNOT if ran.fault else 0
    text = report.dumps() if as_json else str(report)
    if options["fix"] and not status:
        with ending() as asked:
            fix = report.try_fix(asked)
            status = SIGNALLED + asked.number if asked.number else status
        text = text if as_json else f"{text}\n{fix}"
    (complain if standard_output_is_one_of([page]) else say)(text)
    if ran.others:
        are = "optimizers were" if ran.others > 1 else "optimizer was"
        complain(f"xgrad diagnose: {ran.others} more {are} used, which this report is not about")
    if ran.fault:
        complain(f"xgrad diagnose: error: {one_line(ended)}, after {ran.steps} steps")
    elif ran.signal is not None:
        complain(f"xgrad diagnose: interrupted after {ran.steps} steps")
    if page:
        _save_page(report, page)
    return status


def _save_page(report: Report, page: str) -> None:
    try:
        report.save(page)
    except OSError as error:
        raise FitError(f"--html {page} was not written: {error.strerror or error}") from None


def _status(result: Result) -> int:
    if result.interrupted_by is not None:
        return SIGNALLED + result.interrupted_by
    return CANNOT if result.fault else 0


def _findings(result: Result) -> str:
    text = str(result.report)
    if result.fix is not None:
        text += f"\n{result.fix}"
    return text


def _line_on_fix(result: Result) -> str:
    return result.fix.line() if result.fix is not None else "no fix was tried: nothing was found wrong"


def _summary(config: Config, result: Result, fault: NotWrittenError | None) -> str:
    history = result.history
    steps = len(history["loss"])
    last = f", last loss {history['loss'][-1]:.4g}" if steps else ""
    lines = [
        f"R^2 = {result.r2:.5g} after {steps} steps in {history['seconds']:.2f} s{last}",
    ]
    if min(history["y"]) == max(history["y"]):
        lines.append(f"R^2 has no value: all targets are {history['y'][0]:g}, so they have no variance")
    broken = next((k for k, loss in enumerate(history["loss"]) if not math.isfinite(loss)), None)
    if broken is not None:
        lines.append(f"the loss is {history['loss'][broken]} at step {broken}: this run diverged")
    if not result.completed:
        lines.append(f"{'ended by an error' if result.fault else 'interrupted'}; {config.steps} steps were asked for")
    written = [path for path in (config.out, config.gif, config.history) if path]
    if fault is not None:
        written = [path for path in written if path not in fault.faults]
    if written:
        lines.append(f"wrote {', '.join(map(printable, written))}")
    return "\n".join(lines)
