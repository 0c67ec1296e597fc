"""What the pictures by step share: marks, thinned lines, axes and numbers."""

from __future__ import annotations

import math

import pytest

from xgrad.diagnose import Finding
from xgrad.fit.pictures.scheme import drawing
from xgrad.fit.pictures.steps import ROWS, Mark, draw_marks, drawable, lone, marks, ranges, short, step_axis, thinned

nan, inf = math.nan, math.inf


def a_finding(step: int) -> Finding:
    return Finding("RULE", "error", step, "the loss", "it is so")


def test_a_mark_has_the_numbers_of_the_findings_at_its_step() -> None:
    assert marks([a_finding(7), a_finding(0), a_finding(7)]) == [Mark(0, [2]), Mark(7, [1, 3])]
    assert marks([]) == []


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([1], "1"),
        ([2, 1], "1, 2"),
        ([1, 2, 3, 5], "1–3, 5"),
        (range(1, 101), "1–100"),
        (range(1, 40, 2), "1, 3, 5, 7 …"),
    ],
)
def test_numbers_in_a_label(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_labels_share_no_place_and_few_rows() -> None:
    pytest.importorskip("matplotlib")
    with drawing(2.0) as figure:
        axes = figure.subplots()
        step_axis(axes, 10_000)
        draw_marks(axes, [Mark(step, [step + 1]) for step in range(0, 10_000, 50)], "loss", 2.0)
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len({round(box.y0) for box in boxes}) <= ROWS
        assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[:place])
        assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
        assert all(box.y1 <= figure.bbox.y1 for box in boxes)
        assert len(axes.lines) == 200


def test_the_axes_of_all_pictures_by_step_are_as_large() -> None:
    pytest.importorskip("matplotlib")
    sizes = []
    for count in (0, 1, 300):
        with drawing(2.0) as figure:
            axes = figure.subplots()
            step_axis(axes, 1000)
            draw_marks(axes, [Mark(step, [step]) for step in range(count)], "loss", 2.0)
            figure.draw_without_rendering()
            box = axes.get_window_extent()
            sizes.append((round(box.x0), round(box.width), round(box.height)))
    assert len(set(sizes)) == 1


def test_a_short_line_is_not_thinned() -> None:
    assert thinned([0, 3, 9], [1.0, nan, 2.0]) == ([0, 3, 9], [1.0, nan, 2.0])


def test_a_thinned_line_keeps_its_ends_its_peaks_and_its_gaps() -> None:
    values = [1.0] * 100_000
    values[70_000], values[70_001], values[70_002], values[70_003] = 99.0, -99.0, nan, inf
    steps, kept = thinned(range(100_000), values, bins=50)
    assert steps == sorted(set(steps))
    assert (steps[0], len(steps) <= 4 * 51) == (0, True)
    assert {99.0, -99.0} <= set(kept)
    assert any(math.isnan(value) for value in kept)
    assert steps[-1] > 95_000  # the last bin
    assert [values[step] for step in steps if step != 70_002] == [v for v in kept if not math.isnan(v)]


def test_a_value_between_two_gaps_is_marked() -> None:
    assert lone([1.0, nan, 2.0, 3.0, nan, 4.0]) == [0, 5]
    assert lone([5.0]) == [0]
    assert lone([nan]) == lone([]) == lone([1.0, 2.0]) == []


def test_what_has_no_place_on_the_axis_is_a_gap() -> None:
    assert [v for v in drawable([1.0, 0.0, -1.0, inf, nan], positive=True) if v == v] == [1.0]
    assert [v for v in drawable([1.0, 0.0, -1.0, inf, nan], positive=False) if v == v] == [1.0, 0.0, -1.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0"), (0.25, "0.25"), (1234.5, "1234"), (99999.0, "99999"), (1e5, "1e5"), (20370000.0, "2.04e7")),
        *((-3.2e-7, "−3.2e−7"), (1e-10, "1e−10"), (1e300, "1e300"), (inf, "inf"), (nan, "nan")),
    ],
)
def test_a_number_in_short(value: float, text: str) -> None:
    assert short(value) == text
