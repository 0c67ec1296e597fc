"""A report as one HTML file: the picture of the run, and the findings."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xgrad.diagnose.finding import Finding, number
from xgrad.diagnose.network import is_float
from xgrad.fit import plot
from xgrad.fit.files import write
from xgrad.fit.network import LOSSES
from xgrad.fit.record import LayerTrace, Record, Stage
from xgrad.fit.references import references

if TYPE_CHECKING:
    from xgrad.diagnose.report import Report
    from xgrad.diagnose.run import Run

LOSS_NAMES = {loss: name for name, loss in LOSSES.items()}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1f2328; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; }}
svg {{ width: 100%; height: auto; }}
article {{ border-left: 4px solid #bf8700; margin: 1rem 0; padding: .2rem 1rem; }}
article.error {{ border-color: #d1242f; }}
article.note {{ border-color: #57606a; }}
h2 {{ font-size: 1rem; margin: .2rem 0; }}
h2 small {{ font-weight: normal; color: #57606a; }}
p {{ margin: .2rem 0; overflow-wrap: anywhere; }}
dl {{ display: flex; flex-wrap: wrap; gap: 0 1.5rem; margin: .3rem 0; font-size: .85rem; color: #57606a; }}
dl div {{ display: flex; gap: .4rem; }}
dd {{ margin: 0; color: #1f2328; overflow-wrap: anywhere; }}
footer {{ color: #57606a; font-size: .85rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
{picture}
{findings}
<footer>{lacking}</footer>
</body>
</html>
"""


def save_page(report: Report, path: str | Path) -> None:
    """Write the page of a report. The file is replaced whole or left as it was."""
    write(path, page(report).encode("utf-8", "backslashreplace"))


def page(report: Report) -> str:
    """The page of a report, as HTML."""
    record = report.record or record_of(report.run)
    record.marks = [(finding.step, finding.rule) for finding in report.findings]
    errors, others = len(report.errors), len(report.findings) - len(report.errors)
    summary = f"{report.steps} steps: " + (
        f"{errors} {'error' if errors == 1 else 'errors'} and {others} {'warning' if others == 1 else 'warnings'}"
        if report.findings
        else "nothing was found wrong"
    )
    lacking = "; ".join(f"{rule} ({needs})" for rule, needs in report.lacking.items())
    return PAGE.format(
        title=escape(record.title or "A training run"),
        summary=escape(summary + (f" · {record.setting}" if record.setting else "")),
        picture=picture(record),
        findings="\n".join(map(article, report.findings)),
        lacking=escape(f"Not checked: {lacking}." if lacking else "Every rule was checked."),
    )


def article(finding: Finding) -> str:
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(_shown(value))}</dd></div>"
        for name, value in finding.evidence.items()
        if value not in ("", None, [])
    )
    return (
        f'<article class="{finding.severity}">'
        f"<h2>{escape(finding.rule)} <small>{finding.severity}, step {finding.step}, {escape(finding.where)}</small></h2>"
        f"<p>{escape(finding.says)}</p><dl>{numbers}</dl>"
        f"<p><b>Fix:</b> {escape(finding.fix)}</p></article>"
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return str(value)


def picture(record: Record) -> str:
    """The picture as SVG to embed in a page. It loads nothing from elsewhere."""
    svg = plot.encoded(plot.draw(record), "svg").decode("utf-8")
    svg = svg[svg.index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)


# --- the record of a run that was only watched ------------------------------------------------------------------------------


def record_of(run: Run) -> Record:
    """The record of a run outside of `xgrad fit`, from what the watcher saw."""
    curve = run.x is not None and run.y is not None and run.x.size == run.x.shape[0] == run.y.size and is_float(run.y)
    xs: list[float] = run.x.numpy().reshape(-1).tolist() if curve and run.x is not None else []
    ys: list[float] = run.y.numpy().reshape(-1).tolist() if curve and run.y is not None else []
    order = sorted(range(len(xs)), key=xs.__getitem__)
    looks = run.looks
    kind = LOSS_NAMES.get(type(run.loss)) if run.loss is not None else None
    record = Record(
        title=type(run.model).__name__,
        setting="" if run.optimizer is None else f"{type(run.optimizer).__name__}, {run.steps} steps",
        x=xs,
        y=ys,
        shown_x=[xs[i] for i in order],
        curve=None,
        loss_name="loss",
        references=references(kind, ys) if kind and curve else [],
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
        share = [math.nan if a is None else a.dead_units if idle == "dead" else a.flat for a in seen]
        norms = [look.norms.get(name, math.nan) for look in looks]
        record.layers.append(LayerTrace(name, idle, norms, share))
    return record
