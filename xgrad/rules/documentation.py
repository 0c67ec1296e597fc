"""The docstrings of the public functions: what a function states itself, and what follows from its signature and its kind.

A row says what the function computes and gives one value: "The sine of x in radians. sin(0.5) = 0.4794". Any other function has a
docstring with an example. `complete` adds the parts that these lack, once all functions are declared: arguments, result,
derivative, errors, and the page of the standard. A docstring that has such a part keeps it. `Args:` is completed from a glossary,
and `Raises:` with the errors of the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from xgrad.engine.op import OPS
from xgrad.engine.registry import DERIVATIVES, ELEMENTWISE, FUNCTIONS

STANDARD = "https://data-apis.org/array-api/latest/API_specification/generated/array_api.{}.html"
PYTORCH = "https://docs.pytorch.org/docs/stable/generated/torch.{}.html"
SCIPY = "https://docs.scipy.org/doc/scipy/reference/generated/scipy.{}.html"

FLOATS = "a real or complex floating-point dtype (integers become floats of the default dtype)"
REAL_FLOATS = "a real floating-point dtype (integers become floats of the default dtype)"

# The dtypes that elementwise functions take, where they are not REAL_FLOATS.
TAKES = {
    name: dtypes
    for dtypes, names in {
        "any numeric dtype": "abs add subtract multiply negative positive pow square sign divide conj real imag isfinite isinf "
        "isnan",
        "any real dtype": "ceil clip floor floor_divide gap greater greater_equal less less_equal maximum minimum remainder "
        "round trunc",
        "integers or booleans": "bitwise_and bitwise_or bitwise_xor bitwise_invert",
        "integers": "bitwise_left_shift bitwise_right_shift",
        "booleans": "logical_and logical_or logical_xor logical_not",
        "any dtype": "equal not_equal",
        FLOATS: "acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 reciprocal sin sinh sqrt tan tanh",
    }.items()
    for name in names.split()
}

# Functions of one element at a time that are not declared by a row.
AS_ELEMENTWISE = {
    *("conj", "real", "imag", "sign", "gap", "divide_into"),
    *("special.betaln", "special.binom", "special.betainc", "special.gammainc", "special.gammaincc"),
    *("special.fdtr", "special.fdtrc", "special.kl_div", "special.rel_entr", "special.xlogy", "special.xlog1py"),
    *("special.polygamma", "special.psi", "special.derivative"),
}

BOOLEANS = {
    name
    for names in (
        "equal not_equal less less_equal greater greater_equal isfinite isinf isnan signbit",
        "logical_and logical_or logical_xor logical_not",
    )
    for name in names.split()
}

ARGUMENTS = {
    "x": "an array of any shape and dtype, or a number.",
    "arrays": "arrays, or numbers, which take the dtype of the arrays.",
    "axis": "the axis, counted from the end where it is negative.",
    "keepdims": "whether the reduced axes stay, with length 1.",
    "correction": "what is subtracted from the number of elements: 0 for a population, 1 for a sample.",
    "dtype": "the dtype of the result; None means the default.",
    "device": "the device of the result; None means that of the arguments, or else the current one.",
    "copy": "True: always copy. False: never; ValueError if there is no other way. None: only where it must be.",
    "shape": "the lengths of the axes, a tuple of integers or one integer.",
    "indices": "an array of integers.",
    "n": "the length of the transform along the axis; None means that of x. A longer one is filled with zeros.",
    "s": "the lengths of the transform along the axes; None means those of x.",
    "axes": "the axes of the transform; None means all, or the last ones where `s` is given.",
    "norm": "where the scaling is: 'backward' (in the inverse), 'ortho' (half in each) or 'forward'.",
    "descending": "whether the largest come first.",
    "stable": "whether equal elements keep their order.",
}

AXES = "an axis, counted from the end where it is negative, or a tuple of axes"

# What is raised for an argument, where the docstring does not say it of that exception itself.
RAISED = {
    "x": {"TypeError": "an x that is neither an array nor a number"},
    "arrays": {"TypeError": "a value that is neither an array nor a number"},
    "axis": {
        "TypeError": "an axis that is no integer",
        "ValueError": "an axis that the array does not have (IndexError in some libraries)",
    },
    "dtype": {"TypeError": "a dtype that the backend does not have"},
    "device": {"BackendError": "a device that the backend does not have"},
}

HEAD, NAME = re.compile(r"(?m)^ {8}(\w.*?): "), re.compile(r"\w+")
EXAMPLE = re.compile(r"(?P<text>.*?[.)]) (?P<call>(?P<name>\w+)\(.*\)) = (?P<value>.+)", re.DOTALL)


def of_row(name: str, row: str, see: str = "") -> str:
    """The docstring of a row: its text, its example as one that runs, and the page to see."""
    found = EXAMPLE.fullmatch(row)
    text, call, value = found.group("text", "call", "value") if found else (row, "", "")
    what, _, more = text.partition(". ")
    doc = f"{what.removesuffix('.')}, element by element.\n"
    if more:
        doc += f"\n    {more}\n"
    if found:
        doc += _example(name.rpartition(".")[0], call, value)
    return doc + f"\n    {see}\n" if see else doc


def _example(extension: str, call: str, value: str) -> str:
    where = f"xg.{extension}." if extension else "xg."
    shown = f"{where}{call}.item()"
    decimals = len(value.partition(".")[2])
    if decimals > 1:
        shown = f"round({shown}, {decimals})"
    return f"\n    >>> import xgrad as xg\n    >>> {shown}\n    {value}\n"


def complete() -> None:
    """Add to the docstring of each public function the parts that it leaves out."""
    for name, function in FUNCTIONS.items():
        function.__doc__ = completed(name, function)


def completed(name: str, function: Callable[..., Any]) -> str:
    """The docstring of a function with every part, in order: text and examples, the four sections, the pages to see."""
    text, sections, pages = _taken_apart((function.__doc__ or "").rstrip())
    for title, added in SECTIONS.items():
        own = sections.get(title, "")
        lines = [f"        {line}" for line in added(name, function, own)]
        if lines:
            sections[title] = "\n".join([own, *lines] if own else lines)
            if own and title == "Args:":
                sections[title] = _in_order(sections[title], signature_of(function))
    if not any("https://" in part for part in (*text, *pages)):
        pages = [f"    {(SCIPY if name.startswith('special.') else STANDARD).format(name)}"]
    written = [f"    {title}\n{sections[title]}" for title in SECTIONS if title in sections]
    return "\n\n".join([*text, *written, *pages]) + "\n    "


def _taken_apart(doc: str) -> tuple[list[str], dict[str, str], list[str]]:
    """The paragraphs of a docstring: the text, the sections by their titles, and the pages to see."""
    text, sections, pages = [], {}, []
    for paragraph in doc.split("\n\n"):
        title, _, lines = paragraph.strip().partition("\n")
        if title in SECTIONS:
            sections[title] = lines
        elif title.startswith("https://"):
            pages.append(paragraph)
        else:
            text.append(paragraph)
    return text, sections, pages


def _in_order(section: str, names: tuple[str, ...]) -> str:
    """The arguments of a section in the order of the signature."""
    entries = re.split(r"\n(?= {8}\w)", section)
    places = {name: i for i, name in enumerate(names)}
    return "\n".join(
        sorted(entries, key=lambda entry: min((places[name] for name in _said(entry) & places.keys()), default=0))
    )


def signature_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the arguments, without looking through the signature, which is slow."""
    function = getattr(function, "__wrapped__", function)
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _said(section: str) -> set[str]:
    """The names in front of the colons of a section: arguments or exceptions."""
    heads = HEAD.findall(section) if section else ()
    return {name for head in heads for name in NAME.findall(head)}


