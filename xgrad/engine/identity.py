"""Operations that pass a gradient on unchanged. Copies, retain_grad(), to_device() and transforms record them."""

from __future__ import annotations

from typing import Any

from xgrad.engine.tape import BACKEND, Node


class Identity:
    """The identity: the gradient of the argument is that of the output."""

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
    """A copy on another device. The gradient is copied back. The node's `static` is (backend of the argument, of the output)."""

    def pull(self, xp: Any, g: Any, parents: Any, saved: Any, static: Any) -> Any:
        return [None if parent is None else self.bring(g, static[0]) for parent in parents]

    def push(self, xp: Any, tangents: Any, saved: Any, static: Any) -> Any:
        return self.bring(tangents[0], static[1])

    def bring(self, g: Any, backend: Any) -> Any:
        """g, a raw array or a tensor, on the device of the backend."""
        return backend.asarray(g) if backend.owns(g) else g.to_device(backend.device)


ARGUMENT = Identity("argument")  # an argument of a transform; its parent is the node of the tensor that was given
COPIED = Identity("copy")
KEPT = Identity("retain_grad")  # its second parent is the leaf that keeps the gradient
MOVED = Move("to_device")
