"""What an optimizer keeps for one parameter from step to step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from xgrad.tensor import Tensor
from xgrad.transfer import transfer

Array = Any


class State(dict[str, Any]):
    """Raw arrays like the parameter, owned by the optimizer, and numbers. A rule reads and writes it as a dict."""

    __slots__ = ("backend", "dtype", "is_complex", "options", "source")

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
        self.source: Mapping[str, Any] | None = None

    def take(self, options: Mapping[str, Any], factors: Collection[str], like: Array) -> None:
        """Keep the options as the rule gets them: those that only meet arrays as the backend is quickest with them."""
        self.source = options
        self.options = {
            name: self.backend.weak(value, like) if name in factors else value for name, value in options.items()
        }


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
