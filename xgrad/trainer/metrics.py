"""Metrics: numbers about predictions, over all samples of an epoch whatever the sizes of its batches."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.amp.autocast import raised
from xgrad.engine import trees
from xgrad.trainer.sums import Sums


class Metric:
    """A number about the predictions of an epoch. A metric of your own is a class with `update` and `compute`.

    `update(prediction, target)` is called for each batch, in no_grad, with the model's output and the target. `compute()` gives
    the number; `reset()` starts anew. What is kept in `self.sums`, by `self.sums.add(value, count)`, is read from the device once
    for many batches, and is saved in a checkpoint; the value is a 0-d tensor or a number.

    >>> import xgrad as xg
    >>> class Largest(xg.trainer.Metric):
    ...     def update(self, prediction, target):
    ...         self.sums.add(xg.max(xg.abs(prediction - target)))
    ...     def compute(self):
    ...         return max(value for value, _ in self.sums.read())
    >>> metric = Largest("largest")
    >>> metric.update(xg.asarray([1.0, 4.0]), xg.asarray([1.0, 2.0]))
    >>> metric.update(xg.asarray([1.0]), xg.asarray([2.0]))
    >>> metric.compute()
    2.0

    Args:
        name: what its columns in the history are called.

    Raises nothing.

    https://lightning.ai/docs/torchmetrics/stable/pages/implement.html
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.sums = Sums()

    def reset(self) -> None:
        """Start anew, before an epoch."""
        self.sums.clear()

    def update(self, prediction: Any, target: Any) -> None:
        """Take in a batch."""
        raise NotImplementedError(f"{type(self).__name__} has no update(prediction, target)")

    def compute(self) -> float:
        """The number: here the mean of the values, weighted by their counts; nan for none."""
        return self.sums.mean()


class Mean(Metric):
    """The mean over the samples of what a function gives for each batch."""

    def __init__(self, name: str, function: Callable[[Any, Any], Any]) -> None:
        super().__init__(name)
        self.function = function

    def update(self, prediction: Any, target: Any) -> None:
        value = self.function(prediction, target)
        if isinstance(value, xg.Tensor) and value.shape != ():
            raise ValueError(
                f"the metric {self.name} gave shape {value.shape} for a batch; a metric is one number: take the mean"
            )
        self.sums.add(value, _samples(target, prediction))


class Root(Mean):
    """The root of a mean over all samples."""

    def compute(self) -> float:
        return math.sqrt(super().compute())


class R2(Metric):
    """The coefficient of determination, 1 - sum((y - p)^2) / sum((y - mean(y))^2), the mean over the columns of y.

    Batches are put together by their means and sums of squares (Chan et al. 1983), so that no digits are lost where the mean is
    large. A column of equal targets gives 1 if all predictions are right and 0 if not, as scikit-learn has it.
    """

    def update(self, prediction: Any, target: Any) -> None:
        target = xg.astype(target, prediction.dtype)
        count = _samples(target, prediction)
        y, p = (xg.reshape(t, (count, -1)) for t in (target, prediction))
        mean = xg.mean(y, axis=0)
        self.sums.add(xg.stack([mean, xg.sum((y - mean) ** 2, axis=0), xg.sum((y - p) ** 2, axis=0)]), count)

    def compute(self) -> float:
        batches = self.sums.read()
        if not batches:
            return math.nan
        scores = []
        for column in range(len(batches[0][0][0])):
            count, mean, around, error = 0.0, 0.0, 0.0, 0.0
            for (means, squares, errors), n in batches:
                apart = means[column] - mean
                around += squares[column] + apart * apart * count * n / (count + n)
                mean += apart * n / (count + n)
                count += n
                error += errors[column]
            scores.append(1 - error / around if around else float(error == 0))
        return sum(scores) / len(scores)


