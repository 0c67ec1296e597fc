"""Recurrent layers over a whole sequence and their derivatives, written with the standard's functions.

A cell computes one step. `step` is its forward, `pull` its reverse and `push` its forward mode. All work on z = x @ w_ih.T + b_ih
and p = h @ w_hh.T + b_hh, what a step gets from the input and from the hidden state, and contain no product of matrices. The scan
around them is the same for all cells. The input has one product for all steps, and so has the gradient of each weight.

Nothing is written in place, so that xgrad's namespace can take the place of a library's as `xp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple


class Step(NamedTuple):
    """What is known of a step: the states before it, what it saved, and its new states (h before a projection)."""

    h: Any
    c: Any
    gates: Any
    new_h: Any
    new_c: Any


class Elman:
    """h' = f(z + p), where f is tanh or relu. It saves nothing."""

    blocks = 1  # the rows of a weight, in units of the hidden size

    def __init__(self, activation: str) -> None:
        self.activation = activation

    def step(self, xp: Any, z: Any, p: Any, h: Any, c: Any) -> Any:
        new = getattr(xp, self.activation)(z + p)
        return new, None, None

    def _slope(self, xp: Any, y: Any) -> Any:
        return 1 - y * y if self.activation == "tanh" else xp.astype(y > 0, y.dtype)

    def pull(self, xp: Any, g: Any, gc: Any, saved: Any, s: Step) -> Any:
        """From the gradients of the new h, the new c and what is saved: those of z, p, h (apart from p) and c."""
        a = g * self._slope(xp, s.new_h)
        return a, a, None, None

    def push(self, xp: Any, tz: Any, tp: Any, th: Any, tc: Any, s: Step) -> Any:
        """From the tangents of z, p, h and c: those of the new h and c, and of the gates."""
        return (tz + tp) * self._slope(xp, s.new_h), None, None


class GRU:
    """r, u = sigmoid(z + p); n = tanh(z + r * p); h' = n + u * (h - n). It saves r, u, n and the p of n."""

    blocks = 3

    def step(self, xp: Any, z: Any, p: Any, h: Any, c: Any) -> Any:
        k = z.shape[-1] // 3
        ru = xp.sigmoid(z[..., : 2 * k] + p[..., : 2 * k])
        r, u, inner = ru[..., :k], ru[..., k:], p[..., 2 * k :]
        n = xp.tanh(z[..., 2 * k :] + r * inner)
        return n + u * (h - n), None, xp.concat([ru, n, inner], axis=-1)

    def pull(self, xp: Any, g: Any, gc: Any, saved: Any, s: Step) -> Any:
        r, u, n, inner = _blocks(s.gates, 4)
        gr, gu, gn, gi = _parts(saved, 4)
        dn = _sum(g * (1 - u), gn) * (1 - n * n)
        du = _sum(g * (s.h - n), gu) * u * (1 - u)
        dr = _sum(dn * inner, gr) * r * (1 - r)
        return xp.concat([dr, du, dn], axis=-1), xp.concat([dr, du, _sum(dn * r, gi)], axis=-1), g * u, None

    def push(self, xp: Any, tz: Any, tp: Any, th: Any, tc: Any, s: Step) -> Any:
        r, u, n, inner = _blocks(s.gates, 4)
        (zr, zu, zn), (pr, pu, pn) = _blocks(tz, 3), _blocks(tp, 3)
        dr, du = (zr + pr) * r * (1 - r), (zu + pu) * u * (1 - u)
        dn = (zn + dr * inner + r * pn) * (1 - n * n)
        new = dn * (1 - u) + du * (s.h - n) + (th * u if th is not None else 0)
        return new, None, xp.concat([dr, du, dn, pn], axis=-1)


