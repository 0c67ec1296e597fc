"""The last outputs of a watched run beside their targets, as numbers or as classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.diagnose.network import is_float, rows
from xgrad.diagnose.run import Run
from xgrad.transforms.grad import to_tensor

BY_CLASS = (nn.CrossEntropyLoss, nn.NLLLoss)
BY_BIT = (nn.BCELoss, nn.BCEWithLogitsLoss)
MOST = 5_000_000  # numbers that are read
DRAWN = 400_000  # of them, as Python numbers


@dataclass
class Values:
    """Numbers: a list for each output of the network, and one of its targets, if they are known."""

    outputs: list[list[float]]
    targets: list[list[float]] | None
    places: list[int]  # of these outputs among those of a sample
    count: int  # of outputs of a sample


@dataclass
class Classes:
    """Class numbers: those that the network says, and those that are right."""

    said: list[int]
    right: list[int]
    count: int  # of classes
    broken: int  # samples that are left out: their outputs are not finite
    other: int  # samples that are left out: their label is no class


@dataclass
class Bits:
    """Answers of yes or no to several questions: how many samples have a yes among the outputs and the labels, by question."""

    said: list[int]
    right: list[int]
    hits: int  # answers that are right
    samples: int
    broken: int  # samples that are left out: their outputs are not finite


def final(run: Run) -> Values | Classes | Bits | None:
    """The outputs of the last look, with their targets. None if there are no numbers to show."""
    output = None if run.last is None else run.last.output
    if not isinstance(output, xg.Tensor) or not is_float(output) or not output.shape or not output.size:
        return None
    target = _target_of(output, run)
    output, target = few(output), None if target is None else few(target, output)
    out = _host(output)
    if target is not None:
        found = _classes(out, _host(target), run.loss, is_float(target))
        if found is not None:
            return found
    known = None if target is None or target.size != output.size else _host(target).reshape(out.shape)
    count = out.size // out.shape[0]
    places = list(range(0, count, -(-out.size // DRAWN)))
    return Values(_columns(out, places), None if known is None else _columns(known, places), places, count)


def few(tensor: xg.Tensor, like: xg.Tensor | None = None) -> xg.Tensor:
    """As many rows as have a bounded number of elements; of `like`, if it is given."""
    like = tensor if like is None else like
    return rows(tensor, max(2, MOST // max(1, like.size // like.shape[0])))


def known_targets(run: Run) -> tuple[xg.Tensor, bool] | None:
    """Targets of the run, and whether they are those of all samples: else they are those of the last batch."""
    if run.y is not None:
        return (few(run.y), True) if run.y.size else None
    target = _tensor(run.target)
    return None if target is None or not target.shape or not target.size else (few(target), False)


def _target_of(output: xg.Tensor, run: Run) -> xg.Tensor | None:
    """The targets of the last look, whose inputs are `run.x` or else the last batch."""
    target = run.y if run.x is not None else _tensor(run.target)
    if target is None or not target.shape:
        return None
    inputs = run.x if run.x is not None else run.batch[0] if run.batch else None
    if inputs is not None and inputs.shape[0] == target.shape[0]:
        target = rows(target, output.shape[0])
    elif target.shape == (math.prod(output.shape[:-1]),):  # the classes of a sequence, in one row
        target = target.reshape(output.shape[:-1])
    return target if target.shape[0] == output.shape[0] else None


def _tensor(value: Any) -> xg.Tensor | None:
    try:
        return None if value is None else to_tensor(value, "for a target")
    except (TypeError, ValueError):
        return None


def _host(tensor: xg.Tensor) -> Any:
    array = tensor.detach().numpy()
    return array.astype("float64") if is_float(tensor) else array.astype("int64")


def _columns(array: Any, places: list[int]) -> list[list[float]]:
    """A list for each of these places behind the axis of the samples."""
    columns: list[list[float]] = array.reshape(array.shape[0], -1)[:, places].T.astype("float64").tolist()
    return columns


def _classes(out: Any, target: Any, loss: Any, is_share: bool) -> Classes | Bits | None:
    """The outputs and targets as classes, if they are that: class numbers, a 1 among zeros, or zeros and ones."""
    if isinstance(loss, BY_BIT) and target.size == out.size:
        return _yes_or_no(out.reshape(out.shape[0], -1), target.reshape(out.shape[0], -1), loss)
    if is_share:
        same = target.shape == out.shape and out.ndim > 1 and out.shape[1] > 1
        if not same or not (isinstance(loss, BY_CLASS) or _is_one_hot(target)):
            return None
        return _of(out, out.argmax(1), target.argmax(1), out.shape[1])
    if target.ndim == out.ndim and target.shape[1:] == (1,) and out.shape[1] > 1:
        target = target[:, 0]
    if out.ndim > 1 and target.shape == out.shape[:1] + out.shape[2:]:
        axis = 1
    elif out.ndim > 1 and target.shape == out.shape[:-1]:
        axis = -1
    else:
        return None
    return None if out.shape[axis] < 2 else _of(out, out.argmax(axis), target, out.shape[axis], axis)


def _yes_or_no(out: Any, target: Any, loss: Any) -> Classes | Bits | None:
    bound = 0.0 if isinstance(loss, nn.BCEWithLogitsLoss) else 0.5
    said, right = (out > bound).astype("int64"), (target > 0.5).astype("int64")
    if out.shape[1] == 1:
        return _of(out[:, 0], said[:, 0], right[:, 0], 2)
    if not ((target == 0) | (target == 1)).all():
        return None
    whole = (abs(out) < math.inf).all(axis=1)
    said, right = said[whole], right[whole]
    hits, broken = int((said == right).sum().item()), int((~whole).sum().item())
    return Bits(said.sum(axis=0).tolist(), right.sum(axis=0).tolist(), hits, len(said), broken)


def _is_one_hot(target: Any) -> bool:
    return bool(((target == 0) | (target == 1)).all() and (target.sum(axis=1) == 1).all())


def _of(out: Any, said: Any, right: Any, count: int, axis: int = 1) -> Classes:
    finite = abs(out) < math.inf
    whole = finite.all(axis=axis) if out.ndim > said.ndim else finite
    known = (right >= 0) & (right < count)
    kept = whole & known
    return Classes(
        said[kept].tolist(), right[kept].tolist(), count, int((~whole & known).sum().item()), int((~known).sum().item())
    )
