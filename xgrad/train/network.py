"""From layers in words to a network for samples of a given shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.fit.config import MOST_PARAMETERS
from xgrad.fit.network import ACTIVATIONS, activation_of
from xgrad.train.layers import Layer
from xgrad.train.lines import Path
from xgrad.train.problems import place

RECURRENT: dict[str, Any] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class LayerError(ValueError):
    """A layer does not fit to what comes before it. `path` is its place in the config."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class Recurrent(nn.Module):
    """A recurrent layer that gives its outputs at all steps, of shape (batch, steps, size), without its last state."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Any) -> Any:
        return self.layer(x)[0]


class Last(nn.Module):
    """The last step of a sequence."""

    def forward(self, x: Any) -> Any:
        return x[:, -1]


class Mean(nn.Module):
    """The mean over some axes: the steps of a sequence, or the pixels of an image."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Any) -> Any:
        return xg.mean(x, axis=self.axes)


class Builder:
    """Puts modules one behind the other, and knows the shape of what comes out.

    Args:
        shape: of a sample.
        dtype: of the weights.
        rng: draws the starting weights, and later the masks of dropout.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, rng: xg.random.Generator) -> None:
        self.shape = shape
        self.options = {"dtype": dtype, "rng": rng}
        self.dtype, self.rng = dtype, rng
        self.are_steps = False  # whether a recurrent layer gave this: a sequence of its outputs
        self.modules: list[nn.Module] = []
        self.parameters = 0

    def add(self, layer: Layer) -> None:
        """Add a layer. LayerError if it does not fit."""
        try:
            getattr(self, f"_{layer.name}", self._activation)(layer)
        except ValueError as error:
            where = "network" if layer.path[1:2] != ("layers",) else place(layer.path) + layer.at
            raise LayerError(layer.path, f'{where}: "{layer}": {error}') from None

    def _put(self, module: Any, shape: tuple[int, ...]) -> None:
        self.modules.append(module)
        self.shape = shape

    def _room(self, count: int) -> None:
        self.parameters += count
        if self.parameters > MOST_PARAMETERS:
            raise ValueError(
                f"the network has {self.parameters} parameters or more; at most {MOST_PARAMETERS} are trained"
            )

    def _numbers(self, layer: Layer) -> tuple[int, ...]:
        return tuple(map(int, layer.numbers))

    # --- features ---

    def _features(self) -> int:
        """Make one axis of features of what there is: the last step of a recurrent layer, or all numbers of a sample."""
        if self.are_steps:
            self._last(Layer("last"))
        elif len(self.shape) > 1:
            self._put(nn.Flatten(), (prod(self.shape),))
        return self.shape[0]

    def _linear(self, layer: Layer) -> None:
        size = self._numbers(layer)[0]
        before = self._features()
        self._room((before + 1) * size)
        self._put(nn.Linear(before, size, **self.options), (size,))

    def _flatten(self, layer: Layer) -> None:
        self._put(nn.Flatten(), (prod(self.shape),))
        self.are_steps = False

    def _activation(self, layer: Layer) -> None:
        made = ACTIVATIONS[layer.name]
        assert made is not None
        self._put(activation_of(made, self.dtype, self.rng), self.shape)

    def _dropout(self, layer: Layer) -> None:
        self._put(nn.Dropout(layer.numbers[0], rng=self.rng), self.shape)

    def _batchnorm(self, layer: Layer) -> None:
        if self.are_steps or len(self.shape) == 2:
            raise ValueError("it is for features and images, and here is a sequence; layernorm is for sequences")
        made = nn.BatchNorm1d if len(self.shape) == 1 else nn.BatchNorm2d
        self._put(made(self.shape[0], dtype=self.dtype), self.shape)

    def _layernorm(self, layer: Layer) -> None:
        if len(self.shape) == 3:
            raise ValueError("it is for features and sequences, and here is an image; batchnorm is for images")
        self._put(nn.LayerNorm(self.shape[-1], dtype=self.dtype), self.shape)

    # --- images ---

    def _image(self) -> tuple[int, int, int]:
        if len(self.shape) == 2 and not self.are_steps:  # without an axis of channels
            self._put(nn.Unflatten(1, (1, self.shape[0])), (1, *self.shape))
        if len(self.shape) != 3:
            raise ValueError(
                f"it needs images, of shape (height, width) or (channels, height, width); here is shape {self.shape}"
            )
        return self.shape[0], self.shape[1], self.shape[2]

    def _conv(self, layer: Layer) -> None:
        channels, size = self._numbers(layer)
        before, height, width = self._image()
        self._room((before * size * size + 1) * channels)
        pad = size // 2
        new = height + 2 * pad - size + 1, width + 2 * pad - size + 1
        self._put(nn.Conv2d(before, channels, size, padding=pad, **self.options), (channels, *new))

    def _stride(self, layer: Layer) -> None:
        conv = self.modules[-1] if self.modules else None
        if not isinstance(conv, nn.Conv2d) or conv.stride != (1, 1):
            raise ValueError('it stands behind the two numbers of a conv: "conv 16 3 stride 2"')
        step = self._numbers(layer)[0]
        conv.stride = (step, step)
        self.shape = (self.shape[0], *((side - 1) // step + 1 for side in self.shape[1:]))

    def _pool(self, layer: Layer, made: Any) -> None:
        size = self._numbers(layer)[0]
        channels, height, width = self._image()
        if min(height, width) < size:
            raise ValueError(f"here are {height} by {width} pixels, fewer than {size}")
        self._put(made(size), (channels, height // size, width // size))

    def _maxpool(self, layer: Layer) -> None:
        self._pool(layer, nn.MaxPool2d)

    def _avgpool(self, layer: Layer) -> None:
        self._pool(layer, nn.AvgPool2d)

    # --- sequences ---

    def _recurrent(self, layer: Layer) -> None:
        size = self._numbers(layer)[0]
        if len(self.shape) == 1:  # each feature is a step with one number
            self._put(nn.Unflatten(1, (self.shape[0], 1)), (self.shape[0], 1))
        if len(self.shape) != 2:
            raise ValueError(f"it needs sequences, of shape (steps, features); here is shape {self.shape}")
        steps, before = self.shape
        self._room(4 * size * (before + size + 2))
        self._put(Recurrent(RECURRENT[layer.name](before, size, batch_first=True, **self.options)), (steps, size))
        self.are_steps = True

    _gru = _lstm = _rnn = _recurrent

    def _last(self, layer: Layer) -> None:
        if len(self.shape) != 2:
            raise ValueError(f"it needs a sequence, of shape (steps, features); here is shape {self.shape}")
        self._put(Last(), self.shape[1:])
        self.are_steps = False

    def _mean(self, layer: Layer) -> None:
        if len(self.shape) == 1:
            raise ValueError("it needs a sequence or images, and here are features")
        axes = (1,) if len(self.shape) == 2 else (2, 3)
        self._put(Mean(axes), self.shape[1:] if len(self.shape) == 2 else self.shape[:1])
        self.are_steps = False


def build(
    layers: Sequence[Layer], shape: tuple[int, ...], outputs: int, dtype: Any, rng: xg.random.Generator
) -> nn.Sequential:
    """A network of these layers, and of a linear one to the outputs.

    >>> import xgrad as xg
    >>> from xgrad.train.layers import read
    >>> model = build(read("conv 4 3 relu maxpool 2")[0], (8, 8), 10, xg.float32, xg.random.Generator(0))
    >>> model(xg.zeros((2, 8, 8))).shape
    (2, 10)

    Args:
        layers: in words.
        shape: of a sample: (features,), (steps, features), (height, width) or (channels, height, width).
        outputs: how many numbers come out.
        dtype: of the weights.
        rng: draws the starting weights.

    Raises:
        LayerError: for a layer that does not fit to what comes before it.
    """
    builder = Builder(shape, dtype, rng)
    for layer in layers:
        builder.add(layer)
    builder.add(Layer("linear", (outputs,), ("network",)))
    return nn.Sequential(*builder.modules)
