"""An LSTM on NumPy's arrays, and its gradients.

Within a step everything is transposed, so that a gate is a block of rows, contiguous in memory. The input, the state and a 1 for
the bias stand above each other, so that a step has one product of matrices. So has the gradient of the weights for several steps.
All is written in place, into arrays that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xgrad.backends.recurrent import order

STEPS = 10  # whose weight gradients are one product


def takes(inputs: Sequence[Any]) -> bool:
    """Whether these functions are for the inputs: all of one dtype, float32 or float64, not empty, without a projection."""
    dtypes = {each.dtype.char for each in inputs if each is not None}
    return inputs[-1] is None and len(dtypes) == 1 and dtypes <= {"f", "d"} and inputs[0].size > 0


def forward(inputs: Sequence[Any], reverse: bool) -> tuple[Any, Any, Any]:
    """The h, the c and the gates of every step."""
    x, h0, c0, w_ih, w_hh, b_ih, b_hh, _ = inputs
    (steps, n, width), hidden, dtype = x.shape, h0.shape[1], x.dtype
    weight = np.concatenate([w_ih, w_hh, np.zeros((len(w_ih), 1), dtype)], axis=1)
    for bias in (b_ih, b_hh):
        if bias is not None:
            weight[:, -1] += bias
    weight = _sigmoids_first(weight, hidden)
    np.negative(weight[: 3 * hidden], out=weight[: 3 * hidden])  # for 1 / (1 + exp(-a))

    column = np.ones((width + hidden + 1, n), dtype)
    above, state = column[:width], column[width:-1]
    state[...] = h0.T
    hs, cells = np.empty((steps, n, hidden), dtype), np.empty((steps, hidden, n), dtype)
    gates = np.empty((steps, 5, hidden, n), dtype)
    each_i, each_f, each_o, each_g, each_tanh = np.moveaxis(gates, 1, 0)
    c, one = np.ascontiguousarray(c0.T), np.ones((), dtype)
    product, a = np.empty((hidden, n), dtype), np.empty((4 * hidden, n), dtype)
    three, fourth, sigmoids = a[: 3 * hidden], a[3 * hidden :], gates[:, :3].reshape(steps, 3 * hidden, n)
    with np.errstate(over="ignore"):  # where exp(-a) is inf, the gate is 0
        for t in order(steps, reverse):
            above[...] = x[t].T
            g, tanh, cell = each_g[t], each_tanh[t], cells[t]
            np.dot(weight, column, out=a)
            np.exp(three, out=three)
            three += one
            np.divide(one, three, out=sigmoids[t])
            np.tanh(fourth, out=g)
            np.multiply(each_f[t], c, out=cell)
            np.multiply(each_i[t], g, out=product)
            cell += product
            np.tanh(cell, out=tanh)
            np.multiply(each_o[t], tanh, out=state)
            hs[t] = state.T
            c = cell
    return hs, cells.transpose(0, 2, 1), gates.reshape(steps, 5 * hidden, n).transpose(0, 2, 1)


def _sigmoids_first(rows: Any, hidden: int) -> Any:
    """The rows of i, f, g and o in the order i, f, o, g, which is its own inverse."""
    return np.concatenate([rows[: 2 * hidden], rows[3 * hidden :], rows[2 * hidden : 3 * hidden]])


def gradients(
    g: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], reverse: bool, moving: Sequence[bool]
) -> list[Any]:
    """The gradients of the inputs, given those of h, c and the gates, where None is 0."""
    x, h0, c0, w_ih, w_hh, *_ = inputs
    (steps, n, width), hidden, dtype = x.shape, h0.shape[1], x.dtype
    h, (gh, gc, saved) = outputs[0], g
    cells, gates = (np.ascontiguousarray(each.transpose(0, 2, 1)) for each in outputs[1:])
    gates = gates.reshape(steps, 5, hidden, n)
    each_i, each_f, each_o, each_g, each_tanh = np.moveaxis(gates, 1, 0)
    sigmoids, tanhs, first = gates[:, :3], gates[:, 3:], np.ascontiguousarray(c0.T)

    w_ih, w_hh = (_sigmoids_first(weight, hidden) for weight in (w_ih, w_hh))
    down = np.ascontiguousarray(w_hh.T)
    dh, dc = (np.zeros((hidden, n), dtype) for _ in range(2))
    if gh is not None:
        gh = np.ascontiguousarray(gh.transpose(0, 2, 1))
    a, slopes, one = np.empty((4, hidden, n), dtype), np.empty((5, hidden, n), dtype), np.ones((), dtype)
    of_sigmoids, of_tanhs, slope = slopes[:3], slopes[3:], slopes[4]
    ai, af, ao, ag = a

    # Products for several steps: of the input, and of the weights.
    some = np.empty((4, hidden, STEPS, n), dtype)
    columns = some.reshape(4 * hidden, STEPS, n)
    before = np.concatenate([h[1:], h0[None]] if reverse else [h0[None], h[:-1]])
    dx = np.empty(x.shape, dtype) if moving[0] else None
    ones = np.ones(STEPS * n, dtype)
    dw_ih, dw_hh, db = np.zeros(w_ih.shape, dtype), np.zeros(w_hh.shape, dtype), np.zeros(len(w_ih), dtype)
    for start in order(-(-steps // STEPS), not reverse):
        low, high = start * STEPS, min(start * STEPS + STEPS, steps)
        for t in order(high - low, not reverse):
            k, t = t, t + low
            three, two, tanh = sigmoids[t], tanhs[t], each_tanh[t]
            if gh is not None:
                dh += gh[t]
            if gc is not None:
                dc += gc[t].T
            np.subtract(one, three, out=of_sigmoids)  # i * (1 - i), and 1 - g ** 2
            of_sigmoids *= three
            np.multiply(two, two, out=of_tanhs)
            np.subtract(one, of_tanhs, out=of_tanhs)
            np.multiply(dh, each_o[t], out=ai)
            if saved is not None:
                extra = saved[t].T.reshape(5, hidden, n)
                ai += extra[4]
            slope *= ai
            dc += slope
            np.multiply(dc, each_g[t], out=ai)
            last = t == (steps - 1 if reverse else 0)
            np.multiply(dc, first if last else cells[t + 1 if reverse else t - 1], out=af)
            np.multiply(dh, tanh, out=ao)
            np.multiply(dc, each_i[t], out=ag)
            if saved is not None:
                a += extra[:4]
            dc *= each_f[t]
            a *= slopes[:4]
            some[:, :, k] = a
            np.dot(down, a.reshape(4 * hidden, n), out=dh)
        rows = columns[:, : high - low].reshape(4 * hidden, (high - low) * n)
        if dx is not None:
            np.dot(rows.T, w_ih, out=dx[low:high].reshape(-1, width))
        dw_ih += rows.dot(x[low:high].reshape(-1, width))
        dw_hh += rows.dot(before[low:high].reshape(-1, hidden))
        db += rows.dot(ones[: rows.shape[1]])
    dw_ih, dw_hh, db = (_sigmoids_first(each, hidden) for each in (dw_ih, dw_hh, db))
    return [dx, dh.T.copy(), dc.T.copy(), dw_ih, dw_hh, db, db, None]
