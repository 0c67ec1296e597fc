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
        "any numeric dtype": "abs add subtract multiply negative positive pow square sign conj real imag isfinite isinf "
        "isnan",
        "any real dtype": "ceil clip floor floor_divide gap greater greater_equal less less_equal maximum minimum remainder "
        "relu round trunc",
        "integers or booleans": "bitwise_and bitwise_or bitwise_xor bitwise_invert",
        "integers": "bitwise_left_shift bitwise_right_shift",
        "booleans": "logical_and logical_or logical_xor logical_not",
        "any dtype": "equal not_equal",
        "a real or complex floating-point dtype": "reciprocal",
        FLOATS: "divide divide_into acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 sin sinh sqrt tan "
        "tanh",
    }.items()
    for name in names.split()
}

# Functions of one element at a time that are not declared by a row.
AS_ELEMENTWISE = {
    *("conj", "real", "imag", "sign", "gap", "divide_into"),
    *("special.beta", "special.betaln", "special.binom", "special.betainc", "special.betaincc", "special.betaincinv"),
    *("special.betainccinv", "special.betaincln", "special.betainccln", "special.gammainc", "special.gammaincc"),
    *("special.gammaincinv", "special.gammainccinv", "special.gammaincln", "special.gammainccln"),
    *("special.iv", "special.ive", "special.jn", "special.jv", "special.yn", "special.stdtr", "special.stdtrit"),
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

ARRAYS = ("x", "arrays")
NOTHING: dict[str, str] = {}

# What is raised for an argument, where the docstring does not say it of that exception itself.
RAISED = {
    "x": {"TypeError": "an x that is neither an array nor a number"},
    "arrays": {"TypeError": "a value that is neither an array nor a number"},
    "axis": {
        "TypeError": "an axis that is no integer",
        "ValueError": "an axis that the array does not have",
    },
    "dtype": {"TypeError": "a dtype that the backend does not have"},
    "device": {"BackendError": "a device that the backend does not have"},
}

SECTIONS = ARGS, RETURNS, DERIVATIVE, RAISES = "Args:", "Returns:", "Derivative:", "Raises:"

ENTRY = re.compile(r"\n(?= {8}\S)")
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
    if decimals > 1:  # (and not by round(), which is a function of this namespace)
        shown = f'print(f"{{{shown}:.{decimals}f}}")'
    return f"\n    >>> import xgrad as xg\n    >>> {shown}\n    {value}\n"


def complete() -> None:
    """Add to the docstring of each public function the parts that it leaves out."""
    for name, function in FUNCTIONS.items():
        function.__doc__ = completed(name, function)


def completed(name: str, function: Callable[..., Any]) -> str:
    """The docstring of a function with every part, in order: text and examples, the four sections, the pages to see."""
    text, sections, pages = _taken_apart((function.__doc__ or "").rstrip())
    code = getattr(function, "__wrapped__", function).__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if name in ELEMENTWISE or name in AS_ELEMENTWISE:
        _elementwise(name, names, code.co_argcount, sections)
    else:
        _of_arguments(name, names, function.__annotations__, sections)
    if DERIVATIVE not in sections:
        sections[DERIVATIVE] = "        " + _derivative(name, code)
    if not pages and "https://" not in text:
        page = SCIPY if name.startswith("special.") else STANDARD
        pages = f"\n\n    {page.format(name)}"
    written = [f"\n\n    {title}\n{sections[title]}" for title in SECTIONS if title in sections]
    return text + "".join(written) + pages + "\n    "


def _taken_apart(doc: str) -> tuple[str, dict[str, str], str]:
    """The text of a docstring, the sections by their titles, and the pages to see at its end."""
    doc, gap, pages = doc.partition("\n\n    https://")
    if ":\n        " not in doc:  # no section: the import of xgrad waits for this
        return doc, {}, gap + pages
    text, sections = [], {}
    for paragraph in doc.split("\n\n"):
        title, _, lines = paragraph.partition("\n")
        if title.strip() in SECTIONS:
            sections[title.strip()] = lines
        else:
            text.append(paragraph)
    return "\n\n".join(text), sections, gap + pages


def _elementwise(name: str, names: tuple[str, ...], positional: int, sections: dict[str, str]) -> None:
    """Add the sections of a function of one element at a time."""
    takes, alone = TAKES.get(name, REAL_FLOATS), len(names) == 1
    if ARGS not in sections:
        if alone:
            sections[ARGS] = f"        x: an array of {takes}, of any shape, or a number."
        else:
            sections[ARGS] = f"        {', '.join(names)}: arrays of {takes}, whose shapes broadcast, or numbers."
    if RETURNS not in sections:
        shape = "shape of x" if alone else "shape that the arguments broadcast to"
        if name in BOOLEANS:
            sections[RETURNS] = f"        A tensor of the {shape}, of dtype bool."
        elif name == "abs":
            sections[RETURNS] = "        A tensor of the shape and dtype of x, or of the real dtype of its precision."
        elif alone:
            sections[RETURNS] = "        A tensor of the shape and dtype of x."
        else:
            sections[RETURNS] = f"        A tensor of the {shape}, and of the dtype that they promote to."
    errors = {
        "TypeError": "for a value that is neither an array nor a number; for an array of another dtype, if the library checks it."
    }
    if positional > 1:
        errors["ValueError"] = "for shapes that do not broadcast."
        errors["MixedBackendsError"] = "for arrays of two libraries, or on two devices."
    _add(RAISES, errors, sections)


def _of_arguments(name: str, names: tuple[str, ...], annotations: dict[str, Any], sections: dict[str, str]) -> None:
    """Add what the glossary says of arguments, and of the errors that they raise."""
    inputs = () if "." in name else names  # an extension says itself what its arrays are, and what is wrong with them
    meanings = {each: ARGUMENTS[each] for each in names if each in ARGUMENTS and (each in inputs or each not in ARRAYS)}
    if "axis" in meanings:
        annotation = str(annotations.get("axis"))
        if "Axes" in annotation or "tuple" in annotation:
            meanings["axis"] = AXES + ("; None means all." if "None" in annotation or "Axes" in annotation else ".")
    own = ARGS in sections
    if _add(ARGS, meanings, sections) and own:
        sections[ARGS] = _in_order(sections[ARGS], names)
    errors: dict[str, str] = {}
    for argument in inputs:
        for exception, what in RAISED.get(argument, NOTHING).items():
            errors[exception] = f"{errors[exception][:-1]}; for {what}." if exception in errors else f"for {what}."
    _add(RAISES, errors, sections)


def _add(title: str, entries: dict[str, str], sections: dict[str, str]) -> bool:
    """Add to a section the entries that it has not. Returns whether there were any."""
    own = sections.get(title)
    if own is not None:
        said = {name for head in _heads(own) for name in head.split(", ")}
        entries = {name: text for name, text in entries.items() if name not in said}
    lines = [f"        {name}: {text}" for name, text in entries.items()]
    if lines:
        sections[title] = "\n".join(lines if own is None else [own, *lines])
    return bool(lines)


def _heads(section: str) -> list[str]:
    """What stands in front of the colons of a section: arguments or exceptions."""
    return [line[8:].partition(":")[0] for line in section.split("\n") if line[8:9] != " "]


def _in_order(section: str, names: tuple[str, ...]) -> str:
    """The arguments of a section in the order of the signature."""
    entries = ENTRY.split(section)
    firsts = [head.partition(",")[0] for head in _heads(section)]
    places = {name: i for i, name in enumerate(names)}
    order = sorted(range(len(entries)), key=lambda i: places.get(firsts[i], 0))
    return "\n".join([entries[i] for i in order])


def _derivative(name: str, code: Any) -> str:
    how = DERIVATIVES[name]
    if how == "rule":
        return f"By the rule in {_file_of(name, code)}, in both modes and to any order."
    if how == "composition":
        return "That of the functions that it is composed of, in both modes and to any order."
    return f"{how[0].upper()}{how[1:]}."


def _file_of(name: str, code: Any) -> str:
    """The file of the rule: that of the function, where the operation has another name."""
    rules = OPS[name].rules if name in OPS else ()
    rule = next((rule for rule in rules if rule is not None), None)
    declared = code if rule is None else rule.__code__
    return f"xgrad/rules/{declared.co_filename.rpartition('/')[2]}"
