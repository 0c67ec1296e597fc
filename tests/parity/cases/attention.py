"""Attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.case import Call, Draw, Host, Layer, case


def _keep(draw: Draw, *shape: int) -> Host:
    """A mask of booleans, True in the first column, so that every query attends to something."""
    mask = draw.uniform(*shape) < 0.6
    mask[..., 0] = True
    return mask


@case("scaled_dot_product_attention")
def scaled_dot_product_attention(draw: Draw) -> Call:
    length, keys, size, width = draw.size(1, 4), draw.size(2, 4), draw.size(1, 4), draw.size(1, 4)
    heads, fewer = draw.one_of((4, 2), (4, 1), (3, 3))
    front = draw.one_of((), (2,), (2, 4))
    keywords: dict[str, Any] = {"scale": draw.maybe(0.3)}
    shared = front
    if len(front) == 2:
        front, shared = (2, heads), (2, fewer)
        keywords["enable_gqa"] = True
    kind = draw.one_of("none", "none", "causal", "boolean", "float")
    if kind == "causal":
        keywords["is_causal"] = True
    elif kind != "none":
        shape = draw.one_of((length, keys), (*front, length, keys))
        keywords["attn_mask"] = _keep(draw, *shape) if kind == "boolean" else draw.normal(*shape)
    arrays = draw.normal(*front, length, size), draw.normal(*shared, keys, size), draw.normal(*shared, keys, width)
    return Call(arrays, keywords)


@case("scaled_dot_product_attention all masked")
def all_masked(draw: Draw) -> Call:
    mask = _keep(draw, 3, 4)
    mask[1] = False
    bias = np.where(mask, 0.0, -np.inf)
    arrays = draw.normal(2, 3, 2), draw.normal(2, 4, 2), draw.normal(2, 4, 2)
    return Call(arrays, {"attn_mask": draw.one_of(mask, bias)}, fixed=("attn_mask",))


def _masks(draw: Draw, n: int | None, heads: int, length: int, keys: int) -> dict[str, Any]:
    keywords: dict[str, Any] = {}
    if draw.one_of(True, False):
        shape = (keys,) if n is None else (n, keys)
        keywords["key_padding_mask"] = draw.one_of(~_keep(draw, *shape), draw.normal(*shape))
    if draw.one_of(True, False):
        shape = draw.one_of((length, keys), (heads * (n or 1), length, keys))
        keywords["attn_mask"] = draw.one_of(~_keep(draw, *shape), draw.normal(*shape))
    # The first key must stay, whatever the masks.
    kinds = {mask.dtype.kind for mask in keywords.values()}
    if len(kinds) == 2:  # PyTorch warns of two kinds
        keywords = {key: mask.astype(float) for key, mask in keywords.items()}
    return keywords


@case("MultiheadAttention")
def multihead_attention(draw: Draw) -> Layer:
    heads, n = draw.size(1, 3), draw.one_of(None, 2, 3)
    width, length, keys = heads * draw.size(1, 3), draw.size(1, 4), draw.size(2, 4)
    kdim, vdim = draw.one_of((None, None), (draw.size(1, 5), None), (draw.size(1, 5), draw.size(1, 5)))
    options: dict[str, Any] = {
        "bias": draw.one_of(True, False), "add_bias_kv": draw.one_of(True, False),
        "add_zero_attn": draw.one_of(True, False), "kdim": kdim, "vdim": vdim, "batch_first": draw.one_of(True, False),
        "dropout": 0.0,
    }  # fmt: skip

    def axes(length: int) -> tuple[int, ...]:
        return (length,) if n is None else (n, length) if options["batch_first"] else (length, n)

    arrays = (
        draw.normal(*axes(length), width),
        draw.normal(*axes(keys), kdim or width),
        draw.normal(*axes(keys), vdim or width),
    )
    keywords = _masks(draw, n, heads, length, keys)
    keywords["need_weights"] = draw.one_of(True, False)
    keywords["average_attn_weights"] = draw.one_of(True, False)
    return Layer((width, heads), options, arrays, keywords)


@case("MultiheadAttention of itself")
def self_attention(draw: Draw) -> Layer:
    """Query, key and value are one array, or key and value are; the mask is causal."""
    n, length = 2, draw.size(2, 4)
    alone = draw.one_of(True, False)
    is_causal = draw.one_of(True, False)

    def build(nn: Any) -> Any:
        class Attention(nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

            def forward(self, x: Any, other: Any, future: Any) -> Any:
                query = x if alone else other
                options = {"attn_mask": future, "is_causal": is_causal}
                return self.attention(query, x, x, **options), self.attention(
                    query, x, x, need_weights=False, **options
                )

        return Attention()

    future = ~np.tri(length, dtype=bool)
    return Layer(inputs=(draw.normal(n, length, 4), draw.normal(n, length, 4), future), build=build)


@case("multi_head_attention_forward")
def multi_head_attention_forward(draw: Draw) -> Call:
    heads, length, keys, n = 2, draw.size(1, 3), draw.size(2, 3), 2
    static = draw.normal(n * heads, keys, 2), draw.normal(n * heads, keys, 2)
    keywords: dict[str, Any] = dict(zip(("static_k", "static_v"), draw.one_of(static, (None, None)), strict=True))
    arrays = (draw.normal(length, n, 4), draw.normal(keys, n, 4), draw.normal(keys, n, 4), 4, heads, draw.normal(12, 4))
    rest = draw.maybe(draw.normal(12)), None, None, False, 0.0, draw.normal(4, 4), draw.maybe(draw.normal(4))
    keywords["need_weights"] = draw.one_of(True, False)
    return Call((*arrays, *rest), keywords)
