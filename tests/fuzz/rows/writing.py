"""Writes: into fresh copies, in place, by xgrad.at; and, where the program is one of views, through views."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, Value, need
from tests.fuzz.rows import row
from tests.fuzz.rows.indexing import a_mask, basic_key, fancy_key, values_like


def moving(d: Draw, kinds: str = "ffc", dims: tuple[int, int] = (0, 4)) -> Value:
    """What is to be written into depends on an input: under vmap it must differ from example to example."""
    return d.full(kinds, dims=dims, where=lambda v: v.depends and v.name[0] == "v")


def a_key(d: Draw, x: Value) -> str:
    kind = d.one_of(["basic", "basic", "array", "mask"]) if x.ndim else "basic"
    if kind == "array":
        d.tags.add("integer arrays")
        return fancy_key(d, x, distinct=d.chance(0.6))
    if kind == "mask":
        return a_mask(d, x, x.ndim)
    return basic_key(d, x, none=d.chance(0.2))


def place(x: Value, d: Draw, key: str) -> tuple[int, ...]:
    """The shape of x[key]."""
    try:
        return tuple(eval(f"read(np.zeros({x.shape}), S[{key}])", d.scope).shape)
    except (IndexError, ValueError) as error:
        need(not error)
        raise


def a_value(d: Draw, x: Value, shape: tuple[int, ...], key: str) -> str:
    """What to write: a number, or a value there is."""
    if d.chance(0.3):
        return str(d.scalar())
    if "asarray" in key and "bool" in key:  # by a mask: 0-d ones only, so that the shape does not hang on values
        return str(d.pick(x.kind, dims=(0, 0), where=lambda v: v.dtype == x.dtype))
    return str(values_like(d, shape, x))


@row("setitem", "setitem", "asarray")
def _(d: Draw) -> None:
    x = moving(d)
    name = f"v{len(d.values)}"
    lines, plain = [f"{name} = xp.asarray({x}, copy=True)"], [f"{name} = xp.asarray({x}, copy=True)"]
    for _ in range(d.one_of([1, 1, 2])):
        key = a_key(d, x)
        value = a_value(d, x, place(x, d, key), key)
        lines.append(f"{name}[{key}] = {value}")
        plain.append(f"{name} = write({name}, S[{key}], {value})")
    d.do((name,), "\n".join(lines), "\n".join(plain))


@row("at key operator", "setitem", "getitem")
def _(d: Draw) -> None:
    x = moving(d)
    name = f"v{len(d.values)}"
    key = basic_key(d, x, none=False)
    symbol = d.one_of(["+", "*", "-"])
    value = a_value(d, x, place(x, d, key), key)
    copy = f"{name} = xp.asarray({x}, copy=True)\n"
    d.do(
        (name,),
        f"{copy}{name}[{key}] {symbol}= {value}",
        f"{copy}{name} = write({name}, S[{key}], read({name}, S[{key}]) {symbol} {value})",
    )


@row("in place", "add", "subtract", "multiply", "divide")
def _(d: Draw) -> None:
    x = moving(d)
    name = f"v{len(d.values)}"
    value = d.scalar(0.5) if d.chance(0.4) else values_like(d, x.shape, x)
    symbol = d.one_of(["+", "-", "*", "/"])
    if symbol == "/" and isinstance(value, Value):
        need(np.abs(value.array).min(initial=1) > 0.3)
    copy = f"{name} = xp.asarray({x}, copy=True)\n"
    d.do((name,), f"{copy}{name} {symbol}= {value}", f"{copy}{name} = {name} {symbol} {value}")


@row("a write that others read before", "setitem", "exp", "multiply")
def _(d: Draw) -> None:
    x = moving(d)
    need(np.abs(x.array).max() < 2.5)
    n = len(d.values)
    a, b = f"v{n}", f"v{n + 1}"
    key = basic_key(d, x, none=False)
    value = a_value(d, x, place(x, d, key), key)
    head = f"{a} = xp.sin({x})\n{b} = {a} * {a}\n"
    d.do(
        (a, b),
        f"{head}{a}[{key}] = {value}\n{b} += {a}",
        f"{head}{a} = write({a}, S[{key}], {value})\n{b} = {b} + {a}",
    )


@row("function setitem", "setitem")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    k = int(d.rng.random() * x.shape[0])
    value = values_like(d, x.shape[1:], x)
    d.let(f"xp.setitem({x}, {value}, ({k}, ...))")


@row("at set", "setitem")
def _(d: Draw) -> None:
    x = moving(d)
    key = a_key(d, x)
    value = a_value(d, x, place(x, d, key), key)
    d.let(f"xg.at({x}, S[{key}]).set({value})", f"write({x}, S[{key}], {value})")


@row("at add", "scatter", "add")
def _(d: Draw) -> None:
    x = d.full("ffc")
    key = fancy_key(d, x) if d.chance(0.6) and x.ndim else basic_key(d, x, none=False)
    if "asarray" in key:
        d.tags.add("integer arrays")
    value = a_value(d, x, place(x, d, key), key)
    d.let(f"xg.at({x}, S[{key}]).add({value})", f"add_at({x}, S[{key}], {value})")


# --- through views: NumPy's own memory says what is where -----------------------------------------------------------


def _viewed(d: Draw, expression: str, x: Value) -> None:
    y = d.let(expression)
    need(np.shares_memory(y.memory, x.memory) or not y.size)


def _target(d: Draw, dims: tuple[int, int] = (1, 4)) -> Value:
    """What a program writes into: nothing that is in an input's memory, or that broadcasting made."""
    inputs = [v for v in d.values if v.name[0] == "x"]
    spread = {n for s in d.steps if s.row.startswith("broadcast") for n in s.defines}

    def writable(v: Value) -> bool:
        once = v.name not in spread and all(s or n == 1 for n, s in zip(v.shape, v.memory.strides, strict=True))
        ours = not any(np.shares_memory(v.memory, x.memory) for x in inputs)
        return v.depends and once and v.memory.flags.writeable and ours

    return d.full("ffc", dims=dims, where=writable)


