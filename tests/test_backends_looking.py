"""A look at values: where it is free, and what it says."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.backends.looking import holds


def test_it_looks_where_that_is_free(backend: Any) -> None:
    xp = backend.xp
    true, false = (backend.asarray(value) for value in ([True, True], [True, False]))
    assert not holds(xp, false)
    assert holds(xp, true) == (backend.name in ("numpy", "torch"))


def test_it_does_not_look_at_tensors(backend: Any) -> None:
    assert not holds(backend.view, xg.asarray([True, True]))
