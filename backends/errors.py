"""The error of a backend that cannot be used."""

from __future__ import annotations


class BackendError(RuntimeError):
    """A backend that is unknown, not installed, or has no usable device."""
