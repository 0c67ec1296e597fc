"""The picture of a run."""

import math
import sys
from pathlib import Path
from typing import Any

import pytest

from xgrad.fit.record import LayerTrace, Record, Stage

pytest.importorskip("matplotlib")

from xgrad.fit import plot

X = [-2.0, -1.0, 0.0, 1.0, 2.0]
Y = [4.0, 1.0, 0.0, 1.0, 4.0]


def a_record(steps: int = 30, **changes: object) -> Record:
    sampled = list(range(steps))
    record = Record(
        title="x**2: R² = 0.99",
        setting="1-2-1 relu",
        x=X,
        y=Y,
        shown_x=X,
        curve=(X, Y),
        loss_name="mean squared error",
        references=[("best constant", 2.8), ("output zero", 6.8)],
        loss=[10.0 / (step + 1) for step in sampled],
        stages=[Stage(step, [step / max(1, steps) * y for y in Y]) for step in [*sampled, steps]],
        sampled=sampled,
        layers=[
            LayerTrace("layer 1", "dead", [1.0] * steps, [0.5] * steps),
            LayerTrace("output", None, [2.0] * steps, []),
        ],
    )
    for name, value in changes.items():
        setattr(record, name, value)
    return record


def labels(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def panels(record: Record) -> list[Any]:
    return list(plot.draw(record).axes)


def test_the_last_curve_lies_on_top_and_the_targets_are_there() -> None:
    fit, loss, norms, shares = panels(a_record())
    lines = {line.get_label(): line for line in fit.lines}
    last = lines["step 30, the last"]
    assert list(last.get_ydata()) == Y
    assert all(last.zorder > line.zorder for line in fit.lines if line is not last)
    assert list(lines["true curve"].get_ydata()) == Y
    (targets,) = fit.collections
    assert [list(point) for point in targets.get_offsets()] == [list(p) for p in zip(X, Y, strict=True)]
    assert labels(fit)[:2] == ["true curve", "targets"]
    assert next(label for label in labels(fit) if label.startswith("step ")) == "step 0"
    assert labels(loss) == ["loss", "best constant", "output zero"]
    assert labels(norms) == ["layer 1", "output"]
    assert labels(shares) == ["layer 1: dead units"]
    assert [axes.get_yscale() for axes in (fit, loss, norms)] == ["linear", "log", "log"]
    assert "R² = 0.99" in fit.get_title(loc="left")


def test_legends_stand_beside_the_axes() -> None:
    figure = plot.draw(a_record())
    figure.draw_without_rendering()
    for axes in list[Any](figure.axes):
        assert axes.get_legend().get_window_extent().x0 >= axes.get_window_extent().x1
        assert axes.get_legend().get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("prediction", "said"),
    [
        ([1e20] * 5, ": off scale, up to 1e+20"),
        ([-1e20, 0.0, 0.0, 0.0, 9e9], ": partly off scale, down to -1e+20"),
        ([math.nan] * 5, ": nan"),
        ([math.inf] * 5, ": inf"),
        ([math.nan, 1.0, 1.0, 1.0, 1.0], ": nan at 1 of 5"),
        ([math.nan, 1.0, 1.0, 1.0, 1e9], ": nan at 1 of 5: partly off scale, up to 1e+09"),
    ],
)
def test_what_cannot_be_seen_is_said(prediction: list[float], said: str) -> None:
    record = a_record()
    record.stages[-1].prediction = prediction
    fit, *_ = panels(record)
    assert labels(fit)[-1] == f"step 30, the last{said}"
    assert fit.get_ylim() == pytest.approx((-0.6, 4.6))  # set by the targets alone


def test_logarithmic_lines_have_gaps_and_say_so() -> None:
    values = [1.0, math.inf, math.nan, 0.0, 0.0]
    layer = LayerTrace("layer 1", "dead", values, [0.0] * 5)
    record = a_record(5, loss=values, layers=[layer])
    _, loss, norms, _ = panels(record)
    for axes in (loss, norms):
        drawn = list(axes.lines[0].get_ydata())
        assert drawn[0] == 1.0
        assert all(math.isnan(value) for value in drawn[1:])
        assert "inf at step 1, nan at step 2, 0 from step 3" in labels(axes)[0]


def test_runs_with_nothing_to_draw_are_drawn(tmp_path: Path) -> None:
    stopped = a_record(0, layers=[LayerTrace("output", None)])
    dead = a_record(3, loss=[math.nan] * 3, references=[("best constant = output zero", 0.0)])
    dead.layers = [LayerTrace("output", "dead", [0.0] * 3, [math.nan] * 3)]
    for place, record in enumerate((stopped, dead)):
        plot.save(plot.draw(record), tmp_path / f"{place}.png")
        plot.animate(record, tmp_path / f"{place}.gif")
        assert (tmp_path / f"{place}.png").stat().st_size > 10_000


def test_no_empty_panel_for_activations_that_cannot_die() -> None:
    record = a_record(layers=[LayerTrace("output", None, [1.0] * 30)])
    assert [axes.get_ylabel() for axes in panels(record)] == [
        "y",
        "mean squared error",
        "gradient norm",
    ]


def test_a_dollar_sign_is_no_formula(tmp_path: Path) -> None:
    plot.save(plot.draw(a_record(title=r"cost $\frac.csv$")), tmp_path / "a.png")


@pytest.mark.parametrize("steps", [3, 20, 30])
def test_logarithmic_axes_are_labelled_with_powers(steps: int) -> None:
    figure = plot.draw(a_record(steps, loss=[2.0**-step for step in range(steps)]))
    plot.encoded(figure)
    ticks = [
        text for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for text in axis.get_ticklabels(which="both")
    ]
    powers = [text for text in ticks if "10^" in text.get_text()]
    assert powers
    assert all(text.get_parse_math() for text in powers)  # else they are drawn as they are written


def test_of_many_layers_a_few_are_named() -> None:
    record = a_record(layers=[LayerTrace(f"layer {k}", "dead", [1.0] * 30, [0.5] * 30) for k in range(100)])
    _, _, norms, shares = panels(record)
    assert labels(norms) == [*(f"layer {k}" for k in range(plot.NAMED - 2)), "layer 98", "layer 99"]
    assert len(labels(shares)) == plot.NAMED
    assert len(norms.lines) >= 100


def test_few_curves_are_chosen_of_many() -> None:
    many = [Stage(step, Y) for step in [*range(10), *range(50, 5001, 50)]]
    chosen = [stage.step for stage in plot.chosen(many)]
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (0, 5000)
    assert len(chosen) <= plot.EARLIER + 1
    assert len([step for step in chosen if step < 100]) >= 3
    assert [stage.step for stage in plot.chosen(many[:1])] == [0]


def test_animation_shows_every_stage(tmp_path: Path) -> None:
    from PIL import Image

    plot.animate(a_record(8), tmp_path / "run.gif")
    with Image.open(tmp_path / "run.gif") as picture:
        assert picture.format == "GIF"
        frames = getattr(picture, "n_frames", 1)
        assert 9 <= frames <= plot.FRAMES + 12  # like frames at the end are joined


def test_a_picture_without_matplotlib_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'xgrad\[fit\]'"):
        plot.draw(a_record())
