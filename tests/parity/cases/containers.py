"""Containers that compute."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from tests.parity.case import Draw, Layer, case


@case("Sequential")
def sequential(draw: Draw) -> Layer:
    n, hidden, named = draw.size(1, 4), draw.size(1, 4), draw.one_of(True, False)

    def build(nn: Any) -> Any:
        layers = [nn.Linear(n, hidden), nn.Tanh(), nn.Linear(hidden, 2)]
        return nn.Sequential(OrderedDict(zip("abc", layers, strict=True))) if named else nn.Sequential(*layers)[:3]

    return Layer(inputs=(draw.normal(3, n),), build=build)
