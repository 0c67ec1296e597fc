"""Which operation was the first to make a value that is not finite, forward or backward, and which line asked for it."""

from __future__ import annotations

import atexit
import linecache
import math
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgrad.backends import owner
from xgrad.backends.frames import PACKAGE
from xgrad.engine import watching
from xgrad.engine.tape import OP
from xgrad.engine.tensor import Tensor

LOOP = str(Path(PACKAGE, "fit", "train.py"))  # the loop of `xgrad fit` stands for the user's
LONG = 100_000  # operations, after which a detector seems to have been left on
FORWARD, BACKWARD = "forward", "backward"


class AnomalyError(RuntimeError):
    """A value that is not finite was made. `.anomaly` says where."""

    def __init__(self, anomaly: Anomaly) -> None:
        super().__init__(str(anomaly))
        self.anomaly = anomaly


# --- where ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Site:
    """Where an operation was called: the user's line, and the innermost module whose forward() it is in, if any."""

    file: str
    line: int
    function: str
    module: Any = None

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        return f"{self.file}, line {self.line}, in {self.function}" + (f": {text}" if text else "")


def site() -> Site:
    """The first frame above this one that is not xgrad's own, or is its training loop (the outermost, if there is none)."""
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
    while module is None and frame is not None:  # the user's own forward()
        if frame.f_code.co_name == "forward" and hasattr(frame.f_locals.get("self"), "register_forward_hook"):
            module = frame.f_locals["self"]
        frame = frame.f_back
    return Site(found.file, found.line, found.function, module)


# --- what -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operand:
    """An array that an operation was given, or made: its finite values lie from `low` to `high`."""

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
    """What can be said of a raw array or a number."""
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


@dataclass(frozen=True)
class Anomaly:
    """The first operation that made nan or inf."""

    kind: str  # "nan" or "inf"
    phase: str  # "forward" or "backward"
    op: str
    how: str  # "made": from finite values; "given": it was handed a nan; "summed": gradients that arrived made it together
    output: Operand
    operands: tuple[Operand, ...]
    site: Site

    def __str__(self) -> str:
        where = f"the gradient of '{self.op}'" if self.phase == BACKWARD else f"'{self.op}'"
        said = {
            "made": f"{where} is the first to make {self.kind} in {self.phase}",
            "given": f"{where} was given {self.kind} in {self.phase}; no operation made it, so it comes with the data "
            "or the parameters",
            "summed": f"gradients that are finite have the sum {self.kind} where they meet, at the output of '{self.op}'",
        }[self.how]
        lines = [f"{said} ({self.output})."]
        lines += [f"  given: {each}" for each in self.operands]
        lines.append(f"  called at {self.site}")
        return "\n".join(lines)


# --- the detector ---------------------------------------------------------------------------------------------

_active: ContextVar[tuple[Detector, ...]] = ContextVar("xgrad_detectors", default=())


class Detector:
    """Looks at what every operation of this thread makes and calls `found` with the first anomaly.

    `allow` names operations whose infinities and nans are meant; what follows from them is let through too. With
    `recorded_only`, operations from which no gradient is wanted are not looked at.
    """

    def __init__(
        self, found: Callable[[Anomaly], None], allow: Collection[str] = (), *, recorded_only: bool = False
    ) -> None:
        self.found = found
        self.allow = frozenset(allow)
        self.recorded_only = recorded_only
        self.seen = 0  # operations
        self.told = False  # the first was found: what comes now only propagates it
        self.let = False  # some were let through: what arrives from elsewhere may come from them
        self.within: _Watched | None = None  # whose derivative is running

    def start(self, *, anew: bool = True) -> None:
        if anew:
            self.told = self.let = False
        _active.set((*_active.get(), self))
        watching.add(self.look)

    def stop(self) -> None:
        _active.set(tuple(each for each in _active.get() if each is not self))
        watching.remove(self.look)

    # --- forward ---

    def look(self, op: Any, backend: Any, raws: Sequence[Any], y: Any, node: Any) -> None:
        if self not in _active.get() or (self.recorded_only and node is None):  # another thread's
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
            f"detect_anomaly() has looked at {self.seen} operations and is still on. It waits for the device after each one "
            "and makes training several times slower: turn it off once the cause is found.",
            stacklevel=6,
        )


class _Watched:
    """An operation on the tape whose derivative is looked at too."""

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
    """The raw arrays in a gradient: one, none, or those of an operation's several outputs."""
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
    (finite,) = backend.persist([xp.all(xp.isfinite(raw))])  # for this look alone: the user has no loop that grows
    return bool(backend.to_numpy(finite).item())


def _bare(backend: Any, raw: Any) -> tuple[Any, Any]:
    """The library's own backend and array: all examples of them, where they are inside of a vmap."""
    found: tuple[Any, Any] = (owner(raw) or backend).bare(raw if owner(raw) else backend.asarray(raw))
    return found


# --- the public face ------------------------------------------------------------------------------------------


class detect_anomaly:  # noqa: N801 (PyTorch's name)
    """Raise AnomalyError at the first operation that makes nan or inf from finite values, in forward or in backward.

    The error names the operation (not those that only pass the value on), what it was given, and the line of your code that
    called it; enter the block before the forward pass, so that backward knows these lines too. It holds for the thread that is
    in it, and is slow: look with it once, and leave it.

    Args:
        allow: names of operations that may do so, where that is meant: `allow=["log"]` where log(0) makes a mask. What is
            given as -inf (`xg.where(mask, scores, -xg.inf)`, for attention) is no anomaly and needs no permission.

    Warns after 100,000 operations, and at the end of the program, if it was left on.

    >>> import warnings, xgrad as xg
    >>> warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's own, which name no line of yours
    >>> x = xg.asarray([0.0, 1.0], requires_grad=True)
    >>> try:
    ...     with xg.detect_anomaly():
    ...         xg.sum(xg.sqrt(x)).backward()
    ... except RuntimeError as error:
    ...     print(error.anomaly.op, error.anomaly.phase, error.anomaly.kind)
    sqrt backward inf
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
