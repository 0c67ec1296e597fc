"""The options of `xgrad train` and `xgrad predict` on the command line."""

from __future__ import annotations

from typing import Any

from xgrad.fit.parser import integer, path_of


def add_commands(commands: Any) -> None:
    """Add both commands to the subparsers of the command line."""
    train = commands.add_parser(
        "train",
        help="train a network on a CSV, NPZ or NPY file, as a config says",
        description="Train a network on a CSV, NPZ or NPY file, as a config in TOML says, and write it to a folder.",
    )
    train.add_argument("config", help="the config, a TOML file")
    train.add_argument(
        "--out", type=path_of, metavar="FOLDER", help="the folder (default: CONFIG-run in the current folder)"
    )
    train.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    train.add_argument("--overwrite", action="store_true", help="replace the run in the folder")
    train.add_argument("--quiet", action="store_true", help="no progress and no summary")
    instead = train.add_argument_group("instead of what the config says")
    instead.add_argument("--epochs", type=integer, metavar="N", help="training.epochs")
    instead.add_argument("--batch-size", type=integer, metavar="N", help="training.batch_size")
    instead.add_argument("--seed", type=integer, metavar="N", help="training.seed")
    instead.add_argument("--lr", type=float, metavar="RATE", help="optimizer.lr")
    instead.add_argument("--backend", help="backend.name")
    instead.add_argument("--device", help="backend.device")

    predict = commands.add_parser(
        "predict",
        help="predict with a model that xgrad train wrote",
        description="Predict for the samples of a file, with a model that xgrad train wrote.",
    )
    predict.add_argument("model", help="the folder of a run, or its model.safetensors")
    predict.add_argument("data", help="a CSV, NPZ or NPY file")
    predict.add_argument(
        "--out", type=path_of, metavar="FILE", help="a CSV file for the predictions (default: the standard output)"
    )
    predict.add_argument("--batch-size", type=integer, default=256, metavar="N", help="samples at a time (default 256)")
    predict.add_argument("--backend", help="the array library (default: XGRAD_BACKEND, else numpy)")
    predict.add_argument("--device", help="a device of the backend")
    predict.add_argument("--quiet", action="store_true", help="say nothing about the predictions")
