"""A look at a network: statistics of its activations and its output for given inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import xgrad as xg
from xgrad.backends.host import library as np
from xgrad.diagnose.anomaly import site
from xgrad.diagnose.finite import all_finite
from xgrad.diagnose.network import tensors_in
from xgrad.diagnose.takes import LOGARITHMS, PROBABILITIES
from xgrad.engine.watching import watching
from xgrad.nn.activations import BY_NAME, Activation

FLAT = 0.01  # a slope below this share of its maximum counts as saturated
LINEAR = ("linear", "matmul", "tensordot")


@dataclass
class Activity:
    """The statistics of one activation."""

    activation: type[Activation]
    where: str  # the layer that feeds it
    module: Any  # the module of that layer, or None
    is_output: bool = False
    dead: bool = False  # whether no unit is positive on any sample
    dead_units: float = 0.0  # the share of units that are positive on no sample
    zeros: float = 0.0  # the share of elements that are not positive
    flat: float = 0.0  # the share of slopes that are saturated
    input_std: float = 0.0

    @property
    def kind(self) -> str:
        """The name of the activation."""
        return self.activation.name

    @property
    def idle(self) -> str | None:
        """What is measured: "dead" units, "saturated" slopes (if it is bounded on both sides), or neither."""
        bounded = None not in self.activation.reach
        return self.activation.idle if self.activation.idle == "dead" or bounded else None


@dataclass
class Look:
    """The statistics of a network before the update of a step."""

    step: int
    output: xg.Tensor | None
    activities: list[Activity]
    finite: bool = True
    mean: float = math.nan
    std: float = math.nan
    zero: bool = False  # whether the output is exactly 0 everywhere
    norms: dict[str, float] = field(default_factory=dict)  # the norm of the gradient of each layer
    prediction: list[float] | None = None
    low: float = math.nan  # the least and the largest output
    high: float = math.nan
    sums: str = ""  # "probabilities" if each row of outputs sums to 1, "log-probabilities" if its exponentials do
    loss: float = math.nan  # of the sample
    loss_val: float = math.nan  # of x_val and y_val


class Looker:
    """Measures activations as they run: in modules, in functions, or as `maximum(x, 0)`."""

    def __init__(self, name: Callable[[Any], str]) -> None:
        self.name = name
        self.activities: list[Activity] = []
        self.outputs: list[Any] = []
        self.feeding: Any = None  # the module of the last linear operation
        self.inside: Any = None  # the activation module that runs now
        self.given: Any = None  # its input

    def __call__(self, op: Any, backend: Any, raws: Sequence[Any], y: Any, node: Any) -> None:
        module = site().module
        if isinstance(module, Activation) and module.name:
            if module is self.inside:  # its next operation
                self.outputs[-1] = y
                return
            self.finish(backend)
            self.inside, self.given = module, next((raw for raw in raws if backend.owns(raw)), raws[0])
            self.note(type(module), module, y)
            return
        self.finish(backend)
        if op.name in LINEAR:
            self.feeding = module
            return
        activation = BY_NAME.get("relu" if op.name == "maximum" and any(map(_is_zero, raws)) else op.name)
        if activation is not None:
            self.note(activation, module, y)
            _measure(self.activities[-1], backend, raws[0], y)

    def note(self, activation: type[Activation], module: Any, y: Any) -> None:
        feeding = self.feeding if self.feeding is not None else module
        self.activities.append(Activity(activation, self.name(feeding), feeding))
        self.outputs.append(y)

    def finish(self, backend: Any) -> None:
        """Measure the activation module that has run: its last operation gave the output."""
        if self.inside is not None:
            _measure(self.activities[-1], backend, self.given, self.outputs[-1])
            self.inside = self.given = None


def look(step: int, run: Callable[[], Any], name: Callable[[Any], str]) -> Look:
    """Run the network, unrecorded, and measure its activations and output.

    An output of several tensors, such as a dict of them, has no mean and no standard deviation.
    """
    looker = Looker(name)
    with xg.no_grad(), watching(looker):
        given = run()
        outputs = tensors_in(given)
        if outputs:
            looker.finish(outputs[0].backend)
    for activity, y in zip(looker.activities, looker.outputs, strict=True):
        activity.is_output = any(y is output.data for output in outputs)
    if not isinstance(given, xg.Tensor):
        return Look(step, None, looker.activities, finite=all_finite(outputs))
    output = given
    seen = Look(step, output.detach(), looker.activities)
    backend, xp = output.backend, output.backend.xp

    def host(value: Any) -> Any:
        return backend.to_numpy(value).item()

    data = output.data
    seen.finite = bool(host(xp.all(xp.isfinite(data))))
    if seen.finite and output.size:
        largest = float(host(xp.max(xp.abs(data))))
        seen.zero = largest == 0
        seen.low, seen.high = float(host(xp.min(data))), float(host(xp.max(data)))
        seen.sums = _sums(backend.to_numpy(data))
        scale = largest or 1.0
        seen.mean = scale * float(host(xp.mean(data / scale)))
        seen.std = scale * float(host(xp.std(data / scale)))
    return seen


def _sums(output: Any) -> str:
    """What each row of outputs sums to 1 as."""
    if output.ndim != 2:
        return ""
    with np.errstate(all="ignore"):
        if (output >= 0).all() and np.allclose(output.sum(axis=1), 1, atol=1e-4):
            return PROBABILITIES
        if (output <= 1e-6).all() and np.allclose(np.exp(output.astype(float)).sum(axis=1), 1, atol=1e-4):
            return LOGARITHMS
    return ""


def _measure(activity: Activity, backend: Any, x: Any, y: Any) -> None:
    xp = backend.xp

    def host(value: Any) -> Any:
        return backend.to_numpy(value).item()

    def share(condition: Any) -> float:
        return float(host(xp.mean(xp.astype(condition, y.dtype))))

    if activity.idle == "dead":
        off = y <= 0
        activity.zeros = share(off)
        units = xp.all(xp.reshape(off, (-1, y.shape[-1])) if y.ndim else xp.reshape(off, (1, 1)), axis=0)
        activity.dead_units = share(units)
        activity.dead = activity.activation.dies and activity.dead_units == 1.0
    elif activity.idle == "saturated":
        activity.flat = share(activity.activation.slope(xp, y) < FLAT)
    x = x if backend.owns(x) else backend.asarray(x, dtype=y.dtype)
    largest = float(host(xp.max(xp.abs(x))))
    activity.input_std = largest * float(host(xp.std(x / largest))) if largest and math.isfinite(largest) else largest


def _is_zero(raw: Any) -> bool:
    return isinstance(raw, int | float) and raw == 0
