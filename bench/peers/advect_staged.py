"""advect with the whole step as a staged program, which runs without the step's Python code. Staging is not timed."""
# mypy: disable-error-code="import-not-found,import-untyped", allow-untyped-calls

from __future__ import annotations

from functools import partial

import advect as ad

from bench.peers import advect

w1, w2, w3, w4, w5 = (partial(f, stage=ad.stage) for f in (advect.w1, advect.w2, advect.w3, advect.w4, advect.w5))
