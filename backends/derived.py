"""Backends that are derived from another one, for the time that a function runs: inside vmap, and while it is recorded."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from xgrad.backends.base import Backend, Layout


class Derived(Backend):
    """A backend whose arrays stand for arrays of the backend `base`. A subclass sets `xp`."""

    is_temporary = True

    def __init__(self, base: Backend) -> None:
        self.base = base
        self.name = base.name
        self.device = base.device
        self.library = base.library
        self.complex_dtypes, self.general_dtypes = base.complex_dtypes, base.general_dtypes
        self.narrow_dtypes = base.narrow_dtypes
        self.checks_indices = base.checks_indices  # type: ignore[misc]
        self.cannot = base.cannot  # type: ignore[misc]
        self._ranks = base._ranks
        self._layouts: dict[Any, Layout] = {}
        self._ones: dict[Any, Any] = {}

    def accepts(self, value: Any) -> bool:
        return self.owns(value) or self.base.accepts(value)

    def beside_numbers(self, operands: list[Any]) -> list[Any]:
        return self.base.beside_numbers(operands)

    @property
    def default_dtype(self) -> Any:
        return self.base.default_dtype

    @property
    def changes_default(self) -> bool:  # type: ignore[override]
        return self.base.changes_default


# The library's own backend answers for these.
for _name in (
    *("devices", "find_device", "device_of", "device_name", "entered", "make_current", "walking", "guard"),
    *("memory", "synchronize", "widens_by_numbers"),
):
    setattr(Derived, _name, property(attrgetter(f"base.{_name}")))
