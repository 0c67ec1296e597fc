"""Whether repeated runs must give the same bits, at whatever price. `xgrad.use_deterministic` is the switch.

It holds for the process, as a device's atomics do: a thread that asked for it would otherwise get it in forward and, where
backward runs in another thread, not there.
"""

from __future__ import annotations

_required = False


def is_deterministic() -> bool:
    return _required


def require_determinism(on: bool) -> bool:
    """Turn it on or off; returns what it was."""
    global _required
    was, _required = _required, on
    return was
