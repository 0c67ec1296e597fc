"""The `xgrad` command: `xgrad fit`, `xgrad diagnose` and `xgrad info`."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NoReturn

import xgrad as xg
from xgrad import plot
from xgrad.backends import BackendError
from xgrad.fit import Config, FitError, Result, fit
from xgrad.fit.config import DTYPES
from xgrad.fit.files import check_writable
from xgrad.fit.history import configuration
from xgrad.fit.network import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS
from xgrad.info import info

INTERRUPTED = 130  # the exit status of a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status: 0, 2 for what cannot be done, 130 after Ctrl-C."""
    options = vars(_parser().parse_args(arguments))
    command = options.pop("command")
    try:
        return {"fit": _fit, "diagnose": _diagnose, "info": _info}[command](options)
    except (FitError, BackendError, ImportError, MemoryError) as error:
        print(f"xgrad {command}: error: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"xgrad {command}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _fit(options: dict[str, Any]) -> int:
    config = Config(**options)
    result = fit(config)
    if not config.quiet:
        print(_summary(config, result))
        print(_findings(result))
    return 0 if result.completed else INTERRUPTED


def _diagnose(options: dict[str, Any]) -> int:
    """Make the run of a history again, watched."""
    page, as_json = options["html"], options["json"]
    if page:
        check_writable(page, "--html")
        plot.require_matplotlib()
    result = fit(configuration(options["history"], fix=options["fix"]))
    print(result.report.dumps() if as_json else _findings(result))
    if page:
        result.report.save(page)
    return 0 if result.completed else INTERRUPTED


def _findings(result: Result) -> str:
    text = str(result.report)
    if result.fix is not None:
        text += f"\n{result.fix}"
    return text


def _info(options: dict[str, Any]) -> int:
    text, right = info()
    print(text)
    return 0 if right else 1


def _summary(config: Config, result: Result) -> str:
    history = result.history
    steps = len(history["loss"])
    last = f", last loss {history['loss'][-1]:.4g}" if steps else ""
    lines = [
        f"R^2 = {result.r2:.5g} after {steps} steps in {history['seconds']:.2f} s{last}",
    ]
    broken = next((k for k, loss in enumerate(history["loss"]) if not math.isfinite(loss)), None)
    if broken is not None:
        lines.append(f"the loss is {history['loss'][broken]} at step {broken}: this run diverged")
    if not result.completed:
        lines.append(f"interrupted; {config.steps} steps were asked for")
    written = [path for path in (config.out, config.gif, config.history) if path]
    if written:
        lines.append(f"wrote {', '.join(written)}")
    return "\n".join(lines)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"out of memory: {text}" if isinstance(error, MemoryError) else text


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage in front of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # "-1e2" after --range is a number too, not an option
        self._negative_number_matcher = re.compile(r"^-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} ({self.prog} --help lists what there is)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="xgrad", description="Gradients over the Array API, and fits with them.")
    parser.add_argument("--version", action="version", version=f"xgrad {xg.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="fit | diagnose | info")
    commands.add_parser("info", help="list the backends and try a gradient on each")
    diagnose = commands.add_parser(
        "diagnose",
        help="say why the run of a history went wrong",
        description="Make the run of a history (xgrad fit --history) again, and say what went wrong in it, and why.",
    )
    diagnose.add_argument("history", help="a JSON file that xgrad fit --history wrote")
    diagnose.add_argument("--fix", action="store_true", help="try what is proposed")
    diagnose.add_argument("--json", action="store_true", help="the findings as JSON")
    diagnose.add_argument("--html", type=_path, metavar="FILE", help="also a page with the picture of the run")
    _add_options(
        commands.add_parser(
            "fit",
            help="fit a network to a function of x, or to the points of a CSV file",
            description="Fit a network to a function of x, or to the points of a CSV file, and draw what happened.",
        )
    )
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    defaults = {field.name: field.default for field in fields(Config)}

    def add(group: Any, name: str, text: str, **more: Any) -> None:
        default = defaults[name.replace("-", "_")]
        if default is not None:
            shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
            text += f" (default {shown})"
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
        "where x lies (default -100 100)",
        type=float,
        nargs=2,
        metavar=("LO", "HI"),
    )
    add(points, "points", "how many points (default 201)", type=_integer, metavar="N")
    scaling = points.add_mutually_exclusive_group()
    scaling.add_argument(
        "--standardize",
        action="store_true",
        default=True,
        help="train on x and y of mean 0 and standard deviation 1 (default)",
    )
    scaling.add_argument("--raw", action="store_false", dest="standardize", help="train on x and y as they are")

    network = parser.add_argument_group("the network")
    add(network, "activation", "after each hidden layer", choices=[*ACTIVATIONS])
    add(network, "output-activation", "after the last layer", choices=[*ACTIVATIONS])
    add(network, "hidden", "sizes of the hidden layers, or none", type=_sizes, metavar="N,N")
    add(network, "init", "how weights are drawn", choices=INITS)
    add(network, "dtype", "the number format", choices=DTYPES)

    training = parser.add_argument_group("the training")
    add(training, "optimizer", "which one", choices=[*OPTIMIZERS])
    add(
        training,
        "lr",
        "learning rate (default 0.003 for adam and adamw, else 0.01)",
        type=float,
        metavar="RATE",
    )
    add(training, "steps", "how many", type=_integer, metavar="N")
    add(
        training,
        "batch",
        "points drawn for each step, with replacement (default: all points, once each)",
        type=_integer,
        metavar="N",
    )
    add(training, "loss", "what is minimised", choices=[*LOSSES])
    add(training, "seed", "of the random numbers", type=_integer, metavar="N")
    add(training, "backend", "the array library (default: XGRAD_BACKEND, else numpy)")
    add(training, "device", "as the backend names it (default: XGRAD_DEVICE, else its own)")

    results = parser.add_argument_group("the results")
    results.add_argument(
        "--out",
        default="fit.png",
        type=_path,
        metavar="FILE",
        help='the picture (default fit.png; "" for none)',
    )
    add(results, "gif", "an animation of the learned curve", type=_path, metavar="FILE")
    add(results, "history", "all numbers, as JSON", type=_path, metavar="FILE")
    add(
        results,
        "every",
        "steps between two samples of the curve and the layers (default: a hundredth of --steps)",
        type=_integer,
        metavar="N",
    )
    results.add_argument(
        "--fix",
        action="store_true",
        help="where something is found wrong, try what is proposed and say what came of it",
    )
    results.add_argument("--quiet", action="store_true", help="no progress bar, no summary and no findings")


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _sizes(text: str) -> tuple[int, ...]:
    if text in ("", "none"):
        return ()
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers such as 32,32") from None


def _path(text: str) -> str | None:
    return text or None