class F1(Metric):
    """Precision, recall or their harmonic mean, of class 1 of two, or the mean over the classes where there are more."""

    def __init__(self, name: str, loss: Any) -> None:
        super().__init__(name)
        self.kind, self.loss = name, loss

    def update(self, prediction: Any, target: Any) -> None:
        found, true, classes = chosen_classes(prediction, target, self.loss)
        several = xg.arange(classes)
        found, true = (xg.reshape(t, (-1, 1)) == several for t in (found, true))
        counts = [xg.sum(xg.astype(hits, "int64"), axis=0) for hits in (found & true, found, true)]
        self.sums.add(xg.stack(counts), 1)

    def compute(self) -> float:
        batches = self.sums.read()
        if not batches:
            return math.nan
        hits, found, true = (
            [sum(batch[kind][c] for batch, _ in batches) for c in range(len(batches[0][0][0]))] for kind in range(3)
        )
        of_class = [self._of(*counts) for counts in zip(hits, found, true, strict=True)]
        if len(of_class) == 2:
            return of_class[1]
        seen = [value for value, f, t in zip(of_class, found, true, strict=True) if f or t]
        return sum(seen) / len(seen) if seen else math.nan

    def _of(self, hits: float, found: float, true: float) -> float:
        over = {"precision": found, "recall": true, "f1": (found + true) / 2}[self.kind]
        return hits / over if over else 0.0


# --- classes -----------------------------------------------------------------------------------------------------------------


def class_axis(prediction: Any, target: Any) -> int:
    """The axis of the scores of the classes: the one that the target lacks, as PyTorch's losses have it 1, or else the last."""
    shape, wanted = tuple(prediction.shape), tuple(target.shape)
    for axis in (1, len(shape) - 1):
        if len(shape) > 1 and shape[:axis] + shape[axis + 1 :] == wanted:
            return axis
    if shape == wanted and len(shape) > 1 and shape[1] > 1:
        return 1  # a probability for each class
    raise ValueError(
        f"no axis of the prediction, of shape {shape}, can be that of the classes for a target of shape {wanted}: give scores "
        "of shape (n, classes) and the numbers of the classes, of shape (n,)"
    )


def chosen_classes(prediction: Any, target: Any, loss: Any) -> tuple[Any, Any, int]:
    """The classes that are predicted, the true ones, and how many classes there are."""
    of_labels = isinstance(loss, nn.BCEWithLogitsLoss | nn.BCELoss) or loss in (
        *LOGITS,
        nn.functional.binary_cross_entropy,
    )
    if is_binary(prediction, target) or (of_labels and prediction.shape == target.shape):  # each element is one of two
        threshold = 0.0 if isinstance(loss, nn.BCEWithLogitsLoss) or loss in LOGITS else 0.5
        found = xg.astype(xg.reshape(prediction, target.shape) > threshold, "int64")
        return found, xg.astype(target > 0.5 if _is_float(target) else target, "int64"), 2
    axis = class_axis(prediction, target)
    true = xg.argmax(target, axis=axis) if target.shape == prediction.shape else xg.astype(target, "int64")
    return xg.argmax(prediction, axis=axis), true, prediction.shape[axis]


def is_binary(prediction: Any, target: Any) -> bool:
    """Whether the prediction is one score for each target: of class 1 of two."""
    shape, wanted = tuple(prediction.shape), tuple(target.shape)
    return shape in (wanted, (*wanted, 1)) and (len(shape) < 2 or shape[1] == 1)


def accuracy(loss: Any) -> Callable[[Any, Any], Any]:
    """The share of targets whose class is predicted. `loss` decides from which score on class 1 of two is predicted."""

    def share(prediction: Any, target: Any) -> Any:
        found, true, _ = chosen_classes(prediction, target, loss)
        return xg.mean(xg.astype(found == true, _float_like(prediction)))

    return share


def top(k: int) -> Callable[[Any, Any], Any]:
    """The share of targets whose class has one of the k largest scores."""

    def share(prediction: Any, target: Any) -> Any:
        axis = class_axis(prediction, target)
        if target.shape == prediction.shape:
            target = xg.argmax(target, axis=axis)
        scores = xg.moveaxis(prediction, axis, -1)
        own = xg.take_along_axis(scores, xg.expand_dims(xg.astype(target, "int64"), axis=-1), axis=-1)
        larger = xg.sum(xg.astype(xg.logical_not(scores <= own), "int64"), axis=-1)  # nan is among the best of nobody
        return xg.mean(xg.astype(larger < k, _float_like(prediction)))

    return share


