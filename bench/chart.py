"""Draws the chart of the README: the time of each peer on W1 to W5 relative to NumPy by hand, from the newest results.

    python -m bench.chart            draws bench/results/speed.png
    python -m bench.chart OTHER.png  draws another file

Nothing is measured: the numbers are those of the newest bench/results/speed-DATE.json.
"""

from __future__ import annotations

import io
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from bench import report, small_png
from bench.peers import BASELINE, PEERS
from bench.problems import WORKLOADS
from xgrad.fit import plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURE = report.RESULTS / "speed.png"
SOURCE = "Source"  # the text in the PNG file that says from which results it was drawn

XGRAD, PYTORCH, ADVECT = "#0969da", "#e36209", "#8250df"
# A library has a colour. An eager peer is a ring, a compiled one is filled, and a second way to compile is a diamond.
MARKS: dict[str, dict[str, str]] = {
    "xgrad": {"color": XGRAD, "marker": "o", "markerfacecolor": "white"},
    "compiled": {"color": XGRAD, "marker": "o"},
    "xla": {"color": XGRAD, "marker": "D"},
    "torch_compile": {"color": PYTORCH, "marker": "o"},
    "torch_func": {"color": PYTORCH, "marker": "D"},
    "jax": {"color": "#1a7f37", "marker": "o"},
    "tinygrad": {"color": "#1b9aaa", "marker": "o"},
    "advect_staged": {"color": ADVECT, "marker": "o"},
    "torch": {"color": PYTORCH, "marker": "o", "markerfacecolor": "white"},
    "autograd": {"color": "#bf3989", "marker": "o", "markerfacecolor": "white"},
    "mygrad": {"color": "#7d4e00", "marker": "o", "markerfacecolor": "white"},
    "advect": {"color": ADVECT, "marker": "o", "markerfacecolor": "white"},
    "tuned": {"color": "#24292f", "marker": "s"},
}
# The lines of a row, from above. The legend has them in this order.
LANES = {
    "xgrad": ("xgrad", "compiled", "xla"),
    "compiled": ("torch_compile", "torch_func", "jax", "tinygrad", "advect_staged"),
    "eager": ("torch", "autograd", "mygrad", "advect"),
    "by hand": ("tuned",),
}
GAP = 0.21  # between the lines of a row; the rows have a distance of 1
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def points(results: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """For each workload and each peer that was measured on it: the median of its ratio to NumPy by hand, and the quartiles."""
    return {
        name: {peer: found["ratio"] for peer, found in results["speed"][name]["peers"].items() if peer in MARKS}
        for name in WORKLOADS
        if name in results["speed"]
    }


def draw(results: dict[str, Any]) -> Figure:
    """The chart of these results. Raises ImportError, which says how to install it, if matplotlib is missing."""
    plot.require_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    rows = points(results)
    with rc_context({"font.size": 9.0, "axes.edgecolor": "#8c959f"}):
        figure = Figure(figsize=(9.5, 1.2 + 0.85 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        _rows(axes, rows)
        _axis(axes, rows)
        _legend(figure, axes)
        figure.supxlabel(textwrap.fill(caption(results), 165), fontsize=7.0, color="#57606a")
    return figure


def _rows(axes: Axes, rows: dict[str, dict[str, dict[str, float]]]) -> None:
    for place, peers in enumerate(rows.values()):
        if place % 2 == 0:
            axes.axhspan(-place - 0.5, -place + 0.5, color="#f3f5f8", zorder=0)
        for line, names in enumerate(LANES.values()):
            for peer in names:
                if peer in peers:
                    ratio, y = peers[peer], -place + GAP * ((len(LANES) - 1) / 2 - line)
                    mark: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.6, "zorder": 3} | MARKS[
                        peer
                    ]
                    if "markerfacecolor" in mark:  # a ring
                        mark |= {"markeredgecolor": mark["color"], "markeredgewidth": 1.3, "zorder": 4}
                    size = 8.0 if mark["color"] == XGRAD else 6.5
                    axes.plot([ratio["low"], ratio["high"]], [y, y], color=mark["color"], lw=1.0, alpha=0.6)
                    axes.plot([ratio["median"]], [y], ls="none", ms=size, label=peer, **mark)


def _axis(axes: Axes, rows: dict[str, dict[str, dict[str, float]]]) -> None:
    ends = [end for peers in rows.values() for ratio in peers.values() for end in (ratio["low"], ratio["high"])]
    left, right = min([*ends, 0.5]) / 1.2, max([*ends, 2.0]) * 1.2
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    ticks = [tick for tick in TICKS if left <= tick <= right]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("time relative to NumPy by hand (left is faster)")
    axes.set_ylim(-len(rows) + 0.5, 0.5)
    axes.set_yticks([-place for place in range(len(rows))], [_title(name) for name in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#d8dee4", lw=0.6)
    axes.axvline(1.0, color="#24292f", lw=1.2)
    axes.annotate(
        PEERS[BASELINE].label, (1.0, 1.0), (0, 3), xycoords=axes.get_xaxis_transform(), textcoords="offset points",
        ha="center", fontsize=8.5,
    )  # fmt: skip
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _title(name: str) -> str:
    return textwrap.fill(WORKLOADS[name].title, 28, break_on_hyphens=False)


def _legend(figure: Figure, axes: Axes) -> None:
    """A heading for each line of a row, and under it a mark and a name for each peer that is drawn."""
    from matplotlib.lines import Line2D

    marks = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    entries: list[tuple[Any, str]] = []
    for number, (lane, names) in enumerate(LANES.items(), start=1):
        heading = f"line {number}: {lane}".replace(" ", r"\ ")
        entries += [(Line2D([], [], ls="none"), rf"$\bf{{{heading}}}$")]
        entries += [(marks[peer], PEERS[peer].label) for peer in names if peer in marks]
    handles, labels = zip(*entries, strict=True)
    figure.legend(
        handles, labels, loc="outside right center", frameon=False, fontsize=8.5, handletextpad=0.3, labelspacing=0.55
    )


def caption(results: dict[str, Any]) -> str:
    """What was measured, when and where: date, commit, machine, versions, threads."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return (
        f"Median of {report.rounds(results)} paired rounds, with quartiles. float32, one thread, "
        f"pinned to one core. {machine['date']}, commit {machine['commit']}; {report.where(results)}. {versions}."
    )


def source(results: dict[str, Any]) -> str:
    """From which results a picture was drawn."""
    return f"speed-{results['machine']['date']}.json, commit {results['machine']['commit']}"


def drawn_from(path: Path = PICTURE) -> str:
    """What `source` gave when the picture was drawn."""
    with Image.open(path) as picture:
        return str(picture.info.get(SOURCE, ""))


def save(results: dict[str, Any], path: Path = PICTURE) -> None:
    """Draw the chart into a PNG file of few colours, which says from which results it was drawn."""
    content = io.BytesIO()
    draw(results).savefig(content, format="png", dpi=110)
    small_png.save(content.getvalue(), path, texts={SOURCE: source(results)})


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    save(report.newest(), path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
