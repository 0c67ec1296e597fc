"""The table of methods: names, SciPy's options and defaults, tol, and what is refused."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from xgrad.optimize.options import COMMON, METHODS, named, options_of

SCIPYS = {
    "lbfgs": ("_lbfgsb_py", "_minimize_lbfgsb"),
    "bfgs": ("_optimize", "_minimize_bfgs"),
    "newton-cg": ("_optimize", "_minimize_newtoncg"),
    "trust-ncg": ("_trustregion", "_minimize_trust_region"),
}


@pytest.mark.parametrize("name", SCIPYS)
def test_options_and_defaults_are_scipys(name):
    pytest.importorskip("scipy")
    module, function = SCIPYS[name]
    theirs = inspect.signature(getattr(import_module(f"scipy.optimize.{module}"), function)).parameters
    for option, default in METHODS[name].options.items():
        assert theirs[option].default == default, option


def test_the_keywords_of_a_method_are_its_options():
    for method in METHODS.values():
        parameters = inspect.signature(method.run).parameters.values()
        assert {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} == set(method.options)
        assert set(method.single) | set(method.set_by_tol) <= set(method.options)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("L-BFGS-B", "lbfgs"),
        ("LBFGS", "lbfgs"),
        ("BFGS", "bfgs"),
        ("Newton-CG", "newton-cg"),
        ("lm", "levenberg-marquardt"),
    ],
)
def test_names_in_any_case(given, name):
    assert named(given) == name


@pytest.mark.parametrize("method", ["Nelder-Mead", "", len, 3])
def test_another_method_is_refused(method):
    with pytest.raises(ValueError, match="'lbfgs', 'bfgs', 'newton-cg', 'trust-ncg', 'levenberg-marquardt', not"):
        named(method)


def test_tol_sets_what_scipys_does():
    for name, names in {
        "lbfgs": ("ftol", "gtol"),
        "bfgs": ("gtol",),
        "newton-cg": ("xtol",),
        "trust-ncg": ("gtol",),
    }.items():
        options = options_of(name, {}, 0.125, False)
        assert {key for key, value in options.items() if value == 0.125} == set(names)
        assert options_of(name, {names[0]: 0.5}, 0.125, False)[names[0]] == 0.5


def test_single_precision_has_defaults_of_its_own():
    assert options_of("lbfgs", None, None, True)["gtol"] == 1e-3
    assert options_of("lbfgs", {"gtol": 1e-7}, None, True)["gtol"] == 1e-7


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match=r"the options of 'bfgs' are gtol, .*; there is no 'ftol'"):
        options_of("bfgs", {"ftol": 1e-9}, None, False)


def test_options_for_differences_have_no_effect():
    assert options_of("bfgs", {"eps": 1e-9, "workers": 2}, None, False) == options_of("bfgs", None, None, False)
    assert set(COMMON) <= set(options_of("bfgs", None, None, False))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("bfgs", {"c1": 0.5, "c2": 2.0}), ("newton-cg", {"c1": 0.2, "c2": 0.1}), ("bfgs", {"c1": -0.1})),
        *(("lbfgs", {"maxls": 0}), ("lbfgs", {"maxcor": 0}), ("levenberg-marquardt", {"max_nfev": 0})),
    ],
)
def test_options_that_make_no_sense(name, options):
    with pytest.raises(ValueError, match=r"c1|maxls|maxcor|max_nfev"):
        options_of(name, options, None, False)
