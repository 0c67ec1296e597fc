"""Imports array_api_compat's copy of NumPy's namespace without all of NumPy.

The copy reads each public name, and NumPy imports some of its parts when their names are first read: f2py, testing, masked
arrays, polynomials and more. That would make the first call of every process ten times slower. Here such a part is imported when
a program uses it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def compatible(name: str) -> Any:
    """The module `array_api_compat.<name>`."""
    internal: Any = import_module("array_api_compat._internal")
    clone = getattr(internal, "clone_module", None)
    if clone is None:  # this version of array_api_compat copies in another way
        return import_module(f"array_api_compat.{name}")
    internal.clone_module = _clone
    try:
        return import_module(f"array_api_compat.{name}")
    finally:
        internal.clone_module = clone


def _clone(name: str, namespace: dict[str, Any]) -> list[str]:
    """A lazy version of array_api_compat's clone_module: puts a module's public names into the namespace. Returns the names."""
    module = import_module(name)
    public = {*getattr(module, "__all__", ()), *(each for each in dir(module) if not each.startswith("_"))}
    there = {each: value for each, value in vars(module).items() if each in public}
    later = public - there.keys()

    def __getattr__(wanted: str) -> Any:  # noqa: N807 (it becomes the module's __getattr__)
        if wanted not in later:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {wanted!r}")
        value = namespace[wanted] = getattr(module, wanted)
        return value

    namespace.update(there)
    namespace["__getattr__"] = __getattr__
    return list(public)
