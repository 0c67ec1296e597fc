"""The commands `xgrad train` and `xgrad predict`: from their options to what they say, and the exit status."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad._interrupt import ending
from xgrad._streams import complain
from xgrad._words import one_line, printable
from xgrad.fit.command import CANNOT, SIGNALLED
from xgrad.fit.errors import FitError
from xgrad.fit.files import write
from xgrad.fit.streams import say
from xgrad.fit.targets import check, standard_output_is_one_of
from xgrad.train.predicting import Predictions, predict
from xgrad.train.report import summary
from xgrad.train.run import train


def train_command(options: dict[str, Any]) -> int:
    """Train as a config says, and say what came out. Returns the exit status."""
    quiet = options["quiet"]
    found = train(options.pop("config"), tell=None if quiet else say, **options)
    if not quiet:
        say(summary(found))
    if found.fault:
        complain(f"xgrad train: error: {one_line(found.fault)}; what was reached before is kept")
    for name, why in found.unwritten.items():
        complain(f"xgrad train: error: {printable(str(found.folder / name))} was not written: {one_line(why)}")
    if found.interrupted_by is not None:
        return SIGNALLED + found.interrupted_by
    return CANNOT if found.fault or found.unwritten else 0


def predict_command(options: dict[str, Any]) -> int:
    """Predict for the samples of a file, and write the predictions. Returns the exit status."""
    out, data, model = options["out"], options["data"], options["model"]
    if options["batch_size"] < 1:
        raise FitError(f"--batch-size must be a whole number, 1 or more; it is {options['batch_size']}")
    check({"--out": out}, read={"the data": data})
    with xg.use_backend(options["backend"] or xg.get_backend(), options["device"]):
        found = predict(model, data, batch_size=options["batch_size"])
    with ending() as asked:
        asked.saving = True
        _write(found, out)
    if not options["quiet"]:
        tell = complain if out is None or standard_output_is_one_of([out]) else say
        tell(_summary(found, out))
    return 0 if asked.number is None else SIGNALLED + asked.number


def _write(found: Predictions, out: str | None) -> None:
    text = found.csv()
    if out is None:
        say(text.removesuffix("\n"))
        return
    try:
        write(out, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise FitError(f"--out {out} was not written: {error.strerror or error}") from None


def _summary(found: Predictions, out: str | None) -> str:
    lines = [f"{len(found.rows)} predictions of {printable(found.target)}"]
    if found.score:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in found.score.items())
        lines.append(f"the file has the targets: {shown}")
    if found.unscored:
        lines.append(f"no score: {one_line(found.unscored)}")
    if out is not None:
        lines.append(f"wrote {printable(out)}")
    return "\n".join(lines)
