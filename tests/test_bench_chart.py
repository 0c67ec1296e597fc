"""The chart of the benchmark shows the committed numbers, and the committed picture is of the newest ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from bench import chart, report
from bench.peers import BASELINE, PEERS
from bench.problems import WORKLOADS


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return report.newest()


@pytest.fixture(scope="module")
def figure(results: dict[str, Any]) -> Any:
    return chart.draw(results)


def test_every_peer_has_a_mark_and_a_line() -> None:
    named = [peer for names in chart.LANES.values() for peer in names]
    assert sorted(named) == sorted(chart.MARKS) == sorted(set(PEERS) - {BASELINE})
    looks = {tuple(sorted(mark.items())) for mark in chart.MARKS.values()}
    assert len(looks) == len(chart.MARKS)  # no two look the same


def test_every_number_is_a_point_in_the_row_of_its_workload(results: dict[str, Any], figure: Any) -> None:
    rows = [name for name in WORKLOADS if name in results["speed"]]
    wanted = [
        (peer, row, found["ratio"]["median"])
        for row, name in enumerate(rows)
        for peer, found in results["speed"][name]["peers"].items()
        if peer != BASELINE
    ]
    marks = [line for line in figure.axes[0].get_lines() if line.get_label() in PEERS]
    drawn = [(line.get_label(), round(-float(line.get_ydata()[0])), line.get_xdata()[0]) for line in marks]
    assert sorted(drawn) == sorted(wanted)
    left, right = figure.axes[0].get_xlim()
    assert all(left < x < right for _, _, x in drawn)
    assert figure.axes[0].get_xscale() == "log"


def test_the_caption_says_where_and_when(results: dict[str, Any], figure: Any) -> None:
    text = " ".join(figure.get_supxlabel().split())
    machine = results["machine"]
    for said in (machine["date"], machine["commit"], machine["cpu"], "one thread", *results["versions"].values()):
        assert " ".join(said.split()) in text


def test_the_legend_names_the_peers_that_were_measured(results: dict[str, Any], figure: Any) -> None:
    measured = {peer for name in WORKLOADS for peer in results["speed"].get(name, {"peers": {}})["peers"]} - {BASELINE}
    named = [text.get_text() for text in figure.legends[0].get_texts() if "$" not in text.get_text()]
    assert sorted(named) == sorted(PEERS[peer].label for peer in measured)


def test_the_picture_is_of_the_newest_results(results: dict[str, Any]) -> None:
    assert chart.drawn_from() == chart.source(results), "run `python -m bench.chart`"
    assert chart.PICTURE.stat().st_size < 60_000


def test_the_command_draws_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: dict[str, Any]) -> None:
    monkeypatch.setattr("sys.argv", ["bench.chart", str(tmp_path / "new.png")])
    chart.main()
    assert chart.drawn_from(tmp_path / "new.png") == chart.source(results)
