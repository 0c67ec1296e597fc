"""The error for a request that cannot be met."""

from __future__ import annotations


class FitError(ValueError):
    """A request that cannot be met, because of an option or a file. Nothing has been changed.

    The message says what was wrong, where, and what would be right. The command prints it as one line and exits with status 2.

    >>> from xgrad.fit import Config, FitError
    >>> try:
    ...     Config(points=1)
    ... except FitError as error:
    ...     print(error)
    --points must be a whole number, 2 or more; it is 1
    """
