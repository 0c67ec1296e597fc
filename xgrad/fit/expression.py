"""A function of x read from text: parsed by a small grammar, never evaluated as Python.

    sum      = product { ("+" | "-") product }
    product  = signed { ("*" | "/" | "%") signed }
    signed   = ("+" | "-") signed | power
    power    = atom [ ("**" | "^") signed ]
    atom     = number | "x" | constant | function "(" sum { "," sum } ")" | "(" sum ")"

The parser translates the text to postfix order, so that evaluation needs a stack and no recursion. An expression is evaluated
over any Array API namespace. Literals become arrays first, so `9**9**9**9` is inf and not a huge Python integer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from xgrad.fit.errors import FitError

MAX_LENGTH = 1000
MAX_DEPTH = 50

CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}

_PLAIN = """abs acos acosh asin asinh atan atanh ceil cos cosh exp expm1 floor log log10 log1p
    log2 round sign sin sinh sqrt square tan tanh trunc"""

# name in the text -> (number of arguments, name in the Array API standard)
FUNCTIONS = {
    **{name: (1, name) for name in _PLAIN.split()},
    "ln": (1, "log"),
    "arcsin": (1, "asin"),
    "arccos": (1, "acos"),
    "arctan": (1, "atan"),
    "atan2": (2, "atan2"),
    "hypot": (2, "hypot"),
    "max": (2, "maximum"),
    "min": (2, "minimum"),
    "pow": (2, "pow"),
}

# operator -> name in the standard
_OPERATORS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "remainder",
    "^": "pow",
    "**": "pow",
}

_TOKEN = re.compile(
    r"[ \t]*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<sign>\*\*|[-+*/%^(),]))"
)


@dataclass(frozen=True)
class Expression:
    """A parsed function of x. Call it with an Array API namespace and an array.

    >>> import xgrad as xg
    >>> from xgrad.fit.expression import parse
    >>> square = parse("x**2 + 1")
    >>> square(xg, xg.asarray([0.0, 2.0])).numpy().tolist()
    [1.0, 5.0]
    """

    text: str
    program: tuple[tuple[int, Any], ...]  # postfix: (0, number or "x") or (arity, standard name)

    def __call__(self, xp: Any, x: Any) -> Any:
        """The value at `x` (any shape, floating dtype), as an array of the same shape and dtype."""
        stack: list[Any] = []
        for arity, what in self.program:
            if arity:
                arguments = stack[-arity:]
                del stack[-arity:]
                stack.append(getattr(xp, what)(*arguments))
            elif what == "x":
                stack.append(x)
            else:
                stack.append(xp.asarray(what, dtype=x.dtype, device=x.device))
        return xp.broadcast_to(stack.pop(), x.shape)


def parse(text: str) -> Expression:
    """Read a function of x such as "sin(3*x) + x/5".

    Raises FitError, which names the column, for a text outside the grammar, longer than MAX_LENGTH, or nested deeper than
    MAX_DEPTH.
    """
    if len(text) > MAX_LENGTH:
        raise FitError(f"the function has {len(text)} characters; at most {MAX_LENGTH} are read")
    return Expression(text, tuple(_Parser(text).parse()))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.program: list[tuple[int, Any]] = []
        self.depth = 0
        self.end = 0  # where the current token ends
        self.advance()

    def advance(self) -> None:
        rest = self.text[self.end :]
        self.start = self.end + len(rest) - len(rest.lstrip(" \t"))
        found = _TOKEN.match(self.text, self.end)
        if found:
            self.kind, self.token = str(found.lastgroup), found[str(found.lastgroup)]
            self.end = found.end()
        elif self.start == len(self.text):
            self.kind, self.token = "end", ""
        else:
            self.fail(f"{self.text[self.start]!r} is not allowed in a function of x")

    def fail(self, why: str) -> NoReturn:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        raise FitError(f"function {shown!r}, column {self.start + 1}: {why}")

    def parse(self) -> list[tuple[int, Any]]:
        if self.kind == "end":
            self.fail("it is empty; write a function of x, such as x**2")
        self.sum()
        if self.kind != "end":
            self.fail(self.unexpected("an operator or the end"))
        return self.program

    def unexpected(self, wanted: str) -> str:
        if self.kind == "end":
            return f"it ends where {wanted} should follow"
        hint = ""
        if self.kind in ("name", "number") or self.token == "(":
            hint = " (a product is written with *, as in 3*x)"
        return f"{self.token!r} is where {wanted} should be{hint}"

    def deeper(self, read: Callable[[], None]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested more than {MAX_DEPTH} deep")
        read()
        self.depth -= 1

    def chain(self, operators: str, read: Callable[[], None]) -> None:
        read()
        while self.kind == "sign" and self.token in operators:
            operator = _OPERATORS[self.token]
            self.advance()
            read()
            self.program.append((2, operator))

    def sum(self) -> None:
        self.chain("+-", self.product)

    def product(self) -> None:
        # power() has consumed any "**" by then
        self.chain("*/%", self.signed)

    def signed(self) -> None:
        if self.token == "-":
            self.advance()
            self.deeper(self.signed)
            self.program.append((1, "negative"))
        elif self.token == "+":
            self.advance()
            self.deeper(self.signed)
        else:
            self.power()

    def power(self) -> None:
        self.atom()
        if self.token in ("**", "^"):
            self.advance()
            self.deeper(self.signed)
            self.program.append((2, "pow"))

    def atom(self) -> None:
        if self.kind == "number":
            number = float(self.token)
            if math.isinf(number):
                self.fail(f"{self.token} is too large for a float")
            self.program.append((0, number))
            self.advance()
        elif self.kind == "name":
            self.name()
        elif self.token == "(":
            self.advance()
            self.deeper(self.sum)
            self.expect(")")
        else:
            self.fail(self.unexpected("a number, x, a function or '('"))

    def name(self) -> None:
        name = self.token
        if name in FUNCTIONS:
            self.call(*FUNCTIONS[name])
        elif name == "x" or name in CONSTANTS:
            self.program.append((0, CONSTANTS.get(name, "x")))
            self.advance()
        else:
            known = ", ".join(["x", *CONSTANTS, *sorted(FUNCTIONS)])
            self.fail(f"unknown name {name!r}; known are {known}")

    def call(self, arity: int, standard_name: str) -> None:
        name = self.token
        self.advance()
        if self.token != "(":
            self.fail(f"{name} is a function: write its argument in parentheses, {name}(...)")
        self.advance()
        for position in range(arity):
            if position:
                self.expect(",")
            self.deeper(self.sum)
        self.expect(")")
        self.program.append((arity, standard_name))

    def expect(self, sign: str) -> None:
        if self.token != sign:
            self.fail(self.unexpected(repr(sign)))
        self.advance()
