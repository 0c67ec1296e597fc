"""`train`: one run, from its config to its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import nn, state
from xgrad._drawing import require_matplotlib
from xgrad._interrupt import Interrupted, ending
from xgrad.data import DataError
from xgrad.fit.errors import FitError
from xgrad.train import bundle, folder
from xgrad.train.bundle import Bundle
from xgrad.train.config import OPTIONS
from xgrad.train.document import read
from xgrad.train.plan import Plan, plan, settings_and_layers
from xgrad.train.problems import Problems
from xgrad.train.report import described, evaluated
from xgrad.train.result import Trained
from xgrad.train.settings import Settings
from xgrad.trainer import Callback, Checkpoint, CSVLog, EarlyStopping, NonFiniteError


def train(
    config: str | Path,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = True,
    tell: Callable[[str], None] | None = None,
    **options: Any,
) -> Trained:
    """Train a network on a file, as a config says. `xgrad train` on the command line is the same.

    The folder gets the model, checkpoints, the history, pictures, and the report of the diagnosis. Each file is written whole or
    not at all. Ctrl-C, SIGTERM and SIGHUP end the training after the step that is being taken; the best and the last weights are
    kept.

    >>> import pathlib, tempfile
    >>> from xgrad.train import predict, train
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "".join(f"{i},{2 * i + 1}\\n" for i in range(50))
    >>> _ = (folder / "line.csv").write_text("x,y\\n" + rows)
    >>> _ = (folder / "line.toml").write_text('[data]\\npath = "line.csv"\\ntargets = "y"\\n[network]\\nlayers = []\\n')
    >>> run = train(folder / "line.toml", out=folder / "run", lr=0.1, epochs=30)
    >>> run.numbers["validation"]["r2"] > 0.99
    True
    >>> predict(folder / "run", folder / "line.csv").rows[:3]
    [2, 3, 4]

    Args:
        config: a TOML file.
        out: the folder; None for one named after the config, such as `iris-run` for `iris.toml`, in the current folder.
        resume: whether the run in this folder is gone on with.
        overwrite: whether a run in this folder is replaced.
        quiet: whether no progress is shown.
        tell: a function that gets what there is to say about the data and the network before the training, as text.
        **options: epochs, batch_size, seed, lr, backend or device, which take the place of those in the config.

    Returns:
        A Trained. A run that was interrupted, or that an error has ended after its first step, is returned too: `interrupted_by`
        and `fault` say so.

    Raises:
        ConfigError: for everything that is wrong in the config and in its data, before the training.
        FitError: for a folder that cannot be used.
        TypeError: for an unknown option.
        ImportError: without safetensors.

    https://toml.io/en/v1.0.0
    """
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise TypeError(f"train has no option {unknown[0]!r}; it has {', '.join(OPTIONS)}")
    state.files.library()
    document = read(config)
    settings, layers, problems = settings_and_layers(document, options)
    place = Path(out) if out is not None else Path(f"{Path(config).stem}-run")
    with backend(settings):
        made = plan(document, settings, layers, problems, not quiet)
        folder.check(place, resume, overwrite)
        if resume:
            _check_resumed(place, made.settings, document.path, document.lines, options)
        lacking = _without_pictures()
        if tell is not None:
            tell(described(made) + (f"\nno pictures: {lacking}" if lacking else ""))
        with folder.opened(place, overwrite):
            folder.write(place / folder.CONFIG, document.text.encode())
            folder.write(place / folder.SETTINGS, (json.dumps(bundle.plain(made.settings)) + "\n").encode())
            return _run(made, place, resume, not lacking)


@contextmanager
def backend(settings: Settings) -> Iterator[None]:
    """In this block, the backend of the settings is the current one. A wrong one is told with the other problems."""
    with ExitStack() as stack:
        try:
            stack.enter_context(xg.use_backend(settings.backend.name or xg.get_backend(), settings.backend.device))
        except xg.BackendError:
            stack.enter_context(xg.use_backend("numpy"))
        yield


def _run(made: Plan, place: Path, resume: bool, pictures: bool) -> Trained:
    """Train, and write the files."""
    trainer, training = made.trainer, made.settings.training
    monitor = training.monitor
    callbacks: list[Callback] = [
        Checkpoint(place / folder.CHECKPOINTS, monitor, every=training.checkpoint_every),
        CSVLog(place / folder.HISTORY),
    ]
    if training.early_stopping is not False:
        callbacks.append(EarlyStopping(monitor, training.early_stopping, training.min_delta))
    fault = None
    try:
        trainer.fit(
            made.parts.data("training"),
            training.epochs,
            made.parts.data("validation"),
            batch_size=training.batch_size,
            drop_last=training.drop_last,
            callbacks=callbacks,
            resume=place / folder.CHECKPOINTS if resume else None,
        )
    except state.StateError as error:
        raise FitError(f"--resume: {error}") from None
    except (NonFiniteError, MemoryError, DataError, OSError, Interrupted) as error:
        if not trainer.step:
            if isinstance(error, NonFiniteError | OSError):
                raise FitError(_said(error)) from None
            raise
        fault = None if isinstance(error, Interrupted) else _said(error)
    with ending() as asked:
        asked.saving = True
        found = _written(made, place, fault, pictures)
    found.interrupted_by = trainer.interrupted_by if trainer.interrupted_by is not None else asked.number
    return found


def _without_pictures() -> str:
    """Why no pictures can be drawn, or ""."""
    try:
        require_matplotlib()
    except ImportError as error:
        return str(error)
    return ""


def _said(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return f"out of memory: {error}".removesuffix(": ")
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'} was not written: {error.strerror or error}"
    return str(error)


def _written(made: Plan, place: Path, fault: str | None, pictures: bool) -> Trained:
    """The result of a run, whose files are written."""
    trainer, model = made.trainer, made.model
    best = trainer.best
    if best is not None:
        model.load_state_dict(best["model"])
    numbers: dict[str, Any] = {}
    matrix = None
    if _is_finite(model):
        try:
            numbers, matrix = evaluated(made)
        except (DataError, MemoryError) as error:  # what ended the run may also be in the way of this
            fault = fault or _said(error)
    if best is not None:
        numbers = {"epoch": best["epoch"], "monitor": best["monitor"], "value": best["value"], **numbers}
    samples = made.samples
    kept = Bundle(
        model,
        bundle.words(made.layers),
        tuple(samples.inputs.shape[1:]),
        made.outputs,
        made.task,
        made.parts.scales,
        samples.target_names,
        samples.layout,
        samples.columns,
        bundle.plain(made.settings),
        numbers,
    )
    found = Trained(place, kept, trainer, numbers, fault=fault)
    folder.write_results(found, matrix, pictures)
    return found


def _is_finite(model: nn.Module) -> bool:
    return all(bool(xg.all(xg.isfinite(p)).item()) for p in model.parameters())


# Settings that may differ between a run and the one that goes on with it.
FREE = {
    ("training", name)
    for name in ("epochs", "early_stopping", "monitor", "min_delta", "metrics", "checkpoint_every", "diagnose", "compile",
                 "nonfinite")
} | {("backend", "name"), ("backend", "device")}  # fmt: skip


def _check_resumed(place: Path, settings: Settings, path: str, lines: dict[Any, int], options: dict[str, Any]) -> None:
    """Raise ConfigError where the config differs from that of the run that is resumed."""
    before = folder.settings(place)
    now = json.loads(json.dumps(bundle.plain(settings)))
    given = {OPTIONS[name]: f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None}
    problems = Problems(path, lines, given)
    for section, values in now.items():
        old = before.get(section, {})
        flat = {**values, **(values.get("options") or {})}
        was = {**old, **(old.get("options") or {})}
        for name in {**flat, **was}:
            if name != "options" and flat.get(name) != was.get(name) and (section, name) not in FREE:
                problems.add(
                    (section, name),
                    f"{section}.{name} is {flat.get(name)!r:.60} here and {was.get(name)!r:.60} in the run that is resumed; "
                    "give the old value, or another --out",
                )
    problems.check()