def _is_elementwise(name: str) -> bool:
    return name in ELEMENTWISE or name in AS_ELEMENTWISE


def _arguments(name: str, function: Callable[..., Any], own: str) -> list[str]:
    names = signature_of(function)
    if _is_elementwise(name):
        takes = TAKES.get(name, REAL_FLOATS)
        if own:
            return []
        if len(names) == 1:
            return [f"x: an array of {takes}, of any shape, or a number."]
        return [f"{', '.join(names)}: arrays of {takes}, whose shapes broadcast, or numbers."]
    said = _said(own)
    left_out = [each for each in names if each in ARGUMENTS and each not in said]
    return [
        f"{each}: {_meaning(each, function)}" for each in left_out if "." not in name or each not in ("x", "arrays")
    ]


def _meaning(argument: str, function: Callable[..., Any]) -> str:
    annotation = str(function.__annotations__.get(argument))
    if argument == "axis" and ("Axes" in annotation or "tuple" in annotation):
        return AXES + ("; None means all." if "None" in annotation or "Axes" in annotation else ".")
    return ARGUMENTS[argument]


def _returns(name: str, function: Callable[..., Any], own: str) -> list[str]:
    if own or not _is_elementwise(name):
        return []
    one = len(signature_of(function)) == 1
    if name in BOOLEANS:
        return [
            f"A tensor of {'the shape of x' if one else 'the shape that the arguments broadcast to'}, of dtype bool."
        ]
    if one:
        return ["A tensor of the shape and dtype of x."]
    return ["A tensor of the shape that the arguments broadcast to, and of the dtype that they promote to."]


def _derivative(name: str, function: Callable[..., Any], own: str) -> list[str]:
    if own:
        return []
    how = DERIVATIVES[name]
    if how == "rule":
        return [f"By the rule in {_file_of(name, function)}, in both modes and to any order."]
    if how == "composition":
        return ["That of the functions that it is composed of, in both modes and to any order."]
    return [f"{how[0].upper()}{how[1:]}."]


def _file_of(name: str, function: Callable[..., Any]) -> str:
    """The file of the rule: that of the function, where the operation has another name."""
    rules = OPS[name].rules if name in OPS else ()
    declared = next((rule for rule in rules if rule is not None), getattr(function, "__wrapped__", function))
    return f"xgrad/rules/{declared.__code__.co_filename.rpartition('/')[2]}"


def _raises(name: str, function: Callable[..., Any], own: str) -> list[str]:
    if not _is_elementwise(name):
        return [] if "." in name else _raised(signature_of(function), _said(own))
    refused = (
        "a complex array, if the library refuses it" if name.startswith("special.") else "an array of another dtype"
    )
    lines = [f"TypeError: for a value that is neither an array nor a number, and for {refused}."]
    if getattr(function, "__wrapped__", function).__code__.co_argcount > 1:
        lines += [
            "ValueError: for shapes that do not broadcast.",
            "MixedBackendsError: for arrays of two libraries, or on two devices.",
        ]
    return [line for line in lines if line.partition(":")[0] not in _said(own)]


def _raised(arguments: tuple[str, ...], said: set[str]) -> list[str]:
    """The errors of these arguments, without those of an exception that the docstring names itself."""
    found: dict[str, list[str]] = {}
    for argument in arguments:
        for exception, what in RAISED.get(argument, {}).items():
            found.setdefault(exception, []).append(what)
    return [f"{exception}: for {'; for '.join(found[exception])}." for exception in found if exception not in said]


SECTIONS = {
    "Args:": _arguments,
    "Returns:": _returns,
    "Derivative:": _derivative,
    "Raises:": _raises,
}
