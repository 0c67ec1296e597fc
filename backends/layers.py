"""The extension functions of layers that take several operations at once, so that a library can compute them in its own way.

Each has a private companion with its gradients, which a backend overrides together with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends import attention, recurrent


class Layers:
    """A base of the raw namespace."""

    def attention(
        self, q: Any, k: Any, v: Any, bias: Any = None, drop: Any = None, *, scale: float, is_causal: bool = False
    ) -> tuple[Any, Any]:
        """The mean of v weighted by softmax(q @ k.T * scale + bias) * drop, and the softmax."""
        return attention.forward(self, (q, k, v, bias, drop), scale, is_causal)

    def _attention_gradients(
        self, g: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], scale: float, moving: Any
    ) -> list[Any]:
        return attention.gradients(self, g, inputs, outputs, scale, moving)

    def recurrent(
        self,
        x: Any,
        h: Any,
        c: Any,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any = None,
        b_hh: Any = None,
        w_hr: Any = None,
        *,
        mode: str,
        reverse: bool = False,
    ) -> tuple[Any, Any, Any]:
        """A recurrent layer in one direction: the h and c of every step, and what the gradients need besides."""
        return recurrent.forward(self, (x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr), mode, reverse)

    def _recurrent_gradients(
        self, g: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], mode: str, reverse: bool, moving: Any
    ) -> list[Any]:
        return recurrent.gradients(self, g, inputs, outputs, mode, reverse, moving)
