"""The trainer: a model, its loss and its optimizer, and the loop that trains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from xgrad import nn, optim
from xgrad.trainer import checkpoints, options, predicting
from xgrad.trainer.batches import batch_count, loader_of
from xgrad.trainer.callbacks import Callback, as_callback
from xgrad.trainer.finder import LRCurve, find_lr
from xgrad.trainer.history import History, is_maximized
from xgrad.trainer.metrics import Metrics, apart, check_names, metrics_of
from xgrad.trainer.progress import progress_of
from xgrad.trainer.run import Run
from xgrad.trainer.training import Training


class Trainer(Training):
    """Trains a model: `fit`, `evaluate`, `predict`, and `find_lr`.

    A step is the one that you would write: `optimizer.zero_grad()`, `loss(model(x), y).backward()`, `optimizer.step()`, with the
    same numbers bit for bit. A batch is a tuple whose last part is the target; all others are passed to the model. For any other
    loss, override `compute_loss(batch)`.

    >>> import xgrad as xg
    >>> rng = xg.random.Generator(0)
    >>> x = rng.uniform((256, 1), low=-3.0, high=3.0)
    >>> model = xg.nn.Sequential(xg.nn.Linear(1, 16, rng=rng), xg.nn.Tanh(), xg.nn.Linear(16, 1, rng=rng))
    >>> optimizer = xg.optim.Adam(model.parameters(), lr=0.01)
    >>> trainer = xg.Trainer(model, xg.nn.MSELoss(), optimizer, metrics=["r2"], progress=False)
    >>> history = trainer.fit((x, xg.sin(x)), epochs=30, validation=(x[:64], xg.sin(x[:64])))
    >>> list(history)
    ['loss', 'r2', 'val_loss', 'val_r2', 'lr', 'seconds']
    >>> history["val_r2"][-1] > 0.9, trainer.predict(x).shape
    (True, (256, 1))

    Args:
        model: the module to train. It stays where it is, on its backend and device; batches are moved there.
        loss: a function of the model's output and the target, such as `nn.MSELoss()`, that gives one number. None means that the
            model gives the loss itself when it is called with all parts of the batch.
        optimizer: its optimizer.
        scheduler: a schedule of `optim.lr_scheduler`. It steps after each epoch, OneCycleLR and CyclicLR after each step.
        scheduler_interval: "epoch" or "step", to decide that otherwise.
        metrics: names ("accuracy", "top5", "precision", "recall", "f1", "mse", "rmse", "mae", "r2"), functions
            (prediction, target) -> number, which are averaged over the samples, or instances of `Metric`; in a dict for other
            column names.
        callbacks: instances of `Callback`, or functions of the trainer that are called after each epoch.
        clip_grad_norm: scales the gradients down to this norm, all together.
        clip_grad_value: clips each element of the gradients to this absolute value.
        accumulate: how many batches make one step. Its gradient is that of one large batch: the mean over all samples.
        precision: "float16" or "bfloat16", in which products are computed while the weights and the loss stay as they are (see
            xgrad.amp); None or "float32" for the dtype of the model. For "float16", the loss is scaled, by `scaler`: a step whose
            gradients overflow is left out, logged, and counted in `skipped`, and the diagnosis, which would see scaled
            gradients, is off.
        compile: whether steps run as programs of `xgrad.compile`.
        diagnose: whether xgrad.diagnose looks at the first steps and at some later ones. Its report is in `report`, and its
            findings are shown at the end.
        nonfinite: what happens when a loss or a gradient is nan or infinite. "stop" raises NonFiniteError before the weights
            change, and "skip" leaves the batch out and counts it in `skipped`; both read one number of each step from the device.
            "ignore" checks nothing.
        progress: True for a bar of tqdm on a terminal and a line for each epoch elsewhere; "bar" or "lines"; False for nothing.
        generator: draws the order of the samples; None for a generator that the default one starts.

    Raises:
        TypeError, ValueError: for an argument that does not fit.
        BackendError: for a precision that the model's backend does not have.

    Attributes:
        scaler: the `xgrad.amp.GradScaler` of the losses, which does nothing unless precision is "float16".
        history: of the last `fit`.
        report: what the diagnosis found, a `diagnose.Report`; None without it.
        best: the best epoch as a dict: "epoch", "monitor", "value", and "model", its weights. The best is the smallest val_loss,
            or loss without validation, or the best value of what an `EarlyStopping` or `Checkpoint` monitors.
        step, epoch, batch: how many steps were taken; where the run is, counted from 1.
        interrupted_by: the number of the signal that ended the last `fit`, or None.
        stopped_because: why a callback ended it, or None.

    https://keras.io/api/models/model_training_apis/ and https://lightning.ai/docs/pytorch/stable/common/trainer.html
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[..., Any] | None,
        optimizer: optim.Optimizer,
        *,
        scheduler: Any = None,
        scheduler_interval: str | None = None,
        metrics: Metrics = None,
        callbacks: Iterable[Any] = (),
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
        accumulate: int = 1,
        precision: str | None = None,
        compile: bool = False,
        diagnose: bool = True,
        nonfinite: str = "stop",
        progress: bool | str = True,
        generator: Any = None,
    ) -> None:
        options.check_parts(model, loss, optimizer, scheduler)
        options.check_numbers(clip_grad_norm, clip_grad_value, accumulate)
        options.check_precision(precision, next(iter(model.parameters())).backend)
        options.check_scaling(precision, optimizer)
        options.check_words(nonfinite, scheduler_interval)
        progress_of(progress)
        if compile and options.needs_closure(optimizer):
            raise ValueError(
                f"compile=True: {type(optimizer).__name__} decides within a step how it goes on; compile=False"
            )
        super().__init__(
            model, loss, optimizer,
            scheduler=scheduler, scheduler_interval=scheduler_interval or options.interval_of(scheduler),
            clip_grad_norm=clip_grad_norm, clip_grad_value=clip_grad_value, accumulate=accumulate,
            compile=compile, diagnose=diagnose, nonfinite=nonfinite, precision=precision,
        )  # fmt: skip
        self.metrics = metrics_of(metrics, loss)
        self.callbacks = [as_callback(each) for each in callbacks]
        self.progress, self.generator = progress, generator

    # --- training ---

    def fit(
        self,
        data: Any,
        epochs: int = 1,
        validation: Any = None,
        *,
        batch_size: int = 32,
        shuffle: bool = True,
        drop_last: bool = False,
        metrics: Metrics = None,
        callbacks: Iterable[Any] = (),
        resume: str | Path | bool | None = None,
    ) -> History:
        """Train the model.

        Ctrl-C, SIGTERM and SIGHUP end the training after the step that is being taken: `fit` returns as usual, with the history
        so far, the last weights in the model and the best ones in `best`. A second signal ends it at once.

        Args:
            data: arrays (x, y) with the samples along the first axis, a Dataset, a DataLoader, or another iterable of batches
                that can be iterated anew in each epoch.
            epochs: how many epochs are trained; with `resume`, how many there are in all.
            validation: data on which loss and metrics are computed after each epoch, of the same kinds.
            batch_size, shuffle, drop_last: as of a DataLoader, where the data is no batches yet. Validation is not shuffled.
            metrics, callbacks: further ones, for this run.
            resume: a file that `Checkpoint` or `save` wrote, or the folder of a `Checkpoint`, to go on from there with bit for
                bit the numbers of a run that was not stopped; True for the last file of a `Checkpoint` in `callbacks`, or the
                start if there is none yet.

        Returns:
            The history, which is `history` too.

        Raises:
            NonFiniteError: where a loss or a gradient is not finite, before the weights change.
            TypeError, ValueError: for data, or a loss, that does not fit.
            FileNotFoundError: for a file to resume from that does not exist.
            StateError: for one that is of another trainer, model or optimizer.
        """
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 0:
            raise ValueError(f"fit: epochs must be an integer, 0 or more, got {epochs!r}")
        self._start()
        with self.on_its_backend():
            loader = loader_of(
                "fit", data,
                batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, generator=self.generator,
            )  # fmt: skip
            checked = None if validation is None else loader_of("validation", validation, batch_size=batch_size)
            several = [*self.metrics, *metrics_of(metrics, self.loss_function)]
            check_names(several)
            called: list[Callback] = [*self.callbacks, *map(as_callback, callbacks)]
            self.batches = batch_count(loader)
            self.default_monitor = "loss" if validation is None else "val_loss"
            self.default_monitor = next(
                filter(None, (getattr(each, "monitor", None) for each in called)), self.default_monitor
            )
            modes = (getattr(each, "mode", "auto") for each in called if getattr(each, "monitor", None))
            options.check_plateau(
                self.scheduler, self.default_monitor, is_maximized(self.default_monitor, next(modes, "auto"))
            )
            self.run = Run(self, loader, checked, several, called, progress_of(self.progress))
            path = checkpoints.file_to_resume(resume, called)
            if path is not None:
                self.load(path)
            self.run.go(epochs)
        return self.history

    # --- using the model ---

    def evaluate(self, data: Any, *, batch_size: int = 32, metrics: Metrics = None) -> dict[str, float]:
        """The loss and the metrics of the model on data, in evaluation and without gradients.

        Args:
            data: as of `fit`.
            batch_size: how many samples are computed together.
            metrics: further metrics.

        Returns:
            "loss" and each metric, by name: means over all samples.

        Raises:
            TypeError, ValueError: for data that does not fit.
        """
        with self.on_its_backend():
            loader = loader_of("evaluate", data, batch_size=batch_size)
            several = [*map(apart, self.metrics), *metrics_of(metrics, self.loss_function)]
            check_names(several)
            return predicting.evaluate(self, loader, several)

    def predict(self, data: Any, *, batch_size: int = 32) -> Any:
        """The model's outputs for all samples, in evaluation and without gradients.

        Args:
            data: an array of inputs, several in a tuple, or a Dataset or DataLoader of inputs. Of batches (x, y), as `fit` takes
                them in a Dataset or DataLoader, the last part is left out.
            batch_size: how many samples are computed together.

        Returns:
            The outputs, along the first axis, as one tensor; a tuple of tensors for a model that gives several.

        Raises:
            TypeError, ValueError: for data that does not fit.
        """
        with self.on_its_backend():
            return predicting.predict(self, data, batch_size)

    def find_lr(
        self,
        data: Any,
        *,
        start: float = 1e-7,
        end: float = 10.0,
        steps: int = 100,
        batch_size: int = 32,
        smooth: float = 0.9,
        stop_at: float = 4.0,
    ) -> LRCurve:
        """Find a learning rate: train with rates that grow from step to step, and see where the loss falls and where it rises.

        The rate grows by the same factor in each step. Weights, buffers, optimizer, generators and loader are put back
        afterwards.

        Args:
            data: as of `fit`.
            start, end: the first and the last learning rate.
            steps: how many steps are taken.
            batch_size: as of `fit`.
            smooth: the weight of the past in the running mean of the losses, from 0 to below 1.
            stop_at: ends the search where the smoothed loss is this many times its smallest value, or not finite.

        Returns:
            An `LRCurve`: `lrs`, `losses`, `suggestion`, and `plot(path)`.

        Raises:
            ValueError: for rates that are not 0 < start < end, fewer than 10 steps, or data without batches.

        Smith, Cyclical learning rates for training neural networks: https://arxiv.org/abs/1506.01186
        """
        with self.on_its_backend():
            loader = loader_of("find_lr", data, batch_size=batch_size, shuffle=True, generator=self.generator)
            return find_lr(self, loader, start, end, steps, smooth, stop_at)

    # --- saving ---

    def save(self, path: str | Path) -> None:
        """Write everything that `fit(..., resume=path)` needs: the model, the optimizer, the schedule, the data's order, the
        generators, the callbacks, the history, and the best weights. The file replaces an old one as a whole.

        Raises OSError if it cannot be written; then an old file is as it was.
        """
        checkpoints.save(self, path)

    def load(self, path: str | Path) -> None:
        """Take up what `save` wrote. Raises StateError, and changes nothing, for a file that does not fit."""
        checkpoints.load(self, path)
