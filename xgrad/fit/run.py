"""One run from its options to its result and files."""

from __future__ import annotations

import os
import warnings
from contextlib import AbstractContextManager, closing
from pathlib import Path
from time import perf_counter
from typing import Any

import xgrad as xg
from xgrad import plot
from xgrad.diagnose import watch
from xgrad.fit.config import Config
from xgrad.fit.errors import FitError
from xgrad.fit.files import check_writable, replacing, write_history
from xgrad.fit.network import LOSSES, OPTIMIZERS, build
from xgrad.fit.progress import Progress, require_tqdm
from xgrad.fit.record import Record
from xgrad.fit.recorder import Recorder
from xgrad.fit.references import references
from xgrad.fit.result import Result, r_squared
from xgrad.fit.samples import Samples, Scale, load_samples
from xgrad.fit.train import batches, train
from xgrad.info import versions

LOSS_NAMES = {"mse": "mean squared error", "l1": "mean absolute error", "huber": "Huber loss"}


def fit(config: Config | None = None, **options: Any) -> Result:
    """Fit a network to a function or to data. The options are the fields of `Config`.

    Writes the files that `out`, `gif` and `history` name, and nothing else. A run that diverges
    returns like any other, and so does one that Ctrl-C cuts short.

    Raises FitError for options that cannot be met and ImportError where a picture or a progress
    bar lacks its library: both before training, with nothing changed.
    """
    if config is None:
        config = Config(**options)
    elif options:
        raise TypeError(f"fit takes a Config or options, not both; got {', '.join(options)} too")
    samples = load_samples(config)
    _check_files(config)
    with _backend(config), warnings.catch_warnings():
        # overflow in a run that diverges is what the picture is there to show
        warnings.simplefilter("ignore", RuntimeWarning)
        result = _fit(config, samples)
    _write(config, result)
    return result


def _fit(config: Config, samples: Samples) -> Result:
    rng = xg.random.Generator(config.seed)
    dtype = getattr(xg, config.dtype)
    x_scale = Scale.standard(samples.x) if config.standardize else Scale()
    y_scale = Scale.standard(samples.y) if config.standardize else Scale()
    targets = y_scale.to_training(samples.y)
    x, y = (
        xg.asarray([[value] for value in values], dtype=dtype) for values in (x_scale.to_training(samples.x), targets)
    )
    model, layers = build(
        config.hidden,
        config.activation,
        config.output_activation,
        init=config.init,
        dtype=dtype,
        rng=rng,
    )
    record = Record(
        title=samples.name,
        setting=_setting(config),
        x=samples.x,
        y=samples.y,
        shown_x=[],
        curve=samples.curve,
        loss_name=LOSS_NAMES[config.loss] + ("\n(standardised)" if config.standardize else ""),
        references=references(config.loss, targets),
        batch=config.batch,
    )
    assert config.every is not None
    recorder = Recorder(record, model, layers, x, y_scale, config.every)
    optimizer, loss = OPTIMIZERS[config.optimizer](model.parameters(), lr=config.lr), LOSSES[config.loss]()
    names = {id(layer.linear): layer.name for layer in layers}
    watching = watch(model, optimizer, loss=loss, x=x, y=y, every=config.every, names=names)
    began = perf_counter()
    with closing(watching), Progress(config.steps, quiet=config.quiet) as progress:
        completed = train(
            model,
            optimizer,
            loss,
            batches(x, y, config.batch, rng),
            steps=config.steps,
            recorder=recorder,
            watch=watching,
            progress=progress,
        )
    seconds = perf_counter() - began
    prediction = recorder.finish()
    report = watching.report()
    report.record = record
    fix = report.try_fix() if config.fix and report.findings else None
    record.marks = [(finding.step, finding.rule) for finding in report.findings]
    r2 = r_squared(samples.y, prediction)
    record.title += f":  R² = {r2:.5f}" if abs(r2) < 10 else f":  R² = {r2:.3g}"
    history = {
        "config": config.public(),
        "versions": versions(xg.get_backend()),
        "seconds": seconds,
        "loss": record.loss,
        "r2": r2,
        "x": samples.x,
        "y": samples.y,
        "prediction": prediction,
        "findings": report.json()["findings"],
    }
    if fix is not None:
        history["fix"] = fix.json()
    return Result(model, history, r2, record, completed, report, fix)


def _backend(config: Config) -> AbstractContextManager[Any]:
    return xg.use_backend(config.backend or xg.get_backend(), config.device)


def _check_files(config: Config) -> None:
    """Everything that would keep the results from being written, found before training."""
    files = {"--out": config.out, "--gif": config.gif, "--history": config.history}
    seen: dict[str, str] = {}
    for option, path in files.items():
        if path is not None:
            other = seen.setdefault(os.path.realpath(path), option)
            if other != option and path != os.devnull:
                raise FitError(f"{other} and {option} name the same file, {path}")
            check_writable(path, option)
            _check_ending(path, option)
    if not config.quiet:
        require_tqdm()


def _check_ending(path: str, option: str) -> None:
    if option == "--history":
        return
    plot.require_matplotlib()
    known = ("gif",) if option == "--gif" else plot.FORMATS
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in known and (ending or option == "--gif"):
        raise FitError(f"{option} {path}: the name must end in .{', .'.join(known)}")


def _write(config: Config, result: Result) -> None:
    if config.history is not None:
        write_history(config.history, result.history)
    if config.out is not None:
        with replacing(config.out) as path:
            plot.save(result.figure, path)
    if config.gif is not None:
        with replacing(config.gif) as path:
            plot.animate(result.record, path)


def _setting(config: Config) -> str:
    net = "-".join(str(size) for size in (1, *config.hidden, 1))
    output = "linear" if config.output_activation == "none" else config.output_activation
    batch = f"{config.batch} drawn points a step" if config.batch else "full batch"
    return " · ".join(
        (
            f"{net} {config.activation}, {output} output",
            f"{config.optimizer}, lr {config.lr:g}",
            f"{config.steps} steps, {batch}",
            "standardised" if config.standardize else "raw data",
            f"{config.dtype}, seed {config.seed}",
        )
    )
