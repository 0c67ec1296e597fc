"""`python -m bench`: measure speed, memory and import time, and write the report."""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import imports, machine, memory, report
from bench.layer_problems import ALL_WORKLOADS as WORKLOADS
from bench.peers import PEERS
from bench.runner import PeerError, Process, measure, usable_peers

PARTS = ("speed", "memory", "imports")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Time all workloads with all peers. Returns the parts "speed", "missing" and "versions" of the report."""
    pythons = dict(options.python)
    names, missing = usable_peers(options.peers, pythons)
    versions: dict[str, str] = {}
    with ExitStack() as stack:
        processes: dict[str, Process] = {}
        for name in names:
            process = stack.enter_context(Process(name, pythons.get(name, sys.executable)))
            try:
                answer = process.ask("hello")
                versions |= {k: v for k, v in answer["versions"].items() if k not in versions}
                if name in pythons:
                    versions[f"Python of {PEERS[name].needs}"] = f"{answer['python']}, with NumPy {answer['numpy']}"
                processes[name] = process
            except PeerError as failure:
                missing[name] = str(failure)
        for name, reason in missing.items():
            say(f"{name} left out: {reason}")
        rows = {}
        for workload in options.workloads:
            say(WORKLOADS[workload].title)
            if WORKLOADS[workload].baseline not in processes:
                say(f"  left out: its baseline, {WORKLOADS[workload].baseline}, is not among the peers")
                continue
            rows[workload] = measure(
                workload,
                processes,
                rounds=options.rounds,
                round_seconds=options.round_seconds,
                say=say,
            )
    return {"speed": rows, "missing": missing, "versions": versions}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)

    def names(known: Any) -> Any:
        def split(text: str) -> list[str]:
            words = text.split(",")
            for word in words:
                if word not in known:
                    raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(known)}")
            return words

        return split

    def elsewhere(text: str) -> tuple[str, str]:
        peer, _, path = text.partition("=")
        if peer not in PEERS or shutil.which(path) is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not PEER=PATH, with a peer and the path of a Python")
        return peer, path

    parser.add_argument("--only", type=names(PARTS), default=list(PARTS), help=",".join(PARTS))
    parser.add_argument("--workloads", type=names(WORKLOADS), default=list(WORKLOADS), help=",".join(WORKLOADS))
    parser.add_argument("--peers", type=names(PEERS), default=list(PEERS), help=",".join(PEERS))
    parser.add_argument(
        "--python",
        type=elsewhere,
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="run this peer in another Python, where its library needs one",
    )
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--round-seconds", type=float, default=0.1, help="of the baseline")
    parser.add_argument("--out", type=Path, default=report.RESULTS, help="folder of the results")
    parser.add_argument("--no-save", action="store_true", help="print the report, write nothing")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.round_seconds <= 0:
        parser.error("--rounds and --round-seconds must be positive")
    return options


def main() -> None:
    options = parse()
    results: dict[str, Any] = {"machine": machine.describe()}
    results |= {"speed": {}, "missing": {}, "versions": {}}
    if "speed" in options.only:
        results |= speed(options)
    if "memory" in options.only:
        say("memory")
        results["memory"] = memory.measure(say)
    if "imports" in options.only:
        say("imports")
        results["imports"] = imports.measure(say)
    if options.no_save:
        print(report.markdown(results))
    else:
        for path in report.write(results, options.out):
            say(f"wrote {path}")


if __name__ == "__main__":
    main()
