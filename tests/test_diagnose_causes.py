"""Causes, consequences, and the sentence that a report begins with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.watched import curve, network, trained
from xgrad import nn, optim
from xgrad.diagnose import Finding, rules
from xgrad.diagnose.causes import CAUSES, WORDS, explained
from xgrad.diagnose.rules import RULES


def finding(rule: str, severity: str = "warning", step: int = 0) -> Finding:
    return Finding(rule, severity, step, "somewhere", "it is so", {}, "mend it")


def test_every_rule_has_words() -> None:
    assert set(WORDS) == {rule.name for rule in RULES}
    assert set(CAUSES) <= set(WORDS)
    assert {cause for causes in CAUSES.values() for cause in causes} <= set(WORDS)


def test_every_rule_is_in_the_guide() -> None:
    guide = (Path(rules.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f"**{rule.name}**" not in guide] == []


def test_no_rule_causes_its_own_cause() -> None:
    def above(rule: str, seen: tuple[str, ...] = ()) -> None:
        assert rule not in seen
        for cause in CAUSES.get(rule, ()):
            above(cause, (*seen, rule))

    for rule in CAUSES:
        above(rule)


def test_consequences_stand_under_their_causes() -> None:
    found = explained(
        [finding("PLATEAU", step=90), finding("FROZEN"), finding("SCALE"), finding("OUTPUT_ACTIVATION", "error")]
    )
    told = [(each.rule, each.because) for each in found]
    assert told == [
        ("OUTPUT_ACTIVATION", ""), ("FROZEN", "OUTPUT_ACTIVATION"), ("PLATEAU", "OUTPUT_ACTIVATION"), ("SCALE", ""),
    ]  # fmt: skip


def test_a_note_causes_nothing() -> None:
    found = explained([finding("LOSS_TASK", "note"), finding("PLATEAU")])
    assert [(each.rule, each.because) for each in found] == [("PLATEAU", ""), ("LOSS_TASK", "")]


def test_several_findings_of_one_rule_keep_all_their_findings() -> None:
    several = [
        finding("SCALE"),
        Finding("SCALE", "warning", 0, "y", ""),
        finding("PLATEAU"),
        finding("PLATEAU", step=1),
    ]
    assert sorted(each.rule for each in explained(several)) == ["PLATEAU", "PLATEAU", "SCALE", "SCALE"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_sentence() -> None:
    x, y = curve()
    model = network(1, 16, 1)
    report = trained(model, optim.SGD(model.parameters(), lr=0.01), nn.MSELoss(), 100 * x, 1e4 * y, 20)
    assert str(report).startswith(report.sentence)
    assert "because the steps are too large" in report.sentence
    assert "(STEP_UNSTABLE). What to do: standardise x and y" in report.sentence
    assert report.json()["sentence"] == report.sentence


def test_no_findings_no_sentence() -> None:
    x, y = curve()
    model = network(1, 32, 32, 1, hidden=nn.Tanh)
    report = trained(model, optim.Adam(model.parameters(), lr=0.01), nn.MSELoss(), x, y, 400)
    assert report.findings == []
    assert report.sentence == ""
    assert "nothing was found wrong" in str(report)
