"""`GradScaler`: keeps the gradients of float16 from underflow, and leaves steps out whose gradients overflowed."""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Mapping
from contextvars import Context
from typing import Any

from xgrad.amp.autocast import raised
from xgrad.amp.gradients import are_finite, unscale
from xgrad.backends.base import Backend
from xgrad.engine import tracing
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import map_leaves

log = logging.getLogger("xgrad")

MANY = 20  # steps left out in a row: a scale that only has to find its size needs fewer
CAUSES = (
    "Likely causes: the loss itself is infinite or nan (look for log(0), a division by 0, or data that is not finite); the "
    "learning rate is so high that the training diverges in float32, too; or activations leave the range of float16, up to "
    "65504: then compute that part under autocast(enabled=False), or use bfloat16"
)
READY, UNSCALED, STEPPED = "ready", "unscaled", "stepped"


class GradScaler:
    """Multiply a loss by a large number before backward(), so that small gradients do not become 0 in float16.

    The gradients are divided by the same number before the step. If one of them is infinite or nan, the step is left out, and the
    scale is made smaller. After `growth_interval` steps without this, it is made larger. Nothing of this is needed for bfloat16,
    which has the range of float32, but it does no harm there.

    A step that is left out is logged with the level INFO to the logger "xgrad". There is one WARNING for a scale below 1, and one
    for 20 such steps in a row.

    >>> import xgrad as xg
    >>> layer = xg.nn.Linear(3, 1, dtype="float32", rng=xg.random.Generator(0))
    >>> optimizer = xg.optim.SGD(layer.parameters(), lr=0.1)
    >>> scaler = xg.amp.GradScaler(init_scale=1024.0)
    >>> x, y = xg.ones((4, 3), dtype="float32"), xg.zeros((4, 1), dtype="float32")
    >>> for _ in range(50):
    ...     optimizer.zero_grad()
    ...     with xg.amp.autocast(dtype="float16"):
    ...         loss = xg.nn.functional.mse_loss(layer(x), y)
    ...     scaler.scale(loss).backward()
    ...     scaler.unscale_(optimizer)  # only needed for what looks at gradients, such as clipping
    ...     norm = xg.nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
    ...     scaler.step(optimizer)
    ...     scaler.update()
    >>> loss.item() < 1e-3, scaler.get_scale()
    (True, 1024.0)

    In a function that `xg.compile` compiles, `scale(loss).backward()` works, and the scale is read anew in each call. The other
    methods look at values, and belong outside of it; give compile `keep_grads=True`.

    Args:
        init_scale: the scale at first, more than 0.
        growth_factor: by what the scale is multiplied when it grows, more than 1.
        backoff_factor: by what it is multiplied after a step that was left out, more than 0 and less than 1.
        growth_interval: after how many good steps in a row it grows, 1 or more.
        enabled: False lets `scale` return what it gets, `step` call the optimizer's step, and the others do nothing.

    Raises:
        ValueError: for a number out of its range.

    https://docs.pytorch.org/docs/stable/amp.html#torch.amp.GradScaler
    """

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._enabled = bool(enabled)
        _check("init_scale", "positive and finite", init_scale, 0 < init_scale < math.inf)
        self.set_growth_factor(growth_factor)
        self.set_backoff_factor(backoff_factor)
        self.set_growth_interval(growth_interval)
        self._scale = _single(init_scale)
        self._growth_tracker = 0
        self._is_used = False  # whether scale() was called, or a state was loaded
        self._factors: dict[tuple[str, str], Tensor] = {}  # the scale as a tensor, on each backend
        self._stages: dict[int, str] = {}  # by the id of an optimizer
        self._finite: dict[int, list[Tensor]] = {}  # whether its gradients are finite: a 0-d tensor for each backend
        self._found: dict[int, bool] = {}  # the same, read
        self._skipped = 0  # steps left out, in a row
        self._warned: set[str] = set()

    # --- a step

    def scale(self, outputs: Any) -> Any:
        """The outputs, times the scale. Those of half precision become float32.

        Args:
            outputs: a tensor, such as a loss, or a tuple, list or dict of tensors.

        Raises:
            TypeError: for anything else.
        """
        if not self._enabled:
            return outputs
        self._is_used = True
        return map_leaves(self._scaled, outputs)

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of the optimizer's parameters by the scale, once. `step` does it where it was not done.

        Raises:
            RuntimeError: where it was done already since the last `update`, after `step`, and before any `scale`.
            ValueError: for gradients of float16: the small ones would become 0.
        """
        if not self._enabled:
            return
        self._begin("unscale_")
        stage = self._stages.get(id(optimizer), READY)
        if stage == UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update()")
        if stage == STEPPED:
            raise RuntimeError("unscale_() is being called after step(): call it before, then update() once")
        self._finite[id(optimizer)] = unscale(optimizer, 1.0 / self._scale)
        self._stages[id(optimizer)] = UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Take the optimizer's step, unless a gradient is infinite or nan. It waits for the device once.

        Args:
            optimizer: the optimizer, whose gradients come from a loss that was scaled.
            args, kwargs: for its `step`. It cannot be a closure, which would compute other gradients.

        Returns:
            What the optimizer's step returns; None if it was left out.

        Raises:
            RuntimeError: for a second call without `update` in between, for a closure, for parameters without any gradient,
                and before any `scale`.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if args or kwargs.get("closure") is not None:
            raise RuntimeError("GradScaler.step takes no closure: it would compute gradients that are not checked")
        self._begin("step")
        if self._stages.get(id(optimizer)) == STEPPED:
            raise RuntimeError("step() has already been called since the last update()")
        if self._stages.get(id(optimizer), READY) == READY:
            self.unscale_(optimizer)
        finite = self._finite[id(optimizer)]
        if not finite:
            raise RuntimeError(
                f"GradScaler.step: no parameter of this {type(optimizer).__name__} has a gradient. "
                "Call scaler.scale(loss).backward() first"
            )
        self._stages[id(optimizer)] = STEPPED
        if self._read(optimizer):
            self._skipped = 0
            return optimizer.step(**kwargs)
        note = getattr(optimizer, "note_skip", None)
        if note is not None:
            note()
        self._say_skipped(optimizer)
        return None

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapt the scale, after the steps of all optimizers.

        Args:
            new_scale: the scale from now on, a number or a tensor of one element; None for one by the rules.

        Raises:
            RuntimeError: where no optimizer was stepped or unscaled, and before any `scale`.
            ValueError: for a `new_scale` that is not positive and finite.
        """
        if not self._enabled:
            return
        self._begin("update")
        if new_scale is not None:
            value = float(new_scale.detach().item() if isinstance(new_scale, Tensor) else new_scale)
            _check("new_scale", "positive and finite", value, 0 < value < math.inf)
            self._put(value)
        elif not any(self._finite.values()):
            raise RuntimeError(
                "GradScaler.update: no gradients were checked since the last update(); call step() first"
            )
        elif all(self._read(key) for key in self._finite):
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._growth_tracker = 0
                if math.isfinite(grown := _single(self._scale * self._growth_factor)):
                    self._put(grown)
        else:
            self._growth_tracker = 0
            self._put(self._scale * self._backoff_factor)
            if self._scale < 1:
                self._warn("scale", f"the scale of the gradients fell to {self._scale:g}")
        self._stages, self._finite, self._found = {}, {}, {}

    # --- what it is made of

    def get_scale(self) -> float:
        """The scale; 1.0 if this scaler is not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """By what the scale is multiplied when it grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set it to a number more than 1. Raises ValueError for another."""
        _check("growth_factor", "more than 1", new_factor, new_factor > 1)
        self._growth_factor = float(new_factor)

    def get_backoff_factor(self) -> float:
        """By what the scale is multiplied after a step that was left out."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set it to a number between 0 and 1. Raises ValueError for another."""
        _check("backoff_factor", "between 0 and 1", new_factor, 0 < new_factor < 1)
        self._backoff_factor = float(new_factor)

    def get_growth_interval(self) -> int:
        """After how many good steps in a row the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set it to an integer, 1 or more. Raises ValueError for another."""
        _check("growth_interval", "an integer, 1 or more", new_interval, type(new_interval) is int and new_interval > 0)
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The scale and the rest of the state, with PyTorch's names; an empty dict if this scaler is not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state that `state_dict()` returned, of this class or of PyTorch's.

        Raises:
            RuntimeError: for an empty state, which is that of a scaler that was not enabled.
            ValueError: for missing or other names, and for numbers out of their range. Nothing has changed then.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "GradScaler.load_state_dict: the state is empty: it was saved from a scaler with enabled=False"
            )
        names = set(self.state_dict())
        if set(state_dict) != names:
            raise ValueError(
                f"GradScaler.load_state_dict: expected {sorted(names)}, got {sorted(map(str, state_dict))}"
            )
        other = GradScaler(
            *(state_dict[name] for name in ("scale", "growth_factor", "backoff_factor", "growth_interval"))
        )
        tracker = state_dict["_growth_tracker"]
        _check("_growth_tracker", "an integer, 0 or more", tracker, type(tracker) is int and tracker >= 0)
        self._growth_factor, self._backoff_factor = other._growth_factor, other._backoff_factor
        self._growth_interval, self._growth_tracker = other._growth_interval, tracker
        self._is_used = True
        self._put(other._scale)

    def __repr__(self) -> str:
        return f"GradScaler(scale={self._scale:g})" if self._enabled else "GradScaler(enabled=False)"

    # --- inside

    def _begin(self, name: str) -> None:
        trace = tracing.current()
        if trace is not None:
            trace.refuse(
                f"GradScaler.{name} looks at the values of the gradients",
                "Compile the part up to scale(loss).backward(), with keep_grads=True, and call it after that",
            )
        if not self._is_used:
            raise RuntimeError(
                f"GradScaler.{name} before any scale(): the gradients are those of a loss that was not scaled. "
                "Call scaler.scale(loss).backward()"
            )

    def _scaled(self, output: Any) -> Tensor:
        if not isinstance(output, Tensor):
            raise TypeError(
                f"GradScaler.scale takes tensors, and tuples, lists and dicts of these, got {type(output).__name__}"
            )
        backend = output.backend
        place = backend.name, backend.device_name
        factor = self._factors.get(place)
        if factor is None:
            # In a function that is being compiled, a tensor that is made there is a constant. This one is made outside.
            factor = self._factors[place] = Context().run(_number, self._scale, place)
        scaled: Tensor = raised(output) * factor
        return scaled

    def _put(self, scale: float) -> None:
        self._scale = _single(scale)
        for factor in self._factors.values():
            backend = factor.backend
            factor.data = backend.asarray(self._scale, dtype=factor.dtype)

    def _read(self, optimizer: Any) -> bool:
        """Whether all gradients of an optimizer, or of the id of one, are finite."""
        key = optimizer if isinstance(optimizer, int) else id(optimizer)
        if key not in self._found:
            self._found[key] = are_finite(self._finite[key])
        return self._found[key]

    def _say_skipped(self, optimizer: Any) -> None:
        self._skipped += 1
        name, scale = type(optimizer).__name__, self._scale
        log.info(
            "GradScaler: a step of %s was left out, because a gradient is infinite or nan; the scale is %g", name, scale
        )
        if self._skipped >= MANY:
            self._warn("skipped", f"{self._skipped} steps in a row were left out; the scale is {scale:g}")

    def _warn(self, what: str, message: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            log.warning("GradScaler: %s. %s.", message, CAUSES)


def _number(value: float, place: tuple[str, str]) -> Tensor:
    """A number as a 0-d tensor of float32, on the backend and device of these names."""
    backend = Backend.load(*place)
    return wrap(backend.asarray(value, dtype=backend.as_dtype("float32")), backend)


def _check(name: str, range: str, value: Any, fits: bool) -> None:
    if not fits:
        raise ValueError(f"GradScaler: {name} must be {range}, got {value!r}")


def _single(value: float) -> float:
    """The number in float32, in which PyTorch holds the scale; inf if it is too large."""
    try:
        found: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return math.inf
    return found
