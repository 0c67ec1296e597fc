"""Cases for recurrent layers."""

from __future__ import annotations

import numpy as np

from tests.cases.case import case, real


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _recurrent(xp, x, h, c, w_ih, w_hh, b_ih=0, b_hh=0, w_hr=None, *, mode, reverse=False):
    """The states, step by step, by the formulas of PyTorch's documentation. Those of an LSTM are h and c side by side."""
    states = {}
    b_ih, b_hh = (0 if b is None else b for b in (b_ih, b_hh))
    for t in range(x.shape[0])[:: -1 if reverse else 1]:
        z, p = x[t] @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        if mode == "LSTM":
            i, f, g, o = np.split(z + p, 4, axis=-1)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(c)
            if w_hr is not None:
                h = h @ w_hr.T
        elif mode == "GRU":
            (zr, zu, zn), (pr, pu, pn) = np.split(z, 3, axis=-1), np.split(p, 3, axis=-1)
            u = _sigmoid(zu + pu)
            h = (1 - u) * np.tanh(zn + _sigmoid(zr + pr) * pn) + u * h
        else:
            h = np.tanh(z + p) if mode == "RNN_TANH" else np.maximum(z + p, 0)
        states[t] = np.concatenate([h, c], axis=-1) if mode == "LSTM" else h
    return np.stack([states[t] for t in range(x.shape[0])])


def _call(xp, *args, **static):
    h, c = xp.recurrent(*args, **static)[:2]
    return xp.concat([h, c], axis=-1) if static["mode"] == "LSTM" else h


LIGHT = ("RNN_TANH biases", "LSTM biases")


def _add(mode, *args, note="", **static):
    static = {"mode": mode, **static}
    case(
        "recurrent",
        *args,
        call=lambda xp, *args: _call(xp, *args, **static),
        reference=lambda xp, *args: _recurrent(xp, *args, **static),
        rounding=True,
        heavy=f"{mode} {note}" not in LIGHT,
        note=f"{mode} {note}",
    )


def _small(*shape):
    return real(*shape, low=-0.9, high=0.9)


for _mode, _k in (("RNN_TANH", 1), ("RNN_RELU", 1), ("GRU", 3)):
    _args = _small(2, 2, 2), _small(2, 3), None, _small(3 * _k, 2), _small(3 * _k, 3)
    _add(_mode, *_args, _small(3 * _k), _small(3 * _k), note="biases")
    _add(_mode, *_args, reverse=True, note="reverse")
_lstm = _small(2, 2, 2), _small(2, 3), _small(2, 3), _small(12, 2), _small(12, 3)
_add("LSTM", *_lstm, _small(12), _small(12), note="biases")
_add("LSTM", *_lstm, reverse=True, note="reverse")
_add("LSTM", _small(12, 1, 2), _small(1, 1), _small(1, 1), _small(4, 2), _small(4, 1), note="steps")
_projected = _small(2, 2, 1), _small(2, 1), _small(2, 2), _small(8, 1), _small(8, 1), None, None, _small(1, 2)
_add("LSTM", *_projected, note="projection")
_add(
    "LSTM",
    np.ones((2, 1, 2)),
    np.zeros((1, 1)),
    np.zeros((1, 1)),
    _small(4, 2),
    np.ones((4, 1)),
    None,
    _small(4),
    note="some",
)
