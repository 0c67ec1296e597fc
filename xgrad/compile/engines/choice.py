"""The choice of an engine for a program: by name, or "auto"."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from xgrad.backends.base import Backend
from xgrad.compile.errors import refused
from xgrad.compile.program import Program


class Runner(Protocol):
    """A program that is ready to run on one backend."""

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs, as fresh arrays of the backend that nobody else holds.

        Args:
            inputs: an array, or a float, for each input of the program, of the shape and dtype of its spec.
            owned: for each input, whether the caller gives the array up. An output that replaces it (`program.state`) may then
                take its memory. Without `owned`, the caller keeps all.
        """
        ...


# The module of each engine, and the backends on whose arrays it computes. No backends: all.
ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "numpy": ("numpy", ("numpy",)),
    "xla": ("xla", ("numpy", "jax")),
    "cupy": ("cupy", ("cupy",)),
    "replay": ("replayed", ()),
}
AUTO = {"numpy": "numpy"}  # by backend; "replay" on others


def check_name(name: str) -> None:
    """Raise CompileError for an engine that does not exist."""
    if name != "auto" and name not in ENGINES:
        raise refused(f"there is no engine {name!r}", f"Choose from {', '.join(map(repr, ('auto', *ENGINES)))}")


def engine_for(name: str, backend: Backend) -> str:
    """The name of the engine: what "auto" stands for on this backend, and otherwise the name itself.

    Raises:
        CompileError: for an unknown name, and for an engine that does not compute on this backend's arrays.
    """
    check_name(name)
    if name == "auto":
        found = AUTO.get(backend.name, "replay")
        return found if find_spec(f"xgrad.compile.engines.{ENGINES[found][0]}") else "replay"
    _, takes = ENGINES[name]
    if takes and backend.name not in takes:
        others = [other for other, (_, on) in ENGINES.items() if not on or backend.name in on]
        raise refused(
            f"the engine {name!r} computes on arrays of {' and '.join(takes)}, and these are arrays of {backend.name}",
            f"Choose from {', '.join(map(repr, ('auto', *others)))}",
        )
    return name


def prepare(name: str, program: Program, backend: Backend) -> tuple[str, Runner]:
    """The name of the engine, and the program ready to run by it on the backend's arrays.

    Raises:
        CompileError: for an unknown engine, for one whose library is not installed (with the line that installs it), and for an
            instruction that the engine cannot compute.
    """
    name = engine_for(name, backend)
    module, _ = ENGINES[name]
    runner: Runner = import_module(f"xgrad.compile.engines.{module}").prepare(program, backend)
    return name, runner
