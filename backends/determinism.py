"""Whether repeated runs must give the same bits, even if that is slower. `xgrad.use_deterministic` sets it.

It holds for the whole process: backward may run in another thread than forward, and both must agree.
"""

from __future__ import annotations

_required = False


def is_deterministic() -> bool:
    return _required


def require_determinism(on: bool) -> bool:
    """Turn determinism on or off. Returns the previous setting."""
    global _required
    was, _required = _required, on
    return was
