"""Measures the diagnoses: precision and recall of each rule over the runs of diagnose_runs.py, and the cost of watching.

    python -m bench.diagnose             the whole measurement, into bench/results/diagnose-DATE.{json,md}
    python -m bench.diagnose --seeds 3   a short one; prints, and writes nothing

The right diagnosis of a run is found without the watcher (diagnose_truth.py): from its losses and final weights, and from the
seed's networks written in NumPy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import warnings
from collections import Counter
from typing import Any

import xgrad as xg
from bench import machine, report
from bench.diagnose_runs import Outcome, Run, fault_runs, healthy_runs, perform, seed_runs
from bench.diagnose_truth import Truth, truth
from bench.problems import WORKLOADS
from xgrad import nn, optim
from xgrad.diagnose.finding import ERROR
from xgrad.diagnose.rules import RULES

Row = dict[str, Any]
clock = time.process_time  # the time of this process alone, so that other work on the machine does not count


def judge(outcome: Outcome, true: Truth) -> Row:
    """A row with the rules that were reported for a run, and those that are right."""
    findings = outcome.watch.report().findings
    found = {finding.rule for finding in findings}
    return {
        "run": outcome.run.name,
        "kind": outcome.run.kind,
        "true": sorted(true.rules),
        "unknown": sorted(true.unknown),
        "found": sorted(found),
        "errors": sorted({finding.rule for finding in findings if finding.severity == ERROR}),
        "wrong": [text for text in true.compare(findings) if text],
        "collapse": true.collapse,
        "first": min((finding.step for finding in findings), default=None),
    }


def by_rule(rows: list[Row]) -> dict[str, Row]:
    scores = {}
    for rule in (rule.name for rule in RULES):
        counts = Counter((rule in row["true"], rule in row["found"]) for row in rows if rule not in row["unknown"])
        right, missed, false = counts[True, True], counts[True, False], counts[False, True]
        scores[rule] = {
            "true": right + missed,
            "found": right + false,
            "precision": right / (right + false) if right + false else None,
            "recall": right / (right + missed) if right + missed else None,
        }
    return scores


def cost(steps: int = 290, rounds: int = 9) -> Row:
    """The time that watching adds to a step of W3, in the first ten steps and after them, and the time of watch() itself."""
    problem: Any = WORKLOADS["w3"].make(False, "float32")
    x, y = xg.asarray(problem.x), xg.asarray(problem.labels)
    loss = nn.CrossEntropyLoss()

    def network() -> tuple[nn.Module, optim.Optimizer]:
        rng = xg.random.Generator(0)
        sizes = [(784, 512), (512, 512), (512, 10)]
        layers: list[nn.Module] = []
        for n, m in sizes:
            layers += [nn.Linear(n, m, dtype=xg.float32, rng=rng), nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        return model, optim.SGD(model.parameters(), lr=problem.lr, momentum=problem.momentum)

    def train(watched: bool) -> tuple[float, float, float]:
        model, optimizer = network()
        began = clock()
        w = xg.diagnose.watch(model, optimizer, loss=loss, x=x, y=y) if watched else None
        start = clock() - began
        first = 0.0
        began = clock()
        for step in range(steps + 10):
            if step == 10:
                first = clock() - began
                began = clock()
            optimizer.zero_grad()
            value = loss(model(x), y)
            value.backward()
            optimizer.step()
            if w is not None:
                w.step(value)
        each = (clock() - began) / steps
        if w is not None:
            w.close()
        return start, first, each

    pairs = [(train(False), train(True)) for _ in range(rounds)]
    ratios = sorted(on[2] / off[2] for off, on in pairs)
    return {
        "step_ratio": min(on[2] for _, on in pairs) / min(off[2] for off, _ in pairs),
        "step_ratio_median": statistics.median(ratios),
        "step_ratio_spread": [ratios[0], ratios[-1]],
        "step_seconds": statistics.median(off[2] for off, _ in pairs),
        "first_ten_ratio": statistics.median(on[1] / off[1] for off, on in pairs),
        "start_seconds": statistics.median(on[0] for _, on in pairs),
        "steps": steps,
        "rounds": rounds,
    }


def measure(seeds: int, say: Any) -> Row:
    rows = []
    runs: list[Run] = [*seed_runs(seeds), *healthy_runs(), *fault_runs()]
    for number, run in enumerate(runs, start=1):
        outcome = perform(run)
        row = judge(outcome, truth(outcome))
        rows.append(row)
        outcome.watch.close()
        differing = sorted((set(row["true"]) ^ set(row["found"])) - set(row["unknown"]))
        if differing:
            say(f"  {run.name}: true {row['true']}, found {row['found']}")
        if row["wrong"] or number % 20 == 0:
            say(f"{number}/{len(runs)} {run.name}: {row['wrong'] or 'as expected'}")
    return {"rules": by_rule(rows), "runs": rows}


def markdown(results: Row) -> str:
    def share(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    rules = [
        [name, str(row["true"]), str(row["found"]), share(row["precision"]), share(row["recall"])]
        for name, row in results["rules"].items()
    ]
    kinds = []
    for kind in dict.fromkeys(row["kind"] for row in results["runs"]):
        rows = [row for row in results["runs"] if row["kind"] == kind]
        wrong = sum(bool(row["wrong"]) for row in rows)
        with_errors = sum(bool(row["errors"]) for row in rows)
        kinds.append([kind, str(len(rows)), str(len(rows) - wrong), str(with_errors)])
    lines = [
        "# Diagnoses",
        "",
        f"{results['machine']['date']}, commit {results['machine']['commit']}, {results['machine']['cpu']}, "
        f"{results['machine']['python']}. Written by `python -m bench.diagnose`.",
        "",
        'A, B, C are the seed\'s runs, 20 seeds in float32 and in float64. "As expected": its true cause is among its findings, '
        "at the right step (and for C the right operation); a healthy run: no error.",
        "",
        report.table(["runs", "how many", "as expected", "with an error"], kinds),
        "",
        report.table(["rule", "true of", "found in", "precision", "recall"], rules),
        "",
    ]
    for row in results["runs"]:
        lines += [f"- {row['run']}: {'; '.join(row['wrong'])}"] if row["wrong"] else []
    if "cost" in results:
        c = results["cost"]
        lines += [
            "",
            f"Watching a step of W3 (784-512-512-10, batch 128; {1e3 * c['step_seconds']:.1f} ms) takes {c['step_ratio']:.3f} "
            f"times as long as the step alone: the fastest of {c['rounds']} runs of {c['steps']} steps each, in processor time "
            f"on one thread (pair by pair, the median is {c['step_ratio_median']:.3f}, from {c['step_ratio_spread'][0]:.3f} to "
            f"{c['step_ratio_spread'][1]:.3f}). The first ten steps, in which every operation is looked at, take "
            f"{c['first_ten_ratio']:.2f} times as long, and `watch()` itself {c['start_seconds']:.2f} s, once.",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.diagnose", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--cost", action="store_true", help="measure the cost only, and print it")
    options = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    if options.cost:
        print(json.dumps(cost(), indent=1))
        return
    warnings.simplefilter("ignore", RuntimeWarning)  # these runs overflow on purpose
    results = {"machine": machine.describe(), **measure(options.seeds, say), "cost": cost()}
    text = markdown(results)
    print(text)
    if options.seeds >= 20:
        path = report.RESULTS / f"diagnose-{results['machine']['date']}"
        path.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
