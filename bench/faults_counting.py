"""Counts the outcome of the runs: how often each fault is named, how often each rule is right, and the alarms on healthy runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
HEALTHY = "healthy"
CERTAIN = 1.96  # of the normal distribution: an interval of 95%


def wilson(right: int, of: int) -> tuple[float, float]:
    """Wilson's interval for a share, 95%.

    >>> [round(end, 3) for end in wilson(9, 10)]
    [0.596, 0.982]
    """
    if not of:
        return 0.0, 1.0
    share, z2 = right / of, CERTAIN**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = CERTAIN / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def reported(row: Row) -> dict[str, str]:
    """The rules that a run's report names as an error or a warning, each with the worse of the two."""
    found: dict[str, str] = {}
    for rule, severity, *_ in row["findings"]:
        if severity in ("error", "warning") and found.get(rule) != "error":
            found[rule] = severity
    return found


def true_rules(row: Row, facts: frozenset[str]) -> set[str]:
    """The rules that are right about a run: none in a healthy one."""
    return set() if row["kind"] == HEALTHY else {*row["accept"], *row["symptoms"], *facts}


def by_fault(rows: Sequence[Row], wanted: dict[str, int]) -> dict[str, Row]:
    """For each fault: the runs, those in which a rule that names it is reported, and those in which its own is."""
    counts = {}
    for name, many in wanted.items():
        here = [row for row in rows if row["kind"] == name]
        named = sum(bool({*row["accept"]} & {*reported(row)}) for row in here)
        counts[name] = {
            "runs": len(here),
            "not found": many - len(here),
            "named": named,
            "interval": wilson(named, len(here)),
            "by its own rule": sum(name in reported(row) for row in here),
        }
    return counts


def by_rule(rows: Sequence[Row], facts: frozenset[str]) -> dict[str, Row]:
    """For each rule that was reported: in how many runs, in how many of them it was right, and the alarms on healthy runs."""
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    alarms: Counter[tuple[str, str]] = Counter()
    for row in rows:
        true = true_rules(row, facts)
        for rule, severity in reported(row).items():
            found[rule] += 1
            right[rule] += rule in true
            alarms[rule, severity] += row["kind"] == HEALTHY
    return {
        rule: {
            "reported": many,
            "right": right[rule],
            "interval": wilson(right[rule], many),
            "healthy errors": alarms[rule, "error"],
            "healthy warnings": alarms[rule, "warning"],
        }
        for rule, many in sorted(found.items())
    }


def wrong_errors(rows: Sequence[Row], facts: frozenset[str]) -> list[tuple[str, int, str]]:
    """The faulty runs in which a wrong cause is called an error: fault, index, rule."""
    return [
        (row["kind"], row["index"], rule)
        for row in rows
        if row["kind"] != HEALTHY
        for rule, severity in reported(row).items()
        if severity == "error" and rule not in true_rules(row, facts)
    ]


def of_healthy(rows: Sequence[Row]) -> Row:
    """How many healthy runs have an error, and how many a warning but no error."""
    severities = [{*reported(row).values()} for row in rows if row["kind"] == HEALTHY]
    errors = sum("error" in here for here in severities)
    return {
        "runs": len(severities),
        "with an error": errors,
        "interval": wilson(errors, len(severities)),
        "with a warning only": sum(here == {"warning"} for here in severities),
        "drawn again": sum(row["unfit"] for row in rows if row["kind"] == HEALTHY),
    }
