"""The pictures of the page about a run: drawn with matplotlib, as SVG that follows the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence

from xgrad.diagnose.finding import Finding
from xgrad.diagnose.run import Run
from xgrad.fit.pictures.answers import Bits, Classes, final
from xgrad.fit.pictures.classes import draw_bits, draw_classes
from xgrad.fit.pictures.curve import draw_curve
from xgrad.fit.pictures.layers import draw_idle, draw_norms
from xgrad.fit.pictures.loss import draw_loss
from xgrad.fit.pictures.picture import Picture
from xgrad.fit.pictures.steps import marks
from xgrad.fit.pictures.values import draw_values
from xgrad.fit.record import Record

__all__ = ["Picture", "pictures"]


def pictures(record: Record, run: Run, findings: Sequence[Finding]) -> list[Picture]:
    """The pictures that the run has numbers for. The findings are marked by their places in the list, from 1."""
    at = marks(findings)
    answers = final(run)
    drawn = [
        draw_loss(record, at),
        draw_norms(record, at, findings),
        draw_idle(record, at, findings),
        draw_curve(record),
    ]
    if isinstance(answers, Classes):
        drawn.append(draw_classes(answers))
    elif isinstance(answers, Bits):
        drawn.append(draw_bits(answers))
    elif answers is not None:
        drawn.append(draw_values(answers, "standardised" if "standardised" in record.loss_name else ""))
    return [picture for picture in drawn if picture is not None]
