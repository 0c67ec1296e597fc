"""array_api_compat's copy of NumPy's namespace, without an import of every part of NumPy.

The copy asks for each public name, and NumPy imports some of its parts when they are first asked for: f2py, testing, masked
arrays, polynomials and more. That takes ten times as long as all the rest, in the first call of every process. Here such a part
is imported when somebody wants it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def compatible(name: str) -> Any:
    """The module `array_api_compat.<name>`."""
    internal: Any = import_module("array_api_compat._internal")
    clone = getattr(internal, "clone_module", None)
    if clone is None:  # a version that copies in another way
        return import_module(f"array_api_compat.{name}")
    internal.clone_module = _clone
    try:
        return import_module(f"array_api_compat.{name}")
    finally:
        internal.clone_module = clone


def _clone(name: str, namespace: dict[str, Any]) -> list[str]:
    """As array_api_compat's clone_module: every public name of the module into the namespace. Returns the names."""
    module = import_module(name)
    public = {*getattr(module, "__all__", ()), *(each for each in dir(module) if not each.startswith("_"))}
    there = {each: value for each, value in vars(module).items() if each in public}
    later = public - there.keys()

    def __getattr__(wanted: str) -> Any:  # noqa: N807 (of the module that is being filled)
        if wanted not in later:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {wanted!r}")
        value = namespace[wanted] = getattr(module, wanted)
        return value

    namespace.update(there)
    namespace["__getattr__"] = __getattr__
    return list(public)