# --- errors ------------------------------------------------------------------------------------------------------------------


def mean_squared_error(prediction: Any, target: Any) -> Any:
    """The mean of the squared differences."""
    return xg.mean(_difference(prediction, target) ** 2)


def mean_absolute_error(prediction: Any, target: Any) -> Any:
    """The mean of the absolute differences."""
    return xg.mean(xg.abs(_difference(prediction, target)))


def _difference(prediction: Any, target: Any) -> Any:
    if tuple(prediction.shape) != tuple(target.shape):
        raise ValueError(
            f"the prediction has shape {tuple(prediction.shape)} and the target {tuple(target.shape)}: give them the same shape"
        )
    return prediction - target


# --- by name -----------------------------------------------------------------------------------------------------------------

LOGITS = (nn.functional.binary_cross_entropy_with_logits,)
BY_NAME: dict[str, Callable[[Any], Metric]] = {
    "accuracy": lambda loss: Mean("accuracy", accuracy(loss)),
    "top5": lambda loss: Mean("top5", top(5)),
    "precision": lambda loss: F1("precision", loss),
    "recall": lambda loss: F1("recall", loss),
    "f1": lambda loss: F1("f1", loss),
    "mse": lambda loss: Mean("mse", mean_squared_error),
    "rmse": lambda loss: Root("rmse", mean_squared_error),
    "mae": lambda loss: Mean("mae", mean_absolute_error),
    "r2": lambda loss: R2("r2"),
}
Metrics = str | Callable[[Any, Any], Any] | Metric | Iterable[Any] | Mapping[str, Any] | None


def metrics_of(given: Metrics, loss: Any) -> list[Metric]:
    """The metrics that were asked for: a name, a function, a Metric, several of them, or a dict of these by name.

    Raises:
        ValueError: for an unknown name, and two metrics of one name.
        TypeError: for anything else.
    """
    if given is None:
        return []
    if isinstance(given, Mapping):
        metrics = [_metric(value, loss, str(name)) for name, value in given.items()]
    else:
        several = [given] if isinstance(given, str | Metric) or not isinstance(given, Iterable) else list(given)
        metrics = [_metric(value, loss) for value in several]
    check_names(metrics)
    return metrics


def check_names(metrics: list[Metric]) -> None:
    """ValueError for two metrics of one name, and for the name of another column."""
    names = [metric.name for metric in metrics]
    for name in names:
        if names.count(name) > 1 or name in ("loss", "lr", "seconds", "epoch"):
            raise ValueError(f"metrics: the name {name!r} is in use; give names in a dict: metrics={{name: function}}")


def apart(metric: Metric) -> Metric:
    """The same metric with sums of its own: it is computed while an epoch, which uses this one, may be under way."""
    other = copy.copy(metric)
    other.sums = Sums()
    return other


def _metric(value: Any, loss: Any, name: str | None = None) -> Metric:
    if isinstance(value, str):
        if value not in BY_NAME:
            raise ValueError(f"metrics: there is no {value!r}; the names are {', '.join(BY_NAME)}")
        metric = BY_NAME[value](loss)
    elif isinstance(value, Metric):
        metric = value
    elif callable(value):
        return Mean(name or str(getattr(value, "__name__", type(value).__name__)), value)
    else:
        raise TypeError(
            f"metrics: expected a name, a function (prediction, target) -> number, or a Metric, got {type(value).__name__}"
        )
    if name is not None:
        metric.name = name
    return metric


def _samples(target: Any, prediction: Any) -> int:
    shape = tuple(getattr(target, "shape", ())) or tuple(getattr(prediction, "shape", ()))
    return int(shape[0]) if shape else 1


def _is_float(t: Any) -> bool:
    return bool(xg.isdtype(t.dtype, "real floating"))


def _float_like(t: Any) -> Any:
    return t.dtype if _is_float(t) else xg.float64


def update_all(metrics: list[Metric], output: Any, target: Any) -> None:
    """Give a batch to each metric. Outputs of half precision are in float32: sums over an epoch have more digits than these."""
    if metrics:
        output = trees.map_leaves(raised, output)
        for metric in metrics:
            metric.update(output, target)
