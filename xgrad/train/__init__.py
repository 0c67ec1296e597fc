"""Trains a network on a CSV, NPZ or NPY file as a config says, and predicts with it: `xgrad train` and `xgrad predict`.

>>> import pathlib, tempfile
>>> from xgrad.train import predict, train
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> _ = (folder / "line.csv").write_text("x,y\\n" + "".join(f"{i},{3 * i}\\n" for i in range(40)))
>>> _ = (folder / "line.toml").write_text('[data]\\npath = "line.csv"\\ntargets = "y"\\n')
>>> run = train(folder / "line.toml", out=folder / "run", epochs=2)
>>> len(run.history["loss"]), run.written[:2]
(2, ['model.safetensors', 'history.csv'])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xgrad.train.predicting import Predictions, predict
    from xgrad.train.problems import ConfigError
    from xgrad.train.result import Trained
    from xgrad.train.run import train

__all__ = ["ConfigError", "Predictions", "Trained", "predict", "train"]

# Imported when they are first asked for: other commands need only the options of these.
_FILES = {
    "ConfigError": "problems",
    "Predictions": "predicting",
    "Trained": "result",
    "predict": "predicting",
    "train": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"xgrad.train.{_FILES[name]}"), name)
    return found
