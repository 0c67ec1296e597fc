"""The colours of the pictures: legible in both schemes, and as variables of the page."""

from __future__ import annotations

import re

import pytest

from xgrad.fit.pictures.scheme import COLORS, NAMES, color, css, drawing, embedded


def luminance(shade: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(shade[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_of_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", [name for name in COLORS if name not in ("paper", "card", "grid", "axis", "target")])
def test_text_and_lines_stand_out(name: str, scheme: int) -> None:
    text = name in ("ink", "soft", "link", "error", "warning", "note", "mark")
    for ground in ("paper", "card") if text else ("paper",):
        assert contrast(COLORS[name][scheme], COLORS[ground][scheme]) >= (4.5 if text else 3)


def test_each_light_colour_stands_for_one_name() -> None:
    assert len(NAMES) == len(COLORS)
    assert all(re.fullmatch("#[0-9a-f]{6}", shade) for pair in COLORS.values() for shade in pair)


def test_the_page_has_every_colour_twice() -> None:
    light, dark = css().split("@media (prefers-color-scheme: dark)")
    for name, pair in COLORS.items():
        assert f"--{name}: {pair[0]};" in light
        assert f"--{name}: {pair[1]};" in dark


def test_a_drawing_has_no_colour_of_its_own_and_loads_nothing() -> None:
    pytest.importorskip("matplotlib")
    with drawing(2.0) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [1, 2], color=color("line-1"), marker="o")
        axes.axvline(0.5, color=color("mark")).set_gid("name-mark-3")
        axes.text(0, 1, "3", color=color("mark")).set_url("#finding-3")
        axes.set_title("a title")
        svg = embedded(figure, "name", 'a "label" <b>')
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) == set()
    assert "var(--line-1)" in svg
    assert 'aria-label="a &quot;label&quot; &lt;b&gt;"' in svg
    assert ">a title</text>" in svg  # as text, in the font of the page
    assert "DejaVu" not in svg
    assert 'id="name-mark-3"' in svg
    assert 'href="#finding-3"' in svg
    assert all(identity.startswith("name-") for identity in re.findall(r'\bid="([^"]+)"', svg))
    used = re.findall(r"""url\(#([^)"]+)""", svg)
    assert used
    assert set(used) <= set(re.findall(r'\bid="([^"]+)"', svg))
    for loading in ("<style", "<metadata", "<?xml", "src=", "url(http"):
        assert loading not in svg


def test_two_drawings_share_no_id() -> None:
    pytest.importorskip("matplotlib")
    found = []
    for name in ("one", "other"):
        with drawing(2.0) as figure:
            figure.subplots().plot([0, 1], [1, 2], marker="o")
            found.append(set(re.findall(r'\bid="([^"]+)"', embedded(figure, name, name))))
    assert found[0]
    assert not found[0] & found[1]
