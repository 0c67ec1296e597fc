"""One step of training: gradients of a batch or of several, the check that they are finite, clipping, and the update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.diagnose.finite import all_finite, is_finite_number
from xgrad.diagnose.hooks import needs_closure
from xgrad.diagnose.keeping import Tensors
from xgrad.engine import trees
from xgrad.trainer.batches import batch_length, mean_loss
from xgrad.trainer.finite import is_finite
from xgrad.trainer.training import Training, in_precision

Batch = tuple[Any, ...]


class Step:
    """Takes steps. After each, `losses` has the loss of each batch, and `outputs` what the model gave, if they are wanted.

    Args:
        trainer: whose model, loss, optimizer and options are used.
        wants_outputs: whether somebody reads `outputs`.
    """

    def __init__(self, trainer: Training, wants_outputs: bool) -> None:
        self.trainer, self.optimizer = trainer, trainer.optimizer
        self.wants_outputs = wants_outputs
        self.checks = trainer.nonfinite != "ignore"
        self.parameters = [p for group in trainer.optimizer.param_groups for p in group.params]
        self.buffers = list(trainer.model.buffers())
        self.adds = getattr(trainer.loss_function, "reduction", "mean") == "sum"
        self.losses: list[Any] = []
        self.outputs: list[Any] = []
        self.scaler = trainer.scaler
        self.overflowed = False  # whether the last step was left out, because scaled gradients overflowed

    def take(self, batches: list[Batch]) -> bool:
        """Take a step with the mean loss of the batches. False if a value is not finite: then no weight or buffer has changed."""
        kept = Tensors(*self.buffers) if self.checks and self.buffers else None
        self.gradients(batches)
        if self.scaler.is_enabled():
            if not self.checks or all_finite(self.losses):
                self.update_scaled(self._clip_and_step)
                return True
        elif self.checks_and_clips():
            self.optimizer.step()
            return True
        if kept is not None:
            kept.restore()
        return False

    def gradients(self, batches: list[Batch]) -> None:
        """Compute the gradients of the mean loss over all samples of the batches."""
        self.optimizer.zero_grad()
        self.outputs.clear()
        if len(batches) == 1:
            loss = self.loss(batches[0])
            self.scaler.scale(loss).backward()
            self.losses = [loss]
            return
        self.losses = []
        sizes = [batch_length(batch) for batch in batches]
        total = sum(sizes)
        for batch, size in zip(batches, sizes, strict=True):
            loss = self.loss(batch)
            self.scaler.scale(loss if self.adds or not size else loss / (total / size)).backward()
            self.losses.append(loss.detach())

    def loss(self, batch: Batch) -> Any:
        """The loss of a batch."""
        loss, output = self.trainer.loss_and_output(batch)
        if self.wants_outputs:
            self.outputs.append(detached(output))
        return loss

    def update_scaled(self, update: Callable[[], None]) -> None:
        """Update the weights with gradients of a scaled loss, or leave the update out if they overflowed, and adapt the scale."""
        scale, scaled = self.scaler.get_scale(), Scaled(self.optimizer, update)
        self.scaler.step(scaled)
        self.scaler.update()
        self.overflowed = self.scaler.get_scale() < scale
        if self.overflowed:
            self.optimizer.zero_grad()

    def _clip_and_step(self) -> None:
        clip(self.parameters, self.trainer.clip_grad_norm, self.trainer.clip_grad_value)
        self.optimizer.step()

    def checks_and_clips(self) -> bool:
        """Clip the gradients as the trainer's options say. False if a loss or a gradient is not finite."""
        if self.checks and not (len(self.losses) == 1 or all_finite(self.losses[:-1])):
            return False
        if self.checks and not is_finite(self.losses[-1], self.parameters):
            return False
        clip(self.parameters, self.trainer.clip_grad_norm, self.trainer.clip_grad_value)
        return True


class Scaled:
    """What a GradScaler takes for an optimizer: one whose step is `update`, which also clips the gradients."""

    def __init__(self, optimizer: Any, update: Callable[[], None]) -> None:
        self.optimizer, self.update = optimizer, update
        self.param_groups = optimizer.param_groups

    def step(self) -> None:
        self.update()

    def note_skip(self) -> None:
        """A schedule need not warn that it comes before the first step."""
        self.optimizer.note_skip()


