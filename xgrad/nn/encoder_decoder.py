"""Transformer: an encoder of one sequence and a decoder of another."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn import init
from xgrad.nn.checks import input_of
from xgrad.nn.module import Module
from xgrad.nn.normalization import LayerNorm
from xgrad.nn.transformer import (
    Activation,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)
from xgrad.random import Generator


class Transformer(Module):
    """An encoder of a sequence `src`, and a decoder of a sequence `tgt` that attends to the result of the encoder.

    Call it with `(src, tgt)`: sequences of shapes (S, N, d_model) and (L, N, d_model), or with N first with `batch_first`, or
    without N. It also takes `src_mask`, `tgt_mask`, `memory_mask`, `src_key_padding_mask`, `tgt_key_padding_mask` and
    `memory_key_padding_mask`, as MultiheadAttention takes them, and `src_is_causal`, `tgt_is_causal` and `memory_is_causal`. The
    result has the shape of `tgt`.

    The parts are `encoder` and `decoder`. Their matrices are drawn by `xavier_uniform_`.

    Args:
        d_model: the length of an element of a sequence.
        nhead: the number of heads, which divides `d_model`.
        num_encoder_layers: the number of layers of the encoder.
        num_decoder_layers: the number of layers of the decoder.
        dim_feedforward: the length between the two linear maps of a layer.
        dropout: the probability that an element is dropped in training.
        activation: "relu", "gelu", or a function of a tensor.
        custom_encoder: a module in place of the encoder, or None.
        custom_decoder: a module in place of the decoder, or None.
        layer_norm_eps: the eps of the normalizations.
        batch_first: whether the batch axis comes first.
        norm_first: whether attention and linear maps get normalized inputs; otherwise their sums with the input are normalized.
        bias: whether linear maps and normalizations have biases.
        device: that of the parameters; None means the current one.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        rng: the generator of starting values and dropout; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for arguments that the layers refuse; when called, for arrays or masks of other shapes, and for sequences of
            different batches.
        TypeError: for an integer dtype; when called, for an argument that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> model = xg.nn.Transformer(4, 2, 1, 1, 8, rng=xg.random.Generator(0))
    >>> mask = model.generate_square_subsequent_mask(3)
    >>> model(xg.ones((5, 2, 4)), xg.ones((3, 2, 4)), tgt_mask=mask).shape
    (3, 2, 4)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
        rng: Generator | None = None,
    ) -> None:
        of_layer = (dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        places = {"device": device, "dtype": dtype}

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, **places)

        if custom_encoder is None:
            layer = TransformerEncoderLayer(d_model, nhead, *of_layer, **places, rng=rng)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        if custom_decoder is None:
            other = TransformerDecoderLayer(d_model, nhead, *of_layer, **places, rng=rng)
            custom_decoder = TransformerDecoder(other, num_decoder_layers, norm())
        self.encoder, self.decoder = custom_encoder, custom_decoder
        self.d_model, self.nhead, self.batch_first, self.rng = d_model, nhead, bool(batch_first), rng
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for all matrices, by `xavier_uniform_`."""
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p, generator=self.rng)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        x, y = input_of(self, src), input_of(self, tgt)
        axis = 0 if self.batch_first else 1
        wrong = x.ndim != y.ndim or x.ndim not in (2, 3) or {x.shape[-1], y.shape[-1]} != {self.d_model}
        if wrong or (x.ndim == 3 and x.shape[axis] != y.shape[axis]):
            axes = "N, S" if self.batch_first else "S, N"
            raise ValueError(
                f"Transformer takes sequences of shape ({axes}, {self.d_model}) of one batch, or ({axes[-1]}, {self.d_model}), "
                f"got src {tuple(x.shape)} and tgt {tuple(y.shape)}"
            )
        memory = self.encoder(x, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        decoded: Tensor = self.decoder(
            y, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal,
        )  # fmt: skip
        return decoded

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask of shape (sz, sz): -inf where a query may not attend to a key, 0 elsewhere."""
        future = xg.triu(xg.ones((sz, sz), dtype=dtype, device=device), k=1)
        return xg.where(future == 1, future - math.inf, future)
