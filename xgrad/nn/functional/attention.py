"""Attention: the mean of values, weighted by how well their keys fit a query."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import array, arrays, probability, wrong_shape
from xgrad.nn.functional.dropout import factors
from xgrad.random import Generator


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """The mean of values, weighted by softmax(query @ key.T * scale + attn_mask).

    Args:
        query: an array of shape (..., L, E) and of a floating-point dtype.
        key: an array of shape (..., S, E).
        value: an array of shape (..., S, V). The axes in front of the last two broadcast.
        attn_mask: an array that broadcasts to (..., L, S): floats, which are added to the scores, or booleans, which are True
            where a query attends to a key. A query that attends to no key has the result 0.
        dropout_p: the probability that a weight is dropped. (It is dropped at any time: pass 0 outside of training.)
        is_causal: whether query i attends to the keys 0 to i only.
        scale: a number; None means 1 / sqrt(E).
        enable_gqa: whether the third axis from the end, of heads, may be shorter in `key` and `value`: each of their heads is
            then for several heads of the query, side by side.
        rng: the generator of dropout; None means the one that `xgrad.random.seed` sets.

    Returns:
        A tensor of shape (..., L, V), of the dtype that the arguments promote to.

    Raises:
        ValueError: for shapes that do not fit each other, for `attn_mask` together with `is_causal`, for a probability that is
            none, and for numbers of heads that do not divide those of the query.
        TypeError: for an argument that is no array.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> q, k, v = xg.ones((2, 3, 4)), xg.ones((2, 5, 4)), xg.ones((2, 5, 6))
    >>> xg.nn.functional.scaled_dot_product_attention(q, k, v).shape
    (2, 3, 6)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
    """
    name = "scaled_dot_product_attention"
    q, k, v, bias = arrays(name, query, key, value, attn_mask)
    p = probability(name, "dropout_p", dropout_p)
    if attn_mask is not None and is_causal:
        raise ValueError(f"{name}: attn_mask and is_causal exclude each other")
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise wrong_shape(name, "(..., L, E), (..., S, E) and (..., S, V)", min((q, k, v), key=lambda each: each.ndim))
    if enable_gqa:
        k, v = (_shared_heads(name, q, each) for each in (k, v))
    if scale is None:
        scale = 1 / math.sqrt(q.shape[-1]) if q.shape[-1] else 1.0
    drop = None
    if p:
        front = xg.broadcast_shapes(q.shape[:-2], k.shape[:-2])
        drop = factors(q, p, (*front, q.shape[-2], k.shape[-2]), rng)
    return xg.attention(q, k, v, bias, drop, scale=scale, is_causal=is_causal)[0]


def _shared_heads(name: str, q: Tensor, x: Tensor) -> Tensor:
    """Each head of x as often as it has heads of the query."""
    heads, mine = q.shape[-3] if q.ndim > 2 else 0, x.shape[-3] if x.ndim > 2 else 0
    if not mine or heads % mine:
        raise ValueError(
            f"{name}: with enable_gqa the third axis from the end of query must be a multiple of that of key and value, got "
            f"shapes {q.shape} and {x.shape}"
        )
    return x if heads == mine else xg.repeat(x, heads // mine, axis=-3)


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    rng: Generator | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads, each with its own part of the projections: what MultiheadAttention computes.

    Args:
        query: an array of shape (L, N, E), or (L, E) for one example, of a floating-point dtype.
        key: an array of shape (S, N, K), or (S, K).
        value: an array of shape (S, N, V), or (S, V).
        embed_dim_to_check: E.
        num_heads: the number of heads, which divides E.
        in_proj_weight: the weight of all three projections, of shape (3 * E, E); None for separate ones.
        in_proj_bias: their bias, of shape (3 * E,), or None.
        bias_k: a key that is added to all others, of shape (1, 1, E), or None.
        bias_v: the value of this key.
        add_zero_attn: whether a key and a value of zeros are added.
        dropout_p: the probability that a weight is dropped in training.
        out_proj_weight: the weight of the last projection, of shape (E, E).
        out_proj_bias: its bias, of shape (E,), or None.
        training: whether weights are dropped.
        key_padding_mask: an array of shape (N, S), or (S,): booleans, which are True for keys to leave out, or floats, which are
            added to the scores; or None.
        need_weights: whether the weights are returned too.
        attn_mask: an array of shape (L, S) or (N * num_heads, L, S): booleans, which are True where a query may not attend to a
            key, or floats, which are added to the scores; or None.
        use_separate_proj_weight: whether the three projections have the following weights.
        q_proj_weight: the weight for the query, of shape (E, E).
        k_proj_weight: the weight for the key, of shape (E, K).
        v_proj_weight: the weight for the value, of shape (E, V).
        static_k: keys in place of the projected ones, of shape (N * num_heads, S, E / num_heads), or None.
        static_v: values in place of the projected ones, or None.
        average_attn_weights: whether the mean of the weights over the heads is returned.
        is_causal: whether `attn_mask` is the causal one. (It saves time, and changes nothing else.)
        rng: the generator of dropout; None means the one that `xgrad.random.seed` sets.

    Returns:
        The result, a tensor of the shape of the query and of the dtype that the arguments promote to; and the weights, after
        dropout, a tensor of shape (N, L, S), or (N, num_heads, L, S) for those of each head, without N for one example. None
        without `need_weights`. A query that attends to no key has weights of 0 (in PyTorch nan if weights are needed).

    Raises:
        ValueError: for shapes that do not fit each other, and for `is_causal` without `attn_mask`.
        TypeError: for an argument that is no array.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    >>> import xgrad as xg
    >>> x, w, out = xg.ones((3, 2, 4)), xg.ones((12, 4)), xg.ones((4, 4))
    >>> F = xg.nn.functional
    >>> y, weights = F.multi_head_attention_forward(x, x, x, 4, 2, w, None, None, None, False, 0.0, out, None)
    >>> y.shape, weights.shape
    ((3, 2, 4), (2, 3, 3))

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
    """
    name = "multi_head_attention_forward"
    if is_causal and attn_mask is None:
        raise ValueError(f"{name}: is_causal says of attn_mask that it is the causal one, but attn_mask is None")
    same_k, same_v = key is query, value is key
    weights: list[Any] = [in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, out_proj_weight]
    q = array(name, query, key, value, *weights, in_proj_bias, bias_k, bias_v, out_proj_bias)
    k = q if same_k else array(name, key, q)
    v = k if same_v else array(name, value, q)
    is_batch = _check(name, q, k, v, embed_dim_to_check, num_heads)
    if use_separate_proj_weight:
        biases = _thirds(in_proj_bias, embed_dim_to_check)
        q, k, v = (xg.linear(*each) for each in zip((q, k, v), weights[1:4], biases, strict=True))
    elif same_k and same_v:
        q, k, v = _thirds(xg.linear(q, in_proj_weight, in_proj_bias), embed_dim_to_check, axis=-1)
    else:
        thirds = (_thirds(each, embed_dim_to_check) for each in (in_proj_weight, in_proj_bias))
        q, k, v = (xg.linear(*each) for each in zip((q, k, v), *thirds, strict=True))
    if not is_batch:
        q, k, v = (xg.expand_dims(each, axis=1) for each in (q, k, v))
    (length, n, _), size = q.shape, embed_dim_to_check // num_heads
    if bias_k is not None:
        k, v = (
            xg.concat([each, xg.broadcast_to(array(name, more, q), (1, *each.shape[1:]))])
            for each, more in ((k, bias_k), (v, bias_v))
        )

    def heads(x: Tensor) -> Tensor:  # (length, N, E) -> (N, heads, length, E / heads)
        return xg.permute_dims(xg.reshape(x, (x.shape[0], n, num_heads, size)), (1, 2, 0, 3))

    q = heads(q)
    k, v = (
        heads(each) if static is None else xg.reshape(array(name, static, q), (n, num_heads, -1, size))
        for each, static in ((k, static_k), (v, static_v))
    )
    if add_zero_attn:
        k, v = (
            xg.concat([each, each.__array_namespace__().zeros((n, num_heads, 1, size), dtype=each.dtype)], axis=2)
            for each in (k, v)
        )
    only_causal = is_causal and not need_weights and key_padding_mask is None
    more = (bias_k is not None) + bool(add_zero_attn)
    bias = None
    if not only_causal:
        bias = _bias(name, attn_mask, key_padding_mask, (n, num_heads, length, k.shape[2] - more), more, q)
    p = dropout_p if training else 0.0
    drop = factors(q, p, (n, num_heads, length, k.shape[2]), rng) if p else None
    y, found = xg.attention(q, k, v, bias, drop, scale=1 / math.sqrt(size), is_causal=only_causal)
    y = xg.linear(xg.reshape(xg.permute_dims(y, (2, 0, 1, 3)), (length, n, -1)), out_proj_weight, out_proj_bias)
    if not is_batch:
        y = y[:, 0, :]
    if not need_weights:
        return y, None
    if drop is not None:
        found = found * drop
    if average_attn_weights:
        found = xg.mean(found, axis=1)
    return y, found if is_batch else found[0, ...]


