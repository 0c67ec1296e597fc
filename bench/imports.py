"""Measures the time of `import xgrad` compared with `import numpy`, as whole processes in pairs.

Both are byte-compiled in a cache, as they are after an installation.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from bench.runner import ENVIRONMENT, ROOT, spread


def measure(say: Callable[[str], None], pairs: int = 25) -> dict[str, Any]:
    """The seconds of each, and the ratio within each pair of processes."""
    seconds: dict[str, list[float]] = {"numpy": [], "xgrad": []}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(pairs + 2):
            for module in seconds:
                seconds[module].append(_process_seconds(f"import {module}", cache))
    for own in seconds.values():
        del own[:2]  # the first processes compile, and fill the file cache
    ratio = spread([x / n for x, n in zip(seconds["xgrad"], seconds["numpy"], strict=True)])
    say(f"  import xgrad / import numpy: {ratio['median']:.2f}")
    return {"ratio": ratio, **{module: spread(own) for module, own in seconds.items()}}


def _process_seconds(code: str, cache: str) -> float:
    env = os.environ | ENVIRONMENT | {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=ROOT)
    return time.perf_counter() - start
