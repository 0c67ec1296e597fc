"""A report as one HTML file: the pictures of the run, and its findings. It loads nothing, and follows a dark scheme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xgrad.diagnose.finding import Finding, number
from xgrad.diagnose.given import SAMPLE
from xgrad.diagnose.network import is_float
from xgrad.fit.files import write
from xgrad.fit.pictures import Picture, pictures
from xgrad.fit.pictures.levels import levels
from xgrad.fit.pictures.scheme import css
from xgrad.fit.record import LayerTrace, Record, Stage

if TYPE_CHECKING:
    from xgrad.diagnose.report import Report
    from xgrad.diagnose.run import Run

MOST = 100  # findings on the page
SHOWN = 12  # of them, at the top
LONGEST = 300  # letters of a value
BY_STEP = ("loss", "norms", "idle")  # pictures with the marks of the findings

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{colors}
* {{ box-sizing: border-box; }}
body {{ font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.4rem; margin: 0; }}
h2 {{ font-size: 1.05rem; margin: 0; }}
h3 {{ font-size: 1rem; margin: .2rem 0; }}
h3 small {{ font-weight: normal; color: var(--soft); }}
p {{ margin: .2rem 0; }}
a {{ color: var(--link); }}
header p, footer {{ color: var(--soft); }}
.first {{ list-style: none; padding: 0; margin: .6rem 0 0; display: flex; flex-wrap: wrap; gap: .4rem; }}
.first a {{ display: inline-block; padding: .1rem .6rem; border: 1px solid var(--kind); border-radius: 1rem;
  color: var(--ink); text-decoration: none; font-size: .9rem; }}
.first a:hover {{ background: var(--card); }}
.error {{ --kind: var(--error); }} .warning {{ --kind: var(--warning); }} .note {{ --kind: var(--note); }}
b.number {{ color: var(--kind); }}
main {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 0 1rem; margin: 1.2rem 0; }}
figure {{ margin: 0 0 1rem; padding: .8rem; background: var(--paper); border: 1px solid var(--grid); border-radius: .5rem; }}
figcaption p {{ font-size: .85rem; color: var(--soft); }}
svg {{ display: block; width: 100%; height: auto; max-width: 40rem; margin: .4rem auto 0; }}
svg * {{ stroke-linejoin: round; stroke-linecap: butt; }}
svg a:hover, svg a:focus {{ text-decoration: underline; }}
svg :target path {{ stroke-width: 3 !important; stroke-dasharray: none !important; }}
.keys {{ list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .3rem 0 0; padding: 0; font-size: .82rem; }}
.keys li {{ display: flex; gap: .4rem; }}
.keys i {{ flex: none; width: 1.5rem; height: 0; margin-top: .58rem; border-top: 3px solid var(--key);
  font-style: normal; line-height: 1; text-align: center; color: var(--key); }}
.keys .dashed {{ border-top-style: dashed; }} .keys .dotted {{ border-top-style: dotted; }}
.keys .block {{ border-top-width: .7rem; margin-top: .3rem; }}
.keys .cross, .keys .wedge, .keys .dots {{ border: 0; width: auto; height: auto; margin-top: .15rem; }}
.keys .cross::before {{ content: "×"; font-size: 1.1rem; }} .keys .wedge::before {{ content: "▾"; }}
.keys .dots::before {{ content: "•"; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .82rem; margin-top: .6rem; min-width: min(100%, 22rem); }}
caption {{ text-align: left; color: var(--soft); }}
th, td {{ padding: .15rem .55rem; text-align: right; overflow-wrap: normal; }}
tbody td {{ background: color-mix(in srgb, var(--error) calc(var(--share) * 45%), transparent); }}
tbody td.hit {{ background: color-mix(in srgb, var(--line-1) calc(var(--share) * 45%), transparent); }}
article {{ border-left: 4px solid var(--kind); background: var(--card); margin: .8rem 0; padding: .4rem 1rem;
  border-radius: 0 .5rem .5rem 0; }}
article:target {{ outline: 2px solid var(--mark); }}
dl {{ display: flex; flex-wrap: wrap; gap: 0 1.5rem; margin: .3rem 0; font-size: .85rem; color: var(--soft); }}
dl div {{ display: flex; gap: .4rem; min-width: 0; }}
dt {{ flex: none; }}
dd {{ margin: 0; color: var(--ink); min-width: 0; }}
footer {{ font-size: .85rem; margin-top: 1.5rem; }}
@media print {{ figure, article {{ break-inside: avoid; }} }}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{summary}</p>
{sentence}
{first}
</header>
<main>
{pictures}
</main>
{findings}
<footer>{footer}</footer>
</body>
</html>
"""


def save_page(report: Report, path: str | Path) -> None:
    """Write the page of a report. The file is replaced whole or left as it was."""
    write(path, page(report).encode("utf-8", "backslashreplace"))


def page(report: Report) -> str:
    """The page of a report, as HTML."""
    record = report.record or record_of(report.run)
    findings = report.findings[:MOST]
    drawn = pictures(record, report.run, findings)
    errors, others = len(report.errors), len(report.findings) - len(report.errors)
    summary = f"{_count(report.steps, 'step')}: " + (
        f"{_count(errors, 'error')} and {_count(others, 'warning')}" if report.findings else "nothing was found wrong"
    )
    by_step = next((picture.name for picture in drawn if picture.name in BY_STEP), "")
    return PAGE.format(
        colors=css(),
        title=escape(record.title or "A training run"),
        summary=escape(summary + (f" · {record.setting}" if record.setting else "")),
        sentence=f"<p>{escape(report.sentence)}</p>" if report.sentence else "",
        first=_first(findings),
        pictures=_in_two(drawn) or "<p>There is nothing to draw yet: no step was taken.</p>",
        findings=_list(report.findings, by_step),
        footer=escape(_footer(report, drawn)),
    )


