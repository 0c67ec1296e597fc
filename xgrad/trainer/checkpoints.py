"""Checkpoints: everything that a run needs to go on, written while it trains."""

from __future__ import annotations

import math
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import state
from xgrad._files import replacing
from xgrad.diagnose.keeping import Generators
from xgrad.trainer.callbacks import Callback
from xgrad.trainer.history import History, is_better, is_maximized
from xgrad.trainer.training import Training

FORMAT = "xgrad.trainer 1"
LAST, BEST, ENDING = "last", "best", ".safetensors"


class Checkpoint(Callback):
    """Write the state of the run to a folder: `last.safetensors`, `best.safetensors`, and numbered ones if `keep` is not 0.

    Each file is written whole or not at all, so that a run that is killed at any moment leaves the last complete one. A run that
    resumes from a file, `trainer.fit(data, epochs, resume=folder)`, goes on with the next batch, and with the numbers of a run
    that was not stopped, bit for bit.

    >>> import tempfile, xgrad as xg
    >>> def trainer():
    ...     rng = xg.random.Generator(0)
    ...     model = xg.nn.Linear(2, 1, rng=rng)
    ...     return xg.Trainer(model, xg.nn.MSELoss(), xg.optim.Adam(model.parameters()), progress=False, generator=rng)
    >>> x = xg.random.Generator(1).normal((100, 2))
    >>> whole = trainer()
    >>> _ = whole.fit((x, x[:, :1]), epochs=4)
    >>> folder = tempfile.mkdtemp()
    >>> _ = trainer().fit((x, x[:, :1]), epochs=2, callbacks=[xg.trainer.Checkpoint(folder)])
    >>> resumed = trainer()
    >>> _ = resumed.fit((x, x[:, :1]), epochs=4, resume=folder)
    >>> bool(xg.all(resumed.model.weight == whole.model.weight)), resumed.history["loss"] == whole.history["loss"]
    (True, True)

    Args:
        folder: where the files are; it is made if it is missing.
        monitor: the column of the history whose best epoch is in `best`; None for val_loss, or loss without validation.
        mode: "min", "max", or "auto", as of `EarlyStopping`.
        every: a file is written after so many epochs, and at the end of the run.
        every_steps: a file is written after so many steps as well; None for none.
        keep: how many numbered files are kept beside `last` and `best`; None for all of them.

    Raises:
        ValueError: for `every`, `every_steps` or `keep` out of range.
        OSError: in `fit`, for a file that cannot be written.

    https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelCheckpoint.html
    """

    end_order = 0  # before the best weights are put back

    def __init__(
        self,
        folder: str | Path,
        monitor: str | None = None,
        mode: str = "auto",
        every: int = 1,
        every_steps: int | None = None,
        keep: int | None = 0,
    ) -> None:
        if every < 1 or (every_steps is not None and every_steps < 1) or (keep is not None and keep < 0):
            raise ValueError(
                f"Checkpoint: every and every_steps must be 1 or more, keep 0 or more, got {every}, {every_steps}, {keep}"
            )
        is_maximized(monitor or "", mode)
        self.folder = Path(folder)
        self.monitor, self.mode, self.every, self.every_steps, self.keep = monitor, mode, every, every_steps, keep
        self.best_value, self.best_epoch = math.nan, 0
        self.column: str | None = None  # of which these are the best
        self.saved = (-1, -1)  # the step and the epochs that `last` has

    @property
    def last_path(self) -> Path:
        """The file of the last checkpoint."""
        return self.folder / (LAST + ENDING)

    @property
    def best_path(self) -> Path:
        """The file of the best epoch."""
        return self.folder / (BEST + ENDING)

    def on_fit_start(self, trainer: Training) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.saved = (trainer.step, trainer.history.epochs)
        if not trainer.history.epochs:
            self.best_value, self.best_epoch = math.nan, 0

    def on_batch_end(self, trainer: Training) -> None:
        if self.every_steps is not None and trainer.step % self.every_steps == 0:
            self.write(trainer, f"step-{trainer.step:08d}")

    def on_epoch_end(self, trainer: Training) -> None:
        name = self.monitor or trainer.default_monitor
        if name not in trainer.history:
            raise ValueError(f"Checkpoint: there is no {name!r} in the history, which has {', '.join(trainer.history)}")
        if self.column != name:  # also where a run is resumed that monitored another one
            self.column, self.best_value, self.best_epoch = name, math.nan, 0
        value = trainer.history[name][-1]
        is_best = is_better(name, value, self.best_value, self.mode)
        if is_best:
            self.best_value, self.best_epoch = value, trainer.epoch
        if trainer.epoch % self.every == 0:
            self.write(trainer, f"epoch-{trainer.epoch:06d}")
        if is_best:
            if self.saved == (trainer.step, trainer.epoch):
                copy(self.last_path, self.best_path)
            else:
                save(trainer, self.best_path)

    def on_fit_end(self, trainer: Training) -> None:
        if self.saved != (trainer.step, trainer.history.epochs):
            self.write(trainer, f"step-{trainer.step:08d}")

    def write(self, trainer: Training, name: str) -> None:
        """Write `last`, and the numbered file of this name if such files are kept."""
        save(trainer, self.last_path)
        self.saved = (trainer.step, trainer.history.epochs)
        if self.keep == 0:
            return
        copy(self.last_path, self.folder / (name + ENDING))
        if self.keep is not None:
            numbered = [*self.folder.glob(f"epoch-*{ENDING}"), *self.folder.glob(f"step-*{ENDING}")]
            for old in sorted(numbered, key=lambda path: path.stat().st_mtime_ns)[: -self.keep]:
                old.unlink(missing_ok=True)

    def state_dict(self) -> dict[str, Any]:
        return {"best_value": self.best_value, "best_epoch": self.best_epoch, "column": self.column}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best_value, self.best_epoch, self.column = state["best_value"], state["best_epoch"], state["column"]


def copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no second names. An old target is replaced as a whole."""
    with replacing(target) as temporary:
        with suppress(OSError):
            os.link(source, temporary)
            return
        shutil.copyfile(source, temporary)


# --- the state of a run ---------------------------------------------------------------------------------------


def save(trainer: Training, path: str | Path) -> None:
    """Write the state of a trainer, and of its run if there is one."""
    run = trainer.run
    tree: dict[str, Any] = {"format": FORMAT, **parts(trainer)}
    tree["generators"] = Generators(trainer.model).states
    tree["history"] = dict(trainer.history)
    tree["best"] = trainer.best
    if run is not None:
        tree["run"] = run.state_dict()
        tree["callbacks"] = [{"class": type(each).__name__, "state": each.state_dict()} for each in run.callbacks]
    xg.save(tree, path)


def parts(trainer: Training) -> dict[str, Any]:
    """The objects of a trainer that have a state of their own."""
    loader = None if trainer.run is None else trainer.run.loader
    scaler = trainer.scaler if trainer.scaler.is_enabled() else None
    found = {
        "model": trainer.model,
        "optimizer": trainer.optimizer,
        "scheduler": trainer.scheduler,
        "loader": loader,
        "scaler": scaler,
    }
    return {
        name: thing
        for name, thing in found.items()
        if hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict")
    }


def load(trainer: Training, path: str | Path) -> None:
    """Take up the state that a file has: all of it or nothing."""
    path = in_folder(Path(path))
    tree = xg.load(path)
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise state.StateError(f"{path} is no checkpoint of a Trainer: its format is {_format(tree)}, not {FORMAT!r}")
    here, run = parts(trainer), trainer.run
    callbacks = [] if run is None else run.callbacks
    if run is not None and "run" not in tree:
        raise state.StateError(
            f"{path} was written before a fit, and has no run to resume: load it with trainer.load(path)"
        )
    missing = [name for name in here if name not in tree]
    if missing:
        raise state.StateError(f"{path} has no {' and no '.join(missing)}, and this trainer has")
    generators = Generators(trainer.model)
    lacking = [name for name in generators.states if name not in tree["generators"]]
    if lacking:
        raise state.StateError(f"{path} has no random generator {', '.join(lacking)}, and the model has")
    kept = None if run is None else tree["run"]["metrics"]
    lost = [] if run is None or kept is None else [each.name for each in run.metrics if each.name not in kept]
    if lost:
        raise state.StateError(f"{path} was written within an epoch, and has no metric {', '.join(lost)} of it")
    xg.load(path, here)
    generators.load_state_dict(tree["generators"])
    trainer.history, trainer.best = History(tree["history"]), tree["best"]
    trainer.epoch = trainer.history.epochs
    if run is not None:
        trainer.step, trainer.skipped = tree["run"]["step"], tree["run"]["skipped"]
        run.load_state_dict(tree["run"])
        for each in callbacks:  # by their classes, in order; one that the file does not have starts anew
            saved = next((saved for saved in tree["callbacks"] if saved["class"] == type(each).__name__), None)
            if saved is not None:
                tree["callbacks"].remove(saved)
                each.load_state_dict(saved["state"])


def file_to_resume(resume: str | Path | bool | None, callbacks: list[Callback]) -> Path | None:
    """The file to resume from, or None to start.

    Raises:
        FileNotFoundError: for one that does not exist.
        ValueError: for True without a Checkpoint among the callbacks.
    """
    if resume is None or resume is False:
        return None
    if resume is True:
        found = next((each for each in callbacks if isinstance(each, Checkpoint)), None)
        if found is None:
            raise ValueError("fit: resume=True needs a Checkpoint among the callbacks, whose last file it resumes from")
        return found.last_path if found.last_path.exists() else None
    path = in_folder(Path(resume))
    if not path.exists():
        raise FileNotFoundError(f"fit: there is no checkpoint {path} to resume from")
    return path


def in_folder(path: Path) -> Path:
    """The last checkpoint of a folder, or the path itself."""
    return path / (LAST + ENDING) if path.is_dir() else path


def _format(tree: Any) -> str:
    return repr(tree.get("format")) if isinstance(tree, dict) else f"that of a {type(tree).__name__}"
