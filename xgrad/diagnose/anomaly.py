"""Finding the first operation that makes nan or inf, in forward or backward, and the line that called it."""

from __future__ import annotations

import atexit
import math
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from xgrad.backends import owner
from xgrad.backends.frames import PACKAGE
from xgrad.engine import watching
from xgrad.engine.tape import OP
from xgrad.engine.tensor import Tensor

LOOP = str(Path(PACKAGE, "fit", "train.py"))  # the training loop of `xgrad fit`, which counts as the user's code
LONG = 100_000  # after so many operations, a detector warns that it is still on
FORWARD, BACKWARD = "forward", "backward"


class AnomalyError(RuntimeError):
    """An operation made nan or inf within `detect_anomaly`. `.anomaly` says which one, from what, and where it was called.

    >>> import warnings, xgrad as xg
    >>> warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's own
    >>> try:
    ...     with xg.detect_anomaly():
    ...         xg.log(xg.asarray([1.0, 0.0]))
    ... except xg.AnomalyError as error:
    ...     print(error.anomaly.op, error.anomaly.kind, error.anomaly.output)
    log inf 2 float64, 0 to 0, 1 inf
    """

    def __init__(self, anomaly: Anomaly) -> None:
        super().__init__(str(anomaly))
        self.anomaly = anomaly


# --- where ----------------------------------------------------------------------------------------------------


class Site(NamedTuple):
    """Where an operation was called: the user's line, and the innermost module whose forward() it is in, if any."""

    file: str
    line: int
    function: str
    module: Any = None

    def __str__(self) -> str:
        import linecache  # not before a line is shown: it imports the tokenizer

        text = linecache.getline(self.file, self.line).strip()
        return f"{self.file}, line {self.line}, in {self.function}" + (f": {text}" if text else "")


def site() -> Site:
    """The innermost frame that is outside of xgrad or in the loop of `xgrad fit`; the outermost frame, if there is none."""
    frame: Any = sys._getframe(1)
    module = None
    while True:
        code = frame.f_code
        if module is None and code.co_name == "forward":
            owner = frame.f_locals.get("self")
            module = owner if hasattr(owner, "register_forward_hook") else None
        if not code.co_filename.startswith(PACKAGE) or code.co_filename == LOOP or frame.f_back is None:
            break
        frame = frame.f_back
    found = Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
    while module is None and frame is not None:  # the line may be in a forward() of the user's
        if frame.f_code.co_name == "forward" and hasattr(frame.f_locals.get("self"), "register_forward_hook"):
            module = frame.f_locals["self"]
        frame = frame.f_back
    return Site(found.file, found.line, found.function, module)


# --- what -----------------------------------------------------------------------------------------------------


class Operand(NamedTuple):
    """An argument or the output of an operation, in numbers: its finite values lie from `low` to `high`."""

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    nans: int
    infs: int

    def __str__(self) -> str:
        size = "x".join(map(str, self.shape)) or "0-d"
        bad = [f"{count} {name}" for count, name in ((self.nans, "nan"), (self.infs, "inf")) if count]
        span = "no finite value" if self.low > self.high else f"{self.low:.4g} to {self.high:.4g}"
        return f"{size} {self.dtype}, {', '.join([span, *bad])}"


def operand(backend: Any, raw: Any) -> Operand:
    """The numbers about a raw array or a number."""
    if not hasattr(raw, "shape"):
        value = abs(raw) if isinstance(raw, complex) else float(raw)
        bad = (math.isnan(value), math.isinf(value))
        low, high = (math.inf, -math.inf) if any(bad) else (value, value)
        return Operand((), "number", low, high, *map(int, bad))
    backend, array = _bare(backend, raw)
    xp = backend.xp
    dtype = str(array.dtype).rpartition(".")[2]
    shape = tuple(array.shape)
    if not backend.is_inexact(array.dtype):
        kinds = backend.library.__array_namespace_info__().dtypes(device=backend.device, kind="real floating")
        array = xp.astype(array, kinds.get("float64", kinds["float32"]))
    if array.dtype in backend.complex_dtypes:
        array = xp.abs(array)
    if 0 in shape:
        return Operand(shape, dtype, 0.0, 0.0, 0, 0)
    finite = xp.isfinite(array)

    def host(value: Any) -> Any:
        return backend.to_numpy(value).item()

    low = host(xp.min(xp.where(finite, array, xp.full_like(array, math.inf))))
    high = host(xp.max(xp.where(finite, array, xp.full_like(array, -math.inf))))
    nans = int(host(xp.sum(xp.astype(xp.isnan(array), xp.int64))))
    infs = int(host(xp.sum(xp.astype(~finite, xp.int64)))) - nans
    return Operand(shape, dtype, low, high, nans, infs)


