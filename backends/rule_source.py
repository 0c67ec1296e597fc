"""An optimizer's update rule as source code: the rule runs once, on names of variables instead of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

ARGUMENT_BYTES = 3584  # of the table of one launch; CUDA takes 4,096 bytes of arguments
THREADS, PER_BLOCK = 256, 4096  # the threads of a block, and the numbers that it updates

KERNEL = """
typedef {ctype} T;
struct Table {{
    long long first[{capacity}];  // the first block of each parameter
    long long size[{capacity}];
    T *address[{capacity}][{arrays}];
}};
extern "C" __global__ void xgrad_optimizers(const Table table, const int parameters{numbers}) {{
    int low = 0, high = parameters;
    while (high - low > 1) {{
        const int middle = (low + high) / 2;
        if (table.first[middle] <= (long long)blockIdx.x) low = middle; else high = middle;
    }}
    const long long start = ((long long)blockIdx.x - table.first[low]) * {per_block};
    const long long rest = table.size[low] - start;
    const int count = rest < {per_block} ? (int)rest : {per_block};
    {pointers}
    for (int i = threadIdx.x; i < count; i += blockDim.x) {{
        {body}
    }}
}}
"""


def capacity(arrays: int) -> int:
    """The number of parameters of one launch, with so many arrays for each: their addresses are arguments of the kernel."""
    return ARGUMENT_BYTES // (8 * (arrays + 2))


def kernel_source(rule: Callable[..., Any], arrays: int, numbers: int, flags: Any, ctype: str) -> str:
    """CUDA source of a kernel that applies the rule to all arrays of a Table. TypeError or AttributeError if it has no source."""
    xp = Source()
    held = [Value(xp, f"a{k}") for k in range(arrays)]
    new = rule(xp, tuple(held), tuple(Value(xp, f"n{k}") for k in range(numbers)), flags)
    at = [f"T *p{k} = table.address[low][{k}] + start;" for k in range(arrays)]
    loads = [f"T a{k} = p{k}[i];" for k in range(arrays)]
    stores = [f"p{k}[i] = {xp.text(value)};" for k, value in zip((0, *range(2, arrays)), new, strict=True)]
    return KERNEL.format(
        ctype=ctype,
        capacity=capacity(arrays),
        arrays=arrays,
        numbers="".join(f", const T n{k}" for k in range(numbers)),
        per_block=PER_BLOCK,
        pointers="\n    ".join(at),
        body="\n        ".join([*loads, *xp.lines, *stores]),
    )


class Value:
    """A variable of the source. An operator appends a line; an augmented assignment writes into the variable."""

    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, source: Source, name: str, kind: str = "T") -> None:
        self.source, self.name, self.kind = source, name, kind

    def __neg__(self) -> Value:
        return self.source.new(f"-{self.name}")

    def __bool__(self) -> bool:
        raise TypeError("an update rule cannot depend on the values of arrays")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the source of an update rule does not know {name}")


class Source:
    """The namespace on which a rule runs to be written down. It has what elementwise rules use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0

    def new(self, expression: str, kind: str = "T") -> Value:
        self.count += 1
        value = Value(self, f"t{self.count}", kind)
        self.lines.append(f"{kind} {value.name} = {expression};")
        return value

    def text(self, x: Any) -> str:
        if isinstance(x, Value):
            return x.name
        if not isinstance(x, int | float) or not math.isfinite(x):
            raise TypeError(f"the source of an update rule has no {type(x).__name__} {x!r}")
        return f"T({float(x)!r})"

    def abs(self, x: Any) -> Value:
        return self.new(f"{self.text(x)} < T(0) ? -{self.text(x)} : {self.text(x)}")

    def sqrt(self, x: Any) -> Value:
        return self.new(f"sqrt({self.text(x)})")

    def sign(self, x: Any) -> Value:
        x = self.text(x)
        return self.new(f"{x} != {x} ? {x} : T({x} > T(0)) - T({x} < T(0))")

    def maximum(self, x1: Any, x2: Any) -> Value:
        """nan if one of them is nan."""
        x1, x2 = self.text(x1), self.text(x2)
        return self.new(f"({x1} >= {x2} || {x1} != {x1}) ? {x1} : {x2}")

    def minimum(self, x1: Any, x2: Any) -> Value:
        x1, x2 = self.text(x1), self.text(x2)
        return self.new(f"({x1} <= {x2} || {x1} != {x1}) ? {x1} : {x2}")

    def where(self, condition: Any, x1: Any, x2: Any) -> Value:
        return self.new(f"{self.text(condition)} ? {self.text(x1)} : {self.text(x2)}")

    def relu(self, x: Any) -> Value:
        return self.maximum(x, 0)

    def divide_into(self, x1: Any, x2: Any) -> Value:
        return self.new(f"{self.text(x1)} / {self.text(x2)}")


def _operator(sign: str, kind: str = "T") -> tuple[Callable[..., Any], ...]:
    def forward(x: Value, y: Any) -> Value:
        return x.source.new(f"{x.name} {sign} {x.source.text(y)}", kind)

    def reflected(x: Value, y: Any) -> Value:
        return x.source.new(f"{x.source.text(y)} {sign} {x.name}", kind)

    def in_place(x: Value, y: Any) -> Value:
        x.source.lines.append(f"{x.name} = {x.name} {sign} {x.source.text(y)};")
        return x

    return forward, reflected, in_place


for _name, _sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/")):
    for _prefix, _function in zip(("", "r", "i"), _operator(_sign), strict=True):
        setattr(Value, f"__{_prefix}{_name}__", _function)
for _name, _sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "=="), ("ne", "!=")):
    setattr(Value, f"__{_name}__", _operator(_sign, "bool")[0])
