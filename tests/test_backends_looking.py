"""A look at values: where it is free."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.backends.looking import may_look


def test_it_looks_where_that_is_free(backend: Any) -> None:
    x = backend.asarray([1.0, 2.0])
    assert may_look(backend.xp, x) == (backend.name in ("numpy", "torch"))
    assert not may_look(backend.xp, 2.0)


def test_it_does_not_look_at_tensors(backend: Any) -> None:
    assert not may_look(backend.view, xg.asarray([1.0, 2.0]))
