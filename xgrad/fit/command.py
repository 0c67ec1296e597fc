"""The commands `xgrad fit` and `xgrad diagnose`: from their options to what they say, and the exit status."""

from __future__ import annotations

import math
from typing import Any

from xgrad._interrupt import ending
from xgrad._streams import complain
from xgrad._words import one_line, printable
from xgrad.fit import plot
from xgrad.fit.config import Config
from xgrad.fit.errors import FitError
from xgrad.fit.history import configuration
from xgrad.fit.result import NotWrittenError, Result
from xgrad.fit.run import fit
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
    """Repeat the run of a history, and diagnose it. Returns the exit status."""
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
            _save_page(result, page)
        status = status or (SIGNALLED + asked.number if asked.number else 0)
    return status


def _save_page(result: Result, page: str) -> None:
    try:
        result.report.save(page)
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
