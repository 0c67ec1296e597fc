"""Drawings whose colours follow the page, light or dark: matplotlib draws the light ones, and names replace them in the SVG."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from xgrad._drawing import encoded, load_matplotlib, settled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The colours by name, on a light page and on a dark one. Each light one is there once: it stands for the name in a drawing.
# Those of text have a contrast of at least 4.5 to the paper, those of lines at least 3.
COLORS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#57606a", "#9aa4af"),
    "grid": ("#d8dee4", "#2b3138"),
    "axis": ("#868f99", "#6e7681"),
    "card": ("#f6f8fa", "#161b22"),
    "link": ("#0550ae", "#79c0ff"),
    "error": ("#cf222e", "#ff7b72"),
    "warning": ("#9a6700", "#d9a520"),
    "note": ("#59636e", "#9198a1"),
    "mark": ("#8250df", "#bc8cff"),
    "target": ("#afb8c1", "#59626c"),
    "line-1": ("#0969da", "#58a6ff"),
    "line-2": ("#bc4c00", "#f0883e"),
    "line-3": ("#1a7f37", "#3fb950"),
    "line-4": ("#bf3989", "#f778ba"),
    "line-5": ("#0b7285", "#39c5cf"),
    "line-6": ("#7d4e00", "#e3c878"),
    "line-7": ("#5e4db2", "#a5a0ff"),
    "line-8": ("#40474f", "#c9d1d9"),
    "early-1": ("#b88217", "#f2cc60"),
    "early-2": ("#7f9420", "#c5d86d"),
    "early-3": ("#3f9a4c", "#7ee2a0"),
    "early-4": ("#27867d", "#5fd3c8"),
    "early-5": ("#2b6f9e", "#79b8f5"),
    "early-6": ("#1c4080", "#a5c3ff"),
}
NAMES = {light: name for name, (light, _) in COLORS.items()}
WIDTH = 4.7  # inches; a phone shows this at about three quarters of its size, and the letters stay legible

STYLE = {
    "axes.edgecolor": COLORS["axis"][0],
    "axes.facecolor": "none",
    "axes.labelcolor": COLORS["ink"][0],
    "axes.titlesize": 9.5,
    "figure.facecolor": "none",
    "font.size": 9.5,
    "grid.color": COLORS["grid"][0],
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",  # text stays text: it can be read aloud, found and copied
    "text.color": COLORS["ink"][0],
    "xtick.color": COLORS["axis"][0],
    "xtick.labelcolor": COLORS["soft"][0],
    "ytick.color": COLORS["axis"][0],
    "ytick.labelcolor": COLORS["soft"][0],
}


def css() -> str:
    """The colours as variables of CSS, for both schemes."""
    light, dark = (" ".join(f"--{name}: {pair[place]};" for name, pair in COLORS.items()) for place in (0, 1))
    return (
        f":root {{ color-scheme: light dark; {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    )


def color(name: str) -> str:
    """A colour to draw with, which becomes the one of the page."""
    return COLORS[name][0]


@contextmanager
def drawing(height: float) -> Iterator[Figure]:
    """An empty figure of this height in inches. Draw it, and call `embedded`, inside of the block."""
    library = load_matplotlib()
    with settled(), library.rc_context(STYLE):
        yield library.figure.Figure(figsize=(WIDTH, height), layout="constrained")


def embedded(figure: Figure, name: str, label: str) -> str:
    """A figure as SVG inside of a page: it loads nothing, takes the colours of the page, and its ids begin with `name`."""
    with load_matplotlib().rc_context({"svg.hashsalt": name, **STYLE}):
        svg = encoded(figure, "svg").decode("utf-8")
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"#[0-9a-f]{6}(?![\w-])", lambda found: _variable(found[0]), svg)
    svg = re.sub(r"font(-family)?: [^;\"]*'DejaVu Sans'[^;\"]*", _font, svg)
    svg = _ids(svg, name)
    svg = re.sub(r"\n\s*(?=<)", "\n", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert box is not None
    # a group, and not an image: an image would hide the links inside it from those who cannot see it
    head = f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} role="group" aria-label="{escape(label)}">'
    return head + svg[svg.index(">") + 1 :].strip()


def _variable(found: str) -> str:
    return f"var(--{NAMES[found]})" if found in NAMES else found


def _font(found: re.Match[str]) -> str:
    """The size of a text without its font, which is that of the page."""
    size = re.search(r"([\d.]+)px", found[0])
    return f"font-size: {size[1]}px" if size else ""


def _ids(svg: str, name: str) -> str:
    """The same with ids that differ from those of other drawings: those that are used, and those that a caller has set."""
    used = set(re.findall(r"""(?:url\(|xlink:href=")#([^)"]+)""", svg))
    own = {f"{name}-": True}

    def renamed(found: re.Match[str]) -> str:
        space, identity = found[1], found[2]
        if identity in used:
            return f'{space}id="{name}-{identity}"'
        return found[0] if any(identity.startswith(prefix) for prefix in own) else ""

    defined = set(re.findall(r'\bid="([^"]+)"', svg))
    svg = re.sub(r'(\s)id="([^"]+)"', renamed, svg)
    return re.sub(
        r"""(url\(|xlink:href=")#([^)"]+)""",
        lambda found: f"{found[1]}#{name}-{found[2]}" if found[2] in defined else found[0],
        svg,
    )


def line(place: int) -> str:
    """The name of the colour of a line by its place."""
    return f"line-{place % 8 + 1}"


def dash(style: str) -> Any:
    """A line style of CSS as one of matplotlib."""
    return {"solid": "-", "dashed": "--", "dotted": ":"}[style]
