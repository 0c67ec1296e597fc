"""The picture of last outputs that are classes: the share of each among outputs and labels, and a table of which is which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xgrad.fit.pictures.answers import Bits, Classes
from xgrad.fit.pictures.picture import Key, Picture
from xgrad.fit.pictures.scheme import color, drawing, embedded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "outputs"
BARS = 12  # classes at most, in the drawing
CELLS = 7  # classes at most, in the table


def draw_classes(classes: Classes) -> Picture:
    """The shares of the classes, with the table below."""
    counts = [Counter(group) for group in (classes.said, classes.right)]
    said, right = ([count[c] for c in range(classes.count)] for count in counts)
    table = _table(classes) if classes.said else ""
    return _drawn(said, right, len(classes.said), _in_words(classes), "class", "classes", table)


def draw_bits(bits: Bits) -> Picture:
    """The share of the samples with a yes, by output."""
    total = bits.samples * len(bits.said)
    always = sum(max(yes, bits.samples - yes) for yes in bits.right)
    says = "No output is finite"
    if total:
        says = f"{bits.hits} of {total} answers are right: {100 * bits.hits / total:.3g} %"
        says += f"; always the commoner answer would be right in {100 * always / total:.3g} %"
    if bits.broken:
        says += f"; left out, as not finite: {bits.broken}"
    return _drawn(bits.said, bits.right, bits.samples, f"{says}.", "output", "outputs", first=1)


def _drawn(
    said: Sequence[int],
    right: Sequence[int],
    total: int,
    says: str,
    one: str,
    many: str,
    below: str = "",
    *,
    first: int = 0,
) -> Picture:
    """Two bars for each class or output, whose numbers begin with `first`."""
    few = list(range(len(said)))
    if len(said) > BARS:
        few = sorted(sorted(few, key=lambda c: (abs(said[c] - right[c]), right[c]), reverse=True)[:BARS])
        says += f" The {BARS} of {len(said)} {many} whose shares differ most are drawn."
    with drawing(0.8 + 0.34 * len(few)) as figure:
        axes = figure.subplots()
        for shift, counts, name in ((-0.19, right, "target"), (0.19, said, "line-1")):
            _bars(axes, [100 * counts[c] / max(1, total) for c in few], shift, name)
        axes.set_yticks(list(range(len(few))), [str(c + first) for c in few])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.12)
        axes.locator_params(axis="x", nbins=5)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
        axes.set_ylabel(one)
        axes.set_xlabel("share of the samples")
        svg = embedded(figure, NAME, f"Shares of the {many}. {says}")
    keys = [Key("labels", "target", "block"), Key("outputs", "line-1", "block")]
    return Picture(NAME, "Last outputs against labels", says, svg, keys, below)


def _bars(axes: Axes, lengths: Sequence[float], shift: float, name: str) -> None:
    at = [place + shift for place in range(len(lengths))]
    axes.barh(at, lengths, height=0.36, color=color(name))
    for y, length in zip(at, lengths, strict=True):
        axes.annotate(
            f"{length:.0f} %" if length >= 1 or length == 0 else "< 1 %",
            (length, y),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=color("ink"),
        )


def _in_words(classes: Classes) -> str:
    total = len(classes.said)
    hits = sum(a == b for a, b in zip(classes.said, classes.right, strict=True))
    parts = [f"{hits} of {total} samples are right: {100 * hits / total:.3g} %" if total else "No output is finite"]
    if total:
        commonest, count = Counter(classes.right).most_common(1)[0]
        parts.append(f"always class {commonest} would be right in {100 * count / total:.3g} %")
    if classes.broken:
        parts.append(f"left out, as not finite: {classes.broken}")
    if classes.other:
        parts.append(f"left out, as their labels are no class: {classes.other}")
    return "; ".join(parts) + "."


def _table(classes: Classes) -> str:
    """Which class the network says for which label, as a table whose darker cells have more samples of their row."""
    pairs = Counter(zip(classes.right, classes.said, strict=True))
    seen = Counter(classes.right) + Counter(classes.said)
    named = sorted(range(classes.count), key=lambda c: (-seen[c], c))[:CELLS]
    kept: list[int | None] = [*sorted(named)]
    if classes.count > len(kept):
        kept.append(None)  # all others together

    def group(which: int) -> int | None:
        return which if which in named else None

    cells: Counter[tuple[int | None, int | None]] = Counter()
    for (right, said), count in pairs.items():
        cells[group(right), group(said)] += count
    head = "".join(f'<th scope="col">{_name(c)}</th>' for c in kept)
    body = "".join(_row(right, kept, cells) for right in kept)
    note = "" if None not in kept else f" The {CELLS} commonest of {classes.count} classes are named."
    return (
        '<div class="wide"><table><caption>Samples by label and output.'
        f"{note}</caption><thead><tr><td>label ↓ output →</td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(right: int | None, kept: Sequence[int | None], cells: Counter[tuple[int | None, int | None]]) -> str:
    total = max(1, sum(cells[right, said] for said in kept))
    row = "".join(
        f'<td{" class=hit" if right == said and said is not None else ""} style="--share: {cells[right, said] / total:.2f}">'
        f"{cells[right, said]}</td>"
        for said in kept
    )
    return f'<tr><th scope="row">{_name(right)}</th>{row}</tr>'


def _name(which: int | None) -> str:
    return "others" if which is None else str(which)
