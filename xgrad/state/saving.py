"""`xg.save`."""

from __future__ import annotations

import json
import os
from typing import Any

from xgrad._version import VERSION
from xgrad.backends import array_bytes
from xgrad.state.encoding import Array, Encoder
from xgrad.state.files import write

FORMAT = 1


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Save models, optimizers, and whatever else a run needs to go on, to one file.

    The file is in the safetensors format, with the structure as JSON in its metadata. Nothing in it is code, and nothing is
    pickled. `load` reads it. A dict of tensors, such as `model.state_dict()`, is stored under its names, so that any program that
    knows safetensors reads it: `safetensors.torch.load_file(path)`.

    The file is written beside its place, synced to the disk, and renamed. So a crash, a full disk or a power failure leaves the
    old file or the new one, and never a part.

    >>> import os, tempfile, xgrad as xg
    >>> model = xg.nn.Linear(2, 1)
    >>> optimizer = xg.optim.Adam(model.parameters())
    >>> path = os.path.join(tempfile.mkdtemp(), "run.safetensors")
    >>> xg.save({"model": model, "optimizer": optimizer, "epoch": 3}, path)
    >>> xg.load(path, {"model": model, "optimizer": optimizer})["epoch"]
    3

    Args:
        obj: a tree: tensors and arrays of any shape and of the standard's dtypes, float16 and bfloat16; None, truth values,
            integers of any size, floats, complex numbers and strings; objects with `state_dict()`, whose state is saved: modules,
            optimizers, schedules, generators, loaders; and dicts, lists and tuples of these. Keys of dicts are strings, numbers,
            None, or tuples of these.
        path: of the file. Its folder exists.

    Raises:
        TypeError: for anything else in the tree, with its place.
        ValueError: for a tree that contains itself, is nested more than 100 levels deep, or has more than 100 MB of values that
            are not in arrays.
        OSError: as from writing any file. After any error an old file is as it was.
        ImportError: without the safetensors library.

    The format: https://huggingface.co/docs/safetensors
    """
    encoder = Encoder()
    tree = encoder.encode(obj)
    arrays = {name: _on_host(encoder.nodes[name], array) for name, array in _computed(encoder.arrays).items()}
    metadata = {
        "xgrad.format": str(FORMAT),
        "xgrad.version": VERSION,
        "xgrad.tree": json.dumps(tree, allow_nan=False, separators=(",", ":")),
    }
    write(path, arrays, metadata)


def _computed(arrays: dict[str, Array]) -> dict[str, Array]:
    """The arrays, all computed together where a library computes them when they are asked for."""
    found = dict(arrays)
    for backend in {id(array.backend): array.backend for array in arrays.values()}.values():
        names = [name for name, array in arrays.items() if array.backend is backend]
        for name, raw in zip(names, backend.persist([arrays[name].raw for name in names]), strict=True):
            found[name] = arrays[name]._replace(raw=raw)
    return found


def _on_host(node: dict[str, Any], array: Array) -> tuple[str, Any]:
    """The dtype and the elements as the file has them. What else it takes to restore the array is noted in its node."""
    host = array.backend.host_view(array.raw)
    order = array_bytes.order_in_memory(host)
    if order is not None:
        node["order"] = order
    if array.dtype != "complex128":
        return array.dtype, array_bytes.row_major(host)
    node["dtype"] = array.dtype  # the format has no name for it
    return "float64", array_bytes.as_pairs(host)