class Anomaly(NamedTuple):
    """The first operation that made nan or inf."""

    kind: str  # "nan" or "inf"
    phase: str  # "forward" or "backward"
    op: str
    how: str  # "made" from finite values, "given" as an argument, or "summed" from finite gradients
    output: Operand
    operands: tuple[Operand, ...]
    site: Site

    def __str__(self) -> str:
        where = f"the gradient of '{self.op}'" if self.phase == BACKWARD else f"'{self.op}'"
        said = {
            "made": f"{where} is the first to make {self.kind} in {self.phase}",
            "given": f"{where} was given {self.kind} in {self.phase}; no operation made it, so it comes from the data "
            "or the parameters",
            "summed": f"finite gradients add up to {self.kind} at the output of '{self.op}'",
        }[self.how]
        lines = [f"{said} ({self.output})."]
        lines += [f"  given: {each}" for each in self.operands]
        lines.append(f"  called at {self.site}")
        return "\n".join(lines)


# --- the detector ---------------------------------------------------------------------------------------------

_active: ContextVar[tuple[Detector, ...]] = ContextVar("xgrad_detectors", default=())


class Detector:
    """Checks the output of every operation in this thread, and calls `found` with the first anomaly.

    Args:
        found: called with the first anomaly.
        allow: names of operations that may make inf and nan. What later operations make of these values is allowed too.
        recorded_only: whether to skip operations that are not recorded.
    """

    def __init__(
        self, found: Callable[[Anomaly], None], allow: Collection[str] = (), *, recorded_only: bool = False
    ) -> None:
        self.found = found
        self.allow = frozenset(allow)
        self.recorded_only = recorded_only
        self.seen = 0  # how many operations were checked
        self.told = False  # whether the first anomaly was found; later ones follow from it
        self.let = False  # whether some were allowed; then an argument that is not finite may come from them
        self.within: _Watched | None = None  # the operation whose derivative is running
        self.dropped = False  # whether its owner is gone; the next operation then stops it

    def start(self, *, anew: bool = True) -> None:
        if anew:
            self.told = self.let = False
        _active.set((*_others(self), self))
        watching.add(self.look)

    def stop(self) -> None:
        _active.set(_others(self))
        watching.remove(self.look)

    def drop(self) -> None:
        """`stop` for a finalizer. It only sets a flag.

        The garbage collector calls finalizers in the middle of anything, also of `ContextVar.set`. To set the variable there once
        more ends CPython 3.11 with a segmentation fault, and to take a lock there may wait for ever.
        """
        self.dropped = True

    # --- forward ---

    def look(self, op: Any, backend: Any, raws: Sequence[Any], y: Any, node: Any) -> None:
        if self.dropped:
            self.stop()
            return
        if self not in _active.get() or (self.recorded_only and node is None):  # it runs in another thread
            return
        self.seen += 1
        if self.seen == LONG and not self.recorded_only:
            self.left_on()
        if node is not None:
            watched = node[OP] = _Watched(self, node[OP], backend, self.within.site if self.within else site())
        if not backend.is_inexact(y.dtype) or _finite(backend, y):
            return
        y, raws = _raw(y), [_raw(raw) for raw in raws]
        made, given = operand(backend, y), tuple(operand(backend, raw) for raw in raws)
        kind = "nan" if made.nans and not any(each.nans for each in given) else "inf"
        is_first = kind == "nan" or (made.infs and not any(each.nans or each.infs for each in given))
        if op.name in self.allow:
            self.let = True
        elif is_first or (made.nans and not self.let):
            within = self.within
            self.tell(
                Anomaly(
                    kind if is_first else "nan",
                    BACKWARD if within else FORWARD,
                    within.op.name if within else op.name,
                    "made" if is_first else "given",
                    made,
                    given,
                    watched.site if node is not None else site(),
                )
            )

    # --- backward ---

    @contextmanager
    def inside(self, watched: _Watched) -> Iterator[None]:
        before, self.within = self.within, watched
        try:
            yield
        finally:
            self.within = before

    def look_back(self, watched: _Watched, backend: Any, arrived: Sequence[Any], left: Sequence[Any]) -> None:
        gone = [raw for value in left for raw in _arrays(value) if not _finite(backend, raw)]
        come = [raw for value in arrived for raw in _arrays(value)]
        broken = [raw for raw in come if not _finite(backend, raw)]
        if watched.op.name in self.allow:
            self.let = self.let or bool(gone)
        elif broken and not self.let:
            self.tell_back(watched, backend, "summed", broken[0], ())
        elif gone and not broken:
            self.tell_back(watched, backend, "made", gone[0], come)

    def tell_back(self, watched: _Watched, backend: Any, how: str, raw: Any, given: Sequence[Any]) -> None:
        made = operand(backend, raw)
        operands = tuple(operand(backend, each) for each in given)
        kind = "nan" if made.nans else "inf"
        self.tell(Anomaly(kind, BACKWARD, watched.op.name, how, made, operands, watched.site))

    # --- what was found ---

    def tell(self, anomaly: Anomaly) -> None:
        if not self.told:
            self.told = True
            self.found(anomaly)

    def left_on(self) -> None:
        warnings.warn(
            f"detect_anomaly() has checked {self.seen} operations and is still on. It waits for the device after each one "
            "and makes training several times slower: turn it off once the cause is found.",
            stacklevel=6,
        )


