"""The Transformer: layers of attention and of two linear maps, stacked as encoder and decoder."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.attention import MultiheadAttention
from xgrad.nn.checks import input_of, probability, size
from xgrad.nn.containers import ModuleList
from xgrad.nn.dropout import Dropout
from xgrad.nn.linear import Linear
from xgrad.nn.module import Module
from xgrad.nn.normalization import LayerNorm
from xgrad.random import Generator

Activation = str | Callable[[Tensor], Tensor]


def _activation(layer: str, activation: Activation) -> Callable[[Tensor], Tensor]:
    if activation in ("relu", "gelu"):
        found: Callable[[Tensor], Tensor] = getattr(F, str(activation))
        return found
    if not callable(activation):
        raise ValueError(f'{layer}: activation must be "relu", "gelu" or a function, got {activation!r}')
    return activation


class _Layer(Module):
    """What the layers share: two linear maps with an activation between them, and residuals."""

    norm_first: bool

    def _make(
        self, attentions: tuple[str, ...], d_model: int, nhead: int, dim_feedforward: int, dropout: float,
        activation: Activation, layer_norm_eps: float, batch_first: bool, norm_first: bool, bias: bool,
        dtype: Any, device: Any, rng: Generator | None,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        n, wide = size(name, "d_model", d_model, 1), size(name, "dim_feedforward", dim_feedforward, 1)
        p = probability(name, "dropout", dropout)
        places = {"dtype": dtype, "device": device}
        self.norm_first = bool(norm_first)
        for key in attentions:
            made = MultiheadAttention(n, nhead, p, bias, batch_first=batch_first, **places, rng=rng)
            self.add_module(key, made)
        self.linear1 = Linear(n, wide, bias, **places, rng=rng)
        self.dropout = Dropout(p, rng=rng)
        self.linear2 = Linear(wide, n, bias, **places, rng=rng)
        numbers = range(1, len(attentions) + 2)
        for i in numbers:
            self.add_module(f"norm{i}", LayerNorm(n, layer_norm_eps, bias=bias, **places))
        for i in numbers:
            self.add_module(f"dropout{i}", Dropout(p, rng=rng))
        self.activation = _activation(name, activation)

    def _feed_forward(self, x: Tensor) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _residual(self, number: int, x: Tensor, block: Callable[[Tensor], Any]) -> Any:
        """x and what a block makes of it, with the normalization and the dropout of that number."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        if self.norm_first:
            return x + dropout(block(norm(x)))
        return norm(x + dropout(block(x)))


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, then two linear maps with an activation between them. Each is added to its input.

    Call it with `(src, src_mask, src_key_padding_mask, is_causal)`: a sequence of shape (L, N, d_model), or (N, L, d_model) with
    `batch_first`, or (L, d_model), and masks as MultiheadAttention takes them, or None. The result has the shape of the sequence.

    The parts are `self_attn`, `linear1`, `linear2`, `norm1` and `norm2`.

    Args:
        d_model: the length of an element of the sequence.
        nhead: the number of heads, which divides `d_model`.
        dim_feedforward: the length between the two linear maps.
        dropout: the probability that an element is dropped in training: of the weights of the attention, between the linear maps,
            and of what is added to the input.
        activation: "relu", "gelu", or a function of a tensor.
        layer_norm_eps: the eps of the normalizations.
        batch_first: whether the batch axis comes first.
        norm_first: whether attention and linear maps get normalized inputs; otherwise their sums with the input are normalized.
        bias: whether linear maps and normalizations have biases.
        device: that of the parameters; None means the current one.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        rng: the generator of starting values and dropout; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer, 1 or more, a number of heads that does not divide `d_model`, a dropout that is
            no probability, an unknown activation; when called, for arrays or masks of other shapes.
        TypeError: for an integer dtype; when called, for an argument that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.TransformerEncoderLayer(4, 2, 8, rng=xg.random.Generator(0))
    >>> layer(xg.ones((3, 2, 4))).shape
    (3, 2, 4)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
        rng: Generator | None = None,
    ) -> None:
        self._make(
            ("self_attn",), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
            dtype, device, rng,
        )  # fmt: skip

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        def attend(x: Tensor) -> Any:
            y, _ = self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)
            return y

        x = self._residual(1, input_of(self, src), attend)
        return self._residual(2, x, self._feed_forward)


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself, attention to another sequence, then two linear maps. Each is added to its input.

    Call it with `(tgt, memory)`: sequences of shapes (L, N, d_model) and (S, N, d_model), or with N first with `batch_first`, or
    without N. It also takes `tgt_mask`, `memory_mask`, `tgt_key_padding_mask` and `memory_key_padding_mask`, as
    MultiheadAttention takes them, and `tgt_is_causal` and `memory_is_causal`. The result has the shape of `tgt`.

    The parts are `self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1`, `norm2` and `norm3`.

    Args:
        d_model: the length of an element of a sequence.
        nhead: the number of heads, which divides `d_model`.
        dim_feedforward: the length between the two linear maps.
        dropout: the probability that an element is dropped in training: of the weights of the attention, between the linear maps,
            and of what is added to the input.
        activation: "relu", "gelu", or a function of a tensor.
        layer_norm_eps: the eps of the normalizations.
        batch_first: whether the batch axis comes first.
        norm_first: whether attention and linear maps get normalized inputs; otherwise their sums with the input are normalized.
        bias: whether linear maps and normalizations have biases.
        device: that of the parameters; None means the current one.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        rng: the generator of starting values and dropout; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer, 1 or more, a number of heads that does not divide `d_model`, a dropout that is
            no probability, an unknown activation; when called, for arrays or masks of other shapes.
        TypeError: for an integer dtype; when called, for an argument that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.TransformerDecoderLayer(4, 2, 8, rng=xg.random.Generator(0))
    >>> layer(xg.ones((3, 2, 4)), xg.ones((5, 2, 4))).shape
    (3, 2, 4)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
        rng: Generator | None = None,
    ) -> None:
        self._make(
            ("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, dtype, device, rng,
        )  # fmt: skip

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        other = input_of(self, memory)

        def attend(x: Tensor) -> Any:
            y, _ = self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)
            return y

        def look(x: Tensor) -> Any:
            y, _ = self.multihead_attn(
                x, other, other, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )
            return y

        x = self._residual(1, input_of(self, tgt), attend)
        return self._residual(3, self._residual(2, x, look), self._feed_forward)


