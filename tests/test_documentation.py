"""Every public name is documented in full: what it computes, arguments, result, derivative, errors, an example, a source."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from bench.reference import FACES, public_names
from xgrad.engine.registry import DERIVATIVES, ELEMENTWISE, FUNCTIONS
from xgrad.rules.documentation import FLOATS, REAL_FLOATS, STANDARD, completed, of_row

# What is not an array: neither shape nor dtype is said of it.
NOT_ARRAYS = {"can_cast", "finfo", "iinfo", "isdtype", "result_type", "broadcast_shapes"}


def documented() -> Iterator[tuple[str, Any]]:
    """Each public function, class and object, by its name below xgrad."""
    for where in FACES:
        for name in public_names(where):
            path = f"{where}.{name}".removeprefix("xgrad.")
            yield path, getattr(import_module(where), name)


PUBLIC = dict(documented())


def doc_of(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def missing(path: str, thing: Any) -> list[str]:
    """The parts that a docstring lacks."""
    doc = doc_of(thing)
    is_error = isinstance(thing, type) and issubclass(thing, Exception)
    summary = doc.partition("\n\n")[0]
    lacks = []
    if not summary.endswith((".", ":")):
        lacks.append("a first sentence")
    if ">>> " not in doc:
        lacks.append("an example")
    if is_error:
        return lacks
    if "https://" not in doc:
        lacks.append("a source")
    if "Raises:" not in doc and "Raises nothing" not in doc:
        lacks.append("what is raised")
    lacks += [
        f"the argument {name}" for name in parameters(thing) if not re.search(rf"(?m)^\s+(.*\W)?{name}\b.*: ", doc)
    ]
    if not isinstance(thing, type) and "Returns:" not in doc and returns_something(thing):
        lacks.append("what is returned")
    if path in FUNCTIONS:
        if "Derivative:" not in doc:
            lacks.append("the derivative")
        if path not in NOT_ARRAYS:
            lacks += [f"the {word}" for word in ("shape", "dtype") if word not in doc]
    return lacks


def parameters(thing: Any) -> list[str]:
    try:
        signature = inspect.signature(thing)
    except ValueError:
        return []
    return [name for name in signature.parameters if not name.startswith("_")]


def returns_something(thing: Any) -> bool:
    return getattr(thing, "__annotations__", {}).get("return") not in ("None", None)


@pytest.mark.parametrize("path", PUBLIC)
def test_every_part_is_there(path: str) -> None:
    assert missing(path, PUBLIC[path]) == []


def public_members(cls: type) -> Iterator[tuple[str, Any]]:
    """The methods and properties that a class defines itself. An overridden method has the base class's docstring."""
    for name in vars(cls):
        member = getattr(cls, name, None)  # a name that says which other word to use raises AttributeError
        if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
            yield name, member


CLASSES = {path: thing for path, thing in PUBLIC.items() if isinstance(thing, type)}


@pytest.mark.parametrize("path", CLASSES)
def test_every_method_says_what_it_does(path: str) -> None:
    assert [name for name, member in public_members(CLASSES[path]) if not inspect.getdoc(member)] == []


@pytest.mark.parametrize("path", PUBLIC)
def test_examples_run(path: str) -> None:
    failures: list[str] = []
    test = doctest.DocTestParser().get_doctest(doc_of(PUBLIC[path]), {}, path, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=failures.append)
    assert "".join(failures) == ""


def test_a_page_of_the_standard_is_of_a_function_that_it_has() -> None:
    standard = pytest.importorskip("array_api_strict")
    page = re.compile(re.escape(STANDARD).replace(r"\{\}", r"([\w.]+)"))
    for path, thing in PUBLIC.items():
        for name in page.findall(doc_of(thing)):
            where = standard
            for part in name.split("."):
                assert hasattr(where, part), f"{path}: the standard has no {name}"
                where = getattr(where, part)


