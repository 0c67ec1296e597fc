"""The `xgrad` command: `xgrad fit`, `xgrad diagnose`, `xgrad train`, `xgrad predict` and `xgrad info`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad._interrupt import Interrupted
from xgrad._streams import complain
from xgrad._words import one_line, shown
from xgrad.backends import BackendError
from xgrad.backends.errors import DataError
from xgrad.fit import FitError
from xgrad.fit import options as fit_options
from xgrad.fit.command import CANNOT, SIGNALLED, diagnose_command, fit_command
from xgrad.fit.parser import Parser
from xgrad.fit.streams import open_standard_files, say
from xgrad.info import info
from xgrad.train import options as train_options

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
        own, rest = fit_options.without_arguments(sys.argv[1:] if arguments is None else arguments)
        options = vars(parser().parse_args(own))
        command = options.pop("command")
        if rest:
            options["arguments"] = rest
        name = f"xgrad {command}"
        return COMMANDS[command](options)
    except KeyboardInterrupt as error:
        complain(f"{name}: interrupted")
        return SIGNALLED + (error.number if isinstance(error, Interrupted) else signal.SIGINT)
    except (FitError, DataError, BackendError, ImportError) as error:
        for line in getattr(error, "lines", [str(error) or type(error).__name__]):
            complain(f"{name}: error: {one_line(line)}")
        return CANNOT
    except MemoryError as error:
        complain(f"{name}: error: {one_line(f'out of memory: {error}'.removesuffix(': '))}")
        return CANNOT
    except Exception as error:
        complain(f"{name}: error: {one_line(_unexpected(error))}")
        return OUR_FAULT


def parser() -> argparse.ArgumentParser:
    """The parser of the command line. Its result has `command`, and the options of that command."""
    made = Parser(
        prog="xgrad",
        description="Automatic differentiation over the Array API: fit networks, explain failed runs, train on files.",
    )
    made.add_argument("--version", action="version", version=f"xgrad {xg.__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar=" | ".join(COMMANDS))
    fit_options.add_commands(commands)
    train_options.add_commands(commands)
    commands.add_parser("info", help="list the backends and try a gradient on each")
    return made


def _info(options: dict[str, Any]) -> int:
    text, right = info()
    say(text)
    return 0 if right else OUR_FAULT


def _train(options: dict[str, Any]) -> int:
    from xgrad.train.command import train_command  # it takes long, and only these two commands need it

    return train_command(options)


def _predict(options: dict[str, Any]) -> int:
    from xgrad.train.command import predict_command

    return predict_command(options)


COMMANDS = {
    "fit": fit_command,
    "diagnose": diagnose_command,
    "train": _train,
    "predict": _predict,
    "info": _info,
}


def _unexpected(error: Exception) -> str:
    """An unexpected error of xgrad or of a library, and where it happened, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {'/'.join(Path(frames[-1].filename).parts[-3:])}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}: {shown(str(error), 300)}"
