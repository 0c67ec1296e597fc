"""Recurrent layers: RNN, LSTM and GRU. Their cells are in cells.py."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import input_of, probability, size, wrong_shape
from xgrad.nn.functional import dropout
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.nn.utils.rnn import PackedSequence
from xgrad.nn.utils.steps import Steps
from xgrad.random import Generator

BLOCKS = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}  # the rows of a weight, in units of the hidden size
States = Sequence[Any]  # h, or h and c


def mode_of(layer: str, nonlinearity: Any) -> str:
    """The mode of an RNN with that nonlinearity. ValueError for another than tanh and relu."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f'{layer}: nonlinearity must be "tanh" or "relu", got {nonlinearity!r}')
    return f"RNN_{nonlinearity.upper()}"


class Weights(Module):
    """What layers and cells share: parameters that are uniform within 1/sqrt(hidden_size) of zero."""

    hidden_size: int

    def add_parameter(self, name: str, shape: tuple[int, ...], draw: Generator, dtype: Any, device: Any) -> None:
        bound = 1 / math.sqrt(self.hidden_size)
        value = draw.uniform(shape, low=-bound, high=bound, dtype=dtype, device=device)
        self.register_parameter(name, Parameter(value))

    def reset_parameters(self) -> None:
        """Draw new values for all parameters, uniform within 1/sqrt(hidden_size) of zero."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            xg.nn.init.uniform_(p, -bound, bound, self.rng)


class RNNBase(Weights):
    """What RNN, LSTM and GRU share. Layer after layer, each direction runs over all steps in one operation."""

    has_cell = False

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        dtype: Any,
        device: Any,
        rng: Generator | None,
    ) -> None:
        name = type(self).__name__
        self.mode = mode
        self.input_size = size(name, "input_size", input_size)
        self.hidden_size = size(name, "hidden_size", hidden_size, 1)
        self.num_layers = size(name, "num_layers", num_layers, 1)
        self.bias, self.batch_first, self.bidirectional = bool(bias), bool(batch_first), bool(bidirectional)
        self.dropout = probability(name, "dropout", dropout)
        self.proj_size = size(name, "proj_size", proj_size)
        self.rng = rng
        if self.proj_size >= self.hidden_size:
            raise ValueError(f"{name}: proj_size must be less than hidden_size {hidden_size}, got {proj_size}")
        if self.dropout and self.num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} is between layers, and there is one: it does nothing", stacklevel=3
            )
        draw = random.default_generator() if rng is None else rng
        rows = BLOCKS[mode] * self.hidden_size
        for layer in range(self.num_layers):
            width = self.input_size if layer == 0 else self._out * self._directions
            for suffix in self._suffixes(layer):
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, self._out)}
                if self.bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if self.proj_size:
                    shapes |= {"weight_hr": (self.proj_size, self.hidden_size)}
                for kind, shape in shapes.items():
                    self.add_parameter(f"{kind}_{suffix}", shape, draw, dtype, device)

    @property
    def _out(self) -> int:
        """The length of h."""
        return self.proj_size or self.hidden_size

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: self._directions]

    def _weights(self, suffix: str) -> list[Any]:
        """The weights, biases and projection of one direction of a layer; None for those that are missing."""
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [getattr(self, f"{kind}_{suffix}", None) for kind in kinds]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each direction of each layer."""
        suffixes = [suffix for layer in range(self.num_layers) for suffix in self._suffixes(layer)]
        return [[p for p in self._weights(suffix) if p is not None] for suffix in suffixes]

    def flatten_parameters(self) -> None:
        """Nothing: it is there for programs that are written for cuDNN."""

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        x = input_of(self, input)
        is_batch = x.ndim == 3
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or not x.shape[is_batch and self.batch_first]:
            n, axes = self.input_size, "N, L" if self.batch_first else "L, N"
            raise wrong_shape(self, f"({axes}, {n}) or (L, {n}), with steps L of 1 or more", x)
        if not is_batch:
            x = xg.expand_dims(x, axis=1)
        elif self.batch_first:
            x = xg.permute_dims(x, (1, 0, 2))
        y, states = self._run(x, self._start(x, hx, is_batch), None)
        if not is_batch:
            y, states = y[:, 0, :], [state[:, 0, :] for state in states]
        elif self.batch_first:
            y = xg.permute_dims(y, (1, 0, 2))
        return y, tuple(states) if self.has_cell else states[0]

    def _forward_packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        steps = Steps(input.batch_sizes.tolist())
        if input.data.ndim != 2 or input.data.shape[-1] != self.input_size:
            raise wrong_shape(self, f"({sum(steps.batch_sizes)}, {self.input_size})", input.data)
        x = steps.padded(input.data)
        start = self._start(x, hx, True)
        if hx is not None and input.sorted_indices is not None:
            start = [xg.take(state, input.sorted_indices, axis=1) for state in start]
        y, states = self._run(x, start, steps)
        if input.unsorted_indices is not None:
            states = [xg.take(state, input.unsorted_indices, axis=1) for state in states]
        packed = PackedSequence(steps.packed(y), input.batch_sizes, input.sorted_indices, input.unsorted_indices)
        return packed, tuple(states) if self.has_cell else states[0]

    def _start(self, x: Tensor, hx: Any, is_batch: bool) -> list[Tensor]:
        """The states before the first step: (layers * directions, N, hidden) each. Zeros if none are given."""
        first = self.num_layers * self._directions
        shapes = [(first, x.shape[1], self._out), (first, x.shape[1], self.hidden_size)][: 1 + self.has_cell]
        if hx is None:
            return [x.__array_namespace__().zeros(shape, dtype=x.dtype) for shape in shapes]
        if self.has_cell and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise TypeError(f"{type(self).__name__}: hx must be a pair (h_0, c_0), got {type(hx).__name__}")
        states = [input_of(self, state) for state in (hx if self.has_cell else (hx,))]
        for name, state, shape in zip(("h_0", "c_0"), states, shapes, strict=False):
            wanted = shape if is_batch else (shape[0], shape[2])
            if tuple(state.shape) != wanted:
                raise ValueError(f"{self} takes an initial state {name} of shape {wanted}, got {tuple(state.shape)}")
        return states if is_batch else [xg.expand_dims(state, axis=1) for state in states]

    def _run(self, x: Tensor, start: States, steps: Steps | None) -> tuple[Tensor, list[Tensor]]:
        """The output of the last layer, and the last states of all. `steps` is for sequences of different lengths."""
        last: list[list[Tensor]] = [[], []]
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = dropout(x, self.dropout, rng=self.rng)
            outputs = []
            for suffix in self._suffixes(layer):
                h, c, *_ = (*[state[len(last[0]), ...] for state in start], None)
                w_ih, w_hh, *others = self._weights(suffix)
                reverse = suffix.endswith("_reverse")
                turn = steps.turned if steps and reverse else None  # each sequence is turned within its own length
                sequence = turn(x) if turn else x
                hs, cs = xg.recurrent(sequence, h, c, w_ih, w_hh, *others, mode=self.mode, reverse=reverse and not turn)
                for states, ends in zip((hs, cs), last, strict=True):
                    if states is not None:
                        ends.append(steps.last(states) if steps else states[0 if reverse else -1, ...])
                outputs.append(turn(hs) if turn else hs)
            x = outputs[0] if len(outputs) == 1 else xg.concat(outputs, axis=-1)
        return x, [xg.stack(ends) for ends in last if ends]

    def extra_repr(self) -> str:
        said = f"{self.input_size}, {self.hidden_size}"
        defaults = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        for name, default in {**defaults, "bidirectional": False}.items():
            if getattr(self, name) != default:
                said += f", {name}={getattr(self, name)}"
        return said


