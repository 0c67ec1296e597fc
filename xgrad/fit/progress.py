"""A progress bar with the loss and the steps per second."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any

import xgrad as xg
from xgrad.fit.streams import silence
from xgrad.fit.words import shortened

INTERVAL = 0.1  # seconds between two looks at the loss, each of which waits for the device


class Progress:
    """Counts steps on stderr, or silently. Use it in a `with` statement.

    Raises ImportError, with the line that installs it, where tqdm is missing.
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
        """One step is done; `loss` is its loss."""
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
            self.loss = None  # it would keep its graph
        self.bar.update(self.unseen)
        self.unseen = 0


class Forgiving:
    """A stream that may be gone, as a closed terminal is. What is written to it is then lost, and the run goes on."""

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
    """Raise ImportError if `Progress` could not show anything."""
    _tqdm()


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise ImportError(f"the progress bar needs tqdm ({error}): pip install 'xgrad[fit]', or use --quiet") from None
    except Exception as error:  # a variable TQDM_... in the environment is wrong, for one
        why = f"{type(error).__name__}: {shortened(str(error), 200)}"
        raise ImportError(
            f"the progress bar needs tqdm, which fails when it is imported: {why}; or use --quiet"
        ) from None
    return tqdm