def _in_two(drawn: Sequence[Picture]) -> str:
    """The pictures in two groups, side by side where there is room: those by step, whose axes are alike, and the others."""
    groups = [[p for p in drawn if (p.name in BY_STEP) is by_step] for by_step in (True, False)]
    return "\n".join("\n".join(("<div>", *map(Picture.html, group), "</div>")) for group in groups if group)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _first(findings: Sequence[Finding]) -> str:
    """The findings in a line, each with a link to its place in the list."""
    items = [
        f'<li class="{finding.severity}"><a href="#finding-{place}"><b class="number">{place}</b> '
        f"{escape(finding.rule)}, step {finding.step}</a></li>"
        for place, finding in enumerate(findings[:SHOWN], 1)
    ]
    if len(findings) > SHOWN:
        items.append(f'<li class="note"><a href="#finding-{SHOWN + 1}">and {len(findings) - SHOWN} more</a></li>')
    return f'<ul class="first" aria-label="Findings">{"".join(items)}</ul>' if items else ""


def _list(findings: Sequence[Finding], by_step: str) -> str:
    if not findings:
        return ""
    parts = [article(place, finding, by_step) for place, finding in enumerate(findings[:MOST], 1)]
    if len(findings) > MOST:
        parts.append(f"<p>{len(findings) - MOST} more findings are in report.json().</p>")
    return "<section>\n<h2>Findings</h2>\n" + "\n".join(parts) + "\n</section>"


def article(place: int, finding: Finding, by_step: str = "") -> str:
    """A finding with its number, and a link to its mark in the picture of this name."""
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(_cut(_shown(value)))}</dd></div>"
        for name, value in finding.evidence.items()
        if value not in ("", None, [])
    )
    step = f"step {finding.step}"
    if by_step:
        step = f'<a href="#{by_step}-mark-{finding.step}" title="Show it in the picture">{step}</a>'
    fix = f"<p><b>Fix:</b> {escape(finding.fix)}</p>" if finding.fix else ""
    return (
        f'<article class="{finding.severity}" id="finding-{place}">'
        f'<h3><b class="number">{place}</b> {escape(finding.rule)} '
        f"<small>{finding.severity}, {step}, {escape(finding.where)}</small></h3>"
        f"<p>{escape(finding.says)}</p><dl>{numbers}</dl>{fix}</article>"
    )


def _footer(report: Report, drawn: Sequence[Picture]) -> str:
    lacking = "; ".join(f"{rule} ({needs})" for rule, needs in report.lacking.items())
    said = f"Not checked: {lacking}." if lacking else "Every rule was checked."
    names = {picture.name for picture in drawn}
    run = report.run
    if report.steps and "norms" not in names:
        said += " Layers are drawn where watch() is given x, or the model takes one argument."
    if "outputs" in names and run.y is None and run.target is None:
        said += " Outputs are drawn against targets where watch() is given y, or a loss that is a module."
    return said


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(map(_shown, value[:LONGEST]))
    return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


# --- the record of a run that was only watched ------------------------------------------------------------------------------


def record_of(run: Run) -> Record:
    """The record of a run outside of `xgrad fit`, from what the watcher saw."""
    curve = (
        run.x is not None
        and run.y is not None
        and run.x.size == run.x.shape[0] == run.y.size <= SAMPLE  # a look at more samples sees a part of them
        and is_float(run.x)
        and is_float(run.y)
    )
    xs: list[float] = run.x.numpy().reshape(-1).tolist() if curve else []
    ys: list[float] = run.y.numpy().reshape(-1).tolist() if curve else []
    order = sorted(range(len(xs)), key=xs.__getitem__)
    looks = run.looks
    record = Record(
        title=type(run.model).__name__,
        setting="" if run.optimizer is None else f"{type(run.optimizer).__name__}, lr {run.rate:g}",
        x=xs,
        y=ys,
        shown_x=[xs[i] for i in order],
        curve=None,
        loss_name="loss",
        references=levels(run),
        loss=list(run.losses),
        sampled=[look.step for look in looks],
    )
    if curve:
        if run.last is not None and run.last.output is not None and run.last.output.size == len(xs):
            final = run.last.output.numpy().reshape(-1).tolist()
            looks = [*looks, replace(run.last, prediction=final)]
        record.stages = [
            Stage(look.step, [look.prediction[i] for i in order])
            for look in looks
            if look.prediction is not None and len(look.prediction) == len(xs)
        ]
    looks = run.looks
    names = list(dict.fromkeys(name for look in looks for name in look.norms))
    idlers = [{a.where: a for a in reversed(look.activities) if a.idle} for look in looks]  # the first of each name
    for name in names:
        seen = [idle.get(name) for idle in idlers]
        kinds = {a.idle for a in seen if a is not None}
        idle = kinds.pop() if len(kinds) == 1 else None
        share = [
            math.nan if a is None or not math.isfinite(a.input_std) else a.dead_units if idle == "dead" else a.flat
            for a in seen
        ]
        norms = [look.norms.get(name, math.nan) for look in looks]
        record.layers.append(LayerTrace(name, idle, norms, share))
    return record
