"""Distances and similarities of vectors, and the losses that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integer
from xgrad.engine.operands import as_tensors
from xgrad.engine.tensor import Tensor
from xgrad.nn.functional.precision import in_float32
from xgrad.nn.functional.reduction import check_broadcasting, positive_part, reduce


@in_float32
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors: their inner product, divided by both norms.

    Args:
        x1: an array of a real floating-point dtype, with an axis at least.
        x2: an array whose shape broadcasts with that of x1.
        dim: the axis of the vectors in the common shape, negative from the end.
        eps: the smallest norm: a shorter vector is divided by this.

    Returns:
        A tensor of the common shape without the axis, and of the dtype that the arguments promote to.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, or an axis that they do not have.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.cosine_similarity(xg.asarray([[3.0, 4.0]]), xg.asarray([[1.0, 0.0]])).numpy().round(4).tolist()
    [0.6]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html
    """
    x1, x2 = as_tensors("cosine_similarity", (x1, x2))
    check_broadcasting("cosine_similarity", x1, x2)
    x1, x2 = xg.broadcast_arrays(x1, x2)
    axis = integer("cosine_similarity", dim, "dim")
    if not -x1.ndim <= axis < x1.ndim:
        raise ValueError(
            f"cosine_similarity: the vectors need an axis dim={dim}, got the common shape {tuple(x1.shape)}"
        )

    def unit(x: Tensor) -> Tensor:
        norm = xg.linalg.vector_norm(x, axis=axis, keepdims=True)
        length = xg.clip(norm.detach(), eps, None) + (norm - norm.detach())  # its derivative is that of the norm
        scaled: Tensor = x / length
        return scaled

    return xg.sum(unit(x1) * unit(x2), axis=axis)


