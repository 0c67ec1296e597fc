"""How a module is printed."""

from __future__ import annotations


def indented(name: str, lines: list[str]) -> str:
    """The printed form of a module with lines between its brackets."""
    if not lines:
        return f"{name}()"
    body = "\n".join(lines).replace("\n", "\n  ")
    return f"{name}(\n  {body}\n)"
