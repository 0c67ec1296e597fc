"""Errors that mean that a request cannot be met, and not that xgrad is at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xgrad.fit.result import Result


class FitError(ValueError):
    """A request that cannot be met: says what was wrong, where, and what would be right.

    The command prints it as one line and exits with status 2; nothing has been changed by then.
    """


class NotWrittenError(FitError):
    """Files of a run could not be written; the others were. `faults` says by path what was wrong, `result` is the run."""

    def __init__(self, faults: dict[str, str], result: Result) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = faults
        self.result = result
