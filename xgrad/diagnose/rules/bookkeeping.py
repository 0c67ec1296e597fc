"""NO_GRADIENT, FORGOT_ZERO_GRAD, FROZEN: parameters that are not trained as they should be."""

from __future__ import annotations

from xgrad import nn
from xgrad.diagnose.finding import ERROR, WARNING
from xgrad.diagnose.gradients import Gradients
from xgrad.diagnose.rules.rule import DiagnosticRule, Findings
from xgrad.diagnose.run import Run

ENOUGH = 2  # steps that a run must have
SHOWN = 6  # at most so many names in a message


def listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


class NoGradient(DiagnosticRule):
    name = "NO_GRADIENT"
    severity = ERROR

    def update(self, run: Run, step: int, gradients: Gradients) -> Findings:
        missing = gradients.missing()
        if missing and not any(finding.rule == self.name for finding in run.found):
            count = len(gradients.parameters)
            says = f"{len(missing)} of {count} parameters got no gradient in this step: {listed(missing)}"
            fix = (
                "call loss.backward() before the step"
                if len(missing) == count
                else "use them in forward(); look for detach(), no_grad(), a parameter copied instead of used; or "
                "requires_grad_(False) where that is meant"
            )
            yield self.finding(step, listed(missing), says, {"parameters": missing, "of": count}, fix)


class ForgotZeroGrad(DiagnosticRule):
    name = "FORGOT_ZERO_GRAD"
    severity = WARNING

    def update(self, run: Run, step: int, gradients: Gradients) -> Findings:
        trained = None if run.optimizer is None else {id(p) for g in run.optimizer.param_groups for p in g.params}
        names = [name for name, p in run.parameters if name in run.grown and (trained is None or id(p) in trained)]
        if names:
            says = f"the gradients of {len(names)} parameters were added to those of the step before: {listed(names)}"
            yield self.finding(
                step,
                listed(names),
                says,
                {"parameters": names},
                "call optimizer.zero_grad() in every step, before backward()",
            )


def _is_normalised_away(run: Run, name: str) -> bool:
    """Whether a parameter is the bias of a layer before a batch norm, which takes the mean away: its gradient is 0."""
    path, _, kind = name.rpartition(".")
    parent, _, place = path.rpartition(".")
    holder = run.modules.get(parent)
    if kind != "bias" or not isinstance(holder, nn.Sequential) or not place.isdigit() or int(place) + 1 >= len(holder):
        return False
    return type(holder[int(place) + 1]).__name__.startswith(("BatchNorm", "InstanceNorm", "SyncBatchNorm"))


class Frozen(DiagnosticRule):
    name = "FROZEN"
    severity = WARNING

    def end(self, run: Run) -> Findings:
        if run.steps < ENOUGH or any(f.rule in ("DEAD_LAYER", "NONFINITE") for f in run.found):
            return
        begun = dict(run.start.named_parameters())
        still = [
            name
            for name, p in run.parameters
            if p.size
            and name in begun
            and not _is_normalised_away(run, name)
            and bool(p.backend.view.all(p.detach() == begun[name].detach()).item())
        ]
        if still:
            known = None if run.optimizer is None else {id(p) for g in run.optimizer.param_groups for p in g.params}
            outside = [name for name, p in run.parameters if known is not None and name in still and id(p) not in known]
            says = (
                f"{len(still)} of {len(run.parameters)} parameters have not moved in {run.steps} steps: {listed(still)}"
            )
            says += f"; the optimizer does not have {listed(outside)}" if outside else ""
            fix = "give the optimizer model.parameters()" if outside else "look at their gradients, and at lr"
            yield self.finding(run.steps, listed(still), says, {"parameters": still, "outside": outside}, fix)
