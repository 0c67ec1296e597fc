"""The settings of a training: the sections of a config, their keys, and what each key may be."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from xgrad.fit.network import ACTIVATIONS
from xgrad.fit.schema import FINITE, FLAG, Kind, OneOf, Several, Whole
from xgrad.train.kinds import ABOVE_0, COLUMN, NO, ONE_CHARACTER, SHARE, WORD, Either
from xgrad.trainer.metrics import BY_NAME as METRICS

COLUMNS = Either((COLUMN, Several(COLUMN)))
TASKS = ("classification", "regression")
NETWORKS = ("mlp", "cnn", "gru", "lstm", "rnn")
MOST_EPOCHS = 1_000_000


def key(kind: Kind, text: str, default: Any = None) -> Any:
    """A field of a section: the kind of its value, what it means, and its default."""
    return field(default=default, metadata={"kind": kind, "text": text})


@dataclass(frozen=True)
class Data:
    """[data]: the file, which of its columns or arrays are used, and how the samples are divided."""

    path: str = key(WORD, "the CSV, NPZ or NPY file; a relative path begins at the folder of the config", "")
    inputs: Any = key(COLUMNS, "the columns, or the array, of the inputs; all but the targets are the default")
    targets: Any = key(COLUMNS, "the column or columns, or the array or another NPY file, of the targets")
    exclude: Any = key(COLUMNS, "columns that are left out", ())
    categories: Any = key(COLUMNS, "columns of categories whose cells are numbers", ())
    one_hot: bool = key(
        FLAG, "whether an input of words becomes a column of 0 and 1 for each word, or its number", True
    )
    classes: Any = key(Several(WORD), "the names of the classes in order; the default is the order of the alphabet")
    task: str | None = key(OneOf(TASKS), "classification or regression; the default depends on the targets")
    standardize: Any = key(
        Either((FLAG, OneOf(("inputs", "targets")))),
        'whether numbers get mean 0 and standard deviation 1; "inputs" and "targets" mean only these',
        True,
    )
    validation: Any = key(Either((SHARE, WORD)), "the share of the samples for validation, or another file", 0.2)
    test: Any = key(Either((SHARE, WORD)), "the share of the samples for a test at the end, or another file", 0.0)
    missing: Any = key(
        Either((OneOf(("error", "drop")), FINITE)),
        'rows that lack a value: "error", "drop", or a number that takes its place',
        "error",
    )
    header: bool | None = key(FLAG, "whether the first row has names; by default, unless all its cells are numbers")
    delimiter: str = key(ONE_CHARACTER, "the character between two cells", ",")
    encoding: str = key(WORD, "the encoding of a CSV file", "utf-8")


@dataclass(frozen=True)
class Network:
    """[network]: its layers in words, or its kind."""

    layers: Any = key(Either((WORD, Several(WORD))), "the layers in words; the last one, to the targets, is added")
    kind: str | None = key(
        OneOf(NETWORKS), "the kind of network instead; the default depends on the shape of the inputs"
    )
    hidden: Any = key(Several(Whole(1)), "with `kind`: the sizes of the hidden layers; for cnn, the channels")
    activation: str | None = key(OneOf(ACTIVATIONS), "with `kind`: the activation (relu)")
    dropout: float | None = key(SHARE, "with `kind`: the dropout after each hidden layer (0)")


@dataclass(frozen=True)
class Training:
    """[training]: the loop."""

    epochs: int = key(Whole(1, MOST_EPOCHS), "how often all samples are seen", 100)
    batch_size: int = key(Whole(1), "how many samples are in a batch", 32)
    seed: int = key(Whole(0), "the seed of the division, the starting weights, and the order of the samples", 0)
    early_stopping: Any = key(
        Either((Whole(1), NO)), "after so many epochs that were not better, the run ends; false: never", 20
    )
    monitor: str | None = key(WORD, "what decides which epoch is best (val_loss, or loss without validation)")
    min_delta: float = key(SHARE, "an epoch is better only if it is better by more than this", 0.0)
    metrics: Any = key(Several(OneOf(METRICS)), 'what is computed beside the loss (["accuracy"] or ["r2"])')
    clip: float | None = key(ABOVE_0, "the largest norm of all gradients together")
    clip_value: float | None = key(ABOVE_0, "the largest absolute value of an element of a gradient")
    accumulate: int = key(Whole(1), "how many batches make a step", 1)
    precision: str | None = key(OneOf(("float32", "float16", "bfloat16")), "of products; the weights keep their dtype")
    compile: bool = key(FLAG, "whether the steps run as programs of xgrad.compile", False)
    nonfinite: str = key(OneOf(("stop", "skip")), "what is done where a loss or a gradient is not finite", "stop")
    drop_last: bool = key(FLAG, "whether a last batch with fewer samples is left out", False)
    diagnose: bool = key(FLAG, "whether the diagnosis looks at the run", True)
    checkpoint_every: int = key(Whole(1), "after how many epochs a checkpoint is written", 1)


@dataclass(frozen=True)
class Backend:
    """[backend]: where it runs."""

    name: str | None = key(WORD, "the array library, one that xgrad info lists (XGRAD_BACKEND, else numpy)")
    device: str | None = key(WORD, "a device of the backend (XGRAD_DEVICE, else the backend's default)")
    dtype: str = key(OneOf(("float32", "float64")), "the dtype of the weights", "float32")


@dataclass(frozen=True)
class Named:
    """[loss], [optimizer] or [schedule]: a name, and the options of the class of this name."""

    name: str | None = key(WORD, "its name")
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """All sections of a config."""

    data: Data
    network: Network
    loss: Named
    optimizer: Named
    schedule: Named
    training: Training
    backend: Backend


SECTIONS: dict[str, type] = {"data": Data, "network": Network, "training": Training, "backend": Backend}
NAMED = ("loss", "optimizer", "schedule")


def keys_of(section: str) -> dict[str, Kind]:
    """The keys of a section, and the kinds of their values."""
    return {each.name: each.metadata["kind"] for each in fields(SECTIONS[section])}


def batches_of(count: int, training: Training) -> int:
    """How many batches an epoch of so many samples has."""
    return count // training.batch_size if training.drop_last else -(-count // training.batch_size)
