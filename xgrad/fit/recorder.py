"""Records the curves, losses and norms of a run while it trains, at little cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.fit.network import Layer
from xgrad.fit.record import LayerTrace, Record, Stage
from xgrad.fit.samples import Scale

BLOCK = 256  # losses that are kept on the device and fetched together
SHOWN = 1000  # at most, points of a learned curve that are kept


class Recorder:
    """Call `step` between the backward pass and the update of each step, and `finish` after the last step."""

    def __init__(
        self,
        record: Record,
        model: nn.Sequential,
        layers: Sequence[Layer],
        x: xg.Tensor,
        y_scale: Scale,
        every: int,
    ) -> None:
        self.record = record
        self.model = model
        self.layers = layers
        self.x = x
        self.y_scale = y_scale
        self.every = every
        self.waiting: list[xg.Tensor] = []
        self.fetched = 0  # the number of losses in the record
        order = sorted(range(len(record.x)), key=record.x.__getitem__)
        count = min(len(order), SHOWN)
        last = max(1, count - 1)
        self.places = [order[k * (len(order) - 1) // last] for k in range(count)]
        record.shown_x = [record.x[place] for place in self.places]
        record.layers = [LayerTrace(layer.name, layer.idle) for layer in layers]

    def step(self, step: int, loss: xg.Tensor, output: xg.Tensor) -> None:
        """Record a step. `loss` was computed from `output`."""
        self.take(loss)
        if self.looks_at(step):
            with xg.no_grad():
                again = self._forward()
                # if every step uses all points, draw the output from which the loss was computed
                self._add_stage(step, again if self.record.batch else output)
                self._look_at_gradients()
            self.record.sampled.append(step)

    def take(self, loss: xg.Tensor) -> None:
        """Record the loss of a step."""
        self.waiting.append(loss.detach())
        if len(self.waiting) == BLOCK:
            self._fetch()

    def looks_at(self, step: int) -> bool:
        """Whether the curve and the layers are recorded in this step."""
        return step % self.every == 0 or _is_round(step)

    def taken(self) -> int:
        """The number of steps so far."""
        return self.fetched + len(self.waiting)

    def finish(self) -> list[float]:
        """Record the last curve, and return the prediction at all points in the units of the data."""
        self._fetch()
        self._cut()
        with xg.no_grad():
            return self._add_stage(len(self.record.loss), self.model(self.x))

    def _fetch(self) -> None:
        """Move the waiting losses to the record. If it is interrupted, no loss is lost, and the next call adds none twice."""
        if self.waiting:
            losses = xg.stack(self.waiting).numpy().tolist()
            self.record.loss[self.fetched :] = losses
            self.fetched += len(losses)
            self.waiting.clear()

    def _cut(self) -> None:
        """Remove what an interrupted step has added to some of the lists and not to the others."""
        del self.record.loss[self.fetched :]
        count = len(self.record.sampled)
        del self.record.stages[count:]
        for trace in self.record.layers:
            del trace.gradient_norm[count:], trace.share[count:]

    def _add_stage(self, step: int, output: xg.Tensor) -> list[float]:
        prediction = self.y_scale.to_data(output.numpy()[:, 0].tolist())
        self.record.stages.append(Stage(step, [prediction[place] for place in self.places]))
        return prediction

    def _look_at_gradients(self) -> None:
        norms = [_norm([p.grad for p in layer.linear.parameters()]) for layer in self.layers]
        for trace, norm in zip(self.record.layers, xg.stack(norms).numpy().tolist(), strict=True):
            trace.gradient_norm.append(norm)

    def _forward(self) -> xg.Tensor:
        """The output of the model at all points. Hooks record the idle shares of its activations."""
        hooks = [
            layer.last.register_forward_hook(_watcher(layer, trace))
            for layer, trace in zip(self.layers, self.record.layers, strict=True)
            if layer.idle
        ]
        try:
            output: xg.Tensor = self.model(self.x)
        finally:
            for hook in hooks:
                hook.remove()
        return output


def _is_round(step: int) -> bool:
    """Whether a step is always sampled: 0, 1, ..., 9, 10, 20, ..., 90, 100, 200, ....

    The first steps decide a run, and the axis of the picture is logarithmic.
    """
    return not str(step)[1:].strip("0")


def _watcher(layer: Layer, trace: LayerTrace) -> Callable[[Any, Any, xg.Tensor], None]:
    """A hook that records the share of units or slopes that are idle; nan if an output is not finite."""

    def watch(module: Any, inputs: Any, output: xg.Tensor) -> None:
        trace.share.append(layer.idle_share(output) if xg.all(xg.isfinite(output)) else math.nan)

    return watch


def _norm(gradients: Sequence[xg.Tensor | None]) -> xg.Tensor:
    """The Euclidean norm of all elements, scaled so that no square overflows."""
    flat = xg.concat([xg.reshape(g, (-1,)) for g in gradients if g is not None])
    largest = xg.max(xg.abs(flat))
    scale = xg.where(largest > 0, largest, xg.ones_like(largest))
    norm: xg.Tensor = scale * xg.sqrt(xg.sum(xg.square(flat / scale)))
    return norm
