"""The picture of last outputs that are classes: the share of each among outputs and labels, and a table of which is which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from xgrad.fit.pictures.answers import Classes
from xgrad.fit.pictures.picture import Key, Picture
from xgrad.fit.pictures.scheme import color, drawing, embedded

NAME = "outputs"
BARS = 12  # classes at most, in the drawing
CELLS = 7  # classes at most, in the table


def draw_classes(classes: Classes) -> Picture:
    """The shares of the classes, with the table below."""
    total = len(classes.said)
    says = _in_words(classes)
    said, right = Counter(classes.said), Counter(classes.right)
    few = list(range(classes.count))
    if classes.count > BARS:
        few = sorted(sorted(few, key=lambda c: (abs(said[c] - right[c]), right[c]), reverse=True)[:BARS])
        says += f" The {BARS} of {classes.count} classes whose shares differ most are drawn."
    with drawing(0.8 + 0.34 * len(few)) as figure:
        axes = figure.subplots()
        of = max(1, total)
        places = list(range(len(few)))
        for shift, counts, name in ((-0.19, right, "target"), (0.19, said, "line-1")):
            lengths = [100 * counts[c] / of for c in few]
            at = [place + shift for place in places]
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
        axes.set_yticks(places, [str(c) for c in few])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.12)
        axes.locator_params(axis="x", nbins=5)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
        axes.set_ylabel("class")
        axes.set_xlabel("share of the samples")
        svg = embedded(figure, NAME, f"Shares of the classes. {says}")
    keys = [Key("labels", "target", "block"), Key("outputs", "line-1", "block")]
    return Picture(NAME, "Last outputs against labels", says, svg, keys, _table(classes) if total else "")


def _in_words(classes: Classes) -> str:
    total = len(classes.said)
    hits = sum(a == b for a, b in zip(classes.said, classes.right, strict=True))
    parts = [f"{hits} of {total} samples are right: {100 * hits / total:.3g} %" if total else "No output is finite"]
    if total:
        commonest, count = Counter(classes.right).most_common(1)[0]
        parts.append(f"always class {commonest} would be right in {100 * count / total:.3g} %")
    if classes.broken:
        parts.append(f"{classes.broken} outputs are not finite, and left out")
    if classes.other:
        parts.append(f"{classes.other} labels are no class, and left out")
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
