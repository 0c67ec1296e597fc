"""The engine "replay": the program call by call on the backend's raw namespace. It runs every program on every backend.

The other engines are compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends.base import Backend
from xgrad.compile.program import NUMBER, Program, replay


class Replayed:
    """A program that is replayed."""

    def __init__(self, program: Program, backend: Backend) -> None:
        self.program = program
        self.backend = backend
        computed = {number for instruction in program.instructions for number in instruction.results}
        self._is_computed = [number in computed for number in program.outputs]
        self._is_number = [program.specs[number].dtype == NUMBER for number in program.outputs]

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs; see choice.Runner. What the caller gives up is not used."""
        with self.backend.entered():
            return self._fresh(replay(self.program, self.backend.xp, inputs, self.backend.adopt), inputs)

    def _fresh(self, found: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        """The outputs as arrays that nobody else holds."""
        held = {id(array) for array in (*inputs, *self.program.constants.values())}
        fresh = []
        for y, is_computed, is_number in zip(found, self._is_computed, self._is_number, strict=True):
            # `owned` copies what shares memory with another array, such as a view of an input.
            fresh.append(y if is_number else self.backend.owned(y, is_computed and id(y) not in held))
            held.add(id(y))
        return fresh


def prepare(program: Program, backend: Backend) -> Replayed:
    return Replayed(program, backend)
