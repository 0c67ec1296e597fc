"""Watches a training run and keeps what is to be drawn, at little cost to the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.fit.network import Layer
from xgrad.fit.record import LayerTrace, Record, Stage
from xgrad.fit.samples import Scale

BLOCK = 256  # losses kept on the device before they are fetched together
SHOWN = 1000  # points of a curve that are kept, where there are more


class Recorder:
    """Call `step` between a step's backward and its update, and `finish` after the last one."""

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
        self.fetched = 0  # how many losses the record has
        order = sorted(range(len(record.x)), key=record.x.__getitem__)
        count = min(len(order), SHOWN)
        last = max(1, count - 1)
        self.places = [order[k * (len(order) - 1) // last] for k in range(count)]
        record.shown_x = [record.x[place] for place in self.places]
        record.layers = [LayerTrace(layer.name, layer.idle) for layer in layers]

    def step(self, step: int, loss: xg.Tensor, output: xg.Tensor) -> None:
        """`output` is what `loss` was computed from."""
        self.waiting.append(loss.detach())
        if len(self.waiting) == BLOCK:
            self._fetch()
        if step % self.every == 0 or _is_round(step):
            with xg.no_grad():
                again = self._forward()
                # where every step sees all points, what is drawn is the very output of training
                self._add_stage(step, again if self.record.batch else output)
                self._look_at_gradients()
            self.record.sampled.append(step)

    def taken(self) -> int:
        """How many steps were taken."""
        return self.fetched + len(self.waiting)

    def finish(self) -> list[float]:
        """Add the last curve. Returns the prediction at all points, in the data's own units."""
        self._fetch()
        self._cut()
        with xg.no_grad():
            return self._add_stage(len(self.record.loss), self.model(self.x))

    def _fetch(self) -> None:
        """Broken off anywhere, it has lost no loss, and the next call keeps none twice."""
        if self.waiting:
            losses = xg.stack(self.waiting).numpy().tolist()
            self.record.loss[self.fetched :] = losses
            self.fetched += len(losses)
            self.waiting.clear()

    def _cut(self) -> None:
        """Drop what a step that was broken off has left in one list and not in the others."""
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
        """The model at all points; what its activations put out is looked at in passing."""
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
    """Whether a step is sampled in any case: 0 to 9, 10 to 90 by ten, 100 to 900 by a hundred ...

    Runs are decided in their first steps, and drawn over the logarithm of the step.
    """
    return not str(step)[1:].strip("0")


def _watcher(layer: Layer, trace: LayerTrace) -> Callable[[Any, Any, xg.Tensor], None]:
    """A hook that records the share of units or slopes that are idle; nan if an output is not finite."""

    def watch(module: Any, inputs: Any, output: xg.Tensor) -> None:
        trace.share.append(layer.idle_share(output) if xg.all(xg.isfinite(output)) else math.nan)

    return watch


def _norm(gradients: Sequence[xg.Tensor | None]) -> xg.Tensor:
    """The Euclidean norm of all elements; scaled, since a square may overflow where it does not."""
    flat = xg.concat([xg.reshape(g, (-1,)) for g in gradients if g is not None])
    largest = xg.max(xg.abs(flat))
    scale = xg.where(largest > 0, largest, xg.ones_like(largest))
    norm: xg.Tensor = scale * xg.sqrt(xg.sum(xg.square(flat / scale)))
    return norm
