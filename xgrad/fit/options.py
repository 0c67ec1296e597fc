"""The options of `xgrad fit` and `xgrad diagnose` on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from xgrad._words import shown
from xgrad.fit.config import DTYPES, Config
from xgrad.fit.network import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS
from xgrad.fit.parser import integer, path_of
from xgrad.fit.plot import FORMATS
from xgrad.fit.script import is_script


def add_commands(commands: Any) -> None:
    """Add both commands to the subparsers of the command line."""
    _add_options(
        commands.add_parser(
            "fit",
            help="fit a network to a function of x, or to the points of a CSV file",
            description="Fit a network to a function of x, or to the points of a CSV file, and draw what happened.",
        )
    )
    diagnose = commands.add_parser(
        "diagnose",
        help="explain why a run failed: of a history, or of a training script",
        description="Repeat the run of a history (xgrad fit --history), or run a training script of your own, and explain what "
        "went wrong in it. The options come before the script; what stands behind it is passed to the script.",
    )
    diagnose.add_argument(
        "history",
        metavar="FILE",
        help="a JSON file written by xgrad fit --history, or a Python script that trains with an optimizer of xgrad",
    )
    diagnose.add_argument("--fix", action="store_true", help="try the proposed fix")
    diagnose.add_argument("--json", action="store_true", help="print the findings as JSON")
    diagnose.add_argument(
        "--html", type=path_of, metavar="FILE", help="write a page with the findings and a picture of the run"
    )


def without_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments of the command line, and those behind a script of `xgrad diagnose`, which belong to the script."""
    if arguments[:1] == ["diagnose"]:
        takes_value = False
        for place, text in enumerate(arguments[1:], 1):
            if takes_value or (text.startswith("-") and text != "-"):
                takes_value = not takes_value and len(text) > 3 and "--html".startswith(text)
            elif is_script(text):
                return list(arguments[: place + 1]), list(arguments[place + 1 :])
            else:
                break
    return list(arguments), []


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
    add(points, "points", "the number of points (default 201)", type=integer, metavar="N")
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
    add(training, "steps", "the number of steps", type=integer, metavar="N")
    add(
        training,
        "batch",
        "the number of points drawn for each step, with replacement (default: all points, once each)",
        type=integer,
        metavar="N",
    )
    add(training, "loss", "the loss", choices=[*LOSSES])
    add(training, "seed", "the seed of the random numbers", type=integer, metavar="N")
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
        type=path_of,
        metavar="FILE",
        help=f'the picture (default fit.png; "" for none); the name ends in .{", .".join(FORMATS)}',
    )
    add(results, "gif", "an animation of the learned curve; the name ends in .gif", type=path_of, metavar="FILE")
    add(results, "history", "all numbers, as JSON", type=path_of, metavar="FILE")
    add(
        results,
        "every",
        "the number of steps between two samples of the curve and the layers (default: a hundredth of --steps)",
        type=integer,
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


def _sizes(text: str) -> tuple[int, ...]:
    if text in ("", "none"):
        return ()
    try:
        return tuple(integer(size) for size in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a list of whole numbers such as 32,32") from None
