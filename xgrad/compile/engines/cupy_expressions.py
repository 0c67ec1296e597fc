"""Elementwise instructions as C++ expressions of one element, for CuPy's kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xgrad.compile.program import NUMBER, DType, Instruction, Program, Ref, refs

CTYPES = {"float32": "float", "float64": "double", "bool": "bool", "int32": "int", "int64": "long long"}
FLOATS = ("float32", "float64")

# Of real floats, all of the result's dtype, which is T. The functions are those that CUDA and <cmath> both have.
OF_FLOATS = {
    **{
        name: f"{name}({{0}})"
        for name in ("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "abs", "floor", "ceil", "trunc")
    },
    **{name: f"{name}({{0}})" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: f"{name}({{0}})" for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "divide_into": "{0} / {1}",
    "negative": "-{0}",
    "positive": "{0}",
    "square": "{0} * {0}",
    "reciprocal": "T(1) / {0}",
    "pow": "pow({0}, {1})",
    "atan2": "atan2({0}, {1})",
    "hypot": "hypot({0}, {1})",
    # nan if one of them is nan
    "maximum": "({0} >= {1} || {0} != {0}) ? {0} : {1}",
    "minimum": "({0} <= {1} || {0} != {0}) ? {0} : {1}",
    "relu": "({0} >= T(0) || {0} != {0}) ? {0} : T(0)",
    "leaky_relu": "{0} > T(0) ? {0} : {0} * {1}",
    "sign": "{0} != {0} ? {0} : T({0} > T(0)) - T({0} < T(0))",
    "gap": "{0} == {1} ? T(0) : {0} - {1}",
    # as in backends/cupy.py
    "sigmoid": "({0} < T(0) ? exp(-abs({0})) : T(1)) / (exp(-abs({0})) + T(1))",
    "silu": "{0} * (({0} < T(0) ? exp(-abs({0})) : T(1)) / (exp(-abs({0})) + T(1)))",
    "softplus": "({0} > T(0) ? {0} : T(0)) + log1p(exp(-abs({0})))",
}
OF_INTEGERS = {name: OF_FLOATS[name] for name in ("add", "subtract", "multiply", "negative", "positive", "square")}
COMPARISONS = {
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
}
OF_ONE_FLOAT = {"isnan": "{0} != {0}", "isfinite": "{0} - {0} == T(0)", "isinf": "{0} == {0} && {0} - {0} != T(0)"}
LOGIC = {
    "logical_and": "{0} && {1}",
    "logical_or": "{0} || {1}",
    "logical_xor": "{0} != {1}",
    "logical_not": "!{0}",
    "bitwise_and": "{0} && {1}",
    "bitwise_or": "{0} || {1}",
    "bitwise_xor": "{0} != {1}",
    "bitwise_invert": "!{0}",
}


def expression(program: Program, instruction: Instruction, name_of: Callable[[int], str]) -> str | None:
    """The value of an element of the result, of those of the operands (`name_of`); None for what is not elementwise or not here.

    A Python float among the inputs is an operand of the dtype that the arrays have.
    """
    name, args, options, results, several = instruction
    if several or len(results) != 1 or program.specs[results[0]].dtype not in CTYPES:
        return None
    if any(program.specs[number].dtype not in (*CTYPES, NUMBER) for number in refs((args, options))):
        return None
    result = program.specs[results[0]].dtype
    made = _special(program, name, args, options, result, name_of)
    if made is not None:
        return made
    template, of = _template(name, result, [program.specs[n].dtype for n in refs(args)])
    if template is None or options or not all(type(arg) is Ref or _is_number(arg) for arg in args):
        return None
    if not any(type(arg) is Ref for arg in args):
        return None
    if name == "pow":
        if args[1] == 2 and type(args[1]) in (int, float):
            template = "{0} * {0}"
        elif args[1] == 0.5:
            template = "sqrt({0})"
    return _filled(template, program, args, of, name_of)


def _template(name: str, result: str, dtypes: list[str]) -> tuple[str | None, str]:
    """The form of the expression, and the dtype T of its operands."""
    arrays = {dtype for dtype in dtypes if dtype != NUMBER}
    if len(arrays) != 1:
        return None, ""
    (of,) = arrays
    if name in LOGIC:
        return (LOGIC[name] if of == result == "bool" else None), of
    if name in COMPARISONS:
        return (COMPARISONS[name] if of != "bool" and (of in FLOATS or NUMBER not in dtypes) else None), of
    if name in OF_ONE_FLOAT:
        return (OF_ONE_FLOAT[name] if of in FLOATS else None), of
    table = OF_FLOATS if of in FLOATS else OF_INTEGERS if of != "bool" and NUMBER not in dtypes else {}
    return (table.get(name) if of == result else None), of


def _special(
    program: Program,
    name: str,
    args: tuple[Any, ...],
    options: dict[str, Any],
    result: str,
    name_of: Callable[[int], str],
) -> str | None:
    """The functions whose operands are of several kinds."""

    def is_of(arg: Any, *dtypes: str) -> bool:
        if type(arg) is Ref:
            return program.specs[arg.number].dtype in dtypes or (
                program.specs[arg.number].dtype == NUMBER and result in FLOATS
            )
        return _is_number(arg) and result in FLOATS

    def is_condition(arg: Any) -> bool:
        return type(arg) is Ref and program.specs[arg.number].dtype == "bool"

    if name in ("astype", "cast") and type(args[0]) is Ref and not options and type(args[1]) is DType:
        given = program.specs[args[0].number].dtype
        if result == "bool":
            return f"{name_of(args[0].number)} != 0"
        return None if given in FLOATS and result not in FLOATS else f"({CTYPES[result]})({name_of(args[0].number)})"
    if name in ("zeros_like", "ones_like") and not options:
        return f"({CTYPES[result]})({int(name == 'ones_like')})"
    if name == "broadcast_to" and not options and type(args[0]) is Ref:
        return name_of(args[0].number)
    if name == "where" and not options and is_condition(args[0]) and all(is_of(arg, result) for arg in args[1:]):
        return _filled("{0} ? {1} : {2}", program, args, result, name_of)
    if name == "mask" and not options and is_of(args[0], result) and is_condition(args[1]):
        return _filled("{1} ? {0} : T(0)", program, args, result, name_of)
    return None


def _filled(
    template: str, program: Program, args: tuple[Any, ...], of: str, name_of: Callable[[int], str]
) -> str | None:
    def text(arg: Any) -> str | None:
        if type(arg) is not Ref:
            return literal(arg, of)
        variable = name_of(arg.number)
        return f"({CTYPES[of]})({variable})" if program.specs[arg.number].dtype == NUMBER else variable

    texts = [text(arg) for arg in args]
    if None in texts:
        return None
    return template.replace("T(", f"({CTYPES[of]})(").format(*texts)


def literal(value: Any, dtype: str) -> str | None:
    """A Python number as a constant of the dtype. None for one that it does not hold."""
    if type(value) is bool and dtype != "bool":
        return None
    if dtype in FLOATS:
        if math.isnan(value):
            return f"{CTYPES[dtype]}(NAN)"
        if math.isinf(value):
            return f"{CTYPES[dtype]}({'-' if value < 0 else ''}INFINITY)"
        return f"{CTYPES[dtype]}({float(value)!r})"
    if dtype == "bool":
        return str(bool(value)).lower()
    return f"({CTYPES[dtype]})({value})" if type(value) is int else None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float, bool)
