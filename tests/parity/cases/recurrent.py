"""Recurrent layers, their cells, and packed sequences."""

from __future__ import annotations

from typing import Any

from tests.parity.case import Draw, Layer, case


def _layer(draw: Draw, extra: dict[str, Any], has_cell: bool = False) -> Layer:
    n, hidden, steps, batch = draw.size(1, 4), draw.size(2, 4), draw.size(1, 5), draw.size(1, 3)
    options = {
        "num_layers": draw.size(1, 3), "bias": draw.one_of(True, False), "batch_first": draw.one_of(True, False),
        "bidirectional": draw.one_of(True, False), **extra,
    }  # fmt: skip
    is_batch = draw.one_of(True, True, False)
    axes = ((batch, steps) if options["batch_first"] else (steps, batch)) if is_batch else (steps,)
    first = options["num_layers"] * (2 if options["bidirectional"] else 1)
    middle = (batch,) if is_batch else ()
    h = draw.normal(first, *middle, options.get("proj_size") or hidden)
    state = (h, draw.normal(first, *middle, hidden)) if has_cell else h
    inputs = (draw.normal(*axes, n), *draw.one_of((), (state,)))
    return Layer((n, hidden), options, inputs)


@case("RNN")
def rnn(draw: Draw) -> Layer:
    return _layer(draw, {"nonlinearity": draw.one_of("tanh", "relu")})


@case("GRU")
def gru(draw: Draw) -> Layer:
    return _layer(draw, {})


@case("LSTM")
def lstm(draw: Draw) -> Layer:
    return _layer(draw, {"proj_size": draw.one_of(0, 0, 1)}, has_cell=True)


def _cell(draw: Draw, options: dict[str, Any], states: int = 1) -> Layer:
    n, hidden, axes = draw.size(1, 4), draw.size(1, 4), draw.one_of((), (3,))
    options = {"bias": draw.one_of(True, False), **options}
    given = [draw.normal(*axes, hidden) for _ in range(states)]
    state = given[0] if states == 1 else tuple(given)
    return Layer((n, hidden), options, (draw.normal(*axes, n), *draw.one_of((), (state,))))


@case("RNNCell")
def rnn_cell(draw: Draw) -> Layer:
    return _cell(draw, {"nonlinearity": draw.one_of("tanh", "relu")})


@case("GRUCell")
def gru_cell(draw: Draw) -> Layer:
    return _cell(draw, {})


@case("LSTMCell")
def lstm_cell(draw: Draw) -> Layer:
    return _cell(draw, {}, states=2)


@case("LSTM packed")
@case("GRU packed")
def packed(draw: Draw) -> Layer:
    """A layer between packing and padding, with its own arguments and those of both."""
    kind = draw.one_of("RNN", "GRU", "LSTM")
    batch_first, total = draw.one_of(True, False), draw.one_of(None, 7)
    enforce_sorted = draw.one_of(True, False)
    lengths = [5, 3, 3, 1] if enforce_sorted else [3, 5, 1, 3]
    options = {"num_layers": draw.size(1, 2), "bidirectional": draw.one_of(True, False), "batch_first": batch_first}
    value = draw.one_of(0.0, 2.5)

    def build(nn: Any) -> Any:
        class Packed(nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.layer = getattr(nn, kind)(2, 3, **options)

            def forward(self, x: Any) -> Any:
                rnn = nn.utils.rnn
                packed = rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted)
                y, state = self.layer(packed)
                padded = rnn.pad_packed_sequence(y, batch_first, value, total)
                return padded, state, rnn.unpack_sequence(y), rnn.pad_sequence(rnn.unpack_sequence(y), True, value)

        return Packed()

    x = draw.normal(4, 6, 2) if batch_first else draw.normal(6, 4, 2)
    return Layer(inputs=(x,), build=build)
