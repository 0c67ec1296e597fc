"""From a config to its settings: every key and every value is checked, and all that is wrong is told together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad._words import shown
from xgrad.train import classes
from xgrad.train.document import Document
from xgrad.train.kinds import faults
from xgrad.train.lines import Path as Place
from xgrad.train.problems import Problems, instead, place
from xgrad.train.settings import NAMED, SECTIONS, Backend, Data, Named, Network, Settings, Training, keys_of
from xgrad.trainer.options import check_precision, check_scaling

ALL = (*SECTIONS, *NAMED)
OPTIONS: dict[str, Place] = {  # of the command line, and the keys that they set
    "epochs": ("training", "epochs"),
    "batch_size": ("training", "batch_size"),
    "seed": ("training", "seed"),
    "lr": ("optimizer", "lr"),
    "backend": ("backend", "name"),
    "device": ("backend", "device"),
}


def settings_of(document: Document, options: Mapping[str, Any] | None = None) -> tuple[Settings, Problems]:
    """The settings in a config, and what is wrong with it so far. Values that are wrong are replaced by the defaults.

    Args:
        document: the config.
        options: values that take the place of those in the file, by the names in OPTIONS; None for those that are not given.
    """
    given = {OPTIONS[name]: (name, value) for name, value in (options or {}).items() if value is not None}
    problems = Problems(
        document.path, document.lines, {path: f"--{name.replace('_', '-')}" for path, (name, _) in given.items()}
    )
    sections = _sections(document.values, problems)
    for path, (_, value) in given.items():
        sections[str(path[0])][str(path[1])] = value
    found = {name: _section(name, sections[name], problems) for name in SECTIONS}
    training = Training(**found["training"])
    named = _named(sections, training, problems)
    settings = Settings(
        Data(**found["data"]),
        Network(**found["network"]),
        named["loss"],
        named["optimizer"],
        named["schedule"],
        training,
        Backend(**found["backend"]),
    )
    _check_data(settings.data, Path(document.path).parent, sections["data"], problems)
    _check_network(settings.network, sections["network"], problems)
    _check_training(settings, problems)
    return settings, problems


def _sections(values: Mapping[str, Any], problems: Problems) -> dict[str, dict[str, Any]]:
    """The sections of a config, each as a dict. Unknown ones are problems."""
    found: dict[str, dict[str, Any]] = {name: {} for name in ALL}
    for name, value in values.items():
        if name in ALL and isinstance(value, dict):
            found[name] = dict(value)
        elif name in ALL:
            problems.add((name,), f"{name} must be a section, [{name}]; it is {shown(value)}")
        elif isinstance(value, dict):
            problems.add((name,), f"[{place((name,))}] is unknown; {instead(name, ALL, 'the sections are')}")
        else:
            home = _home(name)
            hint = f"it belongs in [{home}]" if home else instead(name, ALL, "the sections are")
            problems.add((name,), f"{place((name,))} stands in no section; {hint}")
    return found


def _section(section: str, values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The values of a section that are right."""
    kinds = keys_of(section)
    right = {}
    for name, value in values.items():
        path = (section, name)
        if name not in kinds:
            home = _home(name)
            hint = f"it belongs in [{home}]" if home else instead(name, kinds, f"[{section}] has")
            problems.add(path, f"{place(path)} is unknown; {hint}")
            continue
        wrong = list(faults(kinds[name], value, path))
        for at, why in wrong:
            problems.add(at, f"{place(at)} {why}")
        if not wrong:
            right[name] = value
    return right


def _home(name: str) -> str | None:
    """The section that has a key, if one has it."""
    return next((section for section in SECTIONS if name in keys_of(section)), None) or (
        "optimizer" if name in ("lr", "weight_decay", "momentum") else None
    )


