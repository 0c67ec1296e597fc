"""The rows of the grammar by name, and how a program is made of them."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import numpy as np

from tests.fuzz.draw import Draw, UnfitError, need
from tests.fuzz.plain_numpy import run
from tests.fuzz.program import Host, Program, numbers_like, weighted
from tests.fuzz.rows import ROWS

CHAPTERS = (
    "elementwise",
    "reductions",
    "manipulation",
    "indexing",
    "writing",
    "searching",
    "linear",
    "decompositions",
    "fourier",
    "special",
    "network",
    "creation",
)


for _chapter in CHAPTERS:
    import_module(f"tests.fuzz.rows.{_chapter}")

BY_CHAPTER = {c: [r for r in ROWS.values() if r.chapter == c and not r.views] for c in CHAPTERS}
NAMES = [r.name for c in CHAPTERS for r in BY_CHAPTER[c]]
OF_VIEWS = [r.name for r in ROWS.values() if r.views]

# Functions of the registry that no row calls, and why.
_SHAPES = "random programs hardly have arrays of the shapes that it takes; the laws and the parity cases try it"
UNREACHABLE: dict[str, str] = {
    **dict.fromkeys(("attention", "recurrent", "windows", "add_windows"), _SHAPES),
    **dict.fromkeys(("convolution", "convolution_transpose", "convolution_weight"), _SHAPES),
    **dict.fromkeys(("max_pool", "take_pooled", "scatter_pooled", "sum_pool", "spread_pool"), _SHAPES),
    "special.gamma_slope": "NumPy and PyTorch have no such function; tests/test_special_derivatives.py compares it with mpmath",
    **dict.fromkeys(
        (
            *("special.beta", "special.beta_slope", "special.betaincc", "special.betainccinv", "special.betainccln"),
            *(
                "special.betaincinv",
                "special.betaincln",
                "special.erfcinv",
                "special.gammainccinv",
                "special.gammainccln",
            ),
            *("special.gammaincinv", "special.gammaincln", "special.iv", "special.ive", "special.jn", "special.jv"),
            *("special.multigammaln", "special.rgamma", "special.stdtr", "special.stdtrit", "special.y0", "special.y1"),
            "special.yn",
        ),
        "PyTorch, the programs' reference, has no such function; test_incomplete_beta.py and test_scipy_special.py compare it",
    ),
    "chunk": "it is slices, which are in a row",
    "masked_fill": "it is `where`, which is in a row",
}

# How often a row of each chapter is taken.
WEIGHTS = {
    "elementwise": 4,
    "reductions": 3,
    "manipulation": 3,
    "indexing": 3,
    "writing": 2,
    "network": 1.5,
    "searching": 1.5,
}


def covered() -> set[str]:
    """Every function of the registry that some row calls."""
    return {name for r in ROWS.values() for name in r.covers}


# --- a program from a seed -------------------------------------------------------------------------------------


def generate(seed: int, *, views: bool = False) -> Program:
    """The program of that seed. Each row is in the program of every len(NAMES)-th seed."""
    names = [*OF_VIEWS, *NAMES] if views else NAMES
    must = names[seed % len(names)] if not views else OF_VIEWS[seed % len(OF_VIEWS)]
    for attempt in range(400):
        rng = random.Random(f"{seed}, {attempt}, {views}")
        try:
            return _attempt(rng, seed, must, views)
        except UnfitError:
            continue
    raise RuntimeError(f"seed {seed}: no program with {must} in it meets the conditions")


def _attempt(rng: random.Random, seed: int, must: str, views: bool) -> Program:
    dtype = "float32" if rng.random() < 0.15 else "float64"
    inputs = _inputs(rng, dtype, 0.7 if "complex" in must else 0.18)
    draw = Draw(rng, inputs, dtype, views=views)
    count, at = rng.randint(5, 15), rng.randint(1, 4)
    rows = 0
    for _ in range(20 * count):
        if rows == at and must:
            _take(draw, must, tries=12)
            must, rows = "", rows + 1
        elif _try(draw, _any_row(rng, views)):
            rows += 1
        if rows >= count:
            break
    need(not must and rows >= 5)
    program = Program(
        seed, tuple(inputs), tuple(draw.steps), _outputs(draw), frozenset(draw.tags | _tags(draw)), views=views
    )
    need(is_smooth(program))
    return program


def _take(draw: Draw, name: str, tries: int) -> None:
    need(any(_try(draw, name) for _ in range(tries)))


def _try(draw: Draw, name: str) -> bool:
    mark = draw.mark()
    draw.row = name
    try:
        ROWS[name].make(draw)
    except UnfitError:
        need(not draw.views)  # what was written in place is not taken back
        draw.back_to(mark)
        return False
    return True


def _any_row(rng: random.Random, views: bool) -> str:
    if views and rng.random() < 0.6:
        return OF_VIEWS[int(rng.random() * len(OF_VIEWS))]
    chapter = rng.choices(CHAPTERS, [WEIGHTS.get(c, 1) for c in CHAPTERS])[0]
    rows = BY_CHAPTER[chapter]
    return rows[int(rng.random() * len(rows))].name


def _inputs(rng: random.Random, dtype: str, complexes: float) -> list[Host]:
    """One to three arrays whose shapes broadcast, now and then a complex one, or one of size 0."""
    pool = [1, 2, 3, 3] if rng.random() < 0.5 else [2, 3, 4, 2]
    whole = [pool[int(rng.random() * len(pool))] for _ in range(rng.choice([0, 1, 2, 2, 2, 3, 3, 4]))]
    if rng.random() < 0.06 and whole:
        whole[int(rng.random() * len(whole))] = 0
    while np.prod(whole, dtype=int) > 30:
        whole.pop()
    inputs: list[Host] = []
    for _ in range(rng.choice([1, 2, 2, 3])):
        shape = whole[rng.randint(0, len(whole)) :] if inputs and rng.random() < 0.5 else list(whole)
        shape = [1 if n and rng.random() < 0.12 else n for n in shape]
        size = int(np.prod(shape, dtype=int))
        values = [round(rng.uniform(-1.5, 1.5), 3) for _ in range(2 * size)]
        array = np.asarray([v + 0.3 if abs(v) < 0.1 else v for v in values[:size]]).reshape(shape)
        if rng.random() < complexes:
            array = array + 1j * np.asarray(values[size:]).reshape(shape)
            inputs.append(np.asarray(array, dtype="complex64" if dtype == "float32" else "complex128"))
        else:
            inputs.append(np.asarray(array, dtype=dtype))
    return inputs


def _outputs(draw: Draw) -> tuple[str, ...]:
    """The last values, and one or two others. What no output needs stays in the program, unused."""
    fit = [v for v in draw.shown() if v.kind in "fc" and v.name[0] != "x"]
    moving = [v for v in fit if v.depends]
    need(moving)
    used = {name for s in draw.steps for name in s.uses}
    ends = [v for v in moving if v.name not in used or v is moving[-1]]
    chosen = [v for v in ends if draw.chance(0.8)] or [moving[-1]]
    if draw.chance(0.3):
        chosen.append(draw.one_of(fit))
    return tuple(dict.fromkeys(v.name for v in chosen[-4:]))


def _tags(draw: Draw) -> set[str]:
    tags = set()
    if {v.dtype for v in draw.values} & {"float32", "complex64"}:
        tags.add("single")
        if {v.dtype for v in draw.values} & {"float64", "complex128"}:
            tags.add("mixed precision")
    return tags


# --- whether it is smooth ------------------------------------------------------------------------------------------

REACH = 1e-3  # how far from the inputs the examples of vmap are


def moved(inputs: Any, directions: Any, step: float) -> list[Host]:
    return [x + np.asarray(step, dtype=x.real.dtype) * d for x, d in zip(inputs, directions, strict=True)]


def directions_of(program: Program, number: int) -> list[Host]:
    """The number-th direction: what tangents are."""
    return [numbers_like(x, 1000 * number + i + 7) for i, x in enumerate(program.inputs)]


def weights_of(program: Program, outputs: Any) -> list[Host]:
    return [numbers_like(y, i + 3) for i, y in enumerate(outputs)]


def is_smooth(program: Program) -> bool:
    """Whether differences with different steps agree, within reach and near by."""
    outputs = run(program, program.inputs)
    weights = weights_of(program, outputs)
    shapes = [y.shape for y in outputs]

    def loss(directions: Any, step: float) -> float:
        ys = run(program, moved([in_double(x) for x in program.inputs], directions, step))
        need([y.shape for y in ys] == shapes)
        return float(weighted(np, ys, weights))

    for number in (1, 2):
        ds = [in_double(d) for d in directions_of(program, number)]
        far = (loss(ds, REACH) - loss(ds, -REACH)) / (2 * REACH)
        near = (loss(ds, 1e-4) - loss(ds, -1e-4)) / 2e-4
        nearest = (loss(ds, 1e-5) - loss(ds, -1e-5)) / 2e-5
        bound = 1 + abs(nearest)
        if not (abs(nearest) < 500 and abs(far - nearest) < 2e-3 * bound and abs(near - nearest) < 3e-5 * bound):
            return False
    return True


def in_double(x: Host) -> Host:
    return x.astype({"float32": "float64", "complex64": "complex128"}.get(x.dtype.name, x.dtype))
