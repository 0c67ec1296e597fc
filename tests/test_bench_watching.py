"""The measurement of the watcher: both trainings are the same, and its report says what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import xgrad as xg
from bench import watching


@pytest.mark.parametrize("way", watching.WAYS)
def test_both_trainings_have_the_same_numbers(way: str, tmp_path: Path) -> None:
    with xg.use_backend("numpy"):
        plain, watched = watching.Training(True, None), watching.Training(True, watching.WAYS[way](tmp_path))
        for each in (plain, watched):
            each.take(12)
            each.take(3)
    assert watched.watch is not None
    assert watched.watch.run.updates == watched.watch.run.steps == 15
    assert [look.step for look in watched.watch.run.looks] == [*range(10), 10]
    watched.watch.close()
    for one, other in zip(plain.model.parameters(), watched.model.parameters(), strict=True):
        assert (one.numpy() == other.numpy()).all()


def test_a_round(tmp_path: Path) -> None:
    with xg.use_backend("numpy"):
        found = watching.compare({}, 40, tiny=True)
    assert all(seconds > 0 for seconds in found.values())


def test_the_report() -> None:
    one = {"plain": 0.01, "watched": 0.0103, "first plain": 0.01, "first watched": 0.02, "begin": 0.5}
    ways = watching.summary({way: [one, one | {"watched": 0.0105}] for way in watching.WAYS})
    assert ways["watched"]["ratio"]["median"] == pytest.approx(1.04)
    assert ways["watched"]["first ten"]["median"] == pytest.approx(2.0)
    names = ("date", "commit", "cpu", "python", "blas", "load average before")
    where: dict[str, Any] = {**dict.fromkeys(names, "?"), "cores": 2}
    text = watching.markdown({"machine": where, "rounds": 2, "steps": 300, "ways": ways})
    assert "| watched | 1.040 (1.035-1.045) | 2.000 (2.000-2.000) | 500 |" in text
    assert "a step of W3 (10.0 ms)" in text
