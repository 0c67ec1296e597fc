"""Reading the samples of a config: the inputs and the targets, from a CSV, NPZ or NPY file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgrad import data as files
from xgrad._words import shown
from xgrad.backends.host_batches import MappedArray
from xgrad.data import DataError
from xgrad.data.csvrows import number, opened, rows
from xgrad.train.kinds import COLUMN
from xgrad.train.problems import Problems, instead, place
from xgrad.train.settings import Data

INPUT_NAMES = ("x", "inputs", "input", "images", "features", "data")  # of arrays, where the config names none
TARGET_NAMES = ("y", "targets", "target", "labels", "label")
ARRAYS = (".npz", ".npy")
Host = Any  # a NumPy array, in memory or in a mapped file


@dataclass
class Samples:
    """What a file has. `targets` is None where it has none."""

    inputs: Host
    targets: Host | None
    target_names: list[str]
    input_names: list[str] | None = None  # of the columns of a CSV file
    words: list[str] | None = None  # that the numbers in targets stand for
    lines: list[int] | None = None  # of each sample in a CSV file
    layout: dict[str, Any] | None = None  # of a CSV file, as of `CSVDataset`
    columns: list[str] | None = None  # all columns of a CSV file, also those that are not used

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def is_mapped(self) -> bool:
        return isinstance(self.inputs, MappedArray)


def is_csv(path: str | Path) -> bool:
    """Whether a file is read as CSV: all but those of NumPy."""
    return Path(path).suffix.lower() not in ARRAYS


def listed(columns: Any) -> list[Any]:
    """One column, or several, as a list."""
    return list(columns) if isinstance(columns, list | tuple) else [columns]


# --- CSV --------------------------------------------------------------------------------------------------------------


def header(path: str | Path, delimiter: str, encoding: str, has_header: bool | None) -> list[str]:
    """The names of the columns of a CSV file: "0", "1", ... without a header. Raises DataError."""
    with opened(path, "a CSV file", encoding) as file:
        _, row = next(rows(str(path), file, delimiter), (0, []))
    cells = [cell.strip() for cell in row]
    named = any(cell and number(cell) is None for cell in cells) if has_header is None else has_header
    return cells if named else [str(i) for i in range(len(cells))]


def check_columns(data: Data, given: Mapping[str, Any], folder: Path, problems: Problems) -> None:
    """Check that a CSV file has the columns that the config names.

    Args:
        data: the settings.
        given: the values in the config, of which some may be of a wrong kind, which is told elsewhere.
        folder: of the config.
        problems: collects what is wrong.
    """
    try:
        known = header(folder / data.path, data.delimiter, data.encoding, data.header)
    except DataError as error:
        problems.add(("data", "path"), f"data.path: {error}")
        return
    used: dict[str, tuple[Any, ...]] = {}
    for name in ("targets", "inputs", "exclude", "categories"):
        for i, column in enumerate(listed(given.get(name, ()))):
            path = ("data", name, i) if isinstance(given[name], list) else ("data", name)
            if COLUMN.fault(column) is not None:
                continue
            if isinstance(column, int):
                if not -len(known) <= column < len(known):
                    problems.add(path, f"{place(path)}: there is no column {column}; there are {len(known)}, from 0 on")
                    continue
                column = known[column]
            elif column not in known:
                hint = instead(column, known, "it has")
                if len(known) == 1 and (found := next((c for c in ";\t|" if c in known[0]), None)):
                    hint = f"are its columns separated by {found!r}? Then give delimiter = {found!r}"
                problems.add(path, f"{place(path)}: {data.path} has no column {shown(column)}; {hint}")
                continue
            if name != "categories" and column in used:
                problems.add(path, f"{place(path)}: the column {shown(column)} is named in {place(used[column])} too")
            used.setdefault(column, path)


def read_csv(data: Data, path: str | Path, like: Any = None) -> Samples:
    """The samples of a CSV file. `like` is the layout of another one. Raises DataError."""
    options: dict[str, Any] = {"missing": data.missing, "delimiter": data.delimiter, "encoding": data.encoding}
    if like is None:
        targets = listed(data.targets)
        options |= {
            "target": targets[0] if len(targets) == 1 else targets,
            "columns": None if data.inputs is None else listed(data.inputs),
            "exclude": listed(data.exclude) if data.exclude != () else (),
            "categories": listed(data.categories) if data.categories != () else (),
            "one_hot": data.one_hot,
        }
    found = files.CSVDataset(path, header=data.header, like=like, dtype="float64", **options)
    return Samples(
        found.features,
        found.targets,
        found.target_names,
        found.feature_names,
        found.classes,
        found.lines,
        found.layout,
        header(path, data.delimiter, data.encoding, data.header),
    )


# --- NumPy's files ----------------------------------------------------------------------------------------------------


def read_arrays(
    data: Data, folder: Path, path: str | Path, problems: Problems, *, with_targets: bool = True
) -> Samples:
    """The samples of an NPZ or NPY file. Names that it lacks are problems. Raises DataError.

    Args:
        data: the settings.
        folder: of the config.
        path: the file.
        problems: collects names that do not exist.
        with_targets: whether the targets must be there.
    """
    if Path(path).suffix.lower() == ".npy":
        return _of_npy(data, folder, path, problems, with_targets)
    arrays = files.read_npz(path)
    chosen = {}
    for key, usual in (("inputs", INPUT_NAMES), ("targets", TARGET_NAMES)):
        asked = getattr(data, key)
        names = [asked] if asked is not None else [name for name in arrays if name.lower() in usual]
        if len(names) == 1 and names[0] in arrays:
            chosen[key] = names[0]
        elif key == "targets" and not with_targets:
            chosen[key] = ""
        elif asked is not None:
            say = f"{shown(asked)} is no array of {Path(path).name}; {instead(asked, arrays)}"
            problems.add(("data", key), f"data.{key}: {say}")
        else:
            problems.add(("data",), f"data.{key} is missing: the array of the {key}; {_named(arrays)}")
    problems.check()
    name = chosen["targets"]
    return _together(path, arrays[chosen["inputs"]], arrays.get(name), [name or "target"], problems)


def _of_npy(data: Data, folder: Path, path: str | Path, problems: Problems, with_targets: bool) -> Samples:
    array = files.read_npy(path)
    if isinstance(data.targets, str):
        other = folder / data.targets
        if with_targets and not other.is_file():
            problems.add(
                ("data", "targets"), f"data.targets: there is no file {shown(data.targets)} in the folder of the config"
            )
        if data.inputs is not None:
            problems.add(("data", "inputs"), "data.inputs: the file with the inputs is data.path")
        problems.check()
        targets = files.read_npy(other) if with_targets else None
        return _together(path, array, targets, [Path(data.targets).stem], problems)
    if array.ndim != 2:
        message = f"data.targets: {data.path} has shape {array.shape} and no columns; name an NPY file with the targets"
        problems.add(("data", "targets"), message)
        problems.check()
    width = array.shape[1]
    columns: dict[str, list[int]] = {}
    for key in ("targets", "inputs", "exclude"):
        value = getattr(data, key)
        columns[key] = []
        for i, column in enumerate(listed(value) if value is not None else ()):
            at = ("data", key, i) if isinstance(value, list) else ("data", key)
            if isinstance(column, int) and -width <= column < width:
                columns[key].append(column % width)
            else:
                problems.add(at, f"{place(at)}: there is no column {shown(column)}; there are {width}, from 0 on")
    problems.check()
    rest = [i for i in range(width) if i not in columns["targets"] and i not in columns["exclude"]]
    whole = array[:]
    targets = whole[:, columns["targets"]]
    names = [str(i) for i in columns["targets"]]
    return _together(
        path, whole[:, columns["inputs"] or rest], targets[:, 0] if len(names) == 1 else targets, names, problems
    )


def _together(path: str | Path, inputs: Host, targets: Host | None, names: list[str], problems: Problems) -> Samples:
    if targets is not None and not isinstance(targets, MappedArray) and targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    targets = targets[:] if isinstance(targets, MappedArray) else targets
    if not 2 <= inputs.ndim <= 4:
        problems.add(
            ("data", "inputs"),
            f"data.inputs: the array has shape {inputs.shape}; it must be (samples, features), (samples, steps, features), "
            "(samples, height, width) or (samples, channels, height, width)",
        )
    if targets is not None and (targets.ndim not in (1, 2) or targets.shape[0] != inputs.shape[0]):
        problems.add(
            ("data", "targets"),
            f"data.targets: the array has shape {targets.shape}; it must be ({inputs.shape[0]},) or ({inputs.shape[0]}, "
            "targets), for as many inputs",
        )
    if not all(inputs.shape):
        problems.add(("data", "path"), f"data.path: {Path(path).name} has no samples: its shape is {inputs.shape}")
    for name, array in (("inputs", inputs), ("targets", targets)):
        if array is not None and array.dtype.kind not in "biuf":
            problems.add(("data", name), f"data.{name}: real numbers are needed, not {array.dtype}")
    problems.check()
    return Samples(inputs, targets, names)


def _named(arrays: Sequence[str] | dict[str, Any]) -> str:
    return f"the file has {', '.join(arrays)}"