@in_float32
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The distance of vectors along the last axis: the p-norm of x1 - x2 + eps.

    Args:
        x1: an array of shape (N, D) or (D,), or with more axes before the last, and of a real floating-point dtype.
        x2: an array whose shape broadcasts with that of x1.
        p: the order of the norm; inf is the largest difference.
        eps: a small number that keeps the distance of equal vectors from 0.
        keepdim: whether the last axis stays, with length 1.

    Returns:
        A tensor of the common shape without the last axis, and of the dtype that the arguments promote to.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not broadcast, or 0-d arrays.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> xg.nn.functional.pairwise_distance(xg.asarray([[3.0, 4.0]]), xg.asarray([[0.0, 0.0]]), eps=0.0).numpy().tolist()
    [5.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html
    """
    x1, x2 = as_tensors("pairwise_distance", (x1, x2))
    if not (x1.ndim or x2.ndim):
        raise ValueError("pairwise_distance: the vectors need an axis, got 0-d arrays")
    check_broadcasting("pairwise_distance", x1, x2)
    distance: Tensor = xg.linalg.vector_norm(x1 - x2 + eps, axis=-1, keepdims=keepdim, ord=p)
    return distance


@in_float32
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, *, reduction: str = "mean"
) -> Tensor:
    """1 - cos for vectors that should be alike (target 1), and max(0, cos - margin) for others (target -1); cos is their cosine.

    Args:
        input1: an array of shape (N, D) or (D,), of a real floating-point dtype.
        input2: an array of the same shape.
        target: 1 or -1 for each pair, an array of shape (N,), or () for one pair, of any real dtype.
        margin: a number from -1 to 1; 0 to 0.5 is usual.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the target. The mean of no
        elements is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for shapes that do not fit, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 0.0], [1.0, 0.0]])
    >>> y = xg.asarray([[0.0, 2.0], [1.0, 0.0]])
    >>> xg.nn.functional.cosine_embedding_loss(x, y, xg.asarray([1, -1]), reduction="none").numpy().round(4).tolist()
    [1.0, 1.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html
    """
    name = "cosine_embedding_loss"
    input1, input2, target = as_tensors(name, (input1, input2, target))
    shapes = tuple(input1.shape), tuple(input2.shape), tuple(target.shape)
    if len(shapes[0]) != len(shapes[1]) or len(shapes[0]) not in (1, 2) or len(shapes[2]) != len(shapes[0]) - 1:
        raise ValueError(f"{name}: the inputs have the shape (N, D) and the target (N,), or (D,) and (), got {shapes}")
    check_broadcasting(name, input1, input2)
    tiny = 1e-12
    size1, size2 = (xg.sum(xg.square(x), axis=-1) + tiny for x in (input1, input2))
    cosine = xg.sum(input1 * input2, axis=-1) / xg.sqrt(size1 * size2)
    loss = xg.mask(1 - cosine, target == 1) + xg.mask(positive_part(cosine - margin), target == -1)
    return reduce(loss, reduction)


@in_float32
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with the distances d that `pairwise_distance` gives.

    Args:
        anchor: an array of shape (N, D) or (D,), of a real floating-point dtype.
        positive: an array of the same shape: what should be near.
        negative: an array of the same shape: what should be farther away.
        margin: a number more than 0: by how much.
        p: the order of the norm.
        eps: a small number that keeps the distance of equal vectors from 0.
        swap: whether d(positive, negative) counts instead of d(anchor, negative) where it is smaller. Balntas et al. 2016.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the distances. The mean of no
        elements is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for a margin that is not more than 0, arrays of different numbers of axes, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> anchor, near, far = xg.asarray([[0.0]]), xg.asarray([[1.0]]), xg.asarray([[1.5]])
    >>> round(xg.nn.functional.triplet_margin_loss(anchor, near, far).item(), 4)
    0.5

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html
    """

    def distance(x1: Any, x2: Any) -> Tensor:
        return pairwise_distance(x1, x2, p, eps)

    return _triplet_loss("triplet_margin_loss", (anchor, positive, negative), distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with any distance d.

    Args:
        anchor: an array of shape (N, D) or (D,), of a real floating-point dtype.
        positive: an array of the same shape: what should be near.
        negative: an array of the same shape: what should be farther away.
        distance_function: a function of two arrays; None for `pairwise_distance`.
        margin: a number more than 0: by how much.
        swap: whether d(positive, negative) counts instead of d(anchor, negative) where it is smaller. Balntas et al. 2016.
        reduction: "mean" of all elements, their "sum", or "none".

    Returns:
        A tensor of the dtype that the arguments promote to: 0-d, or for "none" of the shape of the distances. The mean of no
        elements is nan.

    Raises:
        TypeError: for an argument that is neither an array nor a number.
        ValueError: for a margin that is not more than 0, arrays of different numbers of axes, or an unknown `reduction`.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> anchor, near, far = xg.asarray([0.0]), xg.asarray([1.0]), xg.asarray([1.5])
    >>> loss = xg.nn.functional.triplet_margin_with_distance_loss
    >>> loss(anchor, near, far, distance_function=lambda x, y: xg.sum(xg.abs(x - y))).item()
    0.5

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html
    """
    name = "triplet_margin_with_distance_loss"
    distance = pairwise_distance if distance_function is None else distance_function
    return _triplet_loss(name, (anchor, positive, negative), distance, margin, swap, reduction)


def _triplet_loss(
    name: str,
    arrays: tuple[Any, Any, Any],
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    if not margin > 0:
        raise ValueError(f"{name}: margin must be more than 0, got {margin!r}")
    anchor, positive, negative = as_tensors(name, arrays)
    shapes = tuple(anchor.shape), tuple(positive.shape), tuple(negative.shape)
    if len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"{name}: anchor, positive and negative must have the same number of axes, got {shapes}")
    check_broadcasting(name, anchor, positive, negative)
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = xg.minimum(far, distance(positive, negative))
    return reduce(positive_part(margin + near - far), reduction)
