"""Which findings are consequences of which, and the one sentence that a report begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from xgrad.diagnose.finding import ERROR, NOTE, Finding
from xgrad.diagnose.run import Run

# What a cause is called in a sentence: "... because <words>".
WORDS = {
    "GRADCHECK": "a derivative is wrong",
    "NO_GRADIENT": "parameters get no gradient",
    "LABEL_RANGE": "the targets lie outside of what the loss takes",
    "OUTPUT_ACTIVATION": "the last activation does not go with the loss or the targets",
    "LOSS_TASK": "the loss does not go with the task",
    "OUTPUT_RANGE": "the output cannot reach the targets",
    "STEP_UNSTABLE": "the steps are too large for the network and the data",
    "NONFINITE": "an operation made a value that is not finite",
    "SCALE": "the data are far from unit scale",
    "DEAD_LAYER": "a layer is dead",
    "LOSS_EXPLODED": "the loss exploded",
    "FORGOT_ZERO_GRAD": "gradients of earlier steps are added to those of later ones",
    "REGULARISATION": "weight decay outweighs the loss",
    "NOT_SHUFFLED": "the samples come in the order of their targets",
    "LR_HIGH": "the learning rate is too high",
    "LR_LOW": "the learning rate is too low",
    "LINEAR_NETWORK": "no activation stands between the layers",
    "VANISHING": "the gradients vanish on their way to the first layers",
    "SATURATED": "a layer is saturated",
    "IMBALANCE": "one class outnumbers the others",
    "OVERFITTING": "the network learns the training samples by heart",
    "CONST_OUTPUT": "the output is the same for every input",
    "FROZEN": "parameters do not move",
    "UNDERTRAINED": "the training ended too early",
    "PLATEAU": "the loss no longer falls",
}

_PROGRAM = ("GRADCHECK", "NO_GRADIENT", "LABEL_RANGE", "OUTPUT_ACTIVATION")
_SETTING = (*_PROGRAM, "OUTPUT_RANGE", "STEP_UNSTABLE")
_ANY = (
    *_SETTING, "NONFINITE", "DEAD_LAYER", "REGULARISATION", "NOT_SHUFFLED", "LR_HIGH", "LR_LOW", "SATURATED", "LINEAR_NETWORK",
    "VANISHING", "SCALE", "FORGOT_ZERO_GRAD", "IMBALANCE", "LOSS_TASK", "LOSS_EXPLODED",
)  # fmt: skip

# For each rule that may be a consequence, the rules that cause it, the most certain first.
CAUSES: dict[str, tuple[str, ...]] = {
    "STEP_UNSTABLE": _PROGRAM,
    "LOSS_TASK": _PROGRAM,
    "NONFINITE": _SETTING,
    "LOSS_EXPLODED": (*_SETTING, "NONFINITE", "LR_HIGH"),
    "DEAD_LAYER": (*_SETTING, "SCALE"),
    "LR_HIGH": (*_PROGRAM, "REGULARISATION"),
    "LR_LOW": (*_SETTING, "VANISHING", "SCALE"),
    "VANISHING": (*_SETTING, "SATURATED"),
    "SATURATED": (*_SETTING, "SCALE"),
    "LINEAR_NETWORK": _PROGRAM,
    "IMBALANCE": _SETTING,
    "CONST_OUTPUT": _ANY,
    "FROZEN": (*_SETTING, "DEAD_LAYER", "SATURATED", "NONFINITE"),
    "UNDERTRAINED": _ANY,
    "PLATEAU": _ANY,
}


def explained(findings: Sequence[Finding]) -> list[Finding]:
    """The findings with their causes: errors first, then by step, and each consequence right after its cause.

    >>> from xgrad.diagnose import Finding
    >>> from xgrad.diagnose.causes import explained
    >>> found = explained([Finding("PLATEAU", "warning", 9, "the fit", ""), Finding("SCALE", "warning", 0, "x", "")])
    >>> [(finding.rule, finding.because) for finding in found]
    [('SCALE', ''), ('PLATEAU', 'SCALE')]
    """
    told = {finding.rule for finding in findings if finding.severity != NOTE}
    marked = []
    for finding in findings:
        causes = [cause for cause in CAUSES.get(finding.rule, ()) if cause in told and cause != finding.rule]
        marked.append(replace(finding, because=causes[0] if causes else ""))
    marked.sort(key=lambda finding: (finding.severity == NOTE, finding.severity != ERROR, finding.step))
    ordered: list[Finding] = []

    def place(finding: Finding) -> None:
        if finding in ordered:
            return
        ordered.append(finding)
        if not any(other.rule == finding.rule for other in ordered[:-1]):
            for other in marked:
                if other.because == finding.rule:
                    place(other)

    for finding in marked:
        if not finding.because:
            place(finding)
    for finding in marked:
        place(finding)
    return ordered


def sentence(findings: Sequence[Finding], run: Run) -> str:
    """What happened, why, and what to do; of findings that `explained` has put in order."""
    if not findings or findings[0].severity == NOTE:
        return ""
    cause = findings[0]
    happened = _what_happened(findings, run)
    why = WORDS.get(cause.rule, cause.rule)
    fix = cause.fix.removesuffix(": report.try_fix() tries it").removesuffix("; report.try_fix() tries it")
    do = f" What to do: {fix}." if fix else ""
    if run.quality is not None and run.quality.is_good and all(finding.severity != ERROR for finding in findings):
        return f"The network does well ({run.quality}), but {why} ({cause.rule}).{do}"
    return f"{happened[:1].upper()}{happened[1:]}{'' if happened == why else f', because {why}'} ({cause.rule}).{do}"


def _what_happened(findings: Sequence[Finding], run: Run) -> str:
    by_rule = {finding.rule: finding for finding in reversed(findings)}
    quality = "" if run.quality is None or math.isnan(run.quality.score) else f" ({run.quality})"
    for rule, words in (
        ("NONFINITE", "a value stopped being finite at step {step}"),
        ("LOSS_EXPLODED", "the loss exploded at step {step}"),
        ("DEAD_LAYER", "a layer died at step {step}"),
        ("FROZEN", "parameters do not move"),
        ("CONST_OUTPUT", "the network gives the same output for every input"),
    ):
        if rule in by_rule and (rule != findings[0].rule or len(findings) == 1):
            return words.format(step=by_rule[rule].step)
    if run.quality is not None and run.quality.is_poor:
        return f"the network has learned little{quality}"
    return WORDS.get(findings[0].rule, findings[0].rule)