def _others(detector: Detector) -> tuple[Detector, ...]:
    """The detectors of this thread without this one, and without those whose owners are gone."""
    return tuple(each for each in _active.get() if each is not detector and not each.dropped)


class _Watched:
    """Takes the place of an operation in a node, so that the derivative is checked too."""

    __slots__ = ("backend", "detector", "op", "site")

    def __init__(self, detector: Detector, op: Any, backend: Any, where: Site) -> None:
        self.detector, self.op, self.backend, self.site = detector, op, backend, where

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    def pull(self, xp: Any, g: Any, parents: Any, saved: Any, static: Any) -> Any:
        detector = self.detector
        if detector not in _active.get():
            return self.op.pull(xp, g, parents, saved, static)
        with detector.inside(self):
            pulled = list(self.op.pull(xp, g, parents, saved, static))
        left = [h for h, parent in zip(pulled, parents, strict=False) if parent is not None]
        detector.look_back(self, self.backend, [g], left)
        return pulled

    def push(self, xp: Any, tangents: Any, saved: Any, static: Any) -> Any:
        if self.detector not in _active.get():
            return self.op.push(xp, tangents, saved, static)
        with self.detector.inside(self):
            return self.op.push(xp, tangents, saved, static)


def _raw(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _arrays(value: Any) -> list[Any]:
    """The raw arrays in a gradient: one, none, or several for an operation with several outputs."""
    if value is None:
        return []
    parts = getattr(value, "of", None)
    return [_raw(part) for part in parts.values()] if isinstance(parts, dict) else [_raw(value)]


def _finite(backend: Any, raw: Any) -> bool:
    raw = _raw(raw)
    if not hasattr(raw, "shape"):
        return True
    backend, raw = _bare(backend, raw)
    xp = backend.xp
    (finite,) = backend.persist([xp.all(xp.isfinite(raw))])  # dask computes here, for this check alone
    return bool(backend.to_numpy(finite).item())


def _bare(backend: Any, raw: Any) -> tuple[Any, Any]:
    """The library's own backend and array. Inside vmap, the array holds all examples."""
    found: tuple[Any, Any] = (owner(raw) or backend).bare(raw if owner(raw) else backend.asarray(raw))
    return found


# --- the public face ------------------------------------------------------------------------------------------


class detect_anomaly:  # noqa: N801 (PyTorch's name)
    """Raise AnomalyError at the first operation that makes nan or inf from finite values, in forward or in backward.

    The error names the operation, its arguments, and the line of your code that called it. Enter the block before the forward
    pass, so that an error in backward has the line too. The block holds for this thread. It makes training several times slower,
    and warns after 100,000 operations and at the end of the program if it is still on.

    >>> import warnings, xgrad as xg
    >>> warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's own, which name no line of yours
    >>> x = xg.asarray([0.0, 1.0], requires_grad=True)
    >>> try:
    ...     with xg.detect_anomaly():
    ...         xg.sum(xg.sqrt(x)).backward()
    ... except RuntimeError as error:
    ...     print(error.anomaly.op, error.anomaly.phase, error.anomaly.kind)
    sqrt backward inf

    Args:
        allow: names of operations that may make inf and nan, as in `allow=["log"]` where log(0) makes a mask. A constant such as
            -inf in `xg.where(mask, scores, -xg.inf)` is no anomaly.

    Raises:
        AnomalyError: in the block, at the first operation that makes nan or inf, or that is given nan.
        TypeError: where `allow` is one string.

    https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection
    """

    def __init__(self, *, allow: Collection[str] = ()) -> None:
        if isinstance(allow, str):
            raise TypeError(f"detect_anomaly: allow is a list of names of operations, not one string; use [{allow!r}]")
        self.allow = tuple(allow)
        self._detectors: list[Detector] = []

    def __enter__(self) -> None:
        detector = Detector(_raise, self.allow)
        self._detectors.append(detector)
        _left_on.append(detector)
        detector.start()

    def __exit__(self, *error: Any) -> None:
        detector = self._detectors.pop()
        _left_on.remove(detector)
        detector.stop()


_left_on: list[Detector] = []


@atexit.register
def _at_exit() -> None:
    if _left_on:
        print("xgrad: detect_anomaly() was left on until the end of the program; it is slow.", file=sys.stderr)


def _raise(anomaly: Anomaly) -> None:
    raise AnomalyError(anomaly)