def test_parts_that_are_missing_are_found() -> None:
    def area(width: Any, height: Any) -> Any:
        """The area"""

    assert missing("area", area) == [
        "a first sentence", "an example", "a source", "what is raised", "the argument width", "the argument height",
        "what is returned",
    ]  # fmt: skip
    assert missing("sin", area)[-3:] == ["the derivative", "the shape", "the dtype"]


def test_a_row_becomes_a_docstring() -> None:
    doc = of_row("special.half", "x / 2. At 0 it is 0. half(3.0) = 1.5", "https://example.org")
    assert inspect.cleandoc(doc).splitlines() == [
        "x / 2, element by element.", "", "At 0 it is 0.", "", ">>> import xgrad as xg", ">>> xg.special.half(3.0).item()", "1.5",
        "", "https://example.org",
    ]  # fmt: skip
    assert '>>> print(f"{xg.half(3.0).item():.4f}")' in of_row("half", "x / 2. half(3.0) = 1.2345")


def test_a_part_that_is_added_stands_in_its_place() -> None:
    titles = re.findall(r"(?m)^(Args|Returns|Derivative|Raises):$", doc_of(PUBLIC["special.betainc"]))
    assert titles == ["Args", "Returns", "Derivative", "Raises"]


def test_the_usual_errors_are_added_to_those_that_a_docstring_names() -> None:
    _, _, raised = doc_of(PUBLIC["special.jv"]).partition("Raises:\n")
    names = ["NotImplementedError", "TypeError", "ValueError", "MixedBackendsError"]
    assert re.findall(r"(?m)^ {4}(\w+): ", raised) == names


def test_what_a_docstring_says_itself_is_kept() -> None:
    def sum(x: Any, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The sum.

        Args:
            axis: what I say.

        Returns:
            What I say too.

        Raises:
            ValueError: always.
        """

    sections = dict(re.findall(r"(?m)^    (\w+):\n((?: {8}.*\n)+)", completed("sum", indented_once(sum))))
    assert sections["Args"].splitlines() == [
        "        x: an array of any shape and dtype, or a number.",
        "        axis: what I say.",
        "        keepdims: whether the reduced axes stay, with length 1.",
    ]
    assert sections["Returns"] == "        What I say too.\n"
    assert "By the rule in" in sections["Derivative"], DERIVATIVES["sum"]
    assert sections["Raises"].splitlines() == [
        "        ValueError: always.",
        "        TypeError: for an x that is neither an array nor a number; for an axis that is no integer.",
    ]


def indented_once(function: Any) -> Any:
    """The function with its docstring indented as that of a function of a module."""
    function.__doc__ = function.__doc__.replace("\n    ", "\n")
    return function


# The dtypes that a phrase in `Args:` names, and whether integers become floats.
CLAIMS = {
    "any dtype": "float32 complex64 int64 bool",
    "any numeric dtype": "float32 complex64 int64",
    "any real dtype": "float32 int64",
    FLOATS: "float32 complex64 int64",
    REAL_FLOATS: "float32 int64",
    "a real or complex floating-point dtype": "float32 complex64",
    "integers or booleans": "int64 bool",
    "integers": "int64",
    "booleans": "bool",
}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in ELEMENTWISE])
def test_an_elementwise_function_gives_the_dtype_that_it_claims(name: str) -> None:
    with xg.use_backend("numpy"), np.errstate(all="ignore"):
        doc = doc_of(FUNCTIONS[name])
        claim = next((claim for claim in CLAIMS if re.search(rf"(array|arrays) of {re.escape(claim)},", doc)), None)
        if claim is None:
            pytest.skip("it says in words of its own what it takes")
        arguments = max(1, len(parameters(FUNCTIONS[name])))
        returns = doc.partition("Returns:")[2].partition("\n\n")[0]
        for dtype in CLAIMS[claim].split():
            x = xg.asarray(np.asarray([1, 1], dtype=dtype))
            want = "bool" if "dtype bool" in returns else dtype
            if want == "int64" and "become floats" in claim:
                want = "float64"
            if want == "complex64" and "real dtype of its precision" in returns:
                want = "float32"
            assert str(FUNCTIONS[name](*[x] * arguments).dtype) == want, dtype
