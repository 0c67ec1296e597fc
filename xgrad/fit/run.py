"""`fit`: one run, from its options to its result and files."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import xgrad as xg
from xgrad._words import shortened
from xgrad.diagnose import watch
from xgrad.fit import plot
from xgrad.fit.config import Config
from xgrad.fit.files import as_json, write
from xgrad.fit.interrupt import Ending, Interrupted, ending
from xgrad.fit.network import LOSSES, OPTIMIZERS, build
from xgrad.fit.progress import Progress, require_tqdm
from xgrad.fit.record import Record
from xgrad.fit.recorder import Recorder
from xgrad.fit.references import references
from xgrad.fit.result import NotWrittenError, Result, r_squared
from xgrad.fit.samples import Samples, Scale, load_samples
from xgrad.fit.targets import check, check_ending
from xgrad.fit.train import batches, compiled_step, train

LOSS_NAMES = {"mse": "mean squared error", "l1": "mean absolute error", "huber": "Huber loss"}


def fit(config: Config | None = None, **options: Any) -> Result:
    """Fit a network to a function or to data.

    It writes the files that `out`, `gif` and `history` name, and nothing else. A run that diverges returns like any other. So
    does one that Ctrl-C, SIGTERM or SIGHUP interrupts or that runs out of memory after its first step: then `completed` is False,
    and `interrupted_by` or `fault` says why.

    Args:
        config: the options, as a Config.
        **options: or the options themselves, which are the arguments of Config.

    Returns:
        A Result: the network, the numbers, and what was found wrong.

    Raises:
        FitError: for an option or a file that does not fit, before training.
        BackendError: for an unknown backend or device, before training.
        ImportError: before training, if a picture needs matplotlib or the progress bar tqdm, and it is not installed.
        NotWrittenError: for a file that could not be written. It holds the result, and the other files were written.
        TypeError: for an unknown option, or a Config together with options.

    >>> from xgrad.fit import fit
    >>> result = fit(function="sin(x)", range=(-3, 3), steps=300)
    >>> result.r2 > 0.99
    True

    Standardising the points follows LeCun et al., Efficient BackProp, section 4.3: https://doi.org/10.1007/978-3-642-35289-8_3
    """
    if config is None:
        config = Config(**options)
    elif options:
        raise TypeError(f"fit takes a Config or options, not both; got {', '.join(options)} too")
    _check_files(config)
    samples = load_samples(config)
    _require_libraries(config)
    with ending() as asked:
        with _backend(config), warnings.catch_warnings():
            # a run that diverges overflows: the picture shows that, so no warning is needed
            warnings.simplefilter("ignore", RuntimeWarning)
            result = _fit(config, samples, asked)
        faults = _write(config, result)
        if asked.number != result.interrupted_by:  # the signal came while files were written
            result = replace(result, interrupted_by=asked.number)
    if faults:
        raise NotWrittenError(faults, result)
    return result


def _fit(config: Config, samples: Samples, asked: Ending) -> Result:
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
    completed, fault = False, None
    with closing(watching), Progress(config.steps, quiet=config.quiet) as progress:
        try:
            completed = train(
                model,
                optimizer,
                loss,
                batches(x, y, config.batch, rng),
                steps=config.steps,
                recorder=recorder,
                watch=watching,
                progress=progress,
                asked=asked,
                compiled=compiled_step(model, optimizer, loss) if config.compile else None,
            )
        except (Interrupted, MemoryError) as error:
            if not recorder.taken():
                raise
            fault = f"out of memory: {error}".removesuffix(": ") if isinstance(error, MemoryError) else None
        asked.saving = True  # a second signal does not stop what follows
    seconds = perf_counter() - began
    prediction = recorder.finish()
    report = watching.report()
    report.record = record
    fix = report.try_fix(asked) if config.fix and report.findings else None
    record.marks = [(finding.step, finding.rule) for finding in report.findings]
    r2 = r_squared(samples.y, prediction)
    record.title += ":  all targets are equal" if min(samples.y) == max(samples.y) else f":  R² = {_short(r2)}"
    history = {
        "config": config.public(),
        "versions": _versions(xg.get_backend()),
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
    return Result(model, history, r2, record, completed, report, fix, asked.number, fault)


def _backend(config: Config) -> AbstractContextManager[Any]:
    return xg.use_backend(config.backend or xg.get_backend(), config.device)


def _check_files(config: Config) -> None:
    """Raise FitError before training if a file could not be written."""
    written = {"--out": config.out, "--gif": config.gif, "--history": config.history}
    check(written, read={"--data": config.data if isinstance(config.data, str) else None})
    if config.out is not None:
        check_ending(config.out, "--out", plot.FORMATS)
    if config.gif is not None:
        check_ending(config.gif, "--gif", ("gif",))


def _require_libraries(config: Config) -> None:
    if config.out is not None or config.gif is not None:
        plot.require_matplotlib()
    if not config.quiet:
        require_tqdm()


def _write(config: Config, result: Result) -> dict[str, str]:
    """Write the files: first the history, which has all numbers. Returns the error of each file that could not be written."""
    faults = {}
    contents: list[tuple[str, str | None, Callable[[], bytes]]] = [
        ("--history", config.history, lambda: as_json(result.history)),
        ("--out", config.out, lambda: plot.encoded(result.figure, Path(config.out or "").suffix)),
        ("--gif", config.gif, lambda: plot.animated(result.record)),
    ]
    for option, path, content in contents:
        if path is None:
            continue
        try:
            write(path, content())
        except Exception as error:  # a drawing library may raise anything
            why = (isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}"
            faults[path] = f"{option} {path} was not written: {why}"
    return faults


def _short(r2: float) -> str:
    return f"{r2:.5f}" if abs(r2) < 10 else f"{r2:.3g}"


def _setting(config: Config) -> str:
    net = shortened("-".join(str(size) for size in (1, *config.hidden, 1)))
    output = "linear" if config.output_activation == "none" else config.output_activation
    batch = f"{config.batch} drawn points a step" if config.batch else "full batch"
    return " · ".join(
        (
            f"{net} {config.activation}, {output} output",
            f"{config.optimizer}, lr {config.lr:g}",
            f"{config.steps} steps, {batch}",
            "standardised" if config.standardize else "raw data",
            f"{config.dtype}, seed {config.seed}" + (", compiled" if config.compile else ""),
        )
    )


def _versions(backend: Any) -> dict[str, str]:
    """What the numbers depend on: the versions of Python, xgrad and the library, and the device."""
    return {
        "python": platform.python_version(),
        "xgrad": xg.__version__,
        backend.name: backend.version(),
        "device": backend.device_name,
    }