class CompiledStep(Step):
    """A step whose work is done by programs of `xg.compile`.

    Without the check for values that are not finite, a step is one program. With it there are two: one for the gradients, and
    one for the update, which runs after the check. The gradients of several batches are several calls of the first.
    """

    def __init__(self, trainer: Training, wants_outputs: bool) -> None:
        super().__init__(trainer, wants_outputs)
        self.whole, self.backward, self.update = programs(trainer, self.parameters, wants_outputs)

    def take(self, batches: list[Batch]) -> bool:
        kept = Tensors(*self.buffers) if self.checks and self.buffers else None
        self.outputs.clear()
        if len(batches) == 1 and not self.checks and not self.scaler.is_enabled():
            loss, *outputs = self.whole(*batches[0])
            self.losses, self.outputs = [loss], outputs
            self._computed()
            return True
        self.optimizer.zero_grad()
        self.losses = []
        sizes = [batch_length(batch) for batch in batches]
        total = sum(sizes)
        fine = True
        for batch, size in zip(batches, sizes, strict=True):
            scale = 1.0 if self.adds or not size else total / size
            loss, check, *outputs = self.backward(scale, *batch)
            self.losses.append(loss)
            self.outputs += outputs
            fine = fine and (not self.checks or self._is_fine(loss, check))
        if fine and self.scaler.is_enabled():
            self.update_scaled(self.update)
        elif fine:
            self.update()
        if fine:
            self._computed()
        elif kept is not None:
            kept.restore()
        return fine

    def _is_fine(self, loss: Any, check: Any) -> bool:
        if is_finite_number(loss.backend, check._data):
            return True
        if self.scaler.is_enabled():
            return False
        return all_finite([loss, *(p.grad for p in self.parameters if p.grad is not None)])

    def _computed(self) -> None:
        backend = self.losses[0].backend
        if backend.defers:  # dask would otherwise compute each step again in the next one
            self.optimizer.zero_grad()  # a program has used the gradients
            xg.persist(self.trainer.model, self.optimizer, *self.losses)


def programs(trainer: Training, parameters: list[Any], wants_outputs: bool) -> tuple[Any, Any, Any]:
    """A whole step, the gradients with the checksum, and the update, each as a program.

    The functions see nothing but what they use: before each call, compile looks at all places where they have found tensors.
    """
    model, loss_function, optimizer = trainer.model, trainer.loss_function, trainer.optimizer
    norm, value, own = trainer.clip_grad_norm, trainer.clip_grad_value, None
    precision, scaler = trainer.precision, trainer.scaler
    is_scaled = scaler.is_enabled()
    if trainer.has_own_loss:
        own = trainer.loss_and_output

    def forward(batch: Batch) -> tuple[Any, Any]:
        if own is not None:
            return own(batch)
        with in_precision(precision):
            output = model(*batch[:-1])
            return loss_function(output, batch[-1]), output  # type: ignore[misc]

    def whole(*batch: Any) -> Any:
        optimizer.zero_grad()
        loss, output = forward(batch)
        loss.backward()
        clip(parameters, norm, value)
        optimizer.step()
        return (loss, detached(output)) if wants_outputs else (loss,)

    def backward(scale: float, *batch: Any) -> Any:
        loss, output = forward(batch)
        scaler.scale(loss / scale).backward()
        check = loss.detach()
        for p in parameters:
            if not is_scaled and p.grad is not None:
                check = check + xg.sum(p.grad)
        return (loss, check, detached(output)) if wants_outputs else (loss, check)

    def update() -> None:
        clip(parameters, norm, value)
        optimizer.step()

    return xg.compile(whole), xg.compile(backward, keep_grads=True), xg.compile(update, keep_grads=True)


def clip(parameters: list[Any], norm: float | None, value: float | None) -> None:
    """Clip the gradients by their norm together and by their elements, where these are given."""
    if norm is not None:
        nn.utils.clip_grad_norm_(parameters, norm)
    if value is not None:
        nn.utils.clip_grad_value_(parameters, value)


def detached(output: Any) -> Any:
    """The outputs of a model for the metrics. ValueError where there are none."""
    if output is None:
        raise ValueError("metrics need the model's output: let compute_loss return (loss, output)")
    return trees.map_leaves(lambda each: each.detach(), output)


class ClosureStep(Step):
    """A step of an optimizer that evaluates the loss several times, such as LBFGS."""

    def take(self, batches: list[Batch]) -> bool:
        kept = Tensors(*self.parameters, *self.buffers) if self.checks else None
        first: list[Any] = []

        def closure() -> Any:
            self.gradients(batches)
            fine = self.checks_and_clips()
            if not first:
                first.append((list(self.losses), list(self.outputs)))
                if not fine:
                    raise _NotFiniteError
            return sum(self.losses) if self.adds else mean_loss(self.losses, batches)

        try:
            self.optimizer.step(closure)
        except _NotFiniteError:
            fine = False
        else:
            fine = not self.checks or all_finite(self.parameters)
        self.losses, self.outputs = first[0]
        if not fine and kept is not None:
            kept.restore()
        return fine


class _NotFiniteError(Exception):
    """The loss or a gradient is not finite at the place where a step begins."""


def step_of(trainer: Training, wants_outputs: bool, *, compiled: bool) -> Step:
    """How the trainer's optimizer takes its steps."""
    if needs_closure(trainer.optimizer):
        return ClosureStep(trainer, wants_outputs)
    return (CompiledStep if compiled else Step)(trainer, wants_outputs)
