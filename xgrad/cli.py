"""The `xgrad` command: `xgrad fit`, `xgrad diagnose` and `xgrad info`."""

from __future__ import annotations

import logging
import math
import signal
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xgrad._words import one_line, printable, shown
from xgrad.backends import BackendError
from xgrad.fit import Config, FitError, NotWrittenError, Result, fit, plot
from xgrad.fit.history import configuration
from xgrad.fit.interrupt import Interrupted, ending
from xgrad.fit.options import parser
from xgrad.fit.streams import complain, open_standard_files, say
from xgrad.fit.targets import check, standard_output_is_one_of
from xgrad.info import info

SIGNALLED = 128  # plus the number of a signal, the exit status of a program that the signal ended
CANNOT = 2
OUR_FAULT = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    0: success; 1: a wrong gradient, or an error inside xgrad; 2: an error in the arguments or files; 128 + n: ended by signal n,
    which is 130 for Ctrl-C.
    """
    open_standard_files()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it logs that it builds its font cache
    name = "xgrad"
    try:
        options = vars(parser().parse_args(arguments))
        command = options.pop("command")
        name = f"xgrad {command}"
        return {"fit": _fit, "diagnose": _diagnose, "info": _info}[command](options)
    except KeyboardInterrupt as error:
        complain(f"{name}: interrupted")
        return SIGNALLED + (error.number if isinstance(error, Interrupted) else signal.SIGINT)
    except (FitError, BackendError, ImportError) as error:
        complain(f"{name}: error: {one_line(str(error) or type(error).__name__)}")
        return CANNOT
    except MemoryError as error:
        complain(f"{name}: error: {one_line(f'out of memory: {error}'.removesuffix(': '))}")
        return CANNOT
    except Exception as error:
        complain(f"{name}: error: {one_line(_unexpected(error))}")
        return OUR_FAULT


def _fit(options: dict[str, Any]) -> int:
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


def _diagnose(options: dict[str, Any]) -> int:
    """Repeat the run of a history, and diagnose it."""
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


def _info(options: dict[str, Any]) -> int:
    text, right = info()
    say(text)
    return 0 if right else OUR_FAULT


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


def _unexpected(error: Exception) -> str:
    """An unexpected error of xgrad or of a library, and where it happened, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {'/'.join(Path(frames[-1].filename).parts[-3:])}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}: {shown(str(error), 300)}"
