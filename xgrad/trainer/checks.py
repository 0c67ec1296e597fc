"""Checks of the first batch: the loss is one number, and compares each output with the target of its own sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import xgrad as xg
from xgrad.engine.watching import watching


class Broadcast:
    """Notices an operation that broadcasts a model's output and its target to a shape that neither of them has."""

    def __init__(self) -> None:
        self.output: Any = None
        self.target: Any = None
        self.found: tuple[int, ...] | None = None

    def __call__(self, op: Any, backend: Any, raws: Sequence[Any], y: Any, node: Any) -> None:
        if self.output is None or self.found is not None:
            return
        shapes = [tuple(raw.shape) for raw in raws if hasattr(raw, "shape")]
        pair = (tuple(self.output.shape), tuple(self.target.shape))
        if len(shapes) == 2 and pair in (tuple(shapes), tuple(reversed(shapes))) and tuple(y.shape) not in shapes:
            self.found = tuple(y.shape)


@contextmanager
def checked(loss: Any) -> Iterator[Any]:
    """Yields the loss function, watched. ValueError at the end of the block if it has broadcast output against target."""
    looker = Broadcast()

    def watched(output: Any, target: Any) -> Any:
        if not (isinstance(output, xg.Tensor) and isinstance(target, xg.Tensor)):  # several outputs, or targets
            return loss(output, target)
        looker.output, looker.target = output, target
        with watching(looker):
            return loss(output, target)

    yield watched
    if looker.found is not None:
        raise ValueError(broadcast_message(tuple(looker.output.shape), tuple(looker.target.shape), looker.found))


def broadcast_message(output: tuple[int, ...], target: tuple[int, ...], both: tuple[int, ...]) -> str:
    """What is wrong with these shapes, and the fix."""
    if len(output) == len(target) + 1 and output[-1] == 1:
        fix = "give the target an axis at its end, y = y[:, None], or take the model's away, as nn.Flatten(0) does"
    elif len(target) == len(output) + 1 and target[-1] == 1:
        fix = "take the last axis of the target away, y = y[:, 0], or let the model end with as many axes"
    else:
        fix = "give both the same shape"
    return (
        f"the model's output has shape {output} and the target {target}: the loss broadcasts them to {both}, so that it compares "
        f"outputs with the targets of other samples. Fix: {fix}"
    )


def check_loss(loss: Any) -> None:
    """TypeError or ValueError if this is not one number with a gradient."""
    if not isinstance(loss, xg.Tensor):
        raise TypeError(
            f"the loss is a {type(loss).__name__}, not a tensor: compute it with xgrad's functions, without .item() or .numpy()"
        )
    if loss.shape != ():
        raise ValueError(
            f'the loss has shape {loss.shape}; training needs one number: take its mean (reduction="mean" in the losses of nn)'
        )
    if not loss.requires_grad:
        raise ValueError(
            "the loss requires no gradient: it does not depend on a parameter that is trained (detach(), no_grad(), or "
            "requires_grad_(False) somewhere before it?)"
        )
