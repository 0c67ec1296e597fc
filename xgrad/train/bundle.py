"""The file of a trained model: the weights, and everything that a prediction needs."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.data import Standardize
from xgrad.fit import schema
from xgrad.fit.errors import FitError
from xgrad.fit.schema import FINITE, FLAG, TEXT, Maybe, Named, Several, Whole
from xgrad.train.layers import Layer, read
from xgrad.train.network import build
from xgrad.train.parts import Scales
from xgrad.train.settings import Data, Settings, keys_of
from xgrad.train.task import Task

FORMAT = "xgrad.train 1"
NAME = "model.safetensors"

_WORDS = Several(TEXT)
_LAYOUT = {"features": _WORDS, "targets": _WORDS, "categories": Named(others=_WORDS), "dtype": TEXT}
_DATA = {"missing": keys_of("data")["missing"], "delimiter": keys_of("data")["delimiter"], "encoding": TEXT,
         "header": Maybe(FLAG)}  # fmt: skip
FILE = Named(  # what a file of a model has, beside the weights
    {
        "layers": _WORDS,
        "shape": Several(Whole(1)),
        "outputs": Whole(1),
        "task": Named({"classes": Maybe(_WORDS), "values": Maybe(Several(FINITE)), "why": TEXT}, required=("classes",)),
        "scales": Named(others=Named(required=("mean", "std"))),
        "axes": Named(others=Several(Whole(0))),
        "target_names": _WORDS,
        "layout": Maybe(Named(_LAYOUT, required=_LAYOUT)),
        "columns": Maybe(_WORDS),
        "settings": Named(
            {"data": Named(_DATA, required=_DATA), "backend": Named({"dtype": keys_of("backend")["dtype"]}, ("dtype",))},
            required=("data", "backend"),
        ),
        "numbers": Named(),
        "model": Named(),
    },
    required=("layers", "shape", "outputs", "task", "scales", "axes", "target_names", "layout", "columns", "settings",
              "numbers", "model"),
)  # fmt: skip


@dataclass
class Bundle:
    """A trained model and what belongs to it.

    Attributes:
        model: the network, with the weights of the best epoch.
        layers: the network in words.
        shape: of a sample.
        outputs: how many numbers the network gives.
        task: what was learned.
        scales: the standardization.
        target_names: of the targets.
        layout, columns: of the CSV file; None for arrays.
        settings: of the run, as plain values.
        numbers: what the run came to: the best epoch, and the losses and metrics by the part of the samples.
    """

    model: nn.Module
    layers: list[str]
    shape: tuple[int, ...]
    outputs: int
    task: Task
    scales: Scales
    target_names: list[str]
    layout: dict[str, Any] | None
    columns: list[str] | None
    settings: dict[str, Any]
    numbers: dict[str, Any]

    @property
    def data(self) -> Data:
        """How the files of the run were read."""
        return Data(**self.settings["data"])

    def save(self, path: str | Path) -> None:
        """Write the file. Raises OSError."""
        scales = {name: scale.state_dict() for name, scale in vars(self.scales).items() if scale is not None}
        axes = {name: list(scale.axis) for name, scale in vars(self.scales).items() if scale is not None}
        tree = {
            "format": FORMAT,
            "model": self.model,
            "layers": self.layers,
            "shape": list(self.shape),
            "outputs": self.outputs,
            "task": asdict(self.task),
            "scales": scales,
            "axes": axes,
            "target_names": self.target_names,
            "layout": self.layout,
            "columns": self.columns,
            "settings": self.settings,
            "numbers": self.numbers,
        }
        xg.save(tree, path)


def load(path: str | Path) -> Bundle:
    """Read a model: the file, or its folder. To be called on the backend that computes.

    Raises:
        FitError: for a file that is not there, that is damaged, or that `xgrad train` did not write.
    """
    place = Path(path) / NAME if os.path.isdir(path) else Path(path)
    try:
        tree = xg.load(place)
    except FileNotFoundError:
        inside = f" in the folder {path}" if place != Path(path) else ""
        raise FitError(f"{place}: there is no such file; xgrad train writes {NAME}{inside}") from None
    except OSError as error:
        raise FitError(f"{place} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise FitError(str(error)) from None
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        found = isinstance(tree, dict) and "format" in tree
        hint = f"; it is a checkpoint: give the {NAME} beside its folder" if found else ""
        raise FitError(f"{place} is no model of xgrad train{hint}")
    fault = FILE.fault(tree)
    if fault is not None:
        raise FitError(f"{place} is damaged: {schema.place(fault[0])} {fault[1]}")
    try:
        made = _made(tree)
        if made.task.classes is not None and len(made.task.classes) != made.outputs:
            raise ValueError(f"{made.outputs} outputs for {len(made.task.classes)} classes")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise FitError(f"{place} is damaged: {type(error).__name__}: {error}") from None
    return made


def _made(tree: dict[str, Any]) -> Bundle:
    layers, faults = read([str(each) for each in tree["layers"]])
    if faults:
        raise KeyError(faults[0].why)
    shape = tuple(tree["shape"])
    dtype = getattr(xg, tree["settings"]["backend"]["dtype"])
    model = build(layers, shape, tree["outputs"], dtype, xg.random.Generator(0))
    model.load_state_dict(tree["model"])
    scales = Scales()
    for name, values in tree["scales"].items():
        scale = Standardize(tuple(tree["axes"][name]))
        scale.load_state_dict(values)
        setattr(scales, name, scale)
    return Bundle(
        model,
        tree["layers"],
        shape,
        tree["outputs"],
        Task(**tree["task"]),
        scales,
        tree["target_names"],
        tree["layout"],
        tree["columns"],
        tree["settings"],
        tree["numbers"],
    )


def plain(settings: Settings) -> dict[str, Any]:
    """The settings as values that JSON has."""
    return asdict(settings)


def words(layers: list[Layer]) -> list[str]:
    """Layers as texts."""
    return [str(layer) for layer in layers]
