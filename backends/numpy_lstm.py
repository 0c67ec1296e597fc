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

STEPS = 8  # whose weight gradients are one product


def takes(inputs: Sequence[Any]) -> bool:
    """Whether these functions are for the inputs: all of one dtype, float32 or float64, and without a projection."""
    dtypes = {each.dtype.char for each in inputs if each is not None}
    return inputs[-1] is None and len(dtypes) == 1 and dtypes <= {"f", "d"}


def forward(inputs: Sequence[Any], reverse: bool) -> tuple[Any, Any, Any]:
    """The h, the c and the gates of every step."""
    x, h0, c0, w_ih, w_hh, b_ih, b_hh, _ = inputs
    (steps, n, width), hidden, dtype = x.shape, h0.shape[1], x.dtype
    weight = np.concatenate([w_ih, w_hh, np.zeros((len(w_ih), 1), dtype)], axis=1)
    for bias in (b_ih, b_hh):
        if bias is not None:
            weight[:, -1] += bias
    for k in (0, 1, 3):  # 1 / (1 + exp(-a)): the weights compute -a
        rows = weight[k * hidden : (k + 1) * hidden]
        np.negative(rows, out=rows)

    column = np.ones((width + hidden + 1, n), dtype)
    before, state = column[:width], column[width:-1]
    state[...] = h0.T
    hs, cells = np.empty((steps, n, hidden), dtype), np.empty((steps, hidden, n), dtype)
    gates = np.empty((steps, 5, hidden, n), dtype)
    c = np.ascontiguousarray(c0.T)
    product, one = np.empty((hidden, n), dtype), np.ones((), dtype)
    with np.errstate(over="ignore"):  # where exp(-a) is inf, the gate is 0
        for t in order(steps, reverse):
            before[...] = x[t].T
            four, (i, f, g, o, tanh), cell = gates[t, :4], gates[t], cells[t]
            np.dot(weight, column, out=four.reshape(4 * hidden, n))
            np.tanh(g, out=product)
            np.exp(four, out=four)
            four += one
            np.divide(one, four, out=four)
            g[...] = product
            np.multiply(f, c, out=cell)
            np.multiply(i, g, out=product)
            cell += product
            np.tanh(cell, out=tanh)
            np.multiply(o, tanh, out=state)
            hs[t] = state.T
            c = cell
    return hs, cells.transpose(0, 2, 1), gates.reshape(steps, 5 * hidden, n).transpose(0, 2, 1)


def gradients(
    g: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], reverse: bool, moving: Sequence[bool]
) -> list[Any]:
    """The gradients of the inputs, given those of h, c and the gates, where None is 0."""
    x, h0, c0, w_ih, w_hh, *_ = inputs
    (steps, n, width), hidden, dtype = x.shape, h0.shape[1], x.dtype
    h, (gh, gc, saved) = outputs[0], g
    cells, gates = (np.ascontiguousarray(each.transpose(0, 2, 1)) for each in outputs[1:])
    gates = gates.reshape(steps, 5, hidden, n)
    first = np.ascontiguousarray(c0.T)

    weight = np.ascontiguousarray(np.concatenate([w_ih, w_hh] if moving[0] else [w_hh], axis=1).T)
    below = np.zeros((len(weight), n), dtype)  # the gradients of the input, if they are wanted, and of the state
    dh, dx = below[-hidden:], np.empty(x.shape, dtype) if moving[0] else None
    dc, one = np.zeros((hidden, n), dtype), np.ones((), dtype)
    a, slopes = (np.empty((4, hidden, n), dtype) for _ in range(2))
    slope = slopes[0]

    total = np.zeros((4 * hidden, width + hidden + 1), dtype)  # of both weights and the bias
    some, rows = np.empty((4 * hidden, STEPS, n), dtype), np.ones((STEPS, n, width + hidden + 1), dtype)
    back = order(steps, not reverse)
    for count, t in enumerate(back):
        is_first = count + 1 == steps
        before = t + 1 if reverse else t - 1
        four, (i, f, new, o, tanh) = gates[t, :4], gates[t]
        if gh is not None:
            dh += gh[t].T
        if gc is not None:
            dc += gc[t].T
        np.multiply(dh, o, out=a[0])
        if saved is not None:
            extra = saved[t].T.reshape(5, hidden, n)
            a[0] += extra[4]
        np.multiply(tanh, tanh, out=slope)
        np.subtract(one, slope, out=slope)
        slope *= a[0]
        dc += slope
        np.multiply(dc, new, out=a[0])
        np.multiply(dc, first if is_first else cells[before], out=a[1])
        np.multiply(dc, i, out=a[2])
        np.multiply(dh, tanh, out=a[3])
        if saved is not None:
            a += extra[:4]
        dc *= f
        np.subtract(one, four, out=slopes)  # i * (1 - i), and 1 - g ** 2
        slopes *= four
        np.multiply(new, new, out=slopes[2])
        np.subtract(one, slopes[2], out=slopes[2])
        a *= slopes
        np.dot(weight, a.reshape(4 * hidden, n), out=below)
        if dx is not None:
            dx[t] = below[:width].T
        k = count % STEPS
        some[:, k] = a.reshape(4 * hidden, n)
        rows[k, :, :width] = x[t]
        rows[k, :, width:-1] = h0 if is_first else h[before]
        if k + 1 == STEPS or is_first:
            columns = some[:, : k + 1].reshape(4 * hidden, (k + 1) * n)
            total += columns.dot(rows[: k + 1].reshape((k + 1) * n, -1))
    bias = total[:, -1].copy()
    dw_ih, dw_hh = total[:, :width].copy(), total[:, width:-1].copy()
    return [dx, dh.T.copy(), dc.T.copy(), dw_ih, dw_hh, bias, bias, None]
