"""What an optimizer keeps for one parameter from step to step: moments, and the number of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.engine.transfer import holds, transfer

Array = Any
Part = Callable[..., Any]


class State(dict[str, Any]):
    """Raw arrays like the parameter, owned by the optimizer, and numbers. An update reads and writes it as a dict."""

    __slots__ = ("backend", "dtype", "inside", "is_single", "outside", "rolled", "run", "there")

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

    def __reduce__(self) -> Any:
        """Arrays as tensors: these can be pickled where the library's arrays cannot, and come back to their device."""
        return _unpickle, (self.backend, self.dtype, self.is_single, self.export())

    def place(self, p: Tensor) -> None:
        self.place_at(p.backend, p._data.dtype, not p._data.shape)

    def place_at(self, backend: Any, dtype: Any, is_single: bool) -> None:
        self.backend, self.dtype, self.is_single = backend, dtype, is_single
        # What the update works with in place of p and g, and how a new p comes back from there; None where it works with them.
        self.inside: Part | None
        self.outside: Part
        if dtype in backend.complex_dtypes:
            self.inside, self.outside = as_real, as_complex
        elif dtype in backend.narrow_dtypes:
            self.inside, self.outside = as_float32, as_narrow
        else:
            self.inside = None
        self.run: Callable[..., Any] | None = None  # the rule, or the kernel that the backend makes of it
        self.forget()

    def forget(self) -> None:
        """Begin the next update anew, whatever came of the last."""
        self.rolled: Any = None  # the gradient that the moments hold already, and p does not
        self.there: Any = None  # [gradient, what is `inside` for it, the new p there once it is known]

    def keep_arrays(self) -> None:
        """Make arrays again of what a library computed on 0-d arrays and gave as scalars."""
        for name, value in self.items():
            if hasattr(value, "dtype") and not self.backend.owns(value):
                self[name] = self.backend.asarray(value)

    def fuse(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """The rule, or what the backend runs in its place."""
        self.run = self.backend.fused(rule)
        return self.run


def _unpickle(backend: Any, dtype: Any, is_single: bool, values: Mapping[str, Any]) -> State:
    state = State.__new__(State)
    state.place_at(backend, dtype, is_single)
    for name, value in values.items():
        state[name] = value.data if isinstance(value, Tensor) else value
    return state


def _fitted(name: str, value: Tensor, backend: Any, like: Array) -> Array:
    """The tensor as a raw array like `like`."""
    if value.shape != tuple(like.shape):
        raise ValueError(f"{name} has shape {value.shape}, but its parameter needs {tuple(like.shape)}")
    if not holds(backend, like.dtype, value.backend, value.dtype):
        raise ValueError(f"{name} is of dtype {value.dtype}, but its parameter needs {like.dtype}")
    return transfer(value.data, value.backend, backend, like.dtype)


def as_real(xp: Any, z: Array) -> Array:
    """The real and the imaginary part, along a new first axis: they are weights of their own, as in PyTorch."""
    return xp.stack([xp.real(z), xp.imag(z)])


def as_complex(xp: Any, parts: Array, dtype: Any) -> Array:
    """The inverse of `as_real`."""
    z = xp.astype(parts[0, ...], dtype) + 1j * xp.astype(parts[1, ...], dtype)
    return xp.asarray(z)  # a library may give a scalar for a 0-d array


def as_float32(xp: Any, x: Array) -> Array:
    """Half-precision numbers in float32: in their own dtype 1e-8 is 0, and so is the square of 1e-4."""
    return xp.astype(x, xp.float32)


def as_narrow(xp: Any, x: Array, dtype: Any) -> Array:
    """The inverse of `as_float32`, rounded."""
    return xp.astype(x, dtype)
