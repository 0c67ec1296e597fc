"""The file of a trained model: the weights, and everything that a prediction needs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import nn, state
from xgrad.data import Standardize
from xgrad.fit.errors import FitError
from xgrad.train.layers import Layer, read
from xgrad.train.network import build
from xgrad.train.parts import Scales
from xgrad.train.settings import Data, Settings, keys_of
from xgrad.train.targets import Task

FORMAT = "xgrad.train 1"
NAME = "model.safetensors"


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
        values = self.settings["data"]
        for name, kind in keys_of("data").items():
            if values[name] is not None and values[name] not in ((), [], "") and kind.fault(values[name]):
                raise TypeError(f"data.{name} is {values[name]!r:.60}")
        return Data(**values)

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
    place = Path(path) / NAME if Path(path).is_dir() else Path(path)
    try:
        tree = xg.load(place)
        if not isinstance(tree, dict) or tree.get("format") != FORMAT:
            found = tree.get("format") if isinstance(tree, dict) else None
            hint = "; it is a checkpoint: give the model.safetensors beside its folder" if found else ""
            raise FitError(f"{place} is no model of xgrad train{hint}")
        made = _made(tree)
        made.data  # noqa: B018 (it raises for what is no setting)
        return made
    except FileNotFoundError:
        inside = f" in the folder {path}" if place != Path(path) else ""
        raise FitError(f"{place}: there is no such file; xgrad train writes {NAME}{inside}") from None
    except OSError as error:
        raise FitError(f"{place} cannot be read: {error.strerror or error}") from None
    except state.StateError as error:
        raise FitError(str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise FitError(f"{place} is damaged: {type(error).__name__}: {error}") from None


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
