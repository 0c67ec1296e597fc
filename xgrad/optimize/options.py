"""The methods by name: what runs them, their options with SciPy's defaults, and which of these `tol` sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from xgrad.optimize.bfgs import bfgs
from xgrad.optimize.lbfgs import lbfgs
from xgrad.optimize.levenberg_marquardt import levenberg_marquardt
from xgrad.optimize.newton_cg import newton_cg
from xgrad.optimize.result import OptimizeResult
from xgrad.optimize.trust_ncg import trust_ncg


class Method(NamedTuple):
    """A method of `minimize`."""

    run: Callable[..., OptimizeResult]
    options: dict[str, Any]  # with their defaults in double precision
    single: dict[str, Any]  # the defaults that differ in single precision
    set_by_tol: tuple[str, ...]


# In single precision, SciPy's documentation advises a gtol of 1e-3. A relative change of 1.2e-6 is ten units in the last place.
SINGLE_GTOL, SINGLE_FTOL = 1e-3, 1.2e-6
TOLERANCES = ("ftol", "xtol", "gtol")  # of Levenberg-Marquardt
WOLFE = {"c1": 1e-4, "c2": 0.9}

METHODS = {
    "lbfgs": Method(
        lbfgs,
        {"maxcor": 10, "ftol": 1e7 * 2.0**-52, "gtol": 1e-5, "maxfun": 15000, "maxiter": 15000, "maxls": 20},
        {"ftol": SINGLE_FTOL, "gtol": SINGLE_GTOL},
        ("ftol", "gtol"),
    ),
    "bfgs": Method(
        bfgs,
        {"gtol": 1e-5, "norm": math.inf, "maxiter": None, "xrtol": 0.0, **WOLFE, "hess_inv0": None},
        {"gtol": SINGLE_GTOL},
        ("gtol",),
    ),
    "newton-cg": Method(newton_cg, {"xtol": 1e-5, "maxiter": None, **WOLFE}, {}, ("xtol",)),
    "trust-ncg": Method(
        trust_ncg,
        {"initial_trust_radius": 1.0, "max_trust_radius": 1000.0, "eta": 0.15, "gtol": 1e-4, "maxiter": None},
        {"gtol": SINGLE_GTOL},
        ("gtol",),
    ),
    "levenberg-marquardt": Method(
        levenberg_marquardt,
        {**dict.fromkeys(TOLERANCES, 1e-8), "max_nfev": None, "maxiter": None, "x_scale": None, "factor": 100.0},
        dict.fromkeys(TOLERANCES, SINGLE_FTOL),
        TOLERANCES,
    ),
}
OTHER_NAMES = {"l-bfgs-b": "lbfgs", "l-bfgs": "lbfgs", "lm": "levenberg-marquardt"}
COMMON = {"disp": False, "return_all": False}
# SciPy's options for gradients by differences, and for its printing. There is nothing for them to do.
WITHOUT_EFFECT = ("eps", "finite_diff_rel_step", "workers", "iprint")


def named(method: Any) -> str:
    """The name of a method as METHODS has it. Raises ValueError for another one, which names those that are there."""
    name = method.lower() if isinstance(method, str) else method
    name = OTHER_NAMES.get(name, name) if isinstance(name, str) else name
    if name not in METHODS:
        raise ValueError(f"minimize: the method is one of {', '.join(map(repr, METHODS))}, not {method!r}")
    return str(name)


def options_of(name: str, given: Mapping[str, Any] | None, tol: float | None, is_single: bool) -> dict[str, Any]:
    """All options of a method, with the values that were given. Raises ValueError for one that it does not have."""
    method = METHODS[name]
    options = {**method.options, **(method.single if is_single else {}), **COMMON}
    if tol is not None:
        options.update(dict.fromkeys(method.set_by_tol, tol))
    for key, value in (given or {}).items():
        if key in options:
            options[key] = value
        elif key not in WITHOUT_EFFECT:
            raise ValueError(f"minimize: the options of {name!r} are {', '.join(options)}; there is no {key!r}")
    checked(options)
    return options


def checked(options: Mapping[str, Any]) -> None:
    """Raise ValueError for options that make no sense."""
    if "c1" in options and not 0 < options["c1"] < options["c2"] < 1:
        raise ValueError(f"minimize: 0 < c1 < c2 < 1 must hold, got c1={options['c1']} and c2={options['c2']}")
    for name in ("maxls", "maxcor"):
        if name in options and not options[name] >= 1:
            raise ValueError(f"minimize: {name} must be at least 1, not {options[name]!r}")
    if "max_nfev" in options and options["max_nfev"] is not None and not options["max_nfev"] >= 1:
        raise ValueError(f"minimize: max_nfev must be at least 1, not {options['max_nfev']!r}")
