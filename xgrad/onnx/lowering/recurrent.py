"""Recurrent layers: the operators RNN, GRU and LSTM of ONNX, and Scan for what these cannot do."""

from __future__ import annotations

from typing import Any

from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value

# The blocks of weights in the order of ONNX. PyTorch's are i, f, g, o and r, u, n.
ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN_TANH": (0,), "RNN_RELU": (0,)}
OPS = {"LSTM": "LSTM", "GRU": "GRU", "RNN_TANH": "RNN", "RNN_RELU": "RNN"}


@lowers("recurrent")
def recurrent(
    g: Graph, x: Value, h: Value, c: Value | None, w_ih: Value, w_hh: Value, b_ih: Any = None, b_hh: Any = None,
    w_hr: Any = None, *, mode: str, reverse: bool = False,
) -> list[Operand | None]:  # fmt: skip
    """The h and the c of every step. Of c, ONNX gives the last one: all of them, and projections, are a Scan."""
    if g.results[2] is not None and mode in ("LSTM", "GRU"):
        g.refuse("the gates of a recurrent layer, which only its gradient uses, are no output of a graph")
    if w_hr is not None or (c is not None and g.results[1] is not None and not g.reads_last(1, reverse)):
        return _scan(g, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, mode, reverse)
    hidden = w_hh.shape[1]
    data: Operand = x
    if h.ndim != 2:  # ONNX has one axis for the batch
        data = g.reshape(x, (x.shape[0], -1, x.shape[-1]), ())
    rows = [_ordered(g, w, mode) for w in (w_ih, w_hh)]
    bias = None
    if b_ih is not None or b_hh is not None:
        zeros = g.array([0.0] * g.fixed(w_hh.shape[0], "the hidden size"), x.dtype)
        parts = [zeros if b is None else _ordered(g, b, mode, squeeze=True) for b in (b_ih, b_hh)]
        bias = g.unsqueeze(g.node("Concat", *parts, axis=0), [0])
    states = [
        None if s is None else g.unsqueeze(s, [0]) if h.ndim == 2 else g.reshape(s, (1, -1, s.shape[-1]), ())
        for s in (h, c)
    ]
    options: dict[str, Any] = {"hidden_size": hidden, "direction": "reverse" if reverse else "forward"}
    if mode == "GRU":
        options["linear_before_reset"] = 1
    if mode == "RNN_RELU":
        options["activations"] = ["Relu"]
    count = 3 if mode == "LSTM" else 2
    given = [data, *rows, bias, None, states[0], *([states[1]] if c is not None else [])]
    found = g.several(OPS[mode], count, *given, **options)
    steps = g.squeeze(found[0], [1])
    last = g.squeeze(found[2], [0]) if mode == "LSTM" else None
    if h.ndim != 2:
        steps = g.reshape(steps, (x.shape[0], *h.shape[:-1], hidden), ())
        last = None if last is None else g.reshape(last, (*h.shape[:-1], hidden), ())
    if last is not None:
        g.only_last.add(last)
    return [steps, last if last is not None else steps, steps if g.results[2] is not None else None]


def _ordered(g: Graph, weight: Value, mode: str, squeeze: bool = False) -> str:
    """The blocks of a weight in the order of ONNX, with an axis for the direction in front."""
    order = ORDER[mode]
    found: str = weight.name
    if len(order) > 1:
        parts = g.several("Split", len(order), weight, axis=0, num_outputs=len(order))
        found = g.node("Concat", *[parts[i] for i in order], axis=0)
    return found if squeeze else g.unsqueeze(found, [0])


# --- as a Scan -----------------------------------------------------------------------------------------------


def _scan(
    g: Graph, x: Value, h: Value, c: Value | None, w_ih: Value, w_hh: Value, b_ih: Any, b_hh: Any, w_hr: Any, mode: str,
    reverse: bool,
) -> list[Operand | None]:  # fmt: skip
    """One step as the body of a Scan. The product with the input is one for all steps, outside of it."""
    dtype, hidden = x.dtype, g.fixed(w_hh.shape[0], "the hidden size") // len(ORDER[mode])
    z = _linear(g, x, w_ih, b_ih)
    turned = g.transpose(w_hh, [1, 0])
    projection = None if w_hr is None else g.transpose(w_hr, [1, 0])
    names = {key: g.unique(f"/Scan_{key}") for key in ("h", "c", "z")}
    states = ["h", "c"] if c is not None else ["h"]
    with g.body() as nodes:
        p = g.node("MatMul", names["h"], turned)
        p = p if b_hh is None else g.node("Add", p, b_hh)
        new_h, new_c = _step(g, names["z"], p, names["h"], names["c"], mode, hidden, dtype)
        if projection is not None:
            new_h = g.node("MatMul", new_h, projection)
        ends = [new_h] if new_c is None else [new_h, new_c]
        outputs = [g.node("Identity", end) for end in (*ends, *ends)]  # the states, and what is kept of each step
    helper = g.onnx.helper
    kind = g.type(dtype)
    inputs = [helper.make_tensor_value_info(names[key], kind, None) for key in (*states, "z")]
    infos = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    body = helper.make_graph(nodes, g.unique("step"), inputs, infos)
    direction = [int(reverse)]
    found = g.several(
        "Scan", 2 * len(states), *[s for s in (h, c) if s is not None], z, body=body, num_scan_inputs=1,
        scan_input_directions=direction, scan_output_directions=direction * len(states),
    )  # fmt: skip
    steps = found[len(states) :]
    return [steps[0], steps[1] if c is not None else steps[0], None]


def _linear(g: Graph, x: Value, weight: Value, bias: Any) -> str:
    y = g.node("MatMul", x, g.transpose(weight, [1, 0]))
    return y if bias is None else g.node("Add", y, bias)


def _step(g: Graph, z: str, p: str, h: str, c: str, mode: str, hidden: int, dtype: str) -> tuple[str, str | None]:
    """The new states, as backends/recurrent.py has them."""

    def block(x: str, i: int) -> str:
        return g.slice(x, [i * hidden], [(i + 1) * hidden], [-1], [1])

    if mode == "LSTM":
        a = g.node("Add", z, p)
        i, f, o = (g.node("Sigmoid", block(a, k)) for k in (0, 1, 3))
        new = g.node("Add", g.node("Mul", f, c), g.node("Mul", i, g.node("Tanh", block(a, 2))))
        return g.node("Mul", o, g.node("Tanh", new)), new
    if mode == "GRU":
        r, u = (g.node("Sigmoid", g.node("Add", block(z, k), block(p, k))) for k in (0, 1))
        n = g.node("Tanh", g.node("Add", block(z, 2), g.node("Mul", r, block(p, 2))))
        return g.node("Add", n, g.node("Mul", u, g.node("Sub", h, n))), None
    return g.node("Tanh" if mode == "RNN_TANH" else "Relu", g.node("Add", z, p)), None
