"""Attributes of NumPy's arrays or PyTorch's tensors that a tensor does not have. The error says what to write instead.

The error is an AttributeError, so `hasattr`, which libraries ask, is False.
"""

from __future__ import annotations

from typing import Any

from xgrad.engine.tensor import Tensor

TWO_MEANINGS = "it means different things in NumPy and PyTorch"
WORDS = {
    "sort": f"{TWO_MEANINGS} (in place; values and indices): write xgrad.sort(x), and xgrad.argsort(x)",
    "nonzero": f"{TWO_MEANINGS} (a tuple of arrays; a matrix): write xgrad.nonzero(x), which is NumPy's",
    "repeat": f"{TWO_MEANINGS}: write xgrad.repeat(x, n) to repeat each element, xgrad.tile(x, (n,)) to repeat the whole",
    "equal": "write x == y for each element, or bool(xgrad.all(x == y)) for all of them",
    "put": "write x[key] = value, or xgrad.at(x, key).set(value) for a copy",
    "resize": "write xgrad.reshape(x, shape)",
    "cuda": "write x.to_device(device) for another device of its library; xgrad.use_backend(name, device) is for new tensors",
    "type": "write x.astype(dtype) to convert, x.dtype to ask",
    "gather": "write xgrad.take_along_axis(x, indices, axis=dim)",
    "scatter": "write xgrad.at(x, key).set(value)",
    "scatter_": "write x[key] = value, or xgrad.at(x, key).set(value) for a copy",
    "scatter_add": "write xgrad.at(x, key).add(value)",
    "scatter_add_": "write x = xgrad.at(x, key).add(value)",
    "index_add": "write xgrad.at(x, key).add(value)",
    "index_add_": "write x = xgrad.at(x, key).add(value)",
    "index_fill_": "write x[key] = value",
    "masked_select": "write x[mask]",
    "detach_": "write x = x.detach()",
    "normal_": "write x[...] = rng.normal(x.shape), with rng = xgrad.random.Generator(seed)",
    "uniform_": "write x[...] = rng.uniform(x.shape), with rng = xgrad.random.Generator(seed)",
    "unsqueeze_": "write x = x.unsqueeze(dim)",
    "squeeze_": "write x = x.squeeze()",
    "transpose_": "write x = x.swapaxes(a, b)",
    "t_": "write x = x.T",
    "topk": "write xgrad.argsort(x, axis=dim, descending=True), and take the first ones",
    "median": "write xgrad.sort(x), and take the one in the middle",
    "register_hook": "tensors have no hooks; xgrad.primitive defines a function with a gradient of its own",
    "is_cuda": "ask x.device",
    "tobytes": "write x.numpy().tobytes()",
    "tofile": "write x.numpy().tofile(file)",
    "flat": "write x.ravel()",
    "strides": "tensors have no strides that are the same on all backends; x.data is the backend's own array",
    "stride": "tensors have no strides that are the same on all backends; x.data is the backend's own array",
}


class Missing:
    """An attribute that a tensor does not have, and what to write instead."""

    def __init__(self, name: str, words: str) -> None:
        self.name, self.words = name, words

    def __get__(self, tensor: Any, owner: Any = None) -> Any:
        raise AttributeError(f"a tensor has no .{self.name}: {self.words}", name=self.name, obj=tensor)


for _name, _words in WORDS.items():
    setattr(Tensor, _name, Missing(_name, _words))
