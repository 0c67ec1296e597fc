"""A progress bar with the loss and the steps per second."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any

import xgrad as xg
from xgrad._words import shortened
from xgrad.fit.streams import silence

INTERVAL = 0.1  # seconds between two readings of the loss; each waits for the device


class Progress:
    """A progress bar on stderr, or nothing if `quiet`. Use it in a `with` statement.

    Raises ImportError, which says how to install it, if tqdm is missing.
    """

    def __init__(self, steps: int, *, quiet: bool) -> None:
        self.bar: Any = None
        if not quiet and sys.stderr is not None:
            self.bar = _tqdm()(total=steps, unit="step", dynamic_ncols=True, file=Forgiving(sys.stderr))
        self.unseen = 0
        self.shown_at = perf_counter()
        self.loss: xg.Tensor | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self._show()
            self.bar.close()

    def step(self, loss: xg.Tensor) -> None:
        """Count a step, of which this is the loss."""
        if self.bar is None:
            return
        self.loss = loss
        self.unseen += 1
        now = perf_counter()
        if now - self.shown_at >= INTERVAL:
            self.shown_at = now
            self._show()

    def _show(self) -> None:
        if self.loss is not None:
            self.bar.set_postfix_str(f"loss {self.loss.item():.4g}", refresh=False)
            self.loss = None  # a reference would keep its graph alive
        self.bar.update(self.unseen)
        self.unseen = 0


class Forgiving:
    """A stream that may break, as when a terminal is closed. Then the output is lost and the run continues."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        try:
            self.stream.write(text)
        except (OSError, ValueError):
            silence(self.stream)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except (OSError, ValueError):
            silence(self.stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def require_tqdm() -> None:
    """Raise ImportError, which says how to install it, if tqdm is missing or broken."""
    _tqdm()


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise ImportError(f"the progress bar needs tqdm ({error}): pip install 'xgrad[fit]', or use --quiet") from None
    except Exception as error:  # a wrong variable TQDM_... in the environment, for example
        why = f"{type(error).__name__}: {shortened(str(error), 200)}"
        raise ImportError(
            f"the progress bar needs tqdm, which fails when it is imported: {why}; or use --quiet"
        ) from None
    return tqdm