def _named(sections: Mapping[str, dict[str, Any]], training: Training, problems: Problems) -> dict[str, Named]:
    """The loss, the optimizer and the schedule."""

    def trial(named: Named) -> Any:
        return classes.optimizer_of(named, [nn.Parameter(xg.zeros(1))])

    found = {
        "loss": classes.checked("loss", sections["loss"], problems, classes.loss_of),
        "optimizer": classes.checked("optimizer", sections["optimizer"], problems, trial),
    }

    def schedule(named: Named) -> Any:
        try:
            optimizer = trial(found["optimizer"])
        except (ValueError, TypeError, ArithmeticError):  # which is told already
            optimizer = trial(Named(found["optimizer"].name))
        return classes.schedule_of(named, optimizer, training.epochs, 10)

    found["schedule"] = classes.checked("schedule", sections["schedule"], problems, schedule)
    return found


def _check_data(data: Data, folder: Path, given: Mapping[str, Any], problems: Problems) -> None:
    if "path" not in given:
        problems.add(("data",), 'data.path is missing: the file with the samples, path = "samples.csv"')
    if "targets" not in given and not data.path.lower().endswith(".npz"):
        problems.add(("data",), "data.targets is missing: the column of what is to be learned")
    for name in ("path", "validation", "test"):
        value = getattr(data, name)
        if isinstance(value, str) and value and not os.path.isfile(folder / value):
            there = "it is a folder" if os.path.isdir(folder / value) else f"there is no file {shown(value)[1:-1]}"
            problems.add(("data", name), f"data.{name}: {there} in the folder of the config")
    shares = [value for value in (data.validation, data.test) if not isinstance(value, str)]
    if sum(shares) >= 1:
        problems.add(
            ("data", "test"), f"data.test and data.validation are {sum(shares):g} together, and nothing is left"
        )
    if data.classes is not None and not problems.has(("data", "classes")):
        if len(data.classes) < 2:
            problems.add(("data", "classes"), "data.classes must name two classes or more")
        for i, name in enumerate(data.classes):
            if name in data.classes[:i]:
                problems.add(("data", "classes", i), f"data.classes[{i}]: {shown(name)} comes twice")
        if data.task == "regression":
            problems.add(("data", "classes"), "data.classes belongs to a classification, and data.task is regression")


def _check_network(network: Network, given: Mapping[str, Any], problems: Problems) -> None:
    if "layers" in given:
        for name in ("kind", "hidden", "activation", "dropout"):
            if name in given:
                problems.add(("network", name), f"network.{name} and network.layers exclude each other")


def _check_training(settings: Settings, problems: Problems) -> None:
    training = settings.training
    for i, name in enumerate(training.metrics or ()):
        if name in training.metrics[:i]:
            problems.add(("training", "metrics", i), f"training.metrics[{i}]: {shown(name)} comes twice")
    if training.compile and settings.optimizer.name == "lbfgs":
        problems.add(("training", "compile"), "training.compile: the steps of lbfgs are not compiled; use false")
    backend = settings.backend
    try:
        with xg.use_backend(backend.name or xg.get_backend(), backend.device):
            _check_precision(settings, problems)
    except xg.BackendError as error:
        key = "device" if backend.name is None or problems.has(("backend", "name")) else _blamed(backend)
        problems.add(("backend", key), f"backend.{key}: {error}")


def _check_precision(settings: Settings, problems: Problems) -> None:
    """Whether the backend and the optimizer can use the precision, on a small model."""
    precision = settings.training.precision
    optimizer = classes.optimizer_of(Named(settings.optimizer.name), nn.Linear(1, 1).parameters())
    try:
        check_precision(precision, xg.get_backend())
        check_scaling(precision, optimizer)
    except (ValueError, xg.BackendError) as error:
        problems.add(("training", "precision"), f"training.precision: {str(error).removeprefix('Trainer: ')}")


def _blamed(backend: Backend) -> str:
    """Which of the two keys makes the error: the name, if the backend cannot be used without the device either."""
    try:
        with xg.use_backend(backend.name or xg.get_backend()):
            return "device"
    except xg.BackendError:
        return "name"
