"""Callbacks that write the numbers of a run: as a CSV file, for TensorBoard, or the table of the layers."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any

from xgrad import nn
from xgrad._files import replacing
from xgrad._streams import complain
from xgrad.trainer.callbacks import Callback
from xgrad.trainer.training import Training


class CSVLog(Callback):
    """Write the history to a CSV file after each epoch: one line for each, with the names of the columns in the first line.

    The file is replaced as a whole, so that it is complete at any moment, also after a run that was resumed.

    >>> import pathlib, tempfile, xgrad as xg
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run.csv")
    >>> model = xg.nn.Linear(1, 1)
    >>> trainer = xg.Trainer(model, xg.nn.MSELoss(), xg.optim.SGD(model.parameters(), lr=0.1), progress=False)
    >>> _ = trainer.fit((xg.ones((8, 1)), xg.ones((8, 1))), epochs=2, callbacks=[xg.trainer.CSVLog(path)])
    >>> [line.split(",")[0] for line in path.read_text().splitlines()]
    ['epoch', '1', '2']

    Args:
        path: of the file.

    Raises:
        OSError: in `fit`, if it cannot be written.

    https://keras.io/api/callbacks/csv_logger/
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: Training) -> None:
        with replacing(self.path) as temporary:
            temporary.write_text(trainer.history.csv(), encoding="utf-8")


class TensorBoard(Callback):
    """Write the numbers of each epoch, and the loss of some steps, for TensorBoard.

    It needs `tensorboardX` or `tensorboard`. See the curves with `tensorboard --logdir folder`.

    >>> import xgrad as xg
    >>> log = xg.trainer.TensorBoard("runs/first", every_steps=50)

    Args:
        folder: where the files of this run are.
        every_steps: the loss of a step is written after so many; each reading waits for the device. None for none.

    Raises:
        ImportError: in `fit`, where neither library is installed: `pip install "xgrad[tensorboard]"`.
        ValueError: for `every_steps` below 1.

    https://www.tensorflow.org/tensorboard
    """

    def __init__(self, folder: str | Path, every_steps: int | None = 50) -> None:
        if every_steps is not None and every_steps < 1:
            raise ValueError(f"TensorBoard: every_steps must be 1 or more, or None, got {every_steps}")
        self.folder, self.every_steps = str(folder), every_steps
        self.writer: Any = None

    def on_fit_start(self, trainer: Training) -> None:
        self.writer = writer_of(self.folder)

    def on_batch_end(self, trainer: Training) -> None:
        if self.every_steps is not None and trainer.step % self.every_steps == 0:
            self.writer.add_scalar("step/loss", trainer.loss.item(), trainer.step)

    def on_epoch_end(self, trainer: Training) -> None:
        for name, value in trainer.history.last.items():
            if not math.isnan(value):
                self.writer.add_scalar(f"{trainer.history.unit}/{name}", value, trainer.epoch)
        self.writer.flush()

    def on_fit_end(self, trainer: Training) -> None:
        self._close()

    def on_exception(self, trainer: Training, error: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


class ModelSummary(Callback):
    """Show the table of the model's layers before the first step, as `nn.utils.summary` makes it, on the standard error.

    >>> import xgrad as xg
    >>> callbacks = [xg.trainer.ModelSummary()]

    Raises nothing.

    https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelSummary.html
    """

    def on_batch_end(self, trainer: Training) -> None:
        if trainer.step == 1 and not trainer.has_own_loss:
            batch = trainer.of_step[1][0]
            complain(nn.utils.summary(trainer.model, *batch[:-1]))


def writer_of(folder: str) -> Any:
    """A writer of event files: tensorboardX's, or one on top of tensorboard's own.

    Raises ImportError where neither is installed.
    """
    try:
        return import_module("tensorboardX").SummaryWriter(folder)
    except ImportError:
        pass
    try:
        return Writer(folder)
    except ImportError:
        raise ImportError(
            'TensorBoard: neither tensorboardX nor tensorboard is installed: pip install "xgrad[tensorboard]"'
        ) from None


class Writer:
    """Writes numbers to an event file with the library `tensorboard` alone."""

    def __init__(self, folder: str) -> None:
        files = import_module("tensorboard.summary.writer.event_file_writer")
        self.events = import_module("tensorboard.compat.proto.event_pb2")
        self.summaries = import_module("tensorboard.compat.proto.summary_pb2")
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.file = files.EventFileWriter(folder)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """Write a number."""
        import time

        one = self.summaries.Summary.Value(tag=name, simple_value=value)
        summary = self.summaries.Summary(value=[one])
        self.file.add_event(self.events.Event(wall_time=time.time(), step=step, summary=summary))

    def flush(self) -> None:
        """Write what waits."""
        self.file.flush()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self.file.close()
