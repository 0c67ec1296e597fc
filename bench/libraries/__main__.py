"""`python -m bench.libraries`: try the rows, print the outcomes, and record them for README's table."""

from __future__ import annotations

import sys

from bench.libraries import LIBRARIES, rows, table
from bench.libraries.row import RAISES, WORKS


def main(wanted: str) -> None:
    found: dict[str, table.Library] = {}
    for name in LIBRARIES:
        try:
            tried = [row for row in rows(name) if wanted in row.name]
        except ImportError as error:
            print(f"{name}: {error}")
            continue
        found[name] = table.Library(table.version(name), [])
        for row in tried:
            word, detail = row.outcome()
            surprise = "" if (word == WORKS) == (not row.because) else "  <- UNEXPECTED"
            print(f"{name:16} {row.name:40} {word:10} {detail if word != RAISES else detail[:90]}{surprise}")
            found[name].rows.append([row.name, word, row.because])
    if not wanted and set(found) == set(LIBRARIES):
        print(f"recorded in {table.write(found)}; `python -m bench.readme` puts it into README")


if __name__ == "__main__":
    main(*sys.argv[1:] or [""])
