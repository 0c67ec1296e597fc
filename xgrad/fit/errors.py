"""Errors that mean that a request cannot be met, and not that xgrad is at fault."""

from __future__ import annotations


class FitError(ValueError):
    """A request that cannot be met: says what was wrong, where, and what would be right.

    The command prints it as one line and exits with status 2; nothing has been changed by then.
    """
