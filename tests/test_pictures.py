"""The pictures of the page about a run: what each draws, and what it says."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from xgrad.diagnose import Finding
from xgrad.fit.record import LayerTrace, Record, Stage

pytest.importorskip("matplotlib")

from xgrad.fit.pictures.answers import Bits, Classes, Values
from xgrad.fit.pictures.classes import draw_bits, draw_classes
from xgrad.fit.pictures.curve import draw_curve
from xgrad.fit.pictures.layers import MOST, draw_idle, draw_norms
from xgrad.fit.pictures.loss import draw_loss, in_words
from xgrad.fit.pictures.picture import Key, Picture
from xgrad.fit.pictures.steps import Mark
from xgrad.fit.pictures.values import draw_values

nan, inf = math.nan, math.inf


def a_record(**changes: Any) -> Record:
    given: dict[str, Any] = {
        "title": "",
        "setting": "",
        "x": [],
        "y": [],
        "shown_x": [],
        "curve": None,
        "loss_name": "loss",
    }
    return Record(**{**given, "references": [], **changes})


def layers(count: int, steps: int = 3, idle: str = "dead") -> list[LayerTrace]:
    return [LayerTrace(f"layer {k}", idle, [10.0**-k] * steps, [k / count] * steps) for k in range(count)]


def labels(picture: Picture | None) -> list[str]:
    assert picture is not None
    return [key.label for key in picture.keys]


# --- the loss


def test_the_loss_with_the_losses_that_mean_something() -> None:
    record = a_record(loss=[4.0, 2.0, 1.0], references=[("Var(y) = 3", 3.0), ("no number", nan)])
    picture = draw_loss(record, [Mark(1, [1, 2])])
    assert labels(picture) == ["loss", "Var(y) = 3"]
    assert picture is not None
    assert picture.says == "4 at step 0, 1 at step 2."
    assert 'id="loss-mark-1"' in picture.svg
    assert 'href="#finding-1"' in picture.svg
    assert ">1, 2</text>" in picture.svg


def test_broken_losses_are_marked_at_the_edge() -> None:
    picture = draw_loss(a_record(loss=[1.0, inf, nan]), [])
    assert "nan or inf (× at the upper edge)" in labels(picture)
    assert "nan or inf (× at the upper edge)" not in labels(draw_loss(a_record(loss=[1.0, 2.0]), []))
    assert picture is not None
    assert picture.svg.count("var(--error)") > 0


def test_a_loss_over_decades_has_a_logarithmic_axis_and_zeros_are_marked() -> None:
    picture = draw_loss(a_record(loss=[1e6, 1.0, 0.0]), [])
    assert picture is not None
    assert ">10000</text>" in picture.svg
    assert "exactly 0 (▾ at the lower edge)" in labels(picture)
    narrow = draw_loss(a_record(loss=[3.0, 2.0, 0.0]), [])
    assert "exactly 0 (▾ at the lower edge)" not in labels(narrow)


@pytest.mark.parametrize("loss", [[1.0], [nan], [nan] * 3, [0.0, 0.0], [-1.0, 1e9], [1e308, 1e-308], [inf, -inf]])
def test_any_loss_can_be_drawn(loss: list[float]) -> None:
    picture = draw_loss(a_record(loss=loss), [Mark(0, [1]), Mark(len(loss), [2])])
    assert picture is not None
    assert len(picture.svg) < 40_000


def test_there_is_no_loss_before_the_first_step() -> None:
    assert draw_loss(a_record(), []) is None


def test_a_long_loss_is_thinned() -> None:
    picture = draw_loss(a_record(loss=[1 + (k * 7919 % 1000) / 10 for k in range(100_000)]), [])
    assert picture is not None
    assert len(picture.svg) < 60_000


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ([2.0], "2 at step 0."),
        ([2.0, 9.0, 1.0, 3.0], "2 at step 0, at most 9 (step 1), at least 1 (step 2), 3 at step 3."),
        ([2.0, nan, nan], "2 at step 0; 2 of 3 are not finite, from step 1."),
        ([2.0, nan, 1.0, inf], "2 at step 0, 1 at step 2; 2 of 4 are not finite, first at step 1."),
        ([nan], "The only loss is not finite."),
        ([nan, inf], "No loss of 2 steps is a finite number."),
    ],
)
def test_the_loss_in_words(loss: list[float], said: str) -> None:
    assert in_words(loss) == said


# --- the layers


def test_few_layers_are_all_drawn_and_keep_their_colours() -> None:
    record = a_record(sampled=[0, 1, 2], layers=layers(3))
    record.layers[0].idle = None
    norms, idle = draw_norms(record, [], []), draw_idle(record, [], [])
    assert norms is not None
    assert idle is not None
    assert norms.says == "At the last look from 0.01 (layer 2) to 1 (layer 0)."
    assert idle.title == "Idle units by layer: dead units"
    assert idle.says == "At the last look at most 67 % of a layer (layer 2, 67 % at the first)."
    colors = {key.label: key.color for key in norms.keys}
    assert [colors[key.label] for key in idle.keys] == [key.color for key in idle.keys] == ["line-2", "line-3"]


def test_of_many_layers_those_that_matter_are_drawn() -> None:
    record = a_record(sampled=[0, 1, 2], layers=layers(300))
    record.layers[77].gradient_norm = [1e9] * 3
    record.layers[78].share = [1.0] * 3
    finding = Finding("DEAD_LAYER", "error", 0, "layer 123", "it is dead")
    norms, idle = draw_norms(record, [], [finding]), draw_idle(record, [], [finding])
    names = labels(norms)
    assert {"layer 0", "layer 299", "layer 123", "layer 77"} <= set(names)
    assert names[MOST:] == ["from the smallest to the largest of all 300 layers"]
    assert norms is not None
    assert norms.says.startswith("8 of 300 layers are drawn.")
    assert {"layer 78", "layer 123", "from the smallest to the largest of all 300 layers"} <= set(labels(idle))
    assert idle is not None
    assert len({key.color for key in idle.keys}) == len(idle.keys) == MOST + 1
    assert len(norms.svg) < 40_000


def test_the_layers_with_the_most_idle_units_are_drawn_where_those_with_norms_have_none() -> None:
    record = a_record(sampled=[0, 1, 2], layers=layers(30))
    for layer in record.layers[::2]:
        layer.idle = None
    record.layers[7].share = [0.99] * 3
    assert "layer 7" in labels(draw_idle(record, [], []))


def test_norms_that_are_zero_or_broken_are_marked() -> None:
    record = a_record(
        sampled=[0, 1, 2], layers=[LayerTrace("a", None, [1.0, 100.0, 0.0]), LayerTrace("b", None, [1.0, nan, inf])]
    )
    picture = draw_norms(record, [], [])
    assert labels(picture) == ["a", "b", "nan or inf (× at the upper edge)", "exactly 0 (▾ at the lower edge)"]
    assert picture is not None
    assert picture.says == "At the last look 0, and not finite in 1."


def test_no_look_no_picture() -> None:
    assert draw_norms(a_record(), [], []) is None
    assert draw_idle(a_record(), [], []) is None
    record = a_record(sampled=[0], layers=[LayerTrace("a", None, [1.0], [nan])])
    assert draw_idle(record, [], []) is None


@pytest.mark.parametrize("value", [nan, inf, 0.0, 1e-320])
def test_any_norm_can_be_drawn(value: float) -> None:
    record = a_record(sampled=[0], layers=[LayerTrace(f"{k}", "saturated", [value], [nan]) for k in range(20)])
    assert draw_norms(record, [Mark(5, [1])], []) is not None
    idle = draw_idle(record, [], [])
    assert idle is not None
    assert idle.says.endswith("the outputs are not finite.")


# --- the outputs


def test_outputs_against_targets() -> None:
    picture = draw_values(Values([[0.0, 1.0, 2.0]], [[0.0, 1.0, 3.0]], [0], 1))
    assert picture.title == "Last outputs against targets"
    assert picture.says == "3 samples. Outputs from 0 to 2, targets from 0 to 3, R² = 0.786."
    assert labels(picture) == ["outputs", "targets", "output = target"]


def test_outputs_without_targets() -> None:
    picture = draw_values(Values([[1.0, 1.0]], None, [0], 1))
    assert (picture.title, picture.says) == ("Last outputs", "2 samples. Outputs all 1.")
    assert labels(picture) == ["outputs"]


def test_of_several_outputs_the_worst_are_drawn() -> None:
    targets = [[0.0, 1.0, 2.0]] * 6
    outputs = [[0.0, 1.0, 2.0 + k] for k in (3, 0, 5, 0, 1, 9)]
    picture = draw_values(Values(outputs, targets, list(range(6)), 6))
    assert re.findall(r">output (\d) of 6</text>", picture.svg) == ["1", "3", "6"]
    assert "3 of 6 outputs are drawn, those with the largest errors." in picture.says


@pytest.mark.parametrize("value", [1e300, -1e300, inf, nan, 1e30])
def test_an_output_far_off_is_marked_at_the_edge(value: float) -> None:
    picture = draw_values(Values([[0.0, value]], [[0.0, 1.0]], [0], 1))
    assert "off the axis or not finite (×)" in labels(picture)
    assert "off the axis or not finite (×)" not in labels(draw_values(Values([[0.0, 2.0]], [[0.0, 1.0]], [0], 1)))


@pytest.mark.parametrize("values", [[5.0, 5.0], [0.0], [nan, nan], [1e300, -1e300], [1e-310, 0.0]])
def test_any_outputs_can_be_drawn(values: list[float]) -> None:
    for targets in (values, [3.0] * len(values)):
        assert draw_values(Values([values], [targets], [0], 1)).svg
    assert draw_values(Values([values], None, [0], 1)).svg


def test_classes_as_shares_and_in_a_table() -> None:
    picture = draw_classes(Classes([0, 0, 1, 1], [0, 0, 0, 1], 2, 0, 0))
    assert picture.says == "3 of 4 samples are right: 75 %; always class 0 would be right in 75 %."
    assert re.findall(r">(\d+ %)</text>", picture.svg)[-4:] == ["75 %", "25 %", "50 %", "50 %"]
    rows = re.findall(r'<tr><th scope="row">(\d)</th>(.*?)</tr>', picture.below)
    assert [(name, re.findall(r">(\d+)</td>", cells)) for name, cells in rows] == [("0", ["2", "1"]), ("1", ["0", "1"])]
    assert re.findall(r'class=hit style="--share: ([\d.]+)"', picture.below) == ["0.67", "1.00"]


def test_of_many_classes_some_are_named() -> None:
    right = [k % 50 for k in range(500)]
    picture = draw_classes(Classes([0] * 500, right, 50, 0, 0))
    assert "The 12 of 50 classes whose shares differ most are drawn." in picture.says
    assert "The 7 commonest of 50 classes are named." in picture.below
    counts = [int(count) for count in re.findall(r">(\d+)</td>", picture.below)]
    assert (len(counts), sum(counts)) == (64, 500)


def test_classes_that_are_left_out_are_counted() -> None:
    picture = draw_classes(Classes([], [], 3, 5, 2))
    assert picture.says == "No output is finite; left out, as not finite: 5; left out, as their labels are no class: 2."
    assert picture.below == ""


def test_answers_of_yes_or_no() -> None:
    picture = draw_bits(Bits([3, 0], [1, 2], 4, 4, 1))
    assert picture.says == (
        "4 of 8 answers are right: 50 %; always the commoner answer would be right in 62.5 %; "
        "left out, as not finite: 1."
    )
    assert re.findall(r">(\d+ %)</text>", picture.svg)[-4:] == ["25 %", "50 %", "75 %", "0 %"]
    assert re.findall(r">(\d)</text>", picture.svg) == ["1", "2"]
    many = draw_bits(Bits([1] * 30, [0] * 30, 1, 1, 0))
    assert "The 12 of 30 outputs whose shares differ most are drawn." in many.says
    assert draw_bits(Bits([0, 0], [0, 0], 0, 0, 9)).says == "No output is finite; left out, as not finite: 9."


# --- the curve


def test_the_learned_curve_at_several_steps() -> None:
    x, y = [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]
    stages = [Stage(step, [step / 10 * v for v in y]) for step in (0, 1, 2, 5, 10)]
    picture = draw_curve(a_record(x=x, y=y, shown_x=x, curve=(x, y), stages=stages))
    assert labels(picture)[:2] == ["true curve", "targets"]
    assert labels(picture)[-1] == "step 10, the last"
    assert picture is not None
    assert picture.says == "The output over x at step 10 and 4 before; at step 10, all of it lies in the picture."
    assert len({key.color for key in picture.keys}) == len(picture.keys)


def test_a_curve_that_is_not_in_the_picture_is_said_to_be() -> None:
    record = a_record(x=[0.0, 1.0], y=[0.0, 1.0], shown_x=[0.0, 1.0], stages=[Stage(3, [nan, nan])])
    picture = draw_curve(record)
    assert picture is not None
    assert picture.says == "The output over x at step 3; at step 3, it is nan."
    assert draw_curve(a_record()) is None


def test_a_picture_is_a_figure_with_its_key() -> None:
    html = Picture("loss", "a < b", "c & d", "<svg></svg>", [Key("e > f", "line-1", "dashed")], "<p>below</p>").html()
    assert html.startswith('<figure id="loss"><figcaption><h2>a &lt; b</h2><p>c &amp; d</p></figcaption>')
    assert '<i class="dashed" style="--key: var(--line-1)"></i>e &gt; f' in html
    assert html.endswith("<p>below</p></figure>")
