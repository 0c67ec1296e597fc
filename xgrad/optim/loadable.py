"""What loading uses of an optimizer. It stands below it, so that optimizer.py can import loading.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from xgrad.optim.options import Check, ParamGroup


class Loadable(Protocol):
    """An optimizer, by what its loaded state is checked against."""

    name: str
    param_groups: list[ParamGroup]
    checks: ClassVar[Mapping[str, Check]]
    state_entries: ClassVar[Mapping[str, str] | None]

    def check_together(self, options: dict[str, Any]) -> None: ...
