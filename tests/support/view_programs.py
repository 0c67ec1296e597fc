"""Random programs that write through views, with NumPy's own memory as the oracle.

A `Dual` has a value and its derivative by all inputs, both NumPy arrays. A view in NumPy is a view of both, so a write changes
the values and the derivatives of all arrays that share the memory. `draw` makes a program, a list of steps, by running it on the
oracle; `replay` runs the same steps on tensors.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Step = tuple[Any, ...]
SHAPES: tuple[tuple[int, ...], ...] = ((4,), (2, 3), (3, 3), (2, 1, 3), ())
UPDATES = ("+=", "-=", "*=")
VIEWS = (
    *("key", "key", "key", "reshape", "permute", "mT", "moveaxis", "flip", "expand", "squeeze", "unstack"),
    *("broadcast", "diagonal", "element", "real", "imag"),
)


class Dual:
    """A value and its slope: the derivatives by the inputs, along an additional axis."""

    def __init__(self, value: Any, slope: Any) -> None:
        self.value, self.slope = value, slope

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def is_complex(self) -> bool:
        return np.iscomplexobj(self.value)

    def own(self) -> Dual:
        """A copy in row-major order."""
        return Dual(np.array(self.value, order="C"), np.array(self.slope, order="C"))


# --- the steps on the oracle --------------------------------------------------------------------------------


def _spread(a: Dual, shape: tuple[int, ...]) -> Any:
    """The slope, with the axes that broadcasting to the shape would add."""
    return np.reshape(a.slope, (1,) * (len(shape) - a.value.ndim) + a.slope.shape)


def _mix(a: Dual, b: Dual) -> Dual:
    """a * b / 2 + a."""
    value = np.asarray(a.value * b.value * 0.5 + a.value)
    of_a, of_b = np.asarray(b.value * 0.5 + 1.0 + 0 * value), np.asarray(a.value * 0.5 + 0 * value)
    slope = of_a[..., None] * _spread(a, value.shape) + of_b[..., None] * _spread(b, value.shape)
    return Dual(value, slope).own()


def _sine(a: Dual) -> Dual:
    return Dual(np.asarray(np.sin(a.value)), np.asarray(np.cos(a.value))[..., None] * a.slope).own()


def _parts(a: Dual, b: Dual) -> Dual:
    return Dual(np.asarray(a.value + 1j * b.value), a.slope + 1j * b.slope).own()


def _diagonal(a: Dual, offset: int) -> Dual:
    n = a.value.diagonal(offset).shape[-1]
    rows, columns = (0, offset) if offset >= 0 else (-offset, 0)
    views = []
    for array in (a.value, a.slope):
        s0, s1, *rest = array.strides
        start = array[rows : rows + 1, columns : columns + 1] if n else array[:0, :0]
        views.append(np.lib.stride_tricks.as_strided(start, (n, *array.shape[2:]), (s0 + s1, *rest)))
    return Dual(*views)


def on_oracle(variables: list[Dual], step: Step) -> None:
    """Run one step: append its result, or write."""
    name, i, *args = step
    a = variables[i]
    both = a.value, a.slope
    ndim = a.value.ndim
    if name == "mix":
        variables.append(_mix(a, variables[args[0]]))
    elif name == "sine":
        variables.append(_sine(a))
    elif name == "copy":
        variables.append(a.own())
    elif name == "zeros":
        value = np.zeros(args[0])
        variables.append(Dual(value, np.zeros((*args[0], a.slope.shape[-1]))))
    elif name == "complex":
        variables.append(_parts(a, variables[args[0]]))
    elif name == "key":
        key = args[0] if isinstance(args[0], tuple) else (args[0],)
        at_end = (slice(None),) if Ellipsis in key else (Ellipsis, slice(None))
        variables.append(Dual(a.value[args[0]], a.slope[(*key, *at_end)]))
    elif name == "element":
        variables.append(Dual(np.array(a.value[args[0]]), np.array(a.slope[args[0]])))
    elif name == "reshape":
        variables.append(Dual(a.value.reshape(args[0]), a.slope.reshape((*args[0], a.slope.shape[-1]))))
    elif name == "permute":
        variables.append(Dual(a.value.transpose(args[0]), a.slope.transpose((*args[0], ndim))))
    elif name == "mT":
        variables.append(Dual(a.value.swapaxes(-1, -2), a.slope.swapaxes(-2, -3)))
    elif name == "moveaxis":
        variables.append(Dual(*(np.moveaxis(array, args[0], args[1] % ndim) for array in both)))
    elif name == "flip":
        variables.append(Dual(*(np.flip(array, args[0]) if args[0] else array[...] for array in both)))
    elif name == "expand":
        variables.append(Dual(*(np.expand_dims(array, args[0] % (ndim + 1)) for array in both)))
    elif name == "squeeze":
        variables.append(Dual(*(np.squeeze(array, args[0]) for array in both)))
    elif name == "unstack":
        variables.append(Dual(*(np.moveaxis(array, args[0], 0)[args[1]] for array in both)))
    elif name == "broadcast":
        n = a.slope.shape[-1]
        variables.append(Dual(np.broadcast_to(a.value, args[0]), np.broadcast_to(_spread(a, args[0]), (*args[0], n))))
    elif name == "diagonal":
        variables.append(_diagonal(a, args[0]))
    elif name in ("real", "imag"):
        variables.append(Dual(getattr(a.value, name), getattr(a.slope, name)))
    elif name == "set":
        _set(a, args[0], variables[args[1]] if isinstance(args[1], int) else args[1])
    elif name in UPDATES:
        _update(a, name, variables[args[0]])
    elif name == "update part":
        symbol, key, j = args
        on_oracle(variables, ("key", i, key))
        part = variables.pop()
        _update(part, symbol, variables[j])
    else:
        raise AssertionError(name)


def _set(a: Dual, key: Any, value: Dual | float) -> None:
    keys = key if isinstance(key, tuple) else (key,)
    of_slope = (*keys, slice(None)) if any(part is Ellipsis for part in keys) else (*keys, Ellipsis)
    if isinstance(value, Dual):
        value = value.own()
        room = a.value[key].shape
        a.value[key] = value.value
        a.slope[of_slope] = _spread(value, room)
    else:
        a.value[key] = value
        a.slope[of_slope] = 0.0


def _update(a: Dual, symbol: str, b: Dual) -> None:
    b = b.own()
    slope, value = _spread(b, a.shape), np.array(a.value)
    if symbol == "*=":
        a.slope[...] = np.asarray(b.value)[..., None] * a.slope + value[..., None] * slope
        a.value[...] = value * b.value
    else:
        sign = 1.0 if symbol == "+=" else -1.0
        a.slope[...] = a.slope + sign * slope
        a.value[...] = value + sign * b.value


# --- the steps on tensors -----------------------------------------------------------------------------------


def replay(xp: Any, steps: Sequence[Step], inputs: Sequence[Any], lift: Callable[[Any], Any]) -> list[Any]:
    """All variables after the program. `lift` turns a NumPy array in a key into an array of the namespace."""
    variables: list[Any] = [x * 1.0 for x in inputs]
    for step in steps:
        _on_tensors(xp, variables, step, lift)
    return variables


def _on_tensors(xp: Any, variables: list[Any], step: Step, lift: Callable[[Any], Any]) -> None:
    name, i, *args = step
    a = variables[i]
    make: dict[str, Callable[[], Any]] = {
        "mix": lambda: a * variables[args[0]] * 0.5 + a,
        "sine": lambda: xp.sin(a),
        "copy": lambda: xp.asarray(a, copy=True),
        "zeros": lambda: xp.zeros(args[0], dtype=xp.float64),
        "complex": lambda: xp.from_parts(a, variables[args[0]]),
        "key": lambda: a[args[0]],
        "element": lambda: a[args[0]],
        "reshape": lambda: xp.reshape(a, args[0]),
        "permute": lambda: xp.permute_dims(a, args[0]),
        "mT": lambda: a.mT,
        "moveaxis": lambda: xp.moveaxis(a, *args),
        "flip": lambda: xp.flip(a, axis=args[0]),
        "expand": lambda: xp.expand_dims(a, axis=args[0]),
        "squeeze": lambda: xp.squeeze(a, axis=args[0]),
        "unstack": lambda: xp.unstack(a, axis=args[0])[args[1]],
        "broadcast": lambda: xp.broadcast_to(a, args[0]),
        "diagonal": lambda: xp.linalg.diagonal(a, offset=args[0]),
        "real": lambda: xp.real(a),
        "imag": lambda: xp.imag(a),
    }
    if name in make:
        variables.append(make[name]())
    elif name == "set":
        key = args[0]
        parts = tuple(lift(part) if isinstance(part, np.ndarray) else part for part in _as_tuple(key))
        a[parts if isinstance(key, tuple) else parts[0]] = variables[args[1]] if isinstance(args[1], int) else args[1]
    elif name == "update part":
        symbol, key, j = args
        if symbol == "+=":
            a[key] += variables[j]
        elif symbol == "-=":
            a[key] -= variables[j]
        else:
            a[key] *= variables[j]
    elif name == "+=":
        a += variables[args[0]]
    elif name == "-=":
        a -= variables[args[0]]
    else:
        a *= variables[args[0]]


def _as_tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


# --- drawing a program --------------------------------------------------------------------------------------


class Features:
    """The features that a library has."""

    def __init__(self, *, index_arrays: bool = True, negative_steps: bool = True, masks: bool = True) -> None:
        self.index_arrays, self.negative_steps, self.masks = index_arrays, negative_steps, masks


def draw(seed: int, inputs: Sequence[Any], features: Features, length: int = 14) -> tuple[list[Step], list[Dual]]:
    """A program, and all variables after it, on the oracle."""
    rng = random.Random(seed)
    size = sum(x.size for x in inputs)
    variables, before = [], 0
    for x in inputs:
        slope = np.eye(size)[before : before + x.size].reshape((*x.shape, size))
        variables.append(Dual(np.array(x), np.array(slope)))
        before += x.size
    steps: list[Step] = []
    while len(steps) < length:
        step = _draw_step(rng, variables, features)
        if step is not None:
            on_oracle(variables, step)
            steps.append(step)
    return steps, variables


def _draw_step(rng: random.Random, variables: list[Dual], features: Features) -> Step | None:
    i = (
        rng.randrange(max(0, len(variables) - 6), len(variables))
        if rng.random() < 0.7
        else rng.randrange(len(variables))
    )
    chance = rng.random()
    if chance < 0.25:
        return _draw_new(rng, variables, i)
    if chance < 0.65:
        return _draw_view(rng, variables[i], i, features)
    return _draw_write(rng, variables, i, features)


def _draw_new(rng: random.Random, variables: list[Dual], i: int) -> Step | None:
    a = variables[i]
    name = rng.choice(("mix", "mix", "sine", "copy", "zeros", "complex"))
    if name == "zeros":
        return name, i, rng.choice(SHAPES)
    if name in ("mix", "complex"):
        j = _fitting(rng, variables, a.shape, both_ways=name == "mix")
        if j is None or (
            name == "complex" and (a.is_complex or variables[j].is_complex or variables[j].shape != a.shape)
        ):
            return None
        return name, i, j
    return None if name == "sine" and a.is_complex else (name, i)


def _fitting(rng: random.Random, variables: list[Dual], shape: tuple[int, ...], both_ways: bool = False) -> int | None:
    """A variable that broadcasts to the shape (or, `both_ways`, with it)."""
    found = []
    for j, b in enumerate(variables):
        try:
            result = np.broadcast_shapes(shape, b.shape)
        except ValueError:
            continue
        if result == shape or (both_ways and np.prod(result) < 30):
            found.append(j)
    return rng.choice(found) if found else None


def _draw_view(rng: random.Random, a: Dual, i: int, features: Features) -> Step | None:
    ndim, shape = a.value.ndim, a.shape
    name = rng.choice(VIEWS)
    if name == "key":
        return name, i, _draw_key(rng, shape, features)
    if name == "element" and a.value.size and ndim:
        return name, i, tuple(rng.randrange(-n, n) for n in shape)
    if name == "reshape":
        return name, i, _draw_shape(rng, a.value.size)
    if name == "permute":
        return name, i, tuple(rng.sample(range(ndim), ndim))
    if name == "mT" and ndim > 1:
        return (name, i)
    if name == "moveaxis" and ndim:
        return name, i, rng.randrange(ndim), rng.randrange(-ndim, 0)
    if name == "flip":
        return name, i, tuple(rng.sample(range(ndim), rng.randint(0, ndim)))
    if name == "expand" and ndim < 4:
        return name, i, rng.randint(-ndim - 1, ndim)
    if name == "squeeze" and 1 in shape:
        return name, i, rng.choice([axis for axis, n in enumerate(shape) if n == 1])
    if name == "unstack" and ndim > 1 and 0 not in shape:
        axis = rng.randrange(ndim)
        return name, i, axis, rng.randrange(shape[axis])
    if name == "broadcast" and ndim < 3:
        wide = tuple(rng.choice((2, 3)) if n == 1 else n for n in shape)
        return name, i, (rng.choice((1, 2)), *wide) if rng.random() < 0.5 else wide
    if name == "diagonal" and ndim == 2 and 0 not in shape:
        return name, i, rng.randint(1 - shape[0], shape[1] - 1)
    if name == "real" or (name == "imag" and a.is_complex):
        return (name, i)
    return None


def _draw_key(rng: random.Random, shape: tuple[int, ...], features: Features, plain: bool = False) -> Any:
    """A key without arrays, whose result is a view. `plain` leaves out new axes."""
    parts: list[Any] = []
    for n in shape:
        if n and rng.random() < 0.3:
            parts.append(rng.randrange(-n, n))
            continue
        ends = sorted((rng.randint(0, n), rng.randint(0, n)))
        if features.negative_steps and rng.random() < 0.3:
            start, stop = ends[1] - 1, ends[0] - 1
            parts.append(slice(start, stop if stop >= 0 else None, -rng.choice((1, 2))) if start >= 0 else slice(0, 0))
        else:
            first, last = ends if rng.random() < 0.6 else (None, None)
            parts.append(slice(first, last, rng.choice((None, 1, 2))))
    kept = rng.randint(0, len(parts))
    where = rng.randint(0, kept)
    parts[where : where + len(shape) - kept] = [Ellipsis]
    if not plain and rng.random() < 0.2:
        parts.insert(rng.randint(0, len(parts)), None)
    return tuple(parts)


def _draw_shape(rng: random.Random, size: int) -> tuple[int, ...]:
    if size == 0:
        return rng.choice(((0,), (0, 2), (3, 0)))
    shape: list[int] = []
    while size > 1 and len(shape) < 3:
        n = rng.choice([n for n in range(1, size + 1) if size % n == 0])
        shape.append(n)
        size //= n
    return (*shape, size) if size > 1 or rng.random() < 0.3 else tuple(shape)


def _draw_write(rng: random.Random, variables: list[Dual], i: int, features: Features) -> Step | None:
    a = variables[i]
    if not a.value.flags.writeable:
        return None
    name = rng.choice(("set", "set", "set", "update", "update part"))
    key: Any = ...
    if name == "set":
        key = _draw_place(rng, a, features)
    elif name == "update part":
        key = _draw_key(rng, a.shape, features, plain=True)
    if key is None:
        return None
    is_mask = isinstance(key, np.ndarray) and key.dtype == bool
    if name == "set" and (is_mask or rng.random() < 0.3):
        return "set", i, key, rng.choice((0.5, -1.0, 2.0))
    j = _fitting(rng, variables, a.value[key].shape)
    if j is None or (variables[j].is_complex and not a.is_complex):
        return None
    if name == "set":
        return "set", i, key, j
    symbol = rng.choice(UPDATES)
    return (symbol, i, j) if name == "update" else (name, i, symbol, key, j)


def _draw_place(rng: random.Random, a: Dual, features: Features) -> Any:
    """A key to write at: parts, a mask, or arrays of integers that select no place twice."""
    chance = rng.random()
    if chance < 0.15 and a.value.ndim and features.masks:
        return np.array([rng.random() < 0.5 for _ in range(a.value.size)], dtype=bool).reshape(a.shape)
    if chance < 0.3 and a.value.ndim == 1 and a.value.size and features.index_arrays:
        return np.array(rng.sample(range(a.value.size), rng.randint(1, a.value.size)))
    return _draw_key(rng, a.shape, features, plain=True)
