"""What a loss takes: values, logits, probabilities or their logarithms. It is found by calling the loss on made-up outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.backends.host import library as np

VALUES, LOGITS, PROBABILITIES, LOGARITHMS = "values", "logits", "probabilities", "log-probabilities"
ROWS = 8  # of the outputs that it makes
Loss = Callable[[Any, Any], Any]


def what_it_takes(loss: Loss, output: xg.Tensor, y: xg.Tensor) -> str | None:
    """What outputs a loss is made for.

    Args:
        loss: a function of outputs and targets.
        output: outputs of the network, of shape (samples, ...). Only their shape and dtype matter.
        y: targets of as many samples. Only their shape and dtype matter.

    Returns:
        VALUES for a distance from the target, which does not change where both are moved; LOGITS where any number is an output,
        and a softmax or sigmoid is part of the loss; PROBABILITIES where the loss has a logarithm of the output; LOGARITHMS where
        it is the negative of the outputs at the targets; None where it is none of these, or cannot be called.
    """
    try:
        return _Probe(loss, output, y).answer()
    except Exception:  # it is the user's function, which may raise anything for outputs that it was not made for
        return None


def is_of_one_class(loss: Loss, output: xg.Tensor, y: xg.Tensor) -> bool:
    """Whether a loss of probabilities looks at the true class of each row alone, or at its share of the row.

    Another one adds something for each output by itself, as a binary cross-entropy does.
    """
    probe = _Probe(loss, output, y)
    try:
        target, sign = probe.classes()
        if sign is None or sign.shape[1] < 3:
            return False
        rows = np.arange(len(sign))
        wrong = np.argsort(sign, axis=1)[:, :2]

        def at(first: float, second: float) -> float:
            p = np.where(sign > 0, 0.4, 0.2)
            p[rows, wrong[:, 0]], p[rows, wrong[:, 1]] = first, second
            return probe.value(p, target)

        one, other, both, none = at(0.3, 0.1), at(0.1, 0.3), at(0.3, 0.3), at(0.1, 0.1)
    except Exception:  # the user's function may raise anything
        return False
    return probe.near(one, none, 1e-6) or not probe.near(both - one, other - none, 1e-3)


class _Probe:
    """Calls a loss on outputs and targets of known kinds."""

    def __init__(self, loss: Loss, output: xg.Tensor, y: xg.Tensor) -> None:
        self.loss, self.backend = loss, output.backend
        self.dtype, self.target_dtype = output.dtype, y.dtype
        rows = min(ROWS, output.shape[0]) if output.shape else 0
        self.shape = (rows, *output.shape[1:])
        self.target_shape = (rows, *y.shape[1:])
        self.has_numbers = not bool(y.backend.xp.isdtype(y.dtype, ("real floating", "bool")))
        self.rng = np.random.default_rng(0)

    def answer(self) -> str | None:
        if not self.shape[0]:
            return None
        if not self.has_numbers and self.is_distance():
            return VALUES
        y, sign = self.classes()
        if sign is None:
            return None
        zero = self.value(np.zeros(self.shape), y)
        one = self.value(sign, y)
        if not math.isfinite(one):
            return PROBABILITIES if self.is_of_probabilities(y, sign) else None
        if self.near(self.value(2 * sign, y) - zero, 2 * (one - zero)) and self.near(zero, 0.0) and one < 0:
            return LOGARITHMS
        if self.is_of_logits(y, sign):
            return LOGITS
        return PROBABILITIES if self.is_of_probabilities(y, sign) else None

    def is_distance(self) -> bool:
        """Whether the loss is least at the target, and the same where output and target are moved together."""
        y = self.rng.normal(size=self.target_shape)
        if self.shape != self.target_shape:
            return False
        away = y + self.rng.normal(size=self.shape)
        found = self.value(away, y)
        return self.value(y, y) < found and self.near(self.value(away + 3.0, y + 3.0), found)

    def classes(self) -> tuple[Any, Any]:
        """Targets that are classes, and for each output 1 where its target is, and -1 elsewhere."""
        rows, width = self.shape[0], self.shape[1] if len(self.shape) == 2 else 1
        numbers = np.arange(rows) % max(width, 2)
        if self.has_numbers or self.target_shape != self.shape:
            if len(self.shape) != 2 or self.target_shape[1:] not in ((), (1,)):
                return numbers, None
            sign = np.where(np.arange(width) == numbers[:, None], 1.0, -1.0)
            return numbers.reshape(self.target_shape), sign
        if width > 1:
            y = (np.arange(width) == numbers[:, None]).astype(float)
        else:
            y = np.broadcast_to(numbers.reshape((rows, *[1] * (len(self.shape) - 1))), self.shape).astype(float)
        return y, 2 * y - 1

    def is_of_logits(self, y: Any, sign: Any) -> bool:
        """Whether the loss depends on differences between the outputs of a row alone, or grows in proportion to wrong ones."""
        right, wrong, worse = (self.value(scale * sign, y) for scale in (40.0, -40.0, -80.0))
        base = self.value(sign, y)
        if len(self.shape) == 2 and self.shape[1] > 1 and math.isfinite(wrong) and wrong > base:
            rows = 3.0 * np.arange(1, self.shape[0] + 1)[:, None]
            if self.near(self.value(sign + rows, y), base):
                return True
        return (
            all(map(math.isfinite, (right, wrong, worse, base)))
            and abs(right) < 1e-3 * abs(base)
            and self.near(worse, 2 * wrong, 0.05)
        )

    def is_of_probabilities(self, y: Any, sign: Any) -> bool:
        """Whether the loss is finite and falls towards the target between 0 and 1, and stands still or breaks beyond."""
        half = 0.5 + 0 * sign
        better, worse = (self.value(half + 0.4 * s * sign, y) for s in (1, -1))
        if not (math.isfinite(better) and math.isfinite(worse) and better < worse):
            return False
        outside = [self.value(half - s * sign, y) for s in (1.5, 3.0)]
        return not all(map(math.isfinite, outside)) or self.near(*outside)

    def value(self, output: Any, y: Any) -> float:
        """The loss; nan where it is not one number."""
        with np.errstate(all="ignore"), xg.no_grad():
            found = self.loss(self.tensor(output, self.dtype), self.tensor(y, self.target_dtype))
        return float(found.item()) if isinstance(found, xg.Tensor) and found.shape == () else math.nan

    def tensor(self, values: Any, dtype: Any) -> xg.Tensor:
        made: xg.Tensor = self.backend.view.asarray(values, dtype=dtype)
        return made

    @staticmethod
    def near(one: float, other: float, relative: float = 1e-3) -> bool:
        return abs(one - other) <= relative * max(abs(one), abs(other), 1e-3)
