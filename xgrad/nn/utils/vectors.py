"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, row by row and one parameter after the other, as one vector. It is differentiable.

    Args:
        parameters: at least one tensor, all on one backend.

    Returns:
        A vector of the dtype that theirs promote to. Its gradient goes back to the parameters.

    Raises:
        ValueError: for no parameters.
        MixedBackendsError: a TypeError, for parameters on several backends.

    >>> import xgrad as xg
    >>> layer = xg.nn.Linear(3, 2)
    >>> xg.nn.utils.parameters_to_vector(layer.parameters()).shape
    (8,)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
    """
    flat = [xg.reshape(p, (-1,)) for p in parameters]
    if not flat:
        raise ValueError("parameters_to_vector: there are no parameters; give at least one")
    vector: Tensor = xg.concat(flat)
    return vector


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the parameters, in the order of `parameters_to_vector`. It is not recorded.

    Args:
        vec: a vector with as many elements as the parameters have together.
        parameters: the parameters, which stay the same objects.

    Raises:
        TypeError: for a vector that is no array, or whose kind of dtype a parameter cannot hold.
        ValueError: for another number of axes or elements. After this error no parameter has changed.

    >>> import xgrad as xg
    >>> layer = xg.nn.Linear(2, 1)
    >>> xg.nn.utils.vector_to_parameters(xg.asarray([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer.weight.tolist(), layer.bias.tolist()
    ([[1.0, 2.0]], [3.0])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
    """
    if not hasattr(vec, "shape") or not hasattr(vec, "dtype"):
        raise TypeError(f"vector_to_parameters: the vector must be an array, got {type(vec).__name__}")
    held = list(parameters)
    ends = list(accumulate(int(p.size) for p in held))
    total = ends[-1] if ends else 0
    if tuple(vec.shape) != (total,):
        raise ValueError(
            f"vector_to_parameters: the parameters have {total} elements: the vector must have the shape ({total},), "
            f"got {tuple(vec.shape)}"
        )
    with xg.no_grad():
        for p, end in zip(held, ends, strict=True):
            part = vec[end - int(p.size) : end]
            p[...] = xg.reshape(part, p.shape) if isinstance(part, Tensor) else part.reshape(p.shape)
