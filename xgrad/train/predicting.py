"""`predict`: what a trained model says about the samples of a file."""

from __future__ import annotations

import csv
import io
import math
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.data import DataError
from xgrad.fit.errors import FitError
from xgrad.train import bundle
from xgrad.train.bundle import Bundle
from xgrad.train.parts import Prepared, scaled
from xgrad.train.problems import ConfigError, Problems, instead
from xgrad.train.reading import Samples, header, is_csv, read_arrays, read_csv
from xgrad.train.settings import Data
from xgrad.train.task import codes_of
from xgrad.trainer import Trainer
from xgrad.trainer.metrics import metrics_of

BATCH = 256


@dataclass
class Predictions:
    """Predictions for the samples of a file, in its order: `predict` gives them.

    >>> from xgrad.train import Predictions
    >>> found = Predictions([2, 3], "line", ["y"], [[0.5], [1.25]], None, "y", {})
    >>> print(found.csv(), end="")
    line,y
    2,0.5
    3,1.25

    Args:
        rows: the line of each sample in a CSV file, or its number from 0 on.
        row_name: "line" or "row".
        names: of the columns of `values`.
        values: for each sample, the predicted values in the units of the targets; or the probability of each class.
        classes: the name of the most probable class of each sample; None for a regression.
        target: the name of what is predicted.
        score: how good the predictions are, where the file has the targets: accuracy, or r2, rmse and mae; empty where not.
        unscored: why there is no score although the file has the targets, or "".

    Raises nothing.

    https://docs.python.org/3/library/csv.html
    """

    rows: list[int]
    row_name: str
    names: list[str]
    values: list[list[float]]
    classes: list[str] | None
    target: str
    score: dict[str, float]
    unscored: str = ""

    def csv(self) -> str:
        """The predictions as CSV: a line for each sample, with the names of the columns in the first line."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if self.classes is None:
            writer.writerow([self.row_name, *self.names])
            writer.writerows([row, *map(_short, values)] for row, values in zip(self.rows, self.values, strict=True))
        else:
            writer.writerow([self.row_name, self.target, *(f"p({name})" for name in self.names)])
            rows = zip(self.rows, self.classes, self.values, strict=True)
            writer.writerows([row, name, *map(_short, values)] for row, name, values in rows)
        return text.getvalue()


def predict(model: str | Path, data: str | Path, *, batch_size: int = BATCH) -> Predictions:
    """Predict for the samples of a file, with a model that `train` wrote. `xgrad predict` on the command line is the same.

    A CSV file must have the columns of the inputs, in any order, and may have the targets. The columns that the training left out
    may be there or not.

    >>> import pathlib, tempfile
    >>> from xgrad.train import predict, train
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "".join(f"{i},{'low' if i < 20 else 'high'}\\n" for i in range(40))
    >>> _ = (folder / "level.csv").write_text("x,level\\n" + rows)
    >>> _ = (folder / "level.toml").write_text('[data]\\npath = "level.csv"\\ntargets = "level"\\n')
    >>> _ = train(folder / "level.toml", out=folder / "run", epochs=30, lr=0.01)
    >>> _ = (folder / "new.csv").write_text("x\\n2\\n37\\n")
    >>> found = predict(folder / "run", folder / "new.csv")
    >>> found.rows, found.classes
    ([2, 3], ['low', 'high'])

    Args:
        model: the folder of a run, or its model.safetensors.
        data: a CSV, NPZ or NPY file of the kind that the model was trained on.
        batch_size: how many samples are computed together.

    Returns:
        Predictions.

    Raises:
        FitError: for a model or a file that cannot be used: missing or additional columns, bad rows, another shape.

    https://docs.python.org/3/library/csv.html
    """
    made = bundle.load(model)
    path = Path(data)
    if os.path.exists(path) and not os.path.isfile(path):
        kind = "a folder" if os.path.isdir(path) else "no regular file, and it is read more than once"
        raise FitError(f"{path} is {kind}; name a file")
    samples = _read(made, path)
    outputs = _outputs(made, samples, path, batch_size)
    rows = list(range(len(samples))) if samples.lines is None else samples.lines
    found = Predictions(rows, "row" if samples.lines is None else "line", [], [], None, made.target_names[0], {})
    if made.task.classes is None:
        several = [f"{found.target}[{i}]" for i in range(made.outputs)]
        found.names = made.target_names if len(made.target_names) == made.outputs else several
        found.values = outputs.tolist()
    else:
        found.names = made.task.classes
        found.values = xg.nn.functional.softmax(outputs, dim=-1).tolist()
        found.classes = [made.task.classes[i] for i in xg.argmax(outputs, axis=-1).tolist()]
    try:
        found.score = _score(made, samples, path, outputs)
    except (DataError, ConfigError) as error:
        found.unscored = str(error)
    return found


def _outputs(made: Bundle, samples: Samples, path: Path, batch_size: int) -> Any:
    """What the model gives: scores of classes, or values in the units of the targets."""
    dtype = made.settings["backend"]["dtype"]
    inputs: Any
    if samples.is_mapped:
        inputs = Prepared(samples.inputs, xg.zeros(len(samples)).numpy(), made.scales.inputs, dtype)
    else:
        try:
            inputs = xg.asarray(scaled(samples.inputs, made.scales.inputs, dtype))
        except ValueError as error:
            raise FitError(f"{path}: {str(error).removeprefix('Standardize: ')}") from None
    trainer = Trainer(made.model, nn.MSELoss(), xg.optim.SGD(made.model.parameters()), progress=False)
    outputs = trainer.predict(inputs, batch_size=batch_size)
    return outputs if made.scales.targets is None else made.scales.targets.inverse(outputs)


def _read(made: Bundle, path: Path) -> Samples:
    """The samples of a file for a model. Raises FitError for one that does not fit."""
    if is_csv(path) != (made.layout is not None):
        kind = "a CSV file" if made.layout is not None else "NPZ or NPY files"
        raise FitError(f"{path}: the model was trained on {kind}, and this is none")
    data = made.data
    try:
        if made.layout is not None:
            _check_columns(made, data, path)
            return read_csv(data, path, {**made.layout, "targets": []})
        data = replace(data, path=str(path))
        samples = read_arrays(data, path.parent, path, Problems(str(path), {}), with_targets=False)
    except DataError as error:
        raise FitError(str(error)) from None
    shape = tuple(samples.inputs.shape[1:])
    if shape != made.shape:
        raise FitError(f"{path}: a sample has shape {shape}, and those of the model have {made.shape}")
    return samples


def _score(made: Bundle, samples: Samples, path: Path, outputs: Any) -> dict[str, float]:
    """How good the outputs are; empty for a file without targets. Raises DataError for targets that cannot be used."""
    if made.layout is not None:
        known = header(path, made.data.delimiter, made.data.encoding, made.data.header)
        if any(name not in known for name in made.layout["targets"]):
            return {}
        places = {line: place for place, line in enumerate(samples.lines or ())}
        samples = read_csv(made.data, path, made.layout)
        outputs = xg.take(outputs, xg.asarray([places[line] for line in samples.lines or ()]), axis=0)
    if samples.targets is None:
        return {}
    problems = Problems(str(path), {})
    if made.task.classes is not None:
        target = xg.asarray(codes_of(samples, made.task, problems))
        problems.check()
        metrics = metrics_of("accuracy", nn.CrossEntropyLoss())
    else:
        target = xg.asarray(samples.targets.reshape(len(samples), -1).astype(made.settings["backend"]["dtype"]))
        metrics = metrics_of(["r2", "rmse", "mae"], None)
    for metric in metrics:
        metric.update(outputs, target)
    return {metric.name: metric.compute() for metric in metrics}


def _check_columns(made: Bundle, data: Data, path: Path) -> None:
    """Raise FitError for columns that are missing, and for those that the training did not have."""
    assert made.layout is not None
    here = header(path, data.delimiter, data.encoding, data.header)
    if not here:
        return  # which is told when the file is read
    needed: Sequence[str] = made.layout["features"]
    missing = [name for name in needed if name not in here]
    more = [name for name in here if name not in (made.columns or here)]
    faults = []
    for name in missing:
        faults.append(f"the column {name!r:.60} is missing; {instead(name, here, 'the file has')}")
    if more:
        faults.append(f"{_listed(more)} {'was' if len(more) == 1 else 'were'} not there in the training: take it out")
    if faults:
        raise FitError(f"{path}: {'; '.join(faults)}")


def _short(value: float) -> str:
    """A number with the digits that a float32 has, or all of them where it has more."""
    text = f"{value:.9g}"
    return text if _as_float32(float(text)) == _as_float32(value) == value else repr(value)


def _as_float32(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"{name!r:.60}" for name in names[:8]) + (", ..." if len(names) > 8 else "")
    return f"the column {shown}" if len(names) == 1 else f"the columns {shown}"
