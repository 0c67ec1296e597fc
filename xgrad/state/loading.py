"""`xg.load`."""

from __future__ import annotations

import os
from typing import Any

from xgrad.backends import get_backend
from xgrad.engine.tensor import Tensor, wrap
from xgrad.nn.saving import StateError
from xgrad.state.decoding import Decoder, strictly
from xgrad.state.encoding import Path
from xgrad.state.files import DTYPES, File, read
from xgrad.state.objects import fill
from xgrad.state.saving import FORMAT


def load(path: str | os.PathLike[str], into: Any = None) -> Any:
    """Read what `save` wrote, and load it into objects: into all of them, or into none.

    Any other safetensors file is read as a dict of tensors.

    Tensors are on the current backend and device. On NumPy, dask and PyTorch they share the memory of the mapped file, so that
    only what is used is read. What is loaded into an object is a copy. A file may be replaced by `save` while its tensors are in
    use, but must not be changed in place.

    >>> import os, tempfile, xgrad as xg
    >>> path = os.path.join(tempfile.mkdtemp(), "run.safetensors")
    >>> model = xg.nn.Linear(2, 1)
    >>> xg.save({"model": model, "epoch": 3}, path)
    >>> tree = xg.load(path)
    >>> tree["epoch"], sorted(tree["model"])
    (3, ['bias', 'weight'])
    >>> try:
    ...     xg.load(path, {"model": xg.nn.Linear(3, 1)})
    ... except xg.state.StateError as error:
    ...     print(str(error).partition("weight")[2])
     has shape (1, 2) in the loaded state and (1, 3) here

    Args:
        path: of the file.
        into: an object with `load_state_dict`, a tensor, or a dict, list or tuple of these, at the places where the saved tree
            has their states. The file may have more. Numbers, strings and None stand for what is not loaded into anything.

    Returns:
        The whole tree, with a state dict in the place of each object, and a tensor for each array.

    Raises:
        StateError: a RuntimeError and a ValueError, for a file that is truncated or of another format, and for states
            that do not fit. It names the file and what differs. Nothing has been changed, and nothing in the file has been run.
        OSError: for a file that is not there, or that may not be read.
        TypeError: for a value in `into` that cannot be loaded into.
        ImportError: without the safetensors library.

    The format: https://huggingface.co/docs/safetensors
    """
    file = read(path)
    tensors = Tensors(file)
    decoder = Decoder(tensors.find)
    try:
        tree = _tree(file, tensors, decoder)
    except (StateError, RecursionError) as error:
        raise StateError(f"{file.path}: {error}") from None
    if into is not None:
        fill(file.path, into, tree, decoder.classes, tensors.in_order)
    return tree


def _tree(file: File, tensors: Tensors, decoder: Decoder) -> Any:
    text = file.metadata.get("xgrad.tree")
    if text is None:
        return {name: tensors.find(name) for name in file.entries}
    if file.metadata.get("xgrad.format") != str(FORMAT):
        raise StateError(
            f"it was written by xgrad {file.metadata.get('xgrad.version')!r:.20} in format "
            f"{file.metadata.get('xgrad.format')!r:.20}, and this version reads format {FORMAT}"
        )
    try:
        node = strictly(text)
    except ValueError as error:
        raise StateError(f"the tree in its metadata is no valid JSON: {error}") from None
    tree = decoder.decode(node)
    unused = [name for name in file.entries if name not in tensors.found]
    if unused:
        raise StateError(f"it has {len(unused)} tensors that its tree does not name, such as {unused[0]!r:.60}")
    return tree


class Tensors:
    """The tensors of a file on the current backend. `found` has those that were asked for.

    `orders` has the order of the axes in memory that a tensor had when it was saved, by the id of the tensor, if it differs.
    """

    def __init__(self, file: File) -> None:
        self.file = file
        self.backend = get_backend()
        self.found: dict[str, Tensor] = {}
        self.orders: dict[int, list[int]] = {}

    def find(self, name: str, dtype: Any = None, order: Any = None) -> Tensor:
        """The tensor of a name. Raises StateError where it is not there, or cannot be on this backend."""
        if name not in self.found:
            if name not in self.file.entries:
                raise StateError(f"the tensor {name!r:.60}, which its tree names, is not in it")
            self.found[name] = made = self._made(name, dtype)
            if order is not None:
                if not isinstance(order, list) or sorted(map(repr, order)) != sorted(map(repr, range(made.ndim))):
                    raise StateError(
                        f"the tensor {name!r:.60} has {made.ndim} axes, and no order {order!r:.60} of them"
                    )
                self.orders[id(made)] = order
        return self.found[name]

    def in_order(self, state: Any) -> Any:
        """A tree with the tensors as they lay in memory. A computation that goes on with them then gives the same bits."""
        if isinstance(state, Tensor) and id(state) in self.orders:
            return wrap(self.backend.in_order(state.data, self.orders[id(state)]), self.backend)
        if isinstance(state, dict):
            return {key: self.in_order(each) for key, each in state.items()}
        return type(state)(map(self.in_order, state)) if isinstance(state, list | tuple) else state

    def _made(self, name: str, dtype: Any) -> Tensor:
        code, shape, start = self.file.entries[name]
        if dtype is None and code in DTYPES:
            kind = DTYPES[code]
        elif dtype == "complex128" and code == "F64" and shape[-1:] == (2,):
            kind, shape = dtype, shape[:-1]
        else:
            raise StateError(
                f"the tensor {name!r:.60} is of dtype {code}, which xgrad does not have as {dtype or 'an array'}"
            )
        if kind == "bool":
            self._check_truth(name, start, shape)
        try:
            raw = self.backend.from_buffer(self.file.content, start, shape, kind)
        except (ValueError, TypeError, OverflowError, RuntimeError) as error:
            raise StateError(f"the tensor {name!r:.60} of shape {shape!s:.60} and dtype {kind}: {error}") from None
        return wrap(raw, self.backend)

    def _check_truth(self, name: str, start: int, shape: Path) -> None:
        count = 1
        for n in shape:
            count *= n
        if self.file.content[start : start + count].translate(None, b"\0\1"):
            raise StateError(f"the tensor {name!r:.60} is of dtype bool, and has values that are neither 0 nor 1")