class LSTM:
    """i, f, o = sigmoid(z + p); g = tanh(z + p); c' = f * c + i * g; h' = o * tanh(c'). It saves i, f, o, g and tanh(c')."""

    blocks = 4

    def step(self, xp: Any, z: Any, p: Any, h: Any, c: Any) -> Any:
        a = z + p
        k = a.shape[-1] // 4
        inputs, o = xp.sigmoid(a[..., : 2 * k]), xp.sigmoid(a[..., 3 * k :])
        g = xp.tanh(a[..., 2 * k : 3 * k])
        new_c = inputs[..., k:] * c + inputs[..., :k] * g
        tanh = xp.tanh(new_c)
        return o * tanh, new_c, xp.concat([inputs, o, g, tanh], axis=-1)

    def pull(self, xp: Any, g: Any, gc: Any, saved: Any, s: Step) -> Any:
        i, f, o, new, tanh = _blocks(s.gates, 5)
        gi, gf, go, gn, gt = _parts(saved, 5)
        dc = _sum(_sum(g * o, gt) * (1 - tanh * tanh), gc)
        di, df = _sum(dc * new, gi) * i * (1 - i), _sum(dc * s.c, gf) * f * (1 - f)
        dn, do = _sum(dc * i, gn) * (1 - new * new), _sum(g * tanh, go) * o * (1 - o)
        a = xp.concat([di, df, dn, do], axis=-1)
        return a, a, None, dc * f

    def push(self, xp: Any, tz: Any, tp: Any, th: Any, tc: Any, s: Step) -> Any:
        i, f, o, new, tanh = _blocks(s.gates, 5)
        ti, tf, tn, to = _blocks(tz + tp, 4)
        ti, tf, tn, to = ti * i * (1 - i), tf * f * (1 - f), tn * (1 - new * new), to * o * (1 - o)
        moved = ti * new + tf * s.c + tn * i + (tc * f if tc is not None else 0)
        tt = (1 - tanh * tanh) * moved
        return to * tanh + o * tt, moved, xp.concat([ti, tf, to, tn, tt], axis=-1)


Cell = Elman | GRU | LSTM
CELLS: dict[str, Cell] = {"RNN_TANH": Elman("tanh"), "RNN_RELU": Elman("relu"), "GRU": GRU(), "LSTM": LSTM()}


def _blocks(x: Any, n: int) -> list[Any]:
    k = x.shape[-1] // n
    return [x[..., i * k : (i + 1) * k] for i in range(n)]


def _parts(x: Any, n: int) -> list[Any]:
    return [None] * n if x is None else _blocks(x, n)


def _sum(a: Any, b: Any) -> Any:
    """a + b, where None counts as 0."""
    return b if a is None else a if b is None else a + b


# --- the scan -----------------------------------------------------------------------------------------------

# The arguments, in the order of the operation: the input of every step, the states before the first step, weights and biases. A
# cell without c has None for c; biases and the projection w_hr of h are None where there are none.
Inputs = Sequence[Any]  # x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr
Outputs = Sequence[Any]  # of every step: h, c, and what the cell saved. A cell without them has h again in their place.


def forward(xp: Any, inputs: Inputs, mode: str, reverse: bool) -> tuple[Any, Any, Any]:
    """The outputs."""
    x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr = inputs
    cell, z = CELLS[mode], xp.linear(x, w_ih, b_ih)
    steps: list[Any] = [None] * x.shape[0]
    for t in order(x.shape[0], reverse):
        h, c, saved = cell.step(xp, z[t, ...], xp.linear(h, w_hh, b_hh), h, c)
        if w_hr is not None:
            h = xp.linear(h, w_hr)
        steps[t] = h, c, saved
    hs, cs, gates = (list(each) for each in zip(*steps, strict=True))
    new = xp.stack(hs)
    return new, new if c is None else xp.stack(cs), new if saved is None else xp.stack(gates)