class RNN(RNNBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh) for every step of a sequence, or relu in place of tanh.

    Call it with `(input, h_0)`: an input of shape (L, N, input_size), or (N, L, input_size) with `batch_first`, or
    (L, input_size) for one sequence, or a PackedSequence; and an initial state of shape (layers * directions, N, hidden_size),
    without N for one sequence, or None for zeros. It returns `(output, h_n)`: the states of the last layer at every step,
    those of both directions side by side, and the last states of all layers and directions.

    The parameters are `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `..._l0_reverse`, `..._l1` and so on. All
    are uniform within 1/sqrt(hidden_size) of zero.

    Args:
        input_size: the length of the last axis of the input.
        hidden_size: the length of the state, 1 or more.
        num_layers: the number of layers, each of which takes the output of the one before.
        nonlinearity: "tanh" or "relu".
        bias: whether there are biases.
        batch_first: whether the batch axis of input and output comes first. That of the states does not.
        dropout: the probability that an element between two layers is dropped in training.
        bidirectional: whether a second direction begins at the last step.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of starting values and dropout; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer in its range, another nonlinearity, a dropout that is no probability; when
            called, for an input or a state of another shape.
        TypeError: for an integer dtype; when called, for an input that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.RNN(3, 4, num_layers=2, rng=xg.random.Generator(0))
    >>> output, h_n = layer(xg.ones((5, 2, 3)))
    >>> output.shape, h_n.shape
    ((5, 2, 4), (2, 2, 4))

    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        mode = mode_of("RNN", nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype, device, rng
        )


class LSTM(RNNBase):
    """Long short-term memory: c' = f * c + i * g and h' = o * tanh(c') for every step of a sequence.

    i, f and o are sigmoid(W_ih x + b_ih + W_hh h + b_hh), each with its own weights, and g is tanh of the same.

    Call it with `(input, (h_0, c_0))`: an input of shape (L, N, input_size), or (N, L, input_size) with `batch_first`, or (L,
    input_size) for one sequence, or a PackedSequence; and initial states of shape (layers * directions, N, hidden_size), without
    N for one sequence, or None for zeros. It returns `(output, (h_n, c_n))`: h of the last layer at every step, that of both
    directions side by side, and the last states of all layers and directions. With `proj_size`, h has that length.

    The parameters are `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_hr_l0` (with `proj_size`), then
    `..._l0_reverse`, `..._l1` and so on. All are uniform within 1/sqrt(hidden_size) of zero.

    Args:
        input_size: the length of the last axis of the input.
        hidden_size: the length of c, 1 or more.
        num_layers: the number of layers, each of which takes the output of the one before.
        bias: whether there are biases.
        batch_first: whether the batch axis of input and output comes first. That of the states does not.
        dropout: the probability that an element between two layers is dropped in training.
        bidirectional: whether a second direction begins at the last step.
        proj_size: the length of h, if it is projected: h' = W_hr (o * tanh(c')); 0 means that it is not. Less than `hidden_size`.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of starting values and dropout; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer in its range, a dropout that is no probability; when called, for an input or a
            state of another shape.
        TypeError: for an integer dtype; when called, for an input that is no array, and for initial states that are no pair.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.LSTM(3, 4, bidirectional=True, rng=xg.random.Generator(0))
    >>> output, (h_n, c_n) = layer(xg.ones((5, 2, 3)))
    >>> output.shape, h_n.shape, c_n.shape
    ((5, 2, 8), (2, 2, 4), (2, 2, 4))

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
    """

    has_cell = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            dtype, device, rng,
        )  # fmt: skip


class GRU(RNNBase):
    """Gated recurrent units: h' = (1 - z) * n + z * h for every step of a sequence.

    r and z are sigmoid(W_ih x + b_ih + W_hh h + b_hh), each with its own weights, and n is
    tanh(W_in x + b_in + r * (W_hn h + b_hn)).

    Call it with `(input, h_0)`: an input of shape (L, N, input_size), or (N, L, input_size) with `batch_first`, or
    (L, input_size) for one sequence, or a PackedSequence; and an initial state of shape (layers * directions, N, hidden_size),
    without N for one sequence, or None for zeros. It returns `(output, h_n)`: the states of the last layer at every step,
    those of both directions side by side, and the last states of all layers and directions.

    The parameters are `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `..._l0_reverse`, `..._l1` and so on. All
    are uniform within 1/sqrt(hidden_size) of zero.

    Args:
        input_size: the length of the last axis of the input.
        hidden_size: the length of the state, 1 or more.
        num_layers: the number of layers, each of which takes the output of the one before.
        bias: whether there are biases.
        batch_first: whether the batch axis of input and output comes first. That of the states does not.
        dropout: the probability that an element between two layers is dropped in training.
        bidirectional: whether a second direction begins at the last step.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        device: that of the parameters; None means the current one.
        rng: the generator of starting values and dropout; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer in its range, a dropout that is no probability; when called, for an input or a
            state of another shape.
        TypeError: for an integer dtype; when called, for an input that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> layer = xg.nn.GRU(3, 4, batch_first=True, rng=xg.random.Generator(0))
    >>> output, h_n = layer(xg.ones((2, 5, 3)))
    >>> output.shape, h_n.shape
    ((2, 5, 4), (1, 2, 4))

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype, device, rng
        )