def _check(name: str, q: Tensor, k: Tensor, v: Tensor, width: int, num_heads: int) -> bool:
    """Whether there is a batch axis. Raises ValueError for shapes that do not fit."""
    fits = q.ndim == k.ndim == v.ndim and q.ndim in (2, 3) and k.shape[:-1] == v.shape[:-1]
    if not fits or q.shape[1:-1] != k.shape[1:-1] or q.shape[-1] != width:
        raise wrong_shape(
            name, f"(L, N, {width}) with key and value (S, N, ...), or without N", (q.shape, k.shape, v.shape)
        )
    if width % num_heads:
        raise ValueError(f"{name}: num_heads must divide {width}, got {num_heads}")
    return q.ndim == 3


def _thirds(x: Any, n: int, axis: int = 0) -> list[Any]:
    """The three parts of length n along the first or the last axis. None has three parts that are None."""
    if x is None:
        return [None] * 3
    parts = [slice(i * n, (i + 1) * n) for i in range(3)]
    return [x[part] if axis == 0 else x[..., part] for part in parts]


def _bias(name: str, attn_mask: Any, padding: Any, shape: tuple[int, ...], more: int, like: Tensor) -> Any:
    """Both masks as one array for `xg.attention`: booleans, True where a query attends; or floats, if one of them has floats."""
    n, heads, length, keys = shape
    masks = []
    for what, mask in (("attn_mask", attn_mask), ("key_padding_mask", padding)):
        if mask is None:
            continue
        mask = array(name, mask, like)
        wanted: dict[tuple[int, ...], tuple[int, ...]]
        if what == "attn_mask":
            wanted = {(length, keys): (1, 1, length, keys), (n * heads, length, keys): shape}
        else:
            wanted = {(n, keys): (n, 1, 1, keys)}
            if n == 1:
                wanted[(keys,)] = 1, 1, 1, keys
        if tuple(mask.shape) not in wanted:
            raise ValueError(
                f"{name}: {what} must have the shape {' or '.join(map(str, wanted))}, got {tuple(mask.shape)}"
            )
        masks.append(xg.reshape(mask, wanted[tuple(mask.shape)]))
    if not masks:
        return None
    if more:  # keys that are added are never masked
        masks = [
            xg.concat([m, m.__array_namespace__().zeros((*m.shape[:-1], more), dtype=m.dtype)], axis=-1) for m in masks
        ]
    floats = [not xg.isdtype(mask.dtype, "bool") for mask in masks]
    if not any(floats):
        return ~masks[0] if len(masks) == 1 else ~(masks[0] | masks[1])
    zero = like.__array_namespace__().zeros((), dtype=like.dtype)
    added = [
        mask if is_float else xg.where(mask, zero - math.inf, zero)
        for mask, is_float in zip(masks, floats, strict=True)
    ]
    return added[0] if len(added) == 1 else added[0] + added[1]
