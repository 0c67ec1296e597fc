"""The base class of the diagnostic rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from xgrad.diagnose.finding import Finding

if TYPE_CHECKING:
    from xgrad.diagnose.anomaly import Anomaly
    from xgrad.diagnose.gradients import Gradients
    from xgrad.diagnose.look import Look
    from xgrad.diagnose.run import Run

Findings = Iterable[Finding]


class DiagnosticRule:
    """A rule about one thing that can be wrong with a run. The watcher calls its methods, which yield findings."""

    name: ClassVar[str]
    severity: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()  # of "optimizer", "loss", "x", "y"

    def lacks(self, run: Run) -> str:
        """What the run lacks for this rule, in words; empty if nothing."""
        missing = [run.lacking(need) for need in self.needs if getattr(run, need) is None]
        return f"needs {', '.join(missing)}" if missing else ""

    def finding(self, step: int, where: str, says: str, evidence: Mapping[str, Any], fix: str, **more: Any) -> Finding:
        severity = more.pop("severity", self.severity)
        return Finding(self.name, severity, step, where, says, dict(evidence), fix)

    def start(self, run: Run) -> Findings:
        """Before the first step."""
        return ()

    def update(self, run: Run, step: int, gradients: Gradients) -> Findings:
        """Before each update."""
        return ()

    def look(self, run: Run, look: Look) -> Findings:
        """After a look at the layers, before the update of `look.step`."""
        return ()

    def loss(self, run: Run, step: int, loss: float) -> Findings:
        """After each step, with its loss."""
        return ()

    def anomaly(self, run: Run, step: int, anomaly: Anomaly) -> Findings:
        """After the first operation in a step whose output is not finite."""
        return ()

    def broken(self, run: Run, step: int, gradients: Gradients) -> Findings:
        """Before an update with gradients that are not finite."""
        return ()

    def moved(self, run: Run, step: int) -> Findings:
        """After an update that follows a very large value."""
        return ()

    def end(self, run: Run) -> Findings:
        """For a report on the run so far."""
        return ()
