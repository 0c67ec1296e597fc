"""Draws the pictures of the seed's story in README: the runs of the experiment that started xgrad.

    python -m bench.seed_story            draws all of them into bench/results/seed/
    python -m bench.seed_story relu       draws one

Each picture is one `xgrad fit`. The command is printed before it runs, and its result after it.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from bench import small_png
from xgrad.cli import main as xgrad
from xgrad.fit import plot

FOLDER = Path(__file__).parent / "results" / "seed"
BATCHES = "--raw --range -50 50 --points 101 --hidden 100 --lr 0.01 --batch 10"
SGD = "--optimizer sgd --lr 0.01"
STORY = {
    "sigmoid": f"--raw {SGD} --activation sigmoid",
    "relu": f"--raw {SGD} --activation relu --output-activation relu",
    "leaky_relu": f"--raw {SGD} --activation leaky_relu --output-activation leaky_relu",
    "rmsprop": f"{BATCHES} --optimizer rmsprop",
    "adagrad": f"{BATCHES} --optimizer adagrad",
    "adam": "--raw --optimizer adam --lr 0.01 --steps 5000",
    "standardised": f"{SGD} --activation relu --steps 5000",
}


def draw(name: str) -> None:
    path = FOLDER / f"{name}.png"
    print(f"$ xgrad fit {STORY[name]} --out {path.name}", flush=True)
    if xgrad(["fit", *shlex.split(STORY[name]), "--out", str(path)]) != 0:
        sys.exit(f"{name} failed")
    small_png.save(path.read_bytes(), path)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    plot.require_matplotlib()  # raises at once if matplotlib is missing
    for name in sys.argv[1:] or STORY:
        if name not in STORY:
            sys.exit(f"there is no {name!r}; there are {', '.join(STORY)}")
        draw(name)


if __name__ == "__main__":
    main()
