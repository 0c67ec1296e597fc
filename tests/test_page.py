"""The page of a report: one file that has everything, for runs of any kind."""

from __future__ import annotations

import math
import re
from html import escape
from html.parser import HTMLParser
from typing import Any

import pytest

import xgrad as xg
from tests.support.watched import followed
from xgrad import nn, optim
from xgrad.diagnose import Finding, Report, watch

pytest.importorskip("matplotlib")

from xgrad.fit.page import LONGEST, MOST, SHOWN, page, record_of

EMPTY = {"meta", "br", "use", "path", "rect", "circle"}  # elements that have no end in HTML, or close themselves in SVG


class Reader(HTMLParser):
    """Checks that elements are nested, and collects ids, links and the names of elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in ("href", "xlink:href"):
                self.links.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)


def read(text: str) -> Reader:
    """The page, which is well-formed, has no id twice, leads nowhere else, and holds each place that it leads to."""
    reader = Reader(text)
    assert len(set(reader.ids)) == len(reader.ids)
    assert all(link[0] == "#" and link[1:] in reader.ids for link in reader.links)
    for loading in ("src=", "@import", "<link", "<script", "url(http", "url(data"):
        assert loading not in text
    return reader


def pictures_in(text: str) -> list[str]:
    return re.findall(r'<figure id="(\w+)">', text)


def trained(
    steps: int = 12,
    *,
    loss: Any = None,
    x: Any = None,
    y: Any = None,
    model: nn.Module | None = None,
    given: tuple[str, ...] = ("x", "y", "loss", "optimizer"),
    lr: float = 0.1,
) -> Report:
    """A report on a short run, whose watcher is given some of this only."""
    rng = xg.random.Generator(0)
    x = xg.linspace(-1, 1, 20)[:, None] if x is None else x
    y = x * x if y is None else y
    model = model or nn.Sequential(nn.Linear(1, 8, rng=rng), nn.ReLU(), nn.Linear(8, 1, rng=rng))
    loss = loss or nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=lr)
    known = {"x": x, "y": y, "loss": loss, "optimizer": optimizer}
    w = watch(model, **{name: value for name, value in known.items() if name in given})
    return followed(w, model, optimizer, loss, [(x, y)] * steps)


def a_finding(step: int = 0, **changes: Any) -> Finding:
    given = {"rule": "RULE", "severity": "error", "step": step, "where": "a <layer>", "says": "1 < 2", "fix": "x & y"}
    return Finding(**{**given, "evidence": {"a": 1.5}, **changes})


def test_a_run_has_all_pictures() -> None:
    text = page(trained())
    read(text)
    assert pictures_in(text) == ["loss", "norms", "idle", "curve", "outputs"]
    assert "best constant (mean): Var(y)" in text
    assert re.search(r"<p>12 steps: .* · SGD, lr 0.1</p>", text)
    assert "1 step: nothing was found wrong" in page(trained(1, given=("x",)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_finding_is_marked_and_the_list_links_to_the_mark() -> None:
    x = xg.linspace(-100, 100, 21)[:, None]
    report = trained(30, x=x, y=x * x, lr=0.5)
    assert report.errors
    text = page(report)
    reader = read(text)
    for place, finding in enumerate(report.findings, 1):
        assert f"finding-{place}" in reader.ids
        assert f'href="#loss-mark-{finding.step}"' in text
        for picture in ("loss", "norms", "idle"):
            assert f"{picture}-mark-{finding.step}" in reader.ids
    assert "#finding-1" in reader.links


@pytest.mark.parametrize("given", [(), ("x",), ("loss",), ("loss", "optimizer"), ("optimizer",)], ids=", ".join)
def test_a_watcher_that_is_given_little(given: tuple[str, ...]) -> None:
    text = page(trained(given=given))
    read(text)
    assert pictures_in(text) == ["loss", "norms", "idle", "outputs"]
    assert ("Last outputs against targets" in text) is ("loss" in given)
    assert ("Outputs are drawn against targets where" in text) is ("loss" not in given)


def test_a_model_with_two_arguments() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(1, 1)

        def forward(self, a: Any, b: Any) -> Any:
            return self.linear(a + b)

    model = Sum()
    w = watch(model)
    xg.sum(model(xg.ones((2, 1)), xg.ones((2, 1)))).backward()
    w.step(1.0)
    text = page(w.report())
    w.close()
    read(text)
    assert pictures_in(text) == ["loss", "norms", "outputs"]


def test_a_model_that_was_not_called_has_no_looks() -> None:
    w = watch(nn.Linear(1, 1))
    w.step(1.0)
    text = page(w.report())
    w.close()
    read(text)
    assert pictures_in(text) == ["loss"]
    assert "Layers are drawn where watch() is given x" in text


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_run_of_few_steps(steps: int) -> None:
    text = page(trained(steps))
    read(text)
    assert ("loss" in pictures_in(text)) is bool(steps)
    nothing = page(trained(0, given=()))
    assert "There is nothing to draw yet" in nothing


def test_labels_are_drawn_as_classes() -> None:
    x = xg.reshape(xg.linspace(-1, 1, 40), (20, 2))
    labels = xg.asarray([0] * 15 + [2] * 5)
    for y in (labels, xg.astype(labels[:, None] == xg.arange(3), x.dtype)):
        model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))
        text = page(trained(x=x, y=y, model=model, loss=nn.CrossEntropyLoss()))
        reader = read(text)
        assert pictures_in(text) == ["loss", "norms", "idle", "outputs"]
        assert "entropy of the labels = 0.5623" in text
        assert "Last outputs against labels" in text
        assert "table" in reader.names


def test_losses_that_are_not_numbers() -> None:
    report = trained()
    report.run.losses[:] = [math.nan, math.inf, -math.inf] * 4
    text = page(report)
    read(text)
    assert "No loss of 12 steps is a finite number." in text


def test_idle_shares_of_a_layer_whose_input_is_broken_are_unknown() -> None:
    report = trained()
    report.run.looks[0].activities[0].input_std = math.nan
    (layer,) = (layer for layer in record_of(report.run).layers if layer.idle)
    assert math.isnan(layer.share[0])
    assert math.isfinite(layer.share[1])


def test_a_long_run_has_a_page_of_bounded_size() -> None:
    report = trained()
    report.run.losses[:] = [1 + (k * 7919 % 1000) / 7 for k in range(50_000)]
    looks = report.run.looks
    looks[:] = [
        looks[k % len(looks)].__class__(**{**vars(looks[k % len(looks)]), "step": k}) for k in range(0, 50_000, 10)
    ]
    report.findings = [a_finding(step=7 * k, where="w" * 50) for k in range(2000)]
    text = page(report)
    reader = read(text)
    assert len(text) < 500_000
    assert sum(identity.startswith("finding-") for identity in reader.ids) == MOST
    assert f"{2000 - MOST} more findings are in report.json()." in text
    assert f"and {MOST - SHOWN} more</a>" in text


def test_what_a_finding_says_is_text() -> None:
    report = trained()
    report.findings = [
        a_finding(evidence={"list": list(range(1000)), "yes": True, "none": None, "<b>": "<i>"}),
        a_finding(fix=""),
    ]
    text = page(report)
    read(text)
    assert "1 &lt; 2" in text
    assert "a &lt;layer&gt;" in text
    assert "<dt>&lt;b&gt;</dt><dd>&lt;i&gt;</dd>" in text
    assert "<dt>yes</dt><dd>yes</dd>" in text
    assert "<dt>none</dt>" not in text
    assert max(map(len, re.findall("<dd>(.*?)</dd>", text))) <= LONGEST + 2
    assert text.count("<b>Fix:</b>") == 1


def test_the_page_follows_the_scheme_and_names_its_language() -> None:
    text = page(trained())
    assert "prefers-color-scheme: dark" in text
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
    svg = "".join(re.findall("<svg.*?</svg>", text, re.DOTALL))
    assert re.findall("#[0-9a-f]{6}(?![0-9a-z-])", svg) == []
    assert len(re.findall(r'<svg[^>]* role="group" aria-label="[^"]+"', text)) == text.count("<svg")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_page_begins_with_the_sentence_of_the_report() -> None:
    x = xg.linspace(-100.0, 100.0, 21)[:, None]
    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    w = watch(model, optimizer, loss=nn.MSELoss(), x=x, y=x)
    nn.MSELoss()(model(x), x).backward()
    optimizer.step()
    w.step(1.0)
    report = w.report()
    w.close()
    assert report.sentence
    assert f"<p>{escape(report.sentence)}</p>" in page(report)