def gradients(
    xp: Any, g: Sequence[Any], inputs: Inputs, outputs: Outputs, mode: str, reverse: bool, moving: Sequence[bool]
) -> list[Any]:
    """The gradients of the inputs, given those of the outputs, where None is 0. Those of inputs that do not move may be None."""
    x, h0, _, w_ih, w_hh, _, _, w_hr = inputs
    cell, n = CELLS[mode], x.shape[0]
    zs, ps, hs = ([None] * n for _ in range(3))
    dh = dc = None
    for t in order(n, not reverse):
        gh, gc, saved = (None if each is None else each[t, ...] for each in g)
        dh, dc = _sum(dh, gh), _sum(dc, gc)
        if dh is None:
            dh = xp.zeros(h0.shape, dtype=h0.dtype)
        hs[t] = dh
        dm = dh if w_hr is None else xp.matmul(dh, w_hr)
        zs[t], ps[t], dh, dc = cell.pull(xp, dm, dc, saved, _step(t, inputs, outputs, reverse))
        dh = _sum(xp.matmul(ps[t], w_hh), dh)
    dz = xp.stack(zs)
    dp = dz if ps[0] is zs[0] else xp.stack(ps)
    before = _before_all(xp, h0, outputs[0], reverse)
    rows_z, rows_p = _rows(xp, dz), _rows(xp, dp)
    return [
        xp.matmul(dz, w_ih) if moving[0] else None,
        dh,
        dc,
        xp.weight_gradient(rows_z, _rows(xp, x), w_ih) if moving[3] else None,
        xp.weight_gradient(rows_p, _rows(xp, before), w_hh) if moving[4] else None,
        xp.sum(rows_z, axis=0) if moving[5] else None,
        xp.sum(rows_p, axis=0) if moving[6] else None,
        xp.weight_gradient(_rows(xp, xp.stack(hs)), _rows(xp, _unprojected(outputs[2])), w_hr) if moving[7] else None,
    ]


def tangents(xp: Any, t: Sequence[Any], inputs: Inputs, outputs: Outputs, mode: str, reverse: bool) -> list[Any]:
    """The tangents of the outputs, given those of the inputs, where None is 0."""
    x, h0, _, w_ih, w_hh, _, _, w_hr = inputs
    tx, th, tc, tw_ih, tw_hh, tb_ih, tb_hh, tw_hr = t
    cell, n = CELLS[mode], x.shape[0]
    tz = _linear_tangent(xp, tx, x, w_ih, tw_ih, tb_ih)
    zeros = xp.zeros((*h0.shape[:-1], w_hh.shape[0]), dtype=h0.dtype)
    steps: list[Any] = [None] * n
    for at in order(n, reverse):
        s = _step(at, inputs, outputs, reverse)
        tp = _linear_tangent(xp, th, s.h, w_hh, tw_hh, tb_hh)
        th, tc, tg = cell.push(xp, zeros if tz is None else tz[at, ...], zeros if tp is None else tp, th, tc, s)
        if w_hr is not None:
            th = _linear_tangent(xp, th, None if tw_hr is None else _unprojected(s.gates), w_hr, tw_hr, None)
        steps[at] = th, tc, tg
    hs, cs, gates = (list(each) for each in zip(*steps, strict=True))
    moved = xp.stack(hs)
    return [moved, moved if tc is None else xp.stack(cs), moved if tg is None else xp.stack(gates)]


def _linear_tangent(xp: Any, tx: Any, x: Any, w: Any, tw: Any, tb: Any) -> Any:
    moved = _sum(None if tx is None else xp.linear(tx, w), None if tw is None else xp.linear(x, tw))
    return _sum(moved, tb if tb is None or moved is not None else xp.broadcast_to(tb, (*x.shape[:-1], w.shape[0])))


def order(n: int, reverse: bool) -> range:
    """The steps in the order in which they are computed."""
    return range(n - 1, -1, -1) if reverse else range(n)


def _step(t: int, inputs: Inputs, outputs: Outputs, reverse: bool) -> Step:
    is_first = t == (outputs[0].shape[0] - 1 if reverse else 0)
    h, c = (
        first if is_first or first is None else states[t + 1 if reverse else t - 1, ...]
        for first, states in zip(inputs[1:3], outputs[:2], strict=True)
    )
    new_h, new_c, saved = (each[t, ...] for each in outputs)
    return Step(h, c, saved, new_h, new_c)


def _before_all(xp: Any, h0: Any, h: Any, reverse: bool) -> Any:
    """The hidden states before every step."""
    first = xp.expand_dims(h0, axis=0)
    return xp.concat([h[1:, ...], first] if reverse else [first, h[:-1, ...]], axis=0)


def _unprojected(saved: Any) -> Any:
    """What an LSTM projects: o * tanh(c)."""
    _, _, o, _, tanh = _blocks(saved, 5)
    return o * tanh


def _rows(xp: Any, x: Any) -> Any:
    return xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
