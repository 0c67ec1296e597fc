"""Attention: an operation for scores, softmax and the weighted mean."""

from __future__ import annotations

from functools import partial
from typing import Any

from xgrad.backends import attention as formulas
from xgrad.backends.data import is_scalar
from xgrad.engine.arguments import no_scalars
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tensor import Tensor


def _pull(
    xp: Any, g: Any, q: Any, k: Any, v: Any, bias: Any, drop: Any, y: Any, weights: Any, scale: float, moving: Any
) -> Any:
    """By the backend's own formulas, if it has some. xgrad's namespace takes the general ones."""
    gradients = getattr(xp, "_attention_gradients", None) or partial(formulas.gradients, xp)
    return gradients(g, (q, k, v, bias, drop), (y, weights), scale=scale, moving=moving)


def _push(xp: Any, t: Any, q: Any, k: Any, v: Any, bias: Any, drop: Any, y: Any, weights: Any, scale: float) -> Any:
    return formulas.tangents(xp, t, (q, k, v, bias, drop), (y, weights), scale)


_attention = Several("attention", ("q", "k", "v", "bias", "drop"), ("y", "weights"), _pull, _push)


@public("attention", "rule")
def attention(
    q: Any, k: Any, v: Any, bias: Any = None, drop: Any = None, /, *, scale: float, is_causal: bool = False
) -> tuple[Tensor, Tensor]:
    """The mean of values, weighted by softmax(q @ k.T * scale + bias), and the weights.

    One operation stands for the scores, their softmax and the mean.

    >>> import xgrad as xg
    >>> q, k, v = xg.asarray([[1.0]]), xg.asarray([[1.0], [1.0]]), xg.asarray([[2.0], [4.0]])
    >>> y, weights = xg.attention(q, k, v, scale=1.0)
    >>> y.tolist(), weights.tolist()
    ([[3.0]], [[0.5, 0.5]])

    Args:
        q: the queries, of shape (..., L, E), of a real floating-point dtype.
        k: the keys, of shape (..., S, E).
        v: the values, of shape (..., S, V). The axes in front broadcast.
        bias: an array that broadcasts to the shape of the scores, (..., L, S), and is added to them; or one of booleans, which
            are False where a query may not attend to a key; or None. Where a query may attend to no key, its weights are 0.
        drop: factors of the weights, for dropout, of a shape that broadcasts to (..., L, S), or None. They get no gradient.
        scale: a number that the scores are multiplied by.
        is_causal: whether query i attends to the keys 0 to i only.

    Returns:
        The means, of shape (..., L, V), and the weights before the factors `drop`, of shape (..., L, S). Both are tensors of the
        dtype that the arguments promote to.

    Derivative:
        By the rule in xgrad/rules/attention.py, in both modes and to any order.

    Raises:
        ValueError: for arrays without two axes, and for shapes that do not fit each other.
        TypeError: for a value that is not an array, and for a scale that is no number.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
    """
    arrays = q, k, v, bias, drop
    no_scalars("attention", [array for array in arrays if array is not None])
    if not is_scalar(scale):
        raise TypeError(f"attention: scale must be a number, not {type(scale).__name__}")
    shapes = [tuple(getattr(array, "shape", ())) for array in (q, k, v)]
    if min(map(len, shapes)) < 2 or shapes[0][-1] != shapes[1][-1] or shapes[1][-2] != shapes[2][-2]:
        raise ValueError(
            f"attention takes q (..., L, E), k (..., S, E) and v (..., S, V), got {', '.join(map(str, shapes))}"
        )
    y, weights = _attention(*arrays, scale=float(scale), is_causal=bool(is_causal))
    return y, weights
