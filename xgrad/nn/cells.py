"""One step of a recurrent layer: RNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import input_of, size, wrong_shape
from xgrad.nn.recurrent import BLOCKS, Weights, mode_of
from xgrad.random import Generator


class RNNCellBase(Weights):
    """What the cells share: the parameters weight_ih, weight_hh, bias_ih and bias_hh, and a sequence of one step."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, mode: str, dtype: Any, device: Any, rng: Generator | None
    ) -> None:
        name = type(self).__name__
        self.input_size, self.hidden_size = (
            size(name, "input_size", input_size),
            size(name, "hidden_size", hidden_size, 1),
        )
        self.bias, self.mode, self.rng = bool(bias), mode, rng
        draw = random.default_generator() if rng is None else rng
        rows = BLOCKS[mode] * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, self.input_size),
            "weight_hh": (rows, self.hidden_size),
        }
        for kind in ("bias_ih", "bias_hh"):
            if self.bias:
                shapes[kind] = (rows,)
            else:
                self.register_parameter(kind, None)
        for kind, shape in shapes.items():
            self.add_parameter(kind, shape, draw, dtype, device)

    def step(self, input: Any, hx: Any) -> list[Tensor]:
        """The new h, or h and c."""
        x = input_of(self, input)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise wrong_shape(self, f"(N, {self.input_size}) or ({self.input_size},)", x)
        wanted = (*x.shape[:-1], self.hidden_size)
        count = 2 if self.mode == "LSTM" else 1
        if hx is None:
            zeros = x.__array_namespace__().zeros(wanted, dtype=x.dtype)
            hx = (zeros,) * count
        states = [input_of(self, state) for state in hx]
        for state in states:
            if tuple(state.shape) != wanted:
                raise ValueError(f"{self} takes a state of shape {wanted}, got {tuple(state.shape)}")
        alone = x.ndim == 1
        if alone:
            x, *states = (xg.expand_dims(each, axis=0) for each in (x, *states))
        h, c = states if count == 2 else (states[0], None)
        found = xg.recurrent(
            xg.expand_dims(x, axis=0), h, c, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, mode=self.mode
        )
        return [state[0, 0, ...] if alone else state[0, ...] for state in found if state is not None]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of an RNN: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu in place of tanh.

    Call it with `(input, hx)`: an input of shape (N, input_size) or (input_size,), and a state of shape (N, hidden_size) or
    (hidden_size,), or None for zeros. It returns the new state. The parameters are `weight_ih`, `weight_hh`, `bias_ih` and
    `bias_hh`, uniform within 1/sqrt(hidden_size) of zero.

    Args:
        input_size: the length of the last axis of the input.
        hidden_size: the length of the state, 1 or more.
        bias: whether there are biases.
        nonlinearity: "tanh" or "relu".
        device: that of the parameters; None means the current one.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer in its range, and another nonlinearity; when called, for an input or a state of
            another shape.
        TypeError: for an integer dtype; when called, for an input that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> cell = xg.nn.RNNCell(3, 4, rng=xg.random.Generator(0))
    >>> cell(xg.ones((2, 3))).shape
    (2, 4)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        device: Any = None,
        dtype: Any = None,
        rng: Generator | None = None,
    ) -> None:
        mode = mode_of("RNNCell", nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, bias, mode, dtype, device, rng)

    def forward(self, input: Any, hx: Any = None) -> Tensor:
        return self.step(input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM: c' = f * c + i * g and h' = o * tanh(c').

    Call it with `(input, (h, c))`: an input of shape (N, input_size) or (input_size,), and states of shape (N, hidden_size) or
    (hidden_size,), or None for zeros. It returns the new (h, c). The parameters are `weight_ih`, `weight_hh`, `bias_ih` and
    `bias_hh`, uniform within 1/sqrt(hidden_size) of zero.

    Args:
        input_size: the length of the last axis of the input.
        hidden_size: the length of the states, 1 or more.
        bias: whether there are biases.
        device: that of the parameters; None means the current one.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer in its range; when called, for an input or states of another shape.
        TypeError: for an integer dtype; when called, for an input that is no array, and for states that are no pair.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> cell = xg.nn.LSTMCell(3, 4, rng=xg.random.Generator(0))
    >>> h, c = cell(xg.ones((2, 3)))
    >>> h, c = cell(xg.ones((2, 3)), (h, c))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
        rng: Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, "LSTM", dtype, device, rng)

    def forward(self, input: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        if hx is not None and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise TypeError(f"LSTMCell: hx must be a pair (h, c), got {type(hx).__name__}")
        h, c = self.step(input, hx)
        return h, c


class GRUCell(RNNCellBase):
    """One step of a GRU: h' = (1 - z) * n + z * h.

    Call it with `(input, hx)`: an input of shape (N, input_size) or (input_size,), and a state of shape (N, hidden_size) or
    (hidden_size,), or None for zeros. It returns the new state. The parameters are `weight_ih`, `weight_hh`, `bias_ih` and
    `bias_hh`, uniform within 1/sqrt(hidden_size) of zero.

    Args:
        input_size: the length of the last axis of the input.
        hidden_size: the length of the state, 1 or more.
        bias: whether there are biases.
        device: that of the parameters; None means the current one.
        dtype: that of the parameters, a floating-point dtype; None means the default dtype.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is no integer in its range; when called, for an input or a state of another shape.
        TypeError: for an integer dtype; when called, for an input that is no array.
        BackendError: for an unknown device.

    >>> import xgrad as xg
    >>> cell = xg.nn.GRUCell(3, 4, rng=xg.random.Generator(0))
    >>> cell(xg.ones(3)).shape
    (4,)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
        rng: Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, "GRU", dtype, device, rng)

    def forward(self, input: Any, hx: Any = None) -> Tensor:
        return self.step(input, None if hx is None else (hx,))[0]
