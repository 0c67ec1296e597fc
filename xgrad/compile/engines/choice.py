"""The choice of an engine for a program: by name, or "auto"."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
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

    # An engine may have `rerun(inputs, owned)`, which does the same for a call whose state is what the last run has returned in
    # the place of the inputs, and which nobody else holds.
    # An engine whose arrays show memory of another library also has `exclusive(array)`, in the place of `Backend.exclusive`.


# The module of each engine, and the backends on whose arrays it computes. No backends: all.
ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "numpy": ("numpy", ("numpy",)),
    "xla": ("xla", ("numpy", "jax")),
    "cupy": ("cupy", ("cupy",)),
    "replay": ("replayed", ()),
}
AUTO = {"numpy": "numpy"}  # by backend; "replay" on others


def check_name(name: str) -> None:
    """Raise ValueError for a name that is no engine's."""
    if name != "auto" and name not in ENGINES:
        raise ValueError(
            f"compile: there is no engine {name!r}: choose from {', '.join(map(repr, ('auto', *ENGINES)))}"
        )


def engine_for(name: str, backend: Backend) -> str:
    """The name of the engine: what "auto" stands for on this backend, and otherwise the name itself.

    Raises:
        ValueError: for an unknown name.
        CompileError: for an engine that does not compute on this backend's arrays.
    """
    check_name(name)
    if name == "auto":
        return AUTO.get(backend.name, "replay")
    _, takes = ENGINES[name]
    if takes and backend.name not in takes:
        others = [other for other, (_, on) in ENGINES.items() if not on or backend.name in on]
        raise refused(
            f"the engine {name!r} computes on the arrays of {' and '.join(takes)}, and these are arrays of {backend.name}",
            f"Choose from {', '.join(map(repr, ('auto', *others)))}",
        )
    return name


def prepare(name: str, program: Program, backend: Backend) -> Runner:
    """The program, ready to run by this engine on the backend's arrays.

    Raises:
        ValueError: for an unknown name.
        CompileError: for an engine that does not compute on this backend's arrays, for one whose library is not installed (with
            the line that installs it), and for an instruction that the engine cannot compute.
    """
    module, _ = ENGINES[engine_for(name, backend)]
    runner: Runner = import_module(f"xgrad.compile.engines.{module}").prepare(program, backend)
    return runner
