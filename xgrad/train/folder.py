"""The folder of a run: its files, checks before the training that they can be written, and writing them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xgrad._files import replacing
from xgrad.fit.errors import FitError
from xgrad.fit.targets import check as check_files
from xgrad.train import bundle
from xgrad.train.result import Trained
from xgrad.trainer import plot_confusion_matrix

CONFIG, SETTINGS, CHECKPOINTS, HISTORY = "config.toml", "settings.json", "checkpoints", "history.csv"
MODEL, CURVES, CONFUSION, REPORT = bundle.NAME, "curves.png", "confusion.png", "report.txt"
LAST = f"{CHECKPOINTS}/last.safetensors"
FILES = (MODEL, HISTORY, CURVES, CONFUSION, REPORT, CONFIG, SETTINGS)


def check(folder: Path, resume: bool, overwrite: bool) -> None:
    """Raise FitError for a folder that cannot be written, or that has a run that is neither resumed nor replaced."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise FitError(f"--out {folder}: this is no folder")
    has_run = os.path.exists(folder / LAST) or os.path.exists(folder / MODEL)
    if resume and overwrite:
        raise FitError("--resume and --overwrite exclude each other")
    if resume and not (os.path.exists(folder / LAST) and os.path.exists(folder / SETTINGS)):
        raise FitError(f"--resume: {folder} has no run to go on with: {LAST} and {SETTINGS} are needed")
    if has_run and not resume and not overwrite:
        raise FitError(
            f"--out {folder} has a run already: go on with it (--resume), replace it (--overwrite), or name another folder"
        )


@contextmanager
def opened(folder: Path, overwrite: bool) -> Iterator[None]:
    """Make the folder, and check that its files can be written. It is removed again if nothing is in it after an error."""
    made = [path for path in (folder, *folder.parents) if not os.path.exists(path)]
    try:
        _make(folder)
        check_files({f"--out: {name}": folder / name for name in FILES}, read={})
        if overwrite:
            with suppress(FileNotFoundError):
                shutil.rmtree(folder / CHECKPOINTS)
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
        (folder / CHECKPOINTS).mkdir(exist_ok=True)
        check_files({f"--out: {LAST}": folder / LAST}, read={})
        yield
    except OSError as error:
        raise FitError(f"--out {folder} cannot be written: {error.strerror or error}") from None
    finally:
        if not os.path.exists(folder / LAST) and not os.path.exists(folder / MODEL):
            for name in (CONFIG, SETTINGS, HISTORY):
                with suppress(OSError, ValueError):
                    (folder / name).unlink()
        for path in (folder / CHECKPOINTS, *made):
            with suppress(OSError, ValueError):  # a folder with files in it stays
                path.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except ValueError as error:  # a name with a NUL, or that the file system cannot encode
        raise FitError(f"--out {folder} cannot be the name of a folder: {error}") from None


def settings(folder: Path) -> dict[str, Any]:
    """The settings of the run in a folder. Raises FitError for a file that has none."""
    try:
        found = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
            raise ValueError("its form is another one")
    except (OSError, ValueError, RecursionError) as error:
        raise FitError(f"--resume: {folder / SETTINGS} has no settings of a run: {error}") from None
    return found


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_results(found: Trained, matrix: list[list[int]] | None, pictures: bool) -> None:
    """Write the model, the report and the pictures. One that cannot be written does not stop the others."""
    place, trainer = found.folder, found.trainer
    task = found.bundle.task
    contents: dict[str, Callable[[], Any]] = {MODEL: lambda: found.bundle.save(place / MODEL)}
    if trainer.history.epochs:
        contents[HISTORY] = lambda: write(place / HISTORY, trainer.history.csv().encode())
        contents[CURVES] = lambda: trainer.history.plot(place / CURVES)
    if matrix is not None:
        contents[CONFUSION] = lambda: plot_confusion_matrix(matrix, place / CONFUSION, task.classes)
    if trainer.report is not None:
        contents[REPORT] = lambda: write(place / REPORT, f"{trainer.report}\n".encode())
    if not pictures:
        contents = {name: made for name, made in contents.items() if name not in (CURVES, CONFUSION)}
    for name, made in contents.items():
        try:
            made()
            found.written.append(name)
        except Exception as error:  # a drawing library may raise anything
            found.unwritten[name] = (
                isinstance(error, OSError) and error.strerror
            ) or f"{type(error).__name__}: {error}"
