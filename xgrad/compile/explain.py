"""What was compiled, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def explained(name: str, entries: Sequence[Any], without: Sequence[str]) -> str:
    """The text of `explain()`."""
    return "\n".join(_lines(name, entries, without))


def _lines(name: str, entries: Sequence[Any], without: Sequence[str]) -> Iterator[str]:
    if not entries:
        yield f"{name}: not traced yet"
    else:
        yield f"{name}: {_count(len(entries), 'trace')}"
    for i, entry in enumerate(entries):
        yield f"trace {i + 1} ({entry.line}): {entry.reason}"
        yield f"  engine: {entry.engine}"
        counts = f"{_count(len(entry.program), 'instruction')}, {_count(len(entry.program.inputs), 'input')}"
        yield f"  program: {counts}, {_count(len(entry.program.outputs), 'output')} on {entry.backend}"
        for what, found in _captured(entry):
            if found:
                yield f"  {what}: {', '.join(found)}"
    for said in without:
        yield f"not compiled: {said}"


def _captured(entry: Any) -> Iterator[tuple[str, list[str]]]:
    inputs, outputs = entry.inputs, entry.outputs
    yield "read anew in each call", [each.name for each in inputs.tensors if not each.is_written]
    yield "read and written back", [each.name for each in inputs.tensors if each.is_written]
    yield "state of optimizers", sorted({type(each.optimizer).__name__ for each in inputs.states})
    yield "numbers of optimizers", sorted({name for each in inputs.numbers for _, name in each.inputs})
    yield "drawn anew in each call", [f"{draw.method} ({draw.line})" for draw in inputs.draws]
    yield ".grad", ["kept" if place is not None and place >= 0 else "not kept" for _, place in outputs.grads[:1]]
    yield "constants", [f"{what} ({line})" for line, what in entry.closed_over]
    yield "not noticed if replaced", inputs.unnamed


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
