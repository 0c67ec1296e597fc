"""L-BFGS: steps that use the curvature that the latest steps have shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isnan
from typing import Annotated, Any, NamedTuple

import xgrad as xg
from xgrad._two_loops import Correction, direction
from xgrad.engine import tape
from xgrad.engine.numbers import read
from xgrad.engine.persist import Place, places_in
from xgrad.engine.swap import Swap
from xgrad.engine.tensor import Tensor
from xgrad.optim.flat import FlatParameters
from xgrad.optim.hooks import after_step, before_step
from xgrad.optim.lbfgs_memory import Memory, loaded_memory
from xgrad.optim.loading import loaded
from xgrad.optim.optimizer import Optimizer, Params
from xgrad.optim.options import at_least_one, at_least_zero, finite, one_of, whole, whole_or_none
from xgrad.optim.strong_wolfe import Trial, ratio, strong_wolfe
from xgrad.optim.table import given

LEAST_CURVATURE = 1e-10  # a step whose y . s is not more shows nothing of the curvature


class LBFGS(Optimizer):
    """L-BFGS: each direction is -H g, for the gradient g and an inverse Hessian H made of the latest steps.

    One `step(closure)` makes up to `max_iter` iterations, and calls the closure at each place that it tries. The closure computes
    the gradients anew and returns the loss. All parameters are one vector, and there is one param group. An iteration is::

        d = -H g                                          # the two-loop recursion over the last history_size steps
        t = lr                                            # in the first iteration of all: lr * min(1, 1 / sum(|g|))
        p = p + t * d                                     # with line_search_fn="strong_wolfe", t is searched from there

    The state of the first parameter holds what the next step needs, by PyTorch's names: `d`, `t`, `old_dirs`, `old_stps`, `ro`,
    `H_diag`, `prev_flat_grad`, `prev_loss`, `n_iter` and `func_evals`.

    The host must know some numbers to decide how to go on. It reads them once for each call of the closure, and once for each
    direction. A step that raises an error leaves the parameters and the state as they were.

    Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 7.5; Liu and Nocedal, https://doi.org/10.1007/BF01589116.

    >>> import xgrad as xg
    >>> w = xg.asarray([-1.5, 2.0], requires_grad=True)
    >>> optimizer = xg.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(3):
    ...     loss = optimizer.step(closure)
    >>> w.numpy().round(4).tolist()
    [1.0, 1.0]
    """

    state: dict[Tensor, Memory]  # type: ignore[assignment]
    _stepped = False

    def __init__(
        self,
        params: Params,
        lr: Annotated[float, at_least_zero, "the step length, or the first that the line search tries"] = 1,
        max_iter: Annotated[int, whole, "the number of iterations in a step"] = 20,
        max_eval: Annotated[
            int | None, whole_or_none, "a step ends after so many calls; None: max_iter * 5 // 4"
        ] = None,
        tolerance_grad: Annotated[float, finite, "a step ends where no element of the gradient is larger"] = 1e-7,
        tolerance_change: Annotated[float, finite, "a step ends where weights or loss change by no more"] = 1e-9,
        history_size: Annotated[int, at_least_one, "the number of steps that H is made of"] = 100,
        line_search_fn: Annotated[str | None, one_of("strong_wolfe"), "how t is searched"] = None,
    ) -> None:
        options = given(locals())
        if max_eval is None:
            options["max_eval"] = whole("LBFGS: max_iter", max_iter) * 5 // 4
        super().__init__(params, options)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take the group. ValueError for a second one."""
        if self.param_groups:
            raise ValueError("LBFGS has one param group: all its parameters are one vector")
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Make up to `max_iter` iterations, and return the loss of the first call of the closure.

        Args:
            closure: computes the gradients anew and returns the loss, a number.

        Raises:
            TypeError: for parameters on several backends.
            MemoryError: where memory runs out. After any error the parameters and the state are as before.
        """
        self._stepped = True
        hooks = self._hooks
        if hooks:
            args, kwargs = before_step(self, closure)
            closure = kwargs.get("closure", args[-1])
        weights = FlatParameters(self.name, self.param_groups[0].params)
        before = weights.values()
        try:
            with xg.no_grad():
                loss, memory = self._iterated(closure, weights, self.param_groups[0].named)
        except BaseException as error:
            weights.put(before)
            first = weights.params[0]
            if isinstance(error, Exception) and (told := first.backend.out_of_memory(f"{self.name}.step", error)):
                raise told from error
            raise
        self.state[weights.params[0]] = memory
        xg.persist(self)
        if hooks:
            after_step(self, args, kwargs)
        return loss

    def _iterated(self, closure: Callable[[], Any], weights: FlatParameters, o: Any) -> tuple[Any, Memory]:
        """Move the weights. Returns the loss at the start, and the new state."""
        first = weights.params[0]
        memory = self.state[first].moved(first, weights.dtype) if first in self.state else Memory(first)
        d: Any
        t: Any
        d, t, prev_gradient, prev_loss = (memory.get(name) for name in ("d", "t", "prev_flat_grad", "prev_loss"))
        corrections, scale = memory.corrections(), memory.get("H_diag", 1.0)
        loss, point = evaluate(closure, weights, d, prev_gradient)
        n_iter, evaluations = memory.get("n_iter", 0), 1
        last = n_iter + (o.max_iter if point.largest > o.tolerance_grad or isnan(point.largest) else 0)
        while n_iter < last:
            n_iter += 1
            if n_iter > 1 and (curvature := t * point.change) > LEAST_CURVATURE:
                latest = Correction(point.gradient - prev_gradient, t * d, 1.0 / curvature)
                corrections = [*corrections, latest][-o.history_size :]
                scale = curvature / point.change_squared
            d = direction(point.gradient, corrections, scale)
            newest = [vector for c in corrections[-1:] for vector in (c.change, c.step)]
            slope, reach = read([point.gradient @ d, xg.max(xg.abs(d))], d, *newest)
            t = o.lr * (min(1.0, ratio(1.0, point.total)) if n_iter == 1 else 1.0)
            prev_gradient, prev_loss = point.gradient, point.loss
            if slope > -o.tolerance_change:
                break
            if o.line_search_fn is not None:
                start = point._replace(slope=slope, change=0.0, change_squared=0.0)
                point, t, made = searched(closure, weights, d, start, t, reach, o.max_eval - evaluations)
                evaluations += made
            else:
                weights.move(t, d)
                if n_iter < last:  # what the last one has led to, the next step evaluates
                    _, point = evaluate(closure, weights, d, prev_gradient)
                    evaluations += 1
            is_level = point.largest <= o.tolerance_grad or abs(point.loss - prev_loss) < o.tolerance_change
            if is_level or t * reach <= o.tolerance_change or evaluations >= o.max_eval:
                break
        memory.update(n_iter=n_iter, func_evals=memory.get("func_evals", 0) + evaluations)
        if d is not None:
            memory.update(d=d, t=t, prev_flat_grad=prev_gradient, prev_loss=prev_loss, H_diag=scale)
            memory.keep(corrections)
        return loss, memory

    def _prepare_load(self, state_dict: Any) -> Swap:
        saved = state_dict.get("state") if isinstance(state_dict, Mapping) else None
        groups, _ = loaded(self, {**state_dict, "state": {}} if isinstance(saved, Mapping) else state_dict)
        weights, state = FlatParameters(self.name, groups[0].params), {}
        for number, values in (saved or {}).items():
            if number != state_dict["param_groups"][0]["params"][0]:
                raise ValueError(
                    f"LBFGS: the loaded state has an entry for parameter {number!r}; all of it is in the first"
                )
            state[weights.params[0]] = loaded_memory(weights.params[0], weights.zeros(), values)
        return Swap([(self, "param_groups", groups), (self, "state", state)])


class Point(NamedTuple):
    """What the closure has computed at a place: the gradient as a vector, and numbers that the host knows."""

    gradient: Tensor
    loss: float
    largest: float  # of the absolute values of the gradient
    total: float  # the sum of these
    slope: float = 0.0  # the gradient times the direction that led here
    change: float = 0.0  # y . d, for the change y of the gradient
    change_squared: float = 0.0  # y . y


def evaluate(
    closure: Callable[[], Any], weights: FlatParameters, d: Tensor | None, prev_gradient: Tensor | None
) -> tuple[Any, Point]:
    """Call the closure. Returns its loss, and the point. The host reads all numbers at once."""
    with tape.set_recording(True):
        loss = closure()
    gradient = weights.gradient()
    sizes = xg.abs(gradient)
    numbers = [xg.max(sizes), xg.sum(sizes)]
    if d is not None:
        change = gradient - prev_gradient
        numbers += [gradient @ d, change @ d, change @ change]
    if isinstance(loss, Tensor) and loss.backend is gradient.backend and loss.size == 1:
        value, *rest = read([xg.reshape(loss.detach(), ()), *numbers], gradient, loss, *weights.params)
    else:
        value, rest = loss.item() if isinstance(loss, Tensor) else float(loss), read(numbers, gradient, *weights.params)
    return loss, Point(gradient, value, *rest)


def searched(
    closure: Callable[[], Any], weights: FlatParameters, d: Tensor, start: Point, t: float, reach: float, most: int
) -> tuple[Point, float, int]:
    """Move the weights by the step length that the line search finds. Returns the point there, t, and the number of calls."""
    here = weights.values()

    def at(t: float) -> Trial:
        weights.put(here)
        weights.move(t, d)
        _, point = evaluate(closure, weights, d, start.gradient)
        return Trial(t, point.loss, point.slope, point)

    found, made = strong_wolfe(at, Trial(0.0, start.loss, start.slope, start), t, reach, most)
    weights.put(here)
    weights.move(found.t, d)
    xg.persist(*weights.params)
    return found.point, found.t, made


@places_in.register
def _(optimizer: LBFGS) -> Iterator[Place]:
    for p in optimizer._parameters():
        yield from places_in(p)
    for memory in optimizer.state.values():
        for vector in memory.vectors():
            yield from places_in(vector)
