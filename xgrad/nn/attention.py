"""MultiheadAttention."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn import init
from xgrad.nn.checks import input_of, probability, size, wrong_shape
from xgrad.nn.linear import Linear
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.random import Generator


class MultiheadAttention(Module):
    """Attention of several heads: each projects queries, keys and values in its own way, and their results are joined.

    Call it with `(query, key, value)` of shapes (L, N, embed_dim), (S, N, kdim) and (S, N, vdim), or (N, L, embed_dim) and so
    on with `batch_first`, or without N for one example. It returns the result, of the shape of the query, and the weights, of
    shape (N, L, S). The call also takes:

    * `key_padding_mask`, of shape (N, S): booleans, True for keys to leave out, or floats, which are added to the scores;
    * `need_weights`: without, the second result is None;
    * `attn_mask`, of shape (L, S) or (N * num_heads, L, S): booleans, True where a query may not attend to a key, or floats;
    * `average_attn_weights`: False for the weights of each head, of shape (N, num_heads, L, S);
    * `is_causal`: whether `attn_mask` is the causal one, which saves time.

    The parameters are `in_proj_weight`, or `q_proj_weight`, `k_proj_weight` and `v_proj_weight` if keys or values have another
    length than queries; `in_proj_bias`, `bias_k`, `bias_v`, `out_proj.weight` and `out_proj.bias`. Projections are drawn by
    `xavier_uniform_`, `bias_k` and `bias_v` by `xavier_normal_`, `out_proj.weight` as that of Linear. The other biases are 0.

    Args:
        embed_dim: the length of a query and of the result.
        num_heads: the number of heads, which divides `embed_dim`.
        dropout: the probability that a weight is dropped in training.
        bias: whether the projections have biases.
        add_bias_kv: whether a key and a value are added that are parameters.
        add_zero_attn: whether a key and a value of zeros are added.
        kdim: the length of a key; None means `embed_dim`.
        vdim: the length of a value; None means `embed_dim`.
        batch_first: whether the batch axis comes first.
        device: that of the parameters; None means the current one.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        rng: the generator of starting values and dropout; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer, 1 or more, a number of heads that does not divide `embed_dim`, a dropout that
            is no probability; when called, for arrays or masks of other shapes, and for `is_causal` without `attn_mask`.
        TypeError: for an integer dtype; when called, for an argument that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> attention = xg.nn.MultiheadAttention(4, 2, batch_first=True, rng=xg.random.Generator(0))
    >>> x = xg.ones((2, 3, 4))
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((2, 3, 4), (2, 3, 3))

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
        rng: Generator | None = None,
    ) -> None:
        name = type(self).__name__
        self.embed_dim = n = size(name, "embed_dim", embed_dim, 1)
        self.num_heads = size(name, "num_heads", num_heads, 1)
        if n % self.num_heads:
            raise ValueError(f"{name}: num_heads must divide embed_dim {n}, got {num_heads}")
        self.head_dim = n // self.num_heads
        self.kdim = n if kdim is None else size(name, "kdim", kdim, 1)
        self.vdim = n if vdim is None else size(name, "vdim", vdim, 1)
        self.dropout = probability(name, "dropout", dropout)
        self.add_zero_attn, self.batch_first, self.rng = bool(add_zero_attn), bool(batch_first), rng

        def zeros(*shape: int) -> Parameter:
            return Parameter(xg.zeros(shape, dtype=dtype, device=device))

        self._separate = not self.kdim == self.vdim == n
        widths = {"q_proj_weight": n, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        for key, width in widths.items():
            self.register_parameter(key, zeros(n, width) if self._separate else None)
        self.in_proj_weight = None if self._separate else zeros(3 * n, n)
        self.in_proj_bias = zeros(3 * n) if bias else None
        for key in ("bias_k", "bias_v"):
            self.register_parameter(key, zeros(1, 1, n) if add_bias_kv else None)
        self.out_proj = Linear(n, n, bias, dtype=dtype, device=device, rng=rng)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for the projections of queries, keys and values, and set biases to 0."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight, generator=self.rng)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for added in (self.bias_k, self.bias_v):
            if added is not None:
                init.xavier_normal_(added, generator=self.rng)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The result and the weights, or None in their place."""
        q = input_of(self, query)
        k = q if key is query else input_of(self, key)
        v = k if value is key else input_of(self, value)
        for what, x, width in (("query", q, self.embed_dim), ("key", k, self.kdim), ("value", v, self.vdim)):
            if x.ndim not in (2, 3) or x.ndim != q.ndim or x.shape[-1] != width:
                axes = "N, L" if self.batch_first else "L, N"
                raise wrong_shape(
                    f"{type(self).__name__}({self.extra_repr()}) as {what}", f"({axes}, {width}) or (L, {width})", x
                )
        turns = self.batch_first and q.ndim == 3
        if turns:
            kept: dict[int, Tensor] = {}
            q, k, v = (kept.setdefault(id(x), xg.permute_dims(x, (1, 0, 2))) for x in (q, k, v))
        y, weights = F.multi_head_attention_forward(
            q, k, v, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v,
            self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training, key_padding_mask,
            need_weights, attn_mask, self._separate, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal, rng=self.rng,
        )  # fmt: skip
        return xg.permute_dims(y, (1, 0, 2)) if turns else y, weights

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}"