def copies(layer: str, module: Any, n: Any) -> ModuleList:
    """A list of n copies of a module, all with its values."""
    if not isinstance(module, Module):
        raise TypeError(f"{layer}: expected a Module to copy, got {type(module).__name__}")
    return ModuleList(deepcopy(module) for _ in range(size(layer, "num_layers", n)))


class TransformerEncoder(Module):
    """Several encoder layers, one after another. They are copies of one layer, and start with its values.

    Call it with `(src, mask, src_key_padding_mask, is_causal)`, which every layer gets. The parts are `layers` and `norm`.

    Args:
        encoder_layer: the layer to copy, such as a TransformerEncoderLayer.
        num_layers: the number of copies.
        norm: a module for the result of the last layer, or None.
        enable_nested_tensor: ignored: it is there for programs that are written for PyTorch.
        mask_check: ignored likewise.

    Raises:
        TypeError: for a layer that is no Module.
        ValueError: for a number that is no integer, 0 or more; when called, what the layers raise.

    >>> import xgrad as xg
    >>> layer = xg.nn.TransformerEncoderLayer(4, 2, 8, rng=xg.random.Generator(0))
    >>> xg.nn.TransformerEncoder(layer, 2)(xg.ones((3, 2, 4))).shape
    (3, 2, 4)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        self.layers = copies("TransformerEncoder", encoder_layer, num_layers)
        self.num_layers, self.norm = len(self.layers), norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        x = input_of(self, src)
        for layer in self.layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(Module):
    """Several decoder layers, one after another. They are copies of one layer, and start with its values.

    Call it with `(tgt, memory)` and the masks of TransformerDecoderLayer, which every layer gets. The parts are `layers` and
    `norm`.

    Args:
        decoder_layer: the layer to copy, such as a TransformerDecoderLayer.
        num_layers: the number of copies.
        norm: a module for the result of the last layer, or None.

    Raises:
        TypeError: for a layer that is no Module.
        ValueError: for a number that is no integer, 0 or more; when called, what the layers raise.

    >>> import xgrad as xg
    >>> layer = xg.nn.TransformerDecoderLayer(4, 2, 8, rng=xg.random.Generator(0))
    >>> xg.nn.TransformerDecoder(layer, 2)(xg.ones((3, 2, 4)), xg.ones((5, 2, 4))).shape
    (3, 2, 4)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = copies("TransformerDecoder", decoder_layer, num_layers)
        self.num_layers, self.norm = len(self.layers), norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        x = input_of(self, tgt)
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return x if self.norm is None else self.norm(x)