@row("a fresh array", "asarray", views=True)
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    d.let(f"xp.asarray({x}, copy=True)")


@row("a view", "getitem", views=True)
def _(d: Draw) -> None:
    x = _target(d)
    key = basic_key(d, x)
    need(len(place(x, d, key)) > 0)
    _viewed(d, f"{x}[{key}]", x)


@row("a view by a function", "reshape", "permute_dims", "flip", "expand_dims", "unstack", views=True)
def _(d: Draw) -> None:
    x = _target(d)
    axis = d.axis(x)
    choices = [f"xp.flip({x}, axis={axis})", f"xp.expand_dims({x}, axis=0)", f"xp.moveaxis({x}, {axis}, 0)"]
    if x.ndim > 1:
        choices += [f"xp.matrix_transpose({x})", f"xp.permute_dims({x}, {tuple(reversed(range(x.ndim)))})"]
        choices.append(f"xp.unstack({x}, axis={axis})[0]")
        if x.ndim == 2 and min(x.shape) > 0:
            choices.append(f"{x}.T")
    if x.memory.flags.c_contiguous:
        choices.append(f"xp.reshape({x}, (-1,))")
    if x.kind == "c":
        choices += [f"xp.real({x})", f"xp.imag({x})"]
    _viewed(d, d.one_of(choices), x)


@row("a write", "setitem", views=True)
def _(d: Draw) -> None:
    x = _target(d)
    key = a_key(d, x)
    value = a_value(d, x, place(x, d, key), key)
    d.do((), f"{x}[{key}] = {value}")


@row("an operator in place", "add", "multiply", views=True)
def _(d: Draw) -> None:
    x = _target(d)
    value = d.scalar(0.5) if d.chance(0.4) else values_like(d, x.shape, x)
    d.do((), f"{x} {d.one_of(['+', '*', '-'])}= {value}")


@row("a part with an operator in place", "add", "multiply", views=True)
def _(d: Draw) -> None:
    x = _target(d)
    key = basic_key(d, x, none=False)
    value = a_value(d, x, place(x, d, key), key)
    d.do((), f"{x}[{key}] {d.one_of(['+', '*', '-'])}= {value}")
