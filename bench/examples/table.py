"""The table of the examples in README.md: command, result, seconds and figure, from bench/results/examples.json."""

from __future__ import annotations

import json
from typing import Any

from bench import report
from bench.examples import RESULTS

BEGIN, END = "<!-- examples:begin -->", "<!-- examples:end -->"


def readme() -> str:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows = [
        [f"[`{name}`]({name}.py)", _result(each), _of_seeds(each), str(each["seconds"]), str(each["cpu seconds"])]
        for name, each in results.items()
    ]
    table = report.table(["example", "with seed 0", "seeds 0 to 4", "seconds", "of CPU"], rows, numbers=False)
    figures = "\n\n".join(f"![{each['title']}](../results/examples/{name}.png)" for name, each in results.items())
    samples = "\n\n".join(
        f"What `{name}` writes after `The `:\n\n> {each['numbers']['sample'].strip()}"
        for name, each in results.items()
        if "sample" in each["numbers"]
    )
    machine = next(iter(results.values()))["machine"]
    threads = machine["environment"].get("OMP_NUM_THREADS", "?")
    threads = "one thread" if threads == "1" else f"{threads} threads"
    where = f"{machine['cpu']}, {machine['python']}, {threads} of BLAS, {machine['date']}, while other programs ran."
    return "\n\n".join([f"{BEGIN}\n{table}", where, figures, samples]).replace("\n> \n", "\n>\n") + f"\n{END}"


def _result(example: dict[str, Any]) -> str:
    return "; ".join(f"{key} {_shown(value)}" for key, value in example["numbers"].items() if key != "sample")


def _of_seeds(example: dict[str, Any]) -> str:
    several = example["several seeds"]
    if len(several["values"]) == 1:
        return "-"
    low, high, mean = (_shown(several[each]) for each in ("min", "max", "mean"))
    return f"{low} to {high}, mean {mean}"


def _shown(value: float) -> str:
    """
    >>> _shown(85002), _shown(0.98611), _shown(0.00123)
    ('85,002', '0.9861', '0.00123')
    """
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
