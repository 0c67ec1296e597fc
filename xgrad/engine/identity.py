"""Operations that hand a gradient on as it is: what copies, retain_grad(), to_device() and the transforms put on the tape."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tape import BACKEND, Node


class Identity:
    """The gradient of what goes through is the gradient of what comes out."""

    fresh = False
    lends = False

    def __init__(self, name: str) -> None:
        self.name = name

    def pull(self, xp: Any, g: Any, parents: Any, saved: Any, static: Any) -> Any:
        return [None if parent is None else g for parent in parents]

    def push(self, xp: Any, tangents: Any, saved: Any, static: Any) -> Any:
        return tangents[0]

    def lift(self, node: Node) -> Any:
        return node[BACKEND].view, ()


class Move(Identity):
    """From one device to another, and the gradient back. The node's `static` is (the backend here, the backend there)."""

    def pull(self, xp: Any, g: Any, parents: Any, saved: Any, static: Any) -> Any:
        return [None if parent is None else self.bring(g, static[0]) for parent in parents]

    def push(self, xp: Any, tangents: Any, saved: Any, static: Any) -> Any:
        return self.bring(tangents[0], static[1])

    def bring(self, g: Any, backend: Any) -> Any:
        """A raw array or a tensor, whichever g is, on the device of the backend."""
        return backend.asarray(g) if backend.owns(g) else g.to_device(backend.device)


ARGUMENT = Identity("argument")  # of a transform's function: what it was made of stays reachable behind it
COPIED = Identity("copy")
KEPT = Identity("retain_grad")  # its second parent is the leaf that keeps the gradient
MOVED = Move("to_device")
