"""A pytest plugin that runs one of several equal parts of the tests, and writes each outcome at once.

Use `-p bench.gpu.shard` with XGRAD_SHARD=2/16, and XGRAD_OUTCOMES for the file, which gets a line of JSON for each test.
"""

from __future__ import annotations

import json
import os
from typing import IO, Any

BLOCK = 24  # neighbouring tests compile the same kernels, so they are kept in one part


def of_shard(items: list[Any], number: int, count: int) -> list[Any]:
    """
    >>> of_shard(list(range(60)), 1, 2) == list(range(24, 48))
    True
    """
    return [item for i, item in enumerate(items) if i // BLOCK % count == number]


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    number, _, count = os.environ["XGRAD_SHARD"].partition("/")
    items[:] = of_shard(items, int(number), int(count))
    _write({"collected": len(items)})


def pytest_runtest_logreport(report: Any) -> None:
    if report.when == "call" or report.outcome != "passed":
        _write(
            {
                "test": report.nodeid,
                "outcome": "error" if report.outcome == "failed" and report.when != "call" else report.outcome,
                "seconds": report.duration,
                "gpu": "gpu" in report.keywords,
                "why": str(report.longrepr)[-600:] if report.outcome != "passed" else "",
            }
        )


_file: IO[str] | None = None


def _write(line: dict[str, Any]) -> None:
    global _file
    if _file is None:
        _file = open(os.environ["XGRAD_OUTCOMES"], "a", encoding="utf-8")  # noqa: SIM115 (open until the process ends)
    _file.write(json.dumps(line) + "\n")
    _file.flush()
