"""What an optimizer keeps for one parameter from step to step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.engine.transfer import holds, transfer

Array = Any
Part = Callable[..., Any]


class State(dict[str, Any]):
    """Raw arrays like the parameter, owned by the optimizer, and numbers. A rule reads and writes it as a dict."""

    __slots__ = ("backend", "dtype", "inside", "is_single", "options", "outside", "rolled", "rules", "source", "there")

    def __init__(self, p: Tensor) -> None:
        super().__init__()
        self.place(p)

    @classmethod
    def load(cls, p: Tensor, values: Mapping[str, Any]) -> State:
        """The state that `export` gave, for `p`; ValueError, which names it, for an array that does not fit."""
        state = cls(p)
        like = p._data if state.inside is None else state.inside(p.backend.xp, p._data)
        for name, value in values.items():
            if isinstance(value, Tensor):
                state[name] = _fitted(name, value, p.backend, like)
            else:
                state[name] = value
        return state

    def export(self) -> dict[str, Any]:
        """Copies of the arrays, as tensors, and the numbers."""
        backend = self.backend
        return {
            name: Tensor(backend.copy(value), backend) if backend.owns(value) else value for name, value in self.items()
        }

    def follow(self, p: Tensor) -> None:
        """Move to where `p` is now: another backend, device or dtype."""
        self.update(State.load(p, self.export()))
        self.place(p)

    def place(self, p: Tensor) -> None:
        self.backend, self.dtype = p.backend, p._data.dtype
        # What the rule works with in place of p and g, and how a new p comes back from there; None where it works with them.
        self.inside: Part | None
        self.outside: Part
        if self.dtype in p.backend.complex_dtypes:
            self.inside, self.outside = as_real, as_complex
        elif self.dtype in p.backend.narrow_dtypes:
            self.inside, self.outside = as_float32, as_narrow
        else:
            self.inside = None
        self.is_single = not p._data.shape
        self.source: Mapping[str, Any] | None = None
        self.rules: dict[Rule, Callable[..., Any]] = {}
        self.forget()

    def forget(self) -> None:
        """Begin the next update anew, whatever came of the last."""
        self.rolled: Any = None  # the gradient that what is kept has seen already, and p has not
        self.there: Any = None  # [gradient, what is `inside` for it, the new p there once it is known]

    def keep_arrays(self) -> None:
        """Make arrays again of what a library computed on 0-d arrays and gave as scalars."""
        for name, value in self.items():
            if hasattr(value, "dtype") and not self.backend.owns(value):
                self[name] = self.backend.asarray(value)

    def take(self, options: Mapping[str, Any], factors: Collection[str], like: Array) -> None:
        """Keep the options as the rule gets them: those that only meet arrays as the backend is quickest with them."""
        self.source = options
        self.options = {
            name: self.backend.weak(value, like) if name in factors else value for name, value in options.items()
        }


def _fitted(name: str, value: Tensor, backend: Any, like: Array) -> Array:
    """The tensor as a raw array like `like`."""
    if value.shape != tuple(like.shape):
        raise ValueError(f"{name} has shape {value.shape}, but its parameter needs {tuple(like.shape)}")
    if not holds(backend, like.dtype, value.backend, value.dtype):
        raise ValueError(f"{name} is of dtype {value.dtype}, but its parameter needs {like.dtype}")
    return transfer(value.data, value.backend, backend, like.dtype)


class Rule:
    """An elementwise rule in two parts, each `part(xp, (p, g, *kept), numbers, flags)`.

    `roll` moves on what is kept from step to step and gives its new values; `descend` gives the new p, and then the new values of
    those that it moves on itself: the last of what is kept. Numbers may differ from step to step; a flag decides what is computed
    at all. Each part allocates all that it needs before it writes into an array, so that running out of memory finds either
    nothing of it done or all.
    """

    def __init__(self, roll: Part | None, descend: Part) -> None:
        self.roll = roll
        self.descend = descend

    def __call__(self, xp: Any, arrays: tuple[Array, ...], numbers: Any, flags: Any) -> tuple[Array, ...]:
        """The new p and the new values of all that is kept: the whole rule, as a backend may make one kernel of it."""
        p, g, *before = arrays
        rolled = self.roll(xp, arrays, numbers, flags) if self.roll else ()
        kept = (*rolled, *before[len(rolled) :])
        p, *late = self.descend(xp, (p, g, *kept), numbers, flags)
        return p, *kept[: len(kept) - len(late)], *late


def follow_rule(
    xp: Any,
    rule: Rule,
    p: Array,
    g: Array,
    state: MutableMapping[str, Any],
    names: tuple[str, ...],
    numbers: Any,
    flags: Any,
) -> Array:
    """The new p; what is kept under these names is moved on.

    Where a backend makes no kernel of the rule, its parts run one after the other. If memory runs out in between, the state
    remembers the gradient that has been rolled, so that it is not rolled again.
    """
    if type(state) is not State:  # on xgrad's own namespace, to be differentiated
        run: Callable[..., Any] = rule
    else:
        run = state.rules.get(rule) or state.rules.setdefault(rule, state.backend.fused(rule))
        if run is rule and rule.roll is None:
            return rule.descend(xp, (p, g), numbers, flags)[0]
    kept = [xp.zeros_like(p) if array is None else array for array in map(state.get, names)]
    if run is not rule or type(state) is not State:
        p, *after = run(xp, (p, g, *kept), numbers, flags)
        state.update(zip(names, after, strict=True))
        return p
    if rule.roll is not None and state.rolled is not g:
        for i, value in enumerate(rule.roll(xp, (p, g, *kept), numbers, flags)):
            kept[i] = state[names[i]] = value
        state.rolled = g
    p, *late = rule.descend(xp, (p, g, *kept), numbers, flags)
    if late:
        state.update(zip(names[-len(late) :], late, strict=True))
    state.rolled = None
    return p


def as_real(xp: Any, z: Array) -> Array:
    """The real and the imaginary part, along a new first axis: they are weights of their own, as in PyTorch."""
    return xp.stack([xp.real(z), xp.imag(z)])


def as_complex(xp: Any, parts: Array, dtype: Any) -> Array:
    """The inverse of `as_real`."""
    return xp.astype(parts[0, ...], dtype) + 1j * xp.astype(parts[1, ...], dtype)


def as_float32(xp: Any, x: Array) -> Array:
    """Half-precision numbers in float32: in their own dtype 1e-8 is 0, and so is the square of 1e-4."""
    return xp.astype(x, xp.float32)


def as_narrow(xp: Any, x: Array, dtype: Any) -> Array:
    """The inverse of `as_float32`, rounded."""
    return xp.astype(x, dtype)
