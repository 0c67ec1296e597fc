"""The parts of the samples: training, validation and test, standardized, and on the backend where they fit into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import xgrad as xg
from xgrad.backends.host_batches import MappedArray, as_indices
from xgrad.data import Dataset, Standardize, Subset, random_split
from xgrad.random import Generator
from xgrad.train.problems import Problems
from xgrad.train.reading import Host, Samples
from xgrad.train.settings import Data, Settings
from xgrad.train.task import Task, codes_of

NAMES = ("validation", "test")
SAMPLE = 65_536  # samples of a mapped file from which the statistics are computed


@dataclass
class Scales:
    """The standardization of the inputs and of the targets; None where there is none."""

    inputs: Standardize | None = None
    targets: Standardize | None = None


@dataclass
class Part:
    """Some of the samples: data for a Trainer, and how many they are."""

    data: Any
    count: int


@dataclass
class Parts:
    """The samples of a run, by "training", "validation" and "test"; a part without samples is absent."""

    parts: dict[str, Part] = field(default_factory=dict)
    scales: Scales = field(default_factory=Scales)

    def data(self, name: str) -> Any:
        """The data of a part, or None."""
        return self.parts[name].data if name in self.parts else None

    def count(self, name: str) -> int:
        """The number of samples in a part."""
        return self.parts[name].count if name in self.parts else 0


class Prepared(Dataset[Any]):
    """Samples of a mapped file: they are standardized when a batch is read."""

    def __init__(self, inputs: MappedArray, targets: Host, scale: Standardize | None, dtype: str) -> None:
        self.inputs, self.targets, self.scale, self.dtype = inputs, targets, scale, dtype

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: Any) -> Any:
        x, y = self.__getbatch__(range(index, index + 1) if isinstance(index, int) else as_indices(index))
        return (x[0], y[0]) if isinstance(index, int) else (x, y)

    def __getbatch__(self, indices: Any) -> tuple[Any, Any]:
        """The samples with these numbers, a range or an array, as arrays."""
        if type(indices) is range:
            x, y = self.inputs[indices.start : indices.stop], self.targets[indices.start : indices.stop]
        else:
            x, y = self.inputs.take(indices), self.targets[indices]
        return scaled(x, self.scale, self.dtype), y


def scaled(x: Host, scale: Standardize | None, dtype: str) -> Host:
    """A NumPy array of inputs in a dtype, standardized in double precision."""
    return x.astype(dtype) if scale is None else scale(x.astype("float64")).astype(dtype)


def divided(count: int, data: Data, seed: int, problems: Problems) -> dict[str, list[int]]:
    """The numbers of the samples of each part. A part that would be empty is a problem."""
    shares = {name: share for name in NAMES if not isinstance(share := getattr(data, name), str) and share > 0}
    if not shares:
        return {"training": list(range(count))}
    rest = 1.0 - sum(shares.values())
    # Counts instead of shares, so that rounding leaves no part without samples.
    sizes = {name: min(max(1, round(count * share)), count) for name, share in shares.items()}
    if count - sum(sizes.values()) < 1:
        wanted = " and ".join(f"{name} {share:g}" for name, share in shares.items())
        problems.add(
            ("data", next(iter(shares))),
            f"data: {count} samples cannot be divided into training {rest:g} and {wanted}",
        )
        return {"training": list(range(count))}
    lengths = [count - sum(sizes.values()), *sizes.values()]
    parts = random_split(range(count), lengths, generator=Generator(seed))
    return {name: sorted(part.indices) for name, part in zip(("training", *sizes), parts, strict=True)}


def prepare(
    samples: Samples,
    others: dict[str, Samples],
    task: Task,
    settings: Settings,
    is_sequence: bool,
    problems: Problems,
) -> Parts:
    """Divide, standardize and place the samples. To be called on the backend of the run.

    Args:
        samples: those of data.path.
        others: those of other files, by the part that they are.
        task: what is learned.
        settings: the settings.
        is_sequence: whether samples with two axes are sequences, and no images.
        problems: collects what is wrong.
    """
    data, dtype = settings.data, settings.backend.dtype
    indices = divided(len(samples), data, settings.training.seed, problems)
    chosen = {name: (samples, places) for name, places in indices.items()}
    chosen |= {name: (other, list(range(len(other)))) for name, other in others.items()}
    targets = {id(each): _targets(each, task, problems) for each, _ in chosen.values()}
    problems.check()
    found = Parts()
    rows = as_indices(indices["training"])
    scales = found.scales
    if data.standardize in (True, "inputs"):
        scales.inputs = _input_scale(samples, rows, is_sequence, problems)
    if task.classes is None and data.standardize in (True, "targets"):
        scales.targets = Standardize().fit(targets[id(samples)][rows])
    problems.check()
    for name, (each, places) in chosen.items():
        numbers = as_indices(places)
        y = targets[id(each)]
        if task.classes is None:
            y = scaled(y, scales.targets, dtype)
        if each.is_mapped:
            dataset: Any = Prepared(each.inputs, y, scales.inputs, dtype)
            part: Any = dataset if len(places) == len(each) else Subset(dataset, places)
        else:
            part = (scaled(each.inputs[numbers], scales.inputs, dtype), y[numbers])
            _check_finite(name, part, problems)
            if not xg.get_backend().defers:  # where it does, batches are better taken on the host
                part = tuple(map(xg.asarray, part))
        found.parts[name] = Part(part, len(places))
    problems.check()
    return found


def _targets(samples: Samples, task: Task, problems: Problems) -> Host:
    """The targets as they are compared with outputs: the numbers of classes, or numbers of shape (samples, targets)."""
    if task.classes is not None:
        return codes_of(samples, task, problems)
    assert samples.targets is not None
    return samples.targets.reshape(len(samples), -1).astype("float64")


def _input_scale(samples: Samples, rows: Host, is_sequence: bool, problems: Problems) -> Standardize | None:
    """The standardization of the inputs, from the training samples."""
    ndim = len(samples.inputs.shape)
    axis: Any = {2: 0, 3: (0, 1) if is_sequence else (0, 1, 2), 4: (0, 2, 3)}[ndim]
    if samples.is_mapped and len(rows) > SAMPLE:
        rows = rows[:: -(-len(rows) // SAMPLE)]
    try:
        scale = Standardize(axis).fit(samples.inputs.take(rows, 0).astype("float64"))
    except ValueError as error:
        problems.add(("data", "inputs"), f"data.inputs: {str(error).removeprefix('Standardize: ')}")
        return None
    codes = [place for place, name in enumerate(samples.input_names or ()) if _is_code(name, samples.layout)]
    if codes:  # columns of 0 and 1 stay as they are
        with xg.use_backend("numpy"):
            state = {name: value[...] for name, value in scale.state_dict().items()}
            for name, value in (("mean", 0.0), ("std", 1.0)):
                kept = state[name].tolist()
                state[name] = xg.asarray(
                    [value if i in codes else each for i, each in enumerate(kept)], dtype=xg.float64
                )
            scale.load_state_dict(state)
    return scale


def _is_code(name: str, layout: dict[str, Any] | None) -> bool:
    """Whether a column of inputs stands for a word of a column of words."""
    return layout is not None and any(
        name == column or name.startswith(f"{column}=")
        for column in layout["categories"]
        if column in layout["features"]
    )


def _check_finite(name: str, part: tuple[Host, Host], problems: Problems) -> None:
    """Numbers that are not finite, in a file or after the conversion to the dtype, are problems."""
    for key, values in zip(("inputs", "targets"), part, strict=True):
        with xg.use_backend("numpy"):
            found = values.dtype.kind != "f" or bool(xg.all(xg.isfinite(xg.asarray(values))).item())
        if not found:
            problems.add(
                ("data", key), f"data.{key}: the {name} samples have numbers that are not finite in {values.dtype}"
            )
