"""The losses, optimizers and schedules of a config, by their names, with the options of their classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.fit.network import OPTIMIZERS as FIRST_ORDER
from xgrad.fit.schema import FINITE, FLAG, Kind, Several, Whole
from xgrad.optim import LBFGS, lr_scheduler
from xgrad.train.kinds import WORD, Either, faults
from xgrad.train.problems import Problems, instead, place
from xgrad.train.settings import Named

OF_CLASSES = ("cross_entropy",)  # the losses of a classification
LOSSES: dict[str, type[nn.Module]] = {
    "cross_entropy": nn.CrossEntropyLoss,
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "huber": nn.HuberLoss,
    "smooth_l1": nn.SmoothL1Loss,
}
OPTIMIZERS: dict[str, Any] = {**FIRST_ORDER, "lbfgs": LBFGS}
SCHEDULES: dict[str, Any] = {
    "step": lr_scheduler.StepLR,
    "multi_step": lr_scheduler.MultiStepLR,
    "exponential": lr_scheduler.ExponentialLR,
    "cosine": lr_scheduler.CosineAnnealingLR,
    "cosine_restarts": lr_scheduler.CosineAnnealingWarmRestarts,
    "linear": lr_scheduler.LinearLR,
    "constant": lr_scheduler.ConstantLR,
    "polynomial": lr_scheduler.PolynomialLR,
    "one_cycle": lr_scheduler.OneCycleLR,
    "cyclic": lr_scheduler.CyclicLR,
    "plateau": lr_scheduler.ReduceLROnPlateau,
}
NAMES: dict[str, Mapping[str, Any]] = {"loss": LOSSES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
DEFAULTS = {"loss": None, "optimizer": "adam", "schedule": None}

# Parameters of these classes that are no options of a config.
_HIDDEN = {
    *("self", "params", "optimizer", "last_epoch", "reduction", "ignore_index", "weight", "scale_fn"),
    *("maximize", "implementation", "epochs", "steps_per_epoch"),
}


def optimizer_of(named: Named, parameters: Any) -> Any:
    """The optimizer of a config, over parameters."""
    return OPTIMIZERS[named.name or "adam"](parameters, **named.options)


def loss_of(named: Named) -> nn.Module:
    """The loss of a config."""
    assert named.name is not None
    return LOSSES[named.name](**named.options)


def schedule_of(named: Named, optimizer: Any, epochs: int, steps: int, mode: str = "min") -> Any:
    """The schedule of a config; None without one. What a config leaves out follows from the length of the run."""
    if named.name is None:
        return None
    derived: dict[str, dict[str, Any]] = {
        "cosine": {"T_max": epochs},
        "polynomial": {"total_iters": epochs},
        "one_cycle": {"total_steps": max(2, epochs * steps), "max_lr": optimizer.param_groups[0]["lr"]},
        "plateau": {"mode": mode},
    }
    return SCHEDULES[named.name](optimizer, **{**derived.get(named.name, {}), **named.options})


def checked(section: str, values: Mapping[str, Any], problems: Problems, made: Callable[[Named], Any]) -> Named:
    """The name and the options in a section. What is wrong goes to the problems.

    Args:
        section: its name.
        values: its keys.
        problems: collects what is wrong.
        made: makes the object of a section, and raises ValueError or TypeError for options that are wrong.
    """
    known = NAMES[section]
    name = values.get("name", DEFAULTS[section])
    if "name" in values and (not isinstance(name, str) or name not in known):
        problems.add((section, "name"), f"{section}.name {name!r:.60} is unknown; {instead(name, known)}")
        return Named(DEFAULTS[section])
    if name is None:
        for each in values:
            problems.add((section, each), f"{section}.{each} belongs to a {section}, and {section}.name is missing")
        return Named()
    kinds = options_of(known[name])
    options = {}
    for each, value in values.items():
        if each == "name":
            continue
        path = (section, each)
        if each not in kinds:
            what = f"{name} has the options"
            problems.add(
                path, f"{place(path)} is unknown; {instead(each, kinds, what) if kinds else f'{name} has none'}"
            )
            continue
        wrong = list(faults(kinds[each], value, path))
        for at, why in wrong:
            problems.add(at, f"{place(at)} {why}")
        if not wrong:
            options[each] = tuple(value) if isinstance(value, list) else value
    lacking = [each for each in _required(known[name]) if each not in values]
    if lacking and (section, name) not in DERIVED:
        problems.add((section,), f"{section}.{lacking[0]} is missing; {name} needs {', '.join(_required(known[name]))}")
    if all(each in options for each in _required(known[name])) or (section, name) in DERIVED:
        _try(section, name, options, problems, made)
    return Named(name, options)


DERIVED = {("schedule", "cosine"), ("schedule", "one_cycle")}  # what they need follows from the length of the run


def _try(section: str, name: str, options: dict[str, Any], problems: Problems, made: Callable[[Named], Any]) -> None:
    """Make the object, whose class knows which values are right. A wrong option is one that it does not take with the others."""
    if not _why_not(made, Named(name, options)):
        return
    needed = {each: options[each] for each in _required(NAMES[section][name]) if each in options}
    alone = {each: _why_not(made, Named(name, {**needed, each: value})) for each, value in options.items()}
    right = {each: value for each, value in options.items() if not alone[each] or each in needed}
    found = False
    for each in alone:
        why = _why_not(made, Named(name, {**right, each: options[each]}))
        if why and alone[each]:
            found = True
            problems.add((section, each), f"{section}.{each}: {why}")
    if not found:
        problems.add((section,), f"[{section}]: {_why_not(made, Named(name, options))}")


def _why_not(made: Callable[[Named], Any], named: Named) -> str:
    try:
        with xg.use_backend("numpy"):
            made(named)
    except (ValueError, TypeError, ArithmeticError) as error:
        return str(error) or type(error).__name__
    return ""


def options_of(made: Any) -> dict[str, Kind]:
    """The options of a class, with the kinds of their values, from its signature."""
    return {name: _kind(each) for name, each in _parameters(made).items()}


def _required(made: Any) -> list[str]:
    return [name for name, each in _parameters(made).items() if each.default is each.empty]


def _parameters(made: Any) -> dict[str, inspect.Parameter]:
    return {name: each for name, each in inspect.signature(made).parameters.items() if name not in _HIDDEN}


def _kind(parameter: inspect.Parameter) -> Kind:
    """The kind of value of a parameter: that of its default, or else by its annotation."""
    default, annotation = parameter.default, str(parameter.annotation)
    if isinstance(default, bool):
        return FLAG
    if isinstance(default, tuple):
        return Several(FINITE, len(default))
    if isinstance(default, str) or "str" in annotation:
        return WORD
    if "Iterable[int]" in annotation:
        return Several(Whole(1))
    whole = "float" not in annotation
    number: Kind = Whole() if whole else FINITE
    return Either((number, Several(number))) if "list" in annotation else number
