"""The parser of the `xgrad` command line, and its error messages."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import fields
from typing import Any, NoReturn

import xgrad as xg
from xgrad._words import one_line, short_words, shown
from xgrad.fit.config import DTYPES, Config
from xgrad.fit.network import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS
from xgrad.fit.plot import FORMATS
from xgrad.fit.streams import complain, say

MOST_DIGITS = 1000  # in an integer


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line, without the usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # "-1e2" and "-inf" after --range are numbers, not options
        self._negative_number_matcher = re.compile(r"^-(\.?\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        text = one_line(short_words(message))
        self.exit(2, f"{self.prog}: error: {text} ({self.prog} --help lists the options)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            (complain if file is sys.stderr else say)(message.rstrip("\n"))


def parser() -> argparse.ArgumentParser:
    """The parser of the command line. Its result has `command`, and the options of that command."""
    made = _Parser(
        prog="xgrad", description="Automatic differentiation over the Array API: fit networks, explain failed runs."
    )
    made.add_argument("--version", action="version", version=f"xgrad {xg.__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar="fit | diagnose | info")
    _add_options(
        commands.add_parser(
            "fit",
            help="fit a network to a function of x, or to the points of a CSV file",
            description="Fit a network to a function of x, or to the points of a CSV file, and draw what happened.",
        )
    )
    diagnose = commands.add_parser(
        "diagnose",
        help="explain why the run of a history failed",
        description="Repeat the run of a history (xgrad fit --history), and explain what went wrong in it.",
    )
    diagnose.add_argument("history", help="a JSON file written by xgrad fit --history")
    diagnose.add_argument("--fix", action="store_true", help="try the proposed fix")
    diagnose.add_argument("--json", action="store_true", help="print the findings as JSON")
    diagnose.add_argument(
        "--html", type=_path, metavar="FILE", help="write a page with the findings and a picture of the run"
    )
    commands.add_parser("info", help="list the backends and try a gradient on each")
    return made


def _add_options(parser: argparse.ArgumentParser) -> None:
    defaults = {field.name: field.default for field in fields(Config)}

    def add(group: Any, name: str, text: str, **more: Any) -> None:
        default = defaults[name.replace("-", "_")]
        if default is not None:
            value = ",".join(map(str, default)) if isinstance(default, tuple) else default
            text += f" (default {value})"
        group.add_argument(f"--{name}", default=default, help=text, **more)

    points = parser.add_argument_group("what to learn")
    add(
        points,
        "function",
        'a function of x, such as "sin(3*x) + x/5" (default x**2)',
        metavar="TEXT",
    )
    add(points, "data", "a CSV file with columns x,y instead", metavar="FILE")
    add(
        points,
        "range",
        "the range of x (default -100 100)",
        type=float,
        nargs=2,
        metavar=("LO", "HI"),
    )
    add(points, "points", "the number of points (default 201)", type=_integer, metavar="N")
    scaling = points.add_mutually_exclusive_group()
    scaling.add_argument(
        "--standardize",
        action="store_true",
        default=True,
        help="train on x and y of mean 0 and standard deviation 1 (default)",
    )
    scaling.add_argument("--raw", action="store_false", dest="standardize", help="train on x and y as they are")

    network = parser.add_argument_group("the network")
    add(network, "activation", "the activation after each hidden layer", choices=[*ACTIVATIONS])
    add(network, "output-activation", "the activation after the last layer", choices=[*ACTIVATIONS])
    add(network, "hidden", "the sizes of the hidden layers, or none", type=_sizes, metavar="N,N")
    add(network, "init", "the distribution of the starting weights", choices=INITS)
    add(network, "dtype", "the dtype", choices=DTYPES)

    training = parser.add_argument_group("the training")
    add(training, "optimizer", "the optimizer", choices=[*OPTIMIZERS])
    add(
        training,
        "lr",
        "the learning rate (default 0.003 for adam and adamw, else 0.01)",
        type=float,
        metavar="RATE",
    )
    add(training, "steps", "the number of steps", type=_integer, metavar="N")
    add(
        training,
        "batch",
        "the number of points drawn for each step, with replacement (default: all points, once each)",
        type=_integer,
        metavar="N",
    )
    add(training, "loss", "the loss", choices=[*LOSSES])
    add(training, "seed", "the seed of the random numbers", type=_integer, metavar="N")
    training.add_argument(
        "--compile",
        action="store_true",
        help="compile the steps between two samples of the layers; the diagnosis reads only their losses",
    )
    add(
        training,
        "backend",
        "the array library, one that xgrad info lists, or auto (default: XGRAD_BACKEND, else numpy)",
    )
    add(training, "device", "a device of the backend (default: XGRAD_DEVICE, else the backend's default)")

    results = parser.add_argument_group("the results")
    results.add_argument(
        "--out",
        default="fit.png",
        type=_path,
        metavar="FILE",
        help=f'the picture (default fit.png; "" for none); the name ends in .{", .".join(FORMATS)}',
    )
    add(results, "gif", "an animation of the learned curve; the name ends in .gif", type=_path, metavar="FILE")
    add(results, "history", "all numbers, as JSON", type=_path, metavar="FILE")
    add(
        results,
        "every",
        "the number of steps between two samples of the curve and the layers (default: a hundredth of --steps)",
        type=_integer,
        metavar="N",
    )
    results.add_argument(
        "--fix",
        action="store_true",
        help="if something is found wrong, try the proposed fix and report its result",
    )
    results.add_argument(
        "--quiet", action="store_true", help="no progress bar, no summary and no findings; with --fix, one line"
    )


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} has {len(text)} characters; a number has at most {MOST_DIGITS}"
        )
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number") from None


def _sizes(text: str) -> tuple[int, ...]:
    if text in ("", "none"):
        return ()
    try:
        return tuple(_integer(size) for size in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a list of whole numbers such as 32,32") from None


def _path(text: str) -> str | None:
    return text or None
