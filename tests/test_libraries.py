"""Gradients through other people's code: each row of the table of libraries, compared with central differences."""

from __future__ import annotations

import warnings
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from array_api_compat import array_namespace

import xgrad as xg
from bench.libraries import LIBRARIES, row, rows, table

RECORDED = table.read()


def rows_of(library: str) -> list[row.Row] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs, on import
            return rows(library)
    except ImportError:
        return None


def each_row():
    for library in LIBRARIES:
        found = rows_of(library)
        if found is None:
            skip = pytest.mark.skip(f"{library} is not installed: pip install 'xgrad[libraries]'")
            yield pytest.param(library, None, marks=skip, id=library)
        else:
            yield from (pytest.param(library, each, id=f"{library}: {each}") for each in found)


@pytest.mark.parametrize(("library", "tried"), list(each_row()))
def test_row(library, tried):
    word, detail = tried.outcome()
    if not tried.because:
        assert word == row.WORKS, f"{library} {tried}: {word}: {detail}"
    assert word != row.WRONG, f"{library} {tried}: {detail}"
    if RECORDED[library].version == table.version(library):
        known = {name: [found, why] for name, found, why in RECORDED[library].rows}
        assert known.get(tried.name) == [word, tried.because], "run `python -m bench.libraries`"


def test_what_is_recorded_is_what_is_tried():
    for library, recorded in RECORDED.items():
        found = rows_of(library)
        if found is not None:
            assert [name for name, _, _ in recorded.rows] == [each.name for each in found]
            assert len({each.name for each in found}) == len(found)


def test_every_library_has_a_version():
    try:
        versions = {name: table.version(name) for name in LIBRARIES if rows_of(name) is not None}
    except PackageNotFoundError as error:
        pytest.fail(str(error))
    assert "SciPy" in versions


# --- the harness notices --------------------------------------------------------------------------------


def tried(call, **static):
    return row.Row("f", call, np.asarray([1.0, 2.0]), **static).outcome()[0]


def test_a_wrong_gradient_is_noticed():
    @xg.primitive
    def wrong(x):
        return x * x

    wrong.defvjp(lambda g, out, x: g * x * 2.001)
    assert tried(lambda x: wrong(x) if isinstance(x, xg.Tensor) else x * x) == row.WRONG


def test_a_gradient_that_is_cut_off_is_noticed():
    assert tried(lambda x: xg.asarray(x.numpy() * 2.0) if isinstance(x, xg.Tensor) else x * 2.0) == row.WRONG


def test_errors_warnings_and_nan_are_told_apart():
    assert tried(lambda x: np.asarray(x)) == row.RAISES
    assert tried(lambda x: float(x[0]) * 2.0) == row.WARNS
    assert tried(lambda x: x * 2.0) == row.WORKS
    assert tried(masked) == row.NAN


def masked(x):
    xp = array_namespace(x)
    return xp.where(x > 0, x, xp.log(x * 0.0) * 0.0)


def test_the_warning_of_float_is_of_the_line_that_lost_the_gradient():
    metrics = pytest.importorskip("sklearn.metrics")
    sklearn = pytest.importorskip("sklearn")
    x, y = xg.asarray([1.0, 2.0], requires_grad=True), xg.asarray([1.0, 1.0])
    with (
        pytest.warns(UserWarning, match="does not carry the gradient on") as caught,
        sklearn.config_context(array_api_dispatch=True),
    ):
        metrics.mean_squared_error(x, y)
    assert "sklearn" in caught[0].filename
