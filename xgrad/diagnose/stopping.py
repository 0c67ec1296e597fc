"""Ending a run before values that are not finite reach the weights: the check of each update, and the last good values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xgrad as xg
from xgrad.diagnose.finite import all_finite, sum_is_finite
from xgrad.diagnose.keeping import Tensors

if TYPE_CHECKING:
    from xgrad.diagnose.gradients import Gradients
    from xgrad.diagnose.report import Report
    from xgrad.diagnose.run import Run

SHOWN = 5  # at most so many names in a message


class StopTraining(RuntimeError):  # noqa: N818 (it ends a run, as StopIteration ends a loop)
    """An update with values that are not finite was not made. `watch(..., stop=True)` raises it from the optimizer's step.

    The weights, the buffers and what the optimizer remembers are those after the last good update.

    >>> import warnings, xgrad as xg
    >>> warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's own
    >>> model = xg.nn.Linear(1, 1, rng=xg.random.Generator(0))
    >>> optimizer = xg.optim.SGD(model.parameters(), lr=0.1)
    >>> w = xg.diagnose.watch(model, optimizer, stop=True)
    >>> xg.sum(xg.log(0 * model(xg.ones((1, 1))))).backward()
    >>> try:
    ...     optimizer.step()
    ... except xg.diagnose.StopTraining as error:
    ...     print(error.step, error.report.findings[0].rule, bool(xg.isfinite(model.weight[0, 0])))
    0 NONFINITE True
    >>> w.close()

    Args:
        message: what was not finite.
        step: the number of the step, counted from 0.
        report: the report on the run up to it.

    Keras has this for the loss alone: https://keras.io/api/callbacks/terminate_on_nan/
    """

    def __init__(self, message: str, step: int, report: Report) -> None:
        super().__init__(message)
        self.step, self.report = step, report


class LastGood:
    """The values before an update, to put them back: weights, buffers, and the optimizer's moments."""

    def __init__(self, run: Run) -> None:
        self.optimizer = run.optimizer
        self.trained = [p for group in run.optimizer.param_groups for p in group.params]
        self.names = {id(p): name for name, p in run.parameters}
        self.buffers = Tensors(*run.model.buffers())
        self.weights = Tensors()
        self.states: dict[xg.Tensor, tuple[Any, dict[str, Any]]] = {}

    def faulty(self, here: Gradients) -> list[str]:
        """The names of the gradients that this update would use and that are not finite."""
        known = {id(p) for _, p in here.parameters}
        trained = {id(p) for p in self.trained}
        names = [name for name, p in here.broken_parameters() if id(p) in trained]
        others = [p for p in self.trained if id(p) not in known and p.grad is not None and not all_finite([p.grad])]
        return names + ["a parameter outside of the model"] * bool(others)

    def keep(self) -> None:
        """Keep the values before the update. The arrays of the moments are copied: an update writes into them."""
        self.weights = Tensors(*self.trained)
        self.states = {p: (state, _copied(state)) for p, state in self.optimizer.state.items()}

    def moved(self, run: Run) -> list[str]:
        """The names of the weights that are not finite after the update; none: these values are good."""
        if sum_is_finite(self.trained) or all_finite(self.trained):
            self.buffers = Tensors(*run.model.buffers())
            self.weights, self.states = Tensors(), {}
            return []
        return [self.names.get(id(p), "a parameter outside of the model") for p in self.trained if not all_finite([p])]

    def restore(self) -> None:
        """Put the values back. Before an update has been made only the buffers have changed, in forward."""
        self.buffers.restore()
        if not self.weights.kept:
            return
        self.weights.restore()
        for p in [p for p in self.optimizer.state if p not in self.states]:
            del self.optimizer.state[p]
        for p, (state, kept) in self.states.items():
            self.optimizer.state[p] = state
            state.clear()
            state.update(kept)
            if hasattr(state, "forget"):
                state.forget()


def listed(names: list[str]) -> str:
    """Names in a row, of which only some are shown."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _copied(state: Any) -> dict[str, Any]:
    backend = getattr(state, "backend", None)  # the state of an optimizer of one's own may be a plain dict
    return {name: backend.copy(v) if backend is not None and backend.owns(v) else v for name, v in state.items()}
