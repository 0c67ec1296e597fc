"""`python -m bench.gpu`: all checks and measurements that need a CUDA device, in less than eight minutes.

Rewrites bench/results/gpu-DEVICE-DATE.json and .md after each section. The exit status is 0 if every section passed, 1 if one
failed, and 2 if there is no device.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from bench import report as of_bench
from bench.gpu import device, report, sections
from xgrad.backends import BUILT_IN, BackendError


def say(line: str) -> None:
    print(line, flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def names(text: str) -> list[str]:
        words = text.split(",")
        for word in words:
            if word not in sections.SECONDS:
                raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(sections.SECONDS)}")
        return [name for name in sections.SECONDS if name in words]

    parser.add_argument("--only", type=names, default=list(sections.SECONDS), help=",".join(sections.SECONDS))
    parser.add_argument("--backend", choices=BUILT_IN, default="cupy", help="another than cupy makes it a rehearsal")
    parser.add_argument("--out", type=Path, help="folder of the results; a rehearsal writes none unless told where")
    parser.add_argument("--seconds", type=float, default=sections.ALL_SECONDS, help="for all of it")
    options = parser.parse_args(arguments)
    rehearsal = options.backend != "cupy"
    if rehearsal and options.out is not None and options.out.resolve() == of_bench.RESULTS.resolve():
        parser.error("a rehearsal is no result: give it another folder")
    if not rehearsal and options.out is None:
        options.out = of_bench.RESULTS
    return options


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the chosen sections, and write the results after each."""
    began = perf_counter()
    results: dict[str, Any] = {
        "ok": False,
        "rehearsal": options.backend != "cupy",
        "asked": options.only,
        "device": device.describe(options.backend),
        "sections": {},
    }
    say(f"{'rehearsal' if results['rehearsal'] else 'device'}: {results['device']['device']}")
    folder = options.out or Path.cwd()
    for name in options.only:
        left = options.seconds - (perf_counter() - began)
        wanted = left if name == options.only[-1] == "suite" else min(sections.SECONDS[name], left)
        if left < 5:
            found: dict[str, Any] = {"ok": False, "seconds": 0.0, "failures": ["there was no time left"]}
        else:
            found = sections.run(name, options.backend, wanted, folder if options.out else Path("/nonexistent"))
        results["sections"][name] = found
        results["ok"] = all(one["ok"] is not False for one in results["sections"].values()) and set(
            options.only
        ) == set(results["sections"])
        results["seconds"] = round(perf_counter() - began, 1)
        say(f"{name}: {report.WORDS[found['ok']]} in {found['seconds']:.0f} s. {found.get('summary', '')}")
        for failure in found.get("failures", [])[:10]:
            say(f"  {report.one_line(failure)[:300]}")
        if options.out is not None:
            report.write(results, options.out)
    return results


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        device.require(options.backend)
    except BackendError as error:
        print(f"bench.gpu: {report.one_line(str(error))}", file=sys.stderr)
        return 2
    results = run(options)
    if options.out is None:
        print(report.markdown(results))
    say(f"{'all of it passed' if results['ok'] else 'something failed'}, in {results['seconds']:.0f} s")
    return 0 if results["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
