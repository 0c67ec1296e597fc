"""The state of one parameter: its moments and its number of steps, and the layout in which an update works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.engine.transfer import holds, transfer

Array = Any
Part = Callable[..., Any]


NO_SHAPES: Mapping[str, Any] = MappingProxyType({})
IN_BLOCKS: Any = object()  # in the place of a rule that is run on one block of the arrays after the other


class Progress:
    """How far an update in blocks has got: the first block that is to be done, and whether its gradient is in the moments."""

    def __init__(self, p: Array, g: Array, moments: list[Any], flat: list[Any]) -> None:
        self.p, self.g, self.moments, self.flat = p, g, moments, flat
        self.start = 0
        self.rolled = False


class State(dict[str, Any]):
    """A dict of raw arrays of the parameter's shape, which nothing else holds, and of numbers."""

    __slots__ = ("backend", "dtype", "inside", "is_single", "outside", "progress", "rolled", "run", "there")

    def __init__(self, p: Tensor) -> None:
        super().__init__()
        self.place(p)

    @classmethod
    def load(cls, p: Tensor, values: Mapping[str, Any], shapes: Mapping[str, Any] = NO_SHAPES) -> State:
        """The state of `p` from what `export` returned. ValueError for an array that does not fit, with its name.

        `shapes` are those of arrays that are not of the parameter's shape.
        """
        state, xp = cls(p), p.backend.xp
        like = state.inside(xp, p._data) if state.inside is as_float32 else p._data
        for name, value in values.items():
            if isinstance(value, Tensor):
                array = _fitted(name, value, p.backend, like, shapes.get(name, tuple(like.shape)))
                state[name] = as_real(xp, array) if state.inside is as_real else array
            else:
                state[name] = value
        return state

    def export(self) -> dict[str, Any]:
        """The entries, with the arrays copied and wrapped in tensors. Those of a complex parameter are complex."""
        backend = self.backend

        def copied(array: Array) -> Tensor:
            is_complex = self.inside is as_real
            return Tensor(as_complex(backend.xp, array, self.dtype) if is_complex else backend.copy(array), backend)

        return {name: copied(value) if backend.owns(value) else value for name, value in self.items()}

    def follow(self, p: Tensor) -> None:
        """Move the arrays to the current backend, device and dtype of `p`."""
        values = self.export()
        shapes = {name: value.shape for name, value in values.items() if isinstance(value, Tensor)}
        self.update(State.load(p, values, shapes))
        self.place(p)

    def __reduce__(self) -> Any:
        """Pickle the arrays as tensors: these can be pickled on every backend, and return to their device."""
        backend = self.backend
        kept = {
            name: Tensor(backend.copy(value), backend) if backend.owns(value) else value for name, value in self.items()
        }
        return _unpickle, (backend, self.dtype, self.is_single, kept)

    def place(self, p: Tensor) -> None:
        self.place_at(p.backend, p._data.dtype, not p._data.shape)

    def place_at(self, backend: Any, dtype: Any, is_single: bool) -> None:
        self.backend, self.dtype, self.is_single = backend, dtype, is_single
        # `inside` converts p and g for the update, `outside` converts the new p back. None: the update uses p and g directly.
        self.inside: Part | None
        self.outside: Part
        if dtype in backend.complex_dtypes:
            self.inside, self.outside = as_real, as_complex
        elif dtype in backend.narrow_dtypes:
            self.inside, self.outside = as_float32, as_narrow
        else:
            self.inside = None
        self.run: Callable[..., Any] | None = None  # the rule, a kernel made from it by the backend, or IN_BLOCKS
        self.forget()

    def forget(self) -> None:
        """Drop what an unfinished update has left here, so that the next one starts from the beginning."""
        self.rolled: Any = None  # the gradient that has entered the moments but not p
        self.progress: Progress | None = None  # of an update in blocks
        self.there: Any = None  # [gradient, the converted gradient, the new p before it is converted back, or None]

    def keep_arrays(self) -> None:
        """Convert scalars, which some libraries return for operations on 0-d arrays, back to arrays."""
        for name, value in self.items():
            if hasattr(value, "dtype") and not self.backend.owns(value):
                self[name] = self.backend.asarray(value)

    def fuse(self, rule: Any, p: Array) -> Callable[..., Any]:
        """The rule, a kernel that the backend runs instead, or IN_BLOCKS if `p` is too large for the cache."""
        self.run = rule
        for name, value in self.items():  # a compiled step may have put arrays here that show another library's memory
            if self.backend.owns(value) and self.backend.is_read_only(value):
                self[name] = self.backend.copy(value)
        if rule.optimizer.is_elementwise:
            length = self.backend.block_length(p)
            self.run = IN_BLOCKS if length and prod(p.shape) > length else self.backend.fused(rule)
        return self.run


def _unpickle(backend: Any, dtype: Any, is_single: bool, values: Mapping[str, Any]) -> State:
    state = State.__new__(State)
    state.place_at(backend, dtype, is_single)
    for name, value in values.items():
        state[name] = value.data if isinstance(value, Tensor) else value
    return state


def _fitted(name: str, value: Tensor, backend: Any, like: Array, shape: tuple[int, ...]) -> Array:
    """The tensor as a raw array on `backend`, of this shape and the dtype of `like`. ValueError if it does not fit."""
    if value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}, but its parameter needs {shape}")
    if not holds(backend, like.dtype, value.backend, value.dtype):
        raise ValueError(f"{name} is of dtype {value.dtype}, but its parameter needs {like.dtype}")
    return transfer(value.data, value.backend, backend, like.dtype)


def as_real(xp: Any, z: Array) -> Array:
    """The real and the imaginary part along a new first axis. They are updated as separate weights, as in PyTorch."""
    return xp.stack([xp.real(z), xp.imag(z)])


def as_complex(xp: Any, parts: Array, dtype: Any) -> Array:
    """The inverse of `as_real`."""
    z = xp.astype(parts[0, ...], dtype) + 1j * xp.astype(parts[1, ...], dtype)
    return xp.asarray(z)  # a library may give a scalar for a 0-d array


def as_float32(xp: Any, x: Array) -> Array:
    """Half-precision numbers cast to float32: in float16, 1e-8 and the square of 1e-4 are 0."""
    return xp.astype(x, xp.float32)


def as_narrow(xp: Any, x: Array, dtype: Any) -> Array:
    """The inverse of `as_float32`, rounded."""
    return xp.astype(x, dtype)
