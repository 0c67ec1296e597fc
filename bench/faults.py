"""Measures the diagnosis of training runs on trainings drawn at random: healthy ones, and ones with one fault each.

    python -m bench.faults                        into bench/results/faults-DATE.{json,md}
    python -m bench.faults --no-save --runs 2 --healthy 20   a short one, that prints and writes nothing
    python -m bench.faults --show 0 12            the healthy run 12 of seed 0 in words, and its report
    python -m bench.faults --show 0 SCALE-3       the run 3 with the fault SCALE

A healthy run trains well: R^2, or the mean over the classes of the share that is right, is at least 0.9, and on held-out samples
nearly as high. Other draws are drawn again. A fault is put into a run that trains well without it, and counts where it lowers the
score on held-out samples by at least 0.1. The same seed and index give the same run. Rules must not be fitted to the seeds of a
published table: seeds 0 to 4 are for that.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from bench import machine, report
from bench.faults_cases import HARM, HEALTHY, case
from bench.faults_counting import by_fault, by_rule, of_healthy, wrong_errors
from bench.faults_injected import FACTS, FAULTS
from xgrad.diagnose.rules import RULES

Row = dict[str, Any]
Task = tuple[int, str, int]
FITTED = range(5)  # the seeds on which rules may be fitted
THREADS = os.environ.get("OMP_NUM_THREADS", "as many as the machine has")
PUBLISHED = 1000  # the seed of the published table
PUBLIC = (  # what others, and xgrad, named of the programs of public benchmarks
    ("UMLAUT, as published", 12, 34),
    ("DeepLocalize, as published", 5, 34),
    ("xgrad, before the rules for outputs, losses and labels", 23, 41),
)


def row_of(task: Task) -> tuple[Task, Row | None]:
    """The row of a case, or None if no run could be drawn for it."""
    found = case(*task)
    return task, None if found is None else found.row()


def rows_of(tasks: list[Task], jobs: int) -> Iterator[tuple[Task, Row | None]]:
    if jobs == 1:
        yield from map(row_of, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(row_of, tasks)


def measure(seed: int, runs: int, healthy: int, names: list[str], jobs: int = 1) -> Row:
    """The rows of all cases, and their counts."""
    tasks = [(seed, HEALTHY, k) for k in range(healthy)] + [(seed, name, k) for name in names for k in range(runs)]
    rows, began = [], time.perf_counter()
    for number, ((_, kind, index), row) in enumerate(rows_of(tasks, jobs), start=1):
        if row is not None:
            rows.append(row)
        told = "no such run" if row is None else ", ".join(f"{r} ({s})" for r, s, *_ in row["findings"])
        if kind != HEALTHY or told or number % 20 == 0:
            print(f"{number}/{len(tasks)} {kind}-{index}: {told or 'nothing'}", file=sys.stderr, flush=True)
    return {
        "seed": seed,
        "fitted": seed in FITTED,
        "seconds": time.perf_counter() - began,
        "jobs": jobs,
        "healthy": of_healthy(rows),
        "faults": by_fault(rows, dict.fromkeys(names, runs)),
        "rules": by_rule(rows, FACTS),
        "wrong errors": wrong_errors(rows, FACTS),
        "public": [list(line) for line in PUBLIC],
        "rows": rows,
    }


def markdown(results: Row) -> str:
    known = {rule.name for rule in RULES}
    healthy, seed = results["healthy"], results["seed"]
    fitted = "Rules were fitted on this seed." if results["fitted"] else "No rule was fitted on this seed."
    again = sum(row["unfit"] for row in results["rows"] if row["kind"] != HEALTHY)
    harmless = sum(row["harmless"] for row in results["rows"])
    raised = sum(sum(row["raised"].values()) for row in results["rows"])
    faults = [
        [name, str(row["runs"]), str(row["named"]), share(row["named"], row["runs"]), span(row, "runs"),
         str(row["by its own rule"]) if name in known else "no such rule", "yes" if results["fitted"] else "no"]
        for name, row in results["faults"].items()
    ]  # fmt: skip
    rules = [
        [name, str(row["reported"]), str(row["right"]), share(row["right"], row["reported"]), span(row, "reported"),
         str(row["healthy errors"]), str(row["healthy warnings"])]
        for name, row in results["rules"].items()
    ]  # fmt: skip
    alarms = [
        f"* healthy run {row['index']}: {rule} ({severity}), {says}"
        for row in results["rows"]
        if row["kind"] == HEALTHY
        for rule, severity, _, _, says in row["findings"]
        if severity != "note"
    ]
    wrong = [f"* {kind}-{index}: {rule}" for kind, index, rule in results["wrong errors"]]
    parts = [
        "# Diagnoses of trainings drawn at random",
        f"{where(results)} Written by `python -m bench.faults --seed {seed}`; `--show {seed} SCALE-0` shows the run SCALE-0, "
        f"`--show {seed} 12` the healthy run 12.",
        f"Seed {seed}. Seeds {FITTED[0]} to {FITTED[-1]} were used to fit the rules. {fitted} Intervals are Wilson's, 95%.",
        "## Healthy runs",
        f"{healthy['runs']} runs that train well ({healthy['drawn again']} others were drawn again): "
        f"{healthy['with an error']} with an error ({share(healthy['with an error'], healthy['runs'])}, "
        f"interval {span(healthy, 'runs')}), {healthy['with a warning only']} with a warning and no error.",
        *(["\n".join(alarms)] if alarms else []),
        "## Faults",
        f"One fault per run, in a run that trains well without it, where it lowers the score on held-out samples by {HARM} or "
        f"more. A fault is named where a rule that names it is an error or a warning; other rules than its own may. Drawn again "
        f"were {again} runs that did not train well, {harmless} that the fault did not harm, and {raised} whose program "
        "raised an error of its own.",
        report.table(["fault", "runs", "named", "recall", "interval", "by its own rule", "fitted on its seed"], faults),
        "## Rules",
        "A rule is right where it names the fault or a consequence of it. In a healthy run no rule is right.",
        report.table(
            ["rule", "reported", "right", "precision", "interval", "healthy: errors", "healthy: warnings"], rules
        ),
        "## Errors that name a wrong cause",
        "\n".join(wrong) or "None.",
        "## The programs of public benchmarks",
        "Of faulty programs that others collected, for comparison. They are other programs than those of this table.",
        report.table(["", "named", "of"], [[name, str(named), str(of)] for name, named, of in results["public"]]),
    ]
    return "\n\n".join(parts) + "\n"


def where(results: Row) -> str:
    """The machine, the versions and the threads."""
    m = results["machine"]
    versions = ", ".join(f"{name} {v}" for name, v in results["versions"].items())
    return (
        f"{m['date']}, commit {m['commit']}, {m['cpu']}, {m['python']}, {m['blas']}, {versions}; processes: {results['jobs']}, "
        f"threads of each: {results['threads']}; {results['seconds'] / 60:.0f} minutes."
    )


def share(right: int, of: int) -> str:
    """
    >>> share(1, 8)
    '0.125'
    """
    return f"{right / of:.3f}" if of else "-"


def span(row: Row, of: str) -> str:
    low, high = row["interval"]
    return f"{low:.2f} to {high:.2f}" if row[of] else "-"


def show(seed: int, name: str) -> str:
    """A run in words, and its report. `name` is the index of a healthy run, or such as SCALE-3."""
    kind, _, index = name.rpartition("-")
    found = case(seed, kind or HEALTHY, int(index))
    if found is None or found.outcome is None:
        return f"{name}: no such run could be drawn"
    outcome = found.outcome
    lines = [f"{kind or HEALTHY} {index} of seed {seed}: {found.training.words()}"]
    if found.injected is not None and found.partner is not None:
        lines += [
            f"fault: {found.injected.says}",
            f"named by {', '.join(sorted(found.injected.accept))}; "
            f"consequences: {', '.join(sorted(found.injected.symptoms | FACTS))}",
            f"healthy partner: {found.partner.score:.3f}, on held-out samples {found.partner.held_out:.3f}",
        ]
    lines.append(f"score: {outcome.score:.3f}, on held-out samples {outcome.held_out:.3f}")
    n = len(outcome.losses)
    tenths = [outcome.losses[min(n - 1, k * n // 10)] for k in range(11)]
    lines += ["loss at each tenth of the run: " + " ".join(f"{loss:.3g}" for loss in tenths), str(outcome.report)]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="runs for each fault")
    parser.add_argument("--healthy", type=int, default=300, help="healthy runs")
    parser.add_argument("--seed", type=int, default=PUBLISHED, help="0 to 4 are for fitting rules")
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS), help="these faults only")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--no-save", action="store_true", help="print, and write nothing")
    parser.add_argument("--show", nargs=2, metavar=("SEED", "INDEX"), help="a run in words, and its report")
    options = parser.parse_args()
    if options.show:
        print(show(int(options.show[0]), options.show[1]))
        return
    described = machine.describe()
    results = measure(options.seed, options.runs, options.healthy, options.only, options.jobs)
    results = {"machine": described, "versions": {n: version(n) for n in ("numpy",)}, "threads": THREADS} | results
    text = markdown(results)
    print(text)
    if not options.no_save:
        report.write_both("faults", results, text)


if __name__ == "__main__":
    main()
