"""What an optimizer keeps for one parameter from step to step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any

from xgrad.tensor import Tensor
from xgrad.transfer import transfer

Array = Any
Rule = Callable[..., Any]


class State(dict[str, Any]):
    """Raw arrays like the parameter, owned by the optimizer, and numbers. A rule reads and writes it as a dict."""

    __slots__ = ("backend", "dtype", "is_complex", "is_single", "options", "rules", "source")

    def __init__(self, p: Tensor) -> None:
        super().__init__()
        self.place(p)

    @classmethod
    def load(cls, p: Tensor, values: Mapping[str, Any]) -> State:
        """The state that `export` gave, for `p`; ValueError for an array of another shape."""
        state = cls(p)
        like = as_real(p.backend.xp, p.data) if state.is_complex else p.data
        shape = tuple(like.shape)
        for name, value in values.items():
            if name == "step":
                state[name] = int(value)
            elif not isinstance(value, Tensor):
                state[name] = value
            elif value.shape != shape:
                raise ValueError(f"the loaded {name} has shape {value.shape}, but its parameter needs {shape}")
            else:
                state[name] = transfer(value.data, value.backend, p.backend, like.dtype)
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
        self.backend, self.dtype = p.backend, p.data.dtype
        self.is_complex: bool = p.backend.xp.isdtype(self.dtype, "complex floating")
        self.is_single = not p.data.shape
        self.source: Mapping[str, Any] | None = None
        self.rules: dict[Any, Any] = {}

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


def fused(state: MutableMapping[str, Any], rule: Rule) -> Rule:
    """The rule, as the backend of the state runs it best: on a GPU as one kernel, elsewhere as it stands.

    `rule(xp, (p, g, *kept), numbers, flags)` gives the new p and the new values of what was kept, in the same order. It is
    elementwise; numbers may differ from step to step, and a flag decides what is computed at all. It allocates all that it needs
    before it writes into p, and writes into nothing else, so that an update which runs out of memory has changed nothing.
    """
    if type(state) is not State:  # on xgrad's own namespace, to be differentiated
        return rule
    found: Rule | None = state.rules.get(rule)
    if found is None:
        found = state.rules[rule] = state.backend.fused(rule)
    return found


def kept(xp: Any, state: MutableMapping[str, Any], name: str, p: Array) -> Array:
    """The array of that name, zeros like `p` at first."""
    array = state.get(name)
    if array is None:
        array = state[name] = xp.zeros_like(p)
    return array


def as_real(xp: Any, z: Array) -> Array:
    """The real and the imaginary part, along a new first axis."""
    return xp.stack([xp.real(z), xp.imag(z)])


def as_complex(xp: Any, parts: Array, dtype: Any) -> Array:
    """The inverse of `as_real`."""
    return xp.astype(parts[0, ...], dtype) + 1j * xp.astype(parts[1, ...], dtype)
