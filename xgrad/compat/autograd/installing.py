"""`import autograd` means xgrad: a finder that gives the modules of this folder under HIPS autograd's names."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

THEIRS, OURS = "autograd", "xgrad.compat.autograd"


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `autograd` and its submodules in xgrad.compat.autograd."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != THEIRS and not fullname.startswith(f"{THEIRS}."):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        name = OURS + spec.name.removeprefix(THEIRS)
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise ModuleNotFoundError(f"xgrad.compat.autograd has no module {spec.name!r}", name=spec.name) from None

    def exec_module(self, module: ModuleType) -> None:
        """It ran when it was imported under its own name."""


def install() -> None:
    """From now on, `import autograd` and its submodules mean xgrad.

    Raises:
        RuntimeError: where another `autograd` has been imported before.
    """
    found: Any = sys.modules.get(THEIRS)
    if found is not None and found.__name__ != OURS:
        raise RuntimeError(
            f"autograd was imported from {getattr(found, '__file__', None)} before xgrad.compat.autograd.install(). "
            "Call install() first"
        )
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
    importlib.import_module(THEIRS)
