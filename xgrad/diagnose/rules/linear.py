"""LINEAR_NETWORK: layers without an activation between them, where the targets are no linear function of x."""

from __future__ import annotations

import xgrad as xg
from xgrad import nn
from xgrad.backends.host import library as np
from xgrad.diagnose.finding import WARNING
from xgrad.diagnose.network import rows
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run
from xgrad.diagnose.without import before_output

ROWS = 64  # samples on which the network is compared with a linear one
SAME = 1e-3  # difference from a linear network, relative to its spread


class LinearNetwork(DiagnosticRule):
    name = "LINEAR_NETWORK"
    severity = WARNING
    needs = ("x", "y", "loss")

    def end(self, run: Run) -> Findings:
        quality = run.quality
        layers = [path for path, module in run.modules.items() if isinstance(module, nn.Linear)]
        if quality is None or not quality.is_poor or len(layers) < 2 or not _is_linear(run):
            return
        says = (
            f"the {len(layers)} layers {', '.join(layers[:4])}{' ...' if len(layers) > 4 else ''} have no activation "
            "between them, so "
            f"that together they are one linear function of x; {quality}"
        )
        fix = "put nn.ReLU(), nn.GELU() or nn.Tanh() between the layers"
        yield self.finding(0, "the whole network", says, {"layers": layers, "score": quality.score}, fix)


def _is_linear(run: Run) -> bool:
    """Whether the network has no activation before its end, and takes the mean of two inputs to the mean of their outputs.

    It is asked of the network at the start: weights that have become small make an activation nearly linear.
    """
    if run.last is None or any(not activity.is_output for activity in run.last.activities):
        return False
    model = before_output(run.start)
    x = rows(run.x, ROWS)
    if x.shape[0] < 4:
        return False
    half = x.shape[0] // 2
    one, other = x[:half], x[half : 2 * half]
    try:
        with xg.no_grad():
            ends = [model(each).numpy().astype(float) for each in (one, other, (one + other) / 2)]
    except Exception:  # a network for inputs of another kind, such as numbers of words
        return False
    spread = float(np.std(np.concatenate(ends[:2])))
    return spread > 0 and float(np.abs((ends[0] + ends[1]) / 2 - ends[2]).max()) < SAME * spread
