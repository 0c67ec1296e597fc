"""The part of an optimizer that loading uses, as a protocol. It lets optimizer.py import loading.py without a circle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from xgrad.optim.options import Check, ParamGroup


class Loadable(Protocol):
    """The attributes of an optimizer against which a loaded state is checked."""

    name: str
    param_groups: list[ParamGroup]
    checks: ClassVar[Mapping[str, Check]]
    moments: ClassVar[Mapping[str, Any]]
    carried: ClassVar[Mapping[str, Any]]
    state_entries: ClassVar[Mapping[str, str] | None]

    def check_together(self, options: dict[str, Any]) -> None: ...
