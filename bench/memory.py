"""Measures the peak memory of a step by tracemalloc: xgrad compared with hand-written NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.peers import BASELINE
from bench.runner import PeerError, Process

WORKLOADS = ("w3", "w5")
PEERS = (BASELINE, "xgrad")


def measure(
    say: Callable[[str], None], workloads: Sequence[str] = WORKLOADS, peers: Sequence[str] = PEERS
) -> dict[str, Any]:
    """Bytes by workload and peer: the total peak, and the part of it that a step adds."""
    results: dict[str, Any] = {}
    for workload in workloads:
        found: dict[str, Any] = {}
        for peer in peers:
            try:
                with Process(peer) as process:
                    found[peer] = process.ask("memory", workload=workload)
            except PeerError as failure:
                say(f"  {peer} left out: {failure}")
        results[workload] = found
        say(f"  {workload}: " + "  ".join(f"{p} {f['peak'] / 2**20:.2f} MiB" for p, f in found.items()))
    return results
