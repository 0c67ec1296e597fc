"""Functions of x read from text."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xgrad as xg
from xgrad.fit import FitError
from xgrad.fit.expression import FUNCTIONS, MAX_DEPTH, MAX_LENGTH, parse


def value(text: str, x: float = 2.0) -> float:
    with np.errstate(all="ignore"):
        return float(parse(text)(np, np.asarray(x)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", 2.0),
        ("x**2", 4.0),
        ("x^2", 4.0),
        ("-x**2", -4.0),
        ("2**-x", 0.25),
        ("2**3**2", 512.0),
        ("1 - 2 - 3", -4.0),
        ("8 / 4 / x", 1.0),
        ("7 % 4 * x", 6.0),
        ("--x + +x", 4.0),
        (" ( x )\t", 2.0),
        ("1e3*x + .5 + 2.", 2002.5),
        ("2*pi - tau + e - e", 0.0),
        ("max(x, 3) + min(x, 3)", 5.0),
        ("ln(e**x)", 2.0),
        ("pow(x, 3)", 8.0),
        ("sin(3*x) + x/5", math.sin(6.0) + 0.4),
        ("9**9**9**9", math.inf),
        ("1/0", math.inf),
    ],
)
def test_value(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_there(name: str) -> None:
    arity, standard_name = FUNCTIONS[name]
    x = np.asarray([0.25, 0.5])
    with np.errstate(invalid="ignore"):
        found = parse(f"{name}({', '.join(['x'] * arity)})")(np, x)
        np.testing.assert_array_equal(found, getattr(np, standard_name)(*[x] * arity))


def test_shape_and_dtype_are_those_of_x(xp) -> None:
    x = xg.asarray([[1.0, 2.0]], dtype=xg.float32)
    for text in ("x*2", "3", "sin(pi) + x"):
        y = parse(text)(xg, x)
        assert (y.shape, y.dtype) == (x.shape, x.dtype)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "empty"),
        ("   ", 4, "empty"),
        ("3x", 2, "3*x"),
        ("2(x)", 2, "a product is written with *"),
        ("x+", 3, "it ends where"),
        ("(x", 3, "it ends where ')'"),
        ("x)", 2, "')' is where"),
        ("sin x", 5, "sin(...)"),
        ("sin", 4, "sin(...)"),
        ("max(x)", 6, "','"),
        ("max(x, 1, 2)", 9, "')'"),
        ("y + 1", 1, "unknown name 'y'"),
        ("foo(x)", 1, "unknown name 'foo'; known are x, pi"),
        ("__import__('os')", 1, "unknown name '__import__'"),
        ("x.real", 2, "'.' is not allowed"),
        ("x if x else 1", 3, "'if' is where"),
        ("x = 2", 3, "'='"),
        ("[x]", 1, "'['"),
        ("x\n+1", 2, r"'\\n'"),
        ("1e999", 1, "too large"),
        ("\N{GREEK SMALL LETTER PI}*x", 1, "not allowed"),
        ("(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1), MAX_DEPTH + 2, "nested more than"),
        ("-" * (MAX_DEPTH + 1) + "x", MAX_DEPTH + 2, "nested more than"),
        ("x**" * (MAX_DEPTH + 1) + "x", 3 * MAX_DEPTH + 4, "nested more than"),
    ],
)
def test_bad_text_is_named_with_its_column(text: str, column: int, said: str) -> None:
    with pytest.raises(FitError) as caught:
        parse(text)
    message = str(caught.value)
    assert f"column {column}:" in message
    assert said.replace(r"\\", "\\") in message
    assert "\n" not in message


def test_length_is_bounded() -> None:
    longest = "x" + "+x" * ((MAX_LENGTH - 1) // 2)
    assert value(longest) == 2.0 * (longest.count("+") + 1)
    with pytest.raises(FitError, match="at most 1000"):
        parse("x" + " " * MAX_LENGTH)


@given(st.text(alphabet="x0123.e+-*/%^(), sincolgpa_'[]\0", max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        function = parse(text)
    except FitError:
        return
    with np.errstate(all="ignore"):
        assert function(np, np.ones(2)).shape == (2,)


@given(
    st.recursive(
        st.sampled_from(["x", "1.5", "3", "pi"]),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(
                lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
            ),
            inner.map(lambda text: f"tanh({text})"),  # which makes no rounding larger, as sin would
            inner.map(lambda text: f"-{text}"),
        ),
        max_leaves=12,
    )
)
def test_agrees_with_python(text: str) -> None:
    names = {"x": np.float64(0.7), "tanh": np.tanh, "pi": np.float64(math.pi)}
    with np.errstate(all="ignore"):
        numbers = re.sub(r"[\d.]+", r"np.float64(\g<0>)", text)  # Python's own raise where they divide by 0
        expected = eval(numbers, {"np": np, **names})
        np.testing.assert_allclose(value(text, 0.7), expected, rtol=1e-12)
