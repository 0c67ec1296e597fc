"""A program: inputs, steps, and what it returns; its text, and the function that the text is."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

Host = Any  # a NumPy array

NAME = re.compile(r"\b[xvc]\d+\b")


@dataclass(frozen=True)
class Step:
    """Lines of Python that define one or more names."""

    row: str
    defines: tuple[str, ...]
    text: str
    plain: str | None = None  # for the oracles, where they spell it otherwise

    @property
    def uses(self) -> set[str]:
        return set(NAME.findall(self.text)) - set(self.defines)


@dataclass(frozen=True)
class Program:
    """A function of the inputs that returns a tuple of arrays."""

    seed: int
    inputs: tuple[Host, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    tags: frozenset[str] = frozenset()
    views: bool = False

    @property
    def arguments(self) -> list[str]:
        return [f"x{i}" for i in range(len(self.inputs))]

    def source(self, *, plain: bool = False) -> str:
        """The function's text."""
        lines = [line for s in self.steps for line in ((plain and s.plain) or s.text).splitlines()]
        lines.append(f"return ({', '.join(self.outputs)},)")
        body = "\n".join(f"    {line}" for line in lines)
        return f"def f({', '.join(self.arguments)}):\n{body}\n"

    @cached_property
    def _code(self) -> dict[bool, Any]:
        return {plain: compile(self.source(plain=plain), f"<seed {self.seed}>", "exec") for plain in (False, True)}

    def bind(self, names: dict[str, Any], *, plain: bool = False) -> Callable[..., tuple[Any, ...]]:
        """The function, where `names` says what `xp` and the like are."""
        names = dict(names)
        exec(self._code[plain], names)
        f: Callable[..., tuple[Any, ...]] = names["f"]
        return f

    @property
    def key(self) -> int:
        """A number that changes with the program."""
        return zlib.crc32(repr((self.source(), [spelled(x) for x in self.inputs])).encode())

    def text(self, backend: str = "numpy") -> str:
        """A Python program that runs by itself, on xgrad."""
        head = "import xgrad as xg\nfrom numpy import s_ as S\nfrom xgrad.nn import functional as F\n\n"
        head += f'xg.set_backend("{backend}")\nxp = xg\n\n\n'
        made = "".join(f"{n} = {spelled(x)}\n" for n, x in zip(self.arguments, self.inputs, strict=True))
        return f"{head}{self.source()}\n\n{made}print(f({', '.join(self.arguments)}))\n"

    def without_dead_steps(self) -> Program:
        """Without the steps that no output needs."""
        needed, kept = set(self.outputs), []
        for step in reversed(self.steps):
            if not step.defines or needed & set(step.defines):  # a write into a view defines nothing
                kept.append(step)
                needed |= step.uses | set(step.defines)
        return replace(self, steps=tuple(reversed(kept)))


def spelled(array: Host) -> str:
    """An array as text that makes it again, to the last bit."""
    if not array.size:
        return f"xp.zeros({array.shape}, dtype=xp.{array.dtype.name})"
    return f"xp.asarray({array.tolist()!r}, dtype=xp.{array.dtype.name})"


class Slices:
    """`S[1, ::-1, None]` is that key."""

    def __getitem__(self, key: Any) -> Any:
        return key


def weighted(xp: Any, outputs: Sequence[Any], weights: Sequence[Any]) -> Any:
    """One real number of all outputs: the sum of weight times output. Both namespaces have these functions."""
    total = None
    for y, w in zip(outputs, weights, strict=True):
        is_complex = "complex" in str(y.dtype)
        part = xp.sum(xp.real(xp.conj(w) * y) if is_complex else w * y)
        total = part if total is None else total + part
    return total


def numbers_like(array: Host, seed: int) -> Host:
    """Numbers between -1 and 1, in no order, in the array's shape and precision."""
    parts = 2 if np.iscomplexobj(array) else 1
    values = _numbers(seed)[: parts * array.size].reshape(parts, *array.shape)
    return np.asarray(values[0] + 1j * values[1] if parts == 2 else values[0]).astype(array.dtype)


@cache
def _numbers(seed: int) -> Host:
    return np.random.RandomState(seed).uniform(-1, 1, 4096)  # its numbers are the same in every version
