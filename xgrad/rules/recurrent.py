"""Recurrent layers: an operation for all steps of a sequence."""

from __future__ import annotations

from functools import partial
from typing import Any

from xgrad.backends import recurrent as formulas
from xgrad.engine.arguments import no_scalars
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tensor import Tensor

_ARGUMENTS = ("x", "h0", "c0", "w_ih", "w_hh", "b_ih", "b_hh", "w_hr")


# fmt: off
def _pull(
    xp: Any, g: Any, x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any,
    h: Any, c: Any, gates: Any, mode: str, reverse: bool, moving: Any,
) -> Any:
    """By the backend's own formulas, if it has some. xgrad's namespace takes the general ones."""
    gradients = getattr(xp, "_recurrent_gradients", None) or partial(formulas.gradients, xp)
    inputs, outputs = (x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr), (h, c, gates)
    return gradients(g, inputs, outputs, mode=mode, reverse=reverse, moving=moving)


def _push(
    xp: Any, t: Any, x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any,
    h: Any, c: Any, gates: Any, mode: str, reverse: bool,
) -> Any:
    inputs, outputs = (x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr), (h, c, gates)
    return formulas.tangents(xp, t, inputs, outputs, mode, reverse)
# fmt: on


_recurrent = Several("recurrent", _ARGUMENTS, ("h", "c", "gates"), _pull, _push)


@public("recurrent", "rule")
def recurrent(
    x: Any,
    h: Any,
    c: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = None,
    b_hh: Any = None,
    w_hr: Any = None,
    /,
    *,
    mode: str,
    reverse: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """A recurrent layer over a sequence in one direction: the states of every step.

    One operation stands for all steps. The products of the input are one product, and so is the gradient of each weight.

    >>> import xgrad as xg
    >>> x, h, one = xg.ones((3, 1, 1)), xg.zeros((1, 1)), xg.ones((1, 1))
    >>> states, _ = xg.recurrent(x, h, None, one, one, mode="RNN_RELU")  # h = relu(x + h)
    >>> states[:, 0, 0].tolist()
    [1.0, 2.0, 3.0]

    Args:
        x: the input of every step, of shape (steps, N, in), of a real floating-point dtype.
        h: the hidden state before the first step, of shape (N, hidden), or (N, projected) with a projection.
        c: the cell state of an LSTM before the first step, of shape (N, hidden); None for other modes.
        w_ih: the weight of the input, of shape (k * hidden, in), where k is 4 for an LSTM, 3 for a GRU, otherwise 1. Its blocks
            are in PyTorch's order.
        w_hh: the weight of the hidden state, of shape (k * hidden, hidden), or (k * hidden, projected).
        b_ih: the bias of the input, of shape (k * hidden,), or None.
        b_hh: the bias of the hidden state, of shape (k * hidden,), or None.
        w_hr: the projection of an LSTM's hidden state, of shape (projected, hidden), or None.
        mode: "LSTM", "GRU", "RNN_TANH" or "RNN_RELU".
        reverse: whether the last step comes first.

    Returns:
        The hidden states of every step, of shape (steps, N, hidden), or (steps, N, projected), and of the dtype that the
        arguments promote to. Besides, the cell states of an LSTM, of shape (steps, N, hidden), or None.

    Derivative:
        By the rule in xgrad/rules/recurrent.py, in both modes and to any order.

    Raises:
        ValueError: for an unknown mode; for a `c` where the mode has none, or None where it has one; for shapes that do not fit
            each other; for a sequence of no steps.
        TypeError: for a value that is not an array.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
    """
    if mode not in formulas.CELLS:
        raise ValueError(f"recurrent: mode must be one of {', '.join(formulas.CELLS)}, got {mode!r}")
    if (c is None) == (mode == "LSTM"):
        raise ValueError(f"recurrent: {mode} takes {'a' if mode == 'LSTM' else 'no'} cell state c")
    arrays = x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr
    no_scalars("recurrent", [array for array in arrays if array is not None])
    _check_shapes(mode, *(None if array is None else tuple(getattr(array, "shape", ())) for array in arrays))
    states, cells, _ = _recurrent(*arrays, mode=mode, reverse=bool(reverse))
    return states, cells if mode == "LSTM" else None


def _check_shapes(mode: str, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any) -> None:
    shapes = {"x": x, "h": h, "c": c, "w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh, "w_hr": w_hr}
    if len(x) == 3 and len(h) == len(w_ih) == len(w_hh) == 2:
        rows, hidden = w_ih[0], w_ih[0] // formulas.CELLS[mode].blocks
        projected = h[1] if w_hr is not None else hidden
        wanted = {
            "h": (x[1], projected), "c": (x[1], hidden), "w_ih": (hidden * formulas.CELLS[mode].blocks, x[2]),
            "w_hh": (rows, projected), "b_ih": (rows,), "b_hh": (rows,), "w_hr": (projected, hidden),
        }  # fmt: skip
        if x[0] and all(shapes[name] in (None, shape) for name, shape in wanted.items()):
            return
    given = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape is not None)
    raise ValueError(
        f"recurrent: {mode} takes an x of shape (steps, N, in) with steps, and states and weights that fit, got {given}"
    )
