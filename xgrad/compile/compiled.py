"""`xgrad.compile`: a function that is traced at its first call, and whose program runs at later ones."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from xgrad.compile.engines.choice import check_name
from xgrad.compile.entry import Entry
from xgrad.compile.errors import user_line
from xgrad.compile.explain import explained
from xgrad.compile.measuring import measured
from xgrad.compile.program import Program
from xgrad.compile.signature import Signature, Static, difference, is_input, key_of
from xgrad.compile.trace import Trace
from xgrad.engine import reading, tape, tracing
from xgrad.engine.watching import runs
from xgrad.transforms.batching.backend import active

MANY = 8  # traces of one function; more are reported
WATCHED = (
    "compile: {name} runs without compile while operations are watched (detect_anomaly, or a diagnosis that watches the run), "
    "because a program has no operations to watch"
)


class Compiled:
    """A compiled function: `xgrad.compile` makes it. It is called as the function is.

    Attributes:
        f: the function itself.
        program: the program of the last trace.
        programs: the programs of all traces, in order.
    """

    def __init__(self, f: Callable[..., Any], engine: str, static_argnames: Sequence[str], keep_grads: bool) -> None:
        functools.update_wrapper(self, f, updated=())
        self.f, self.engine, self.keep_grads = f, engine, keep_grads
        self._static = _positions(f, static_argnames)
        self._entries: dict[Any, list[Entry]] = {}
        self._latest: Entry | None = None  # which is tried first
        self._all: list[Entry] = []
        self._keys: list[Any] = []
        self._without: list[str] = []  # why and where the function ran without its program
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.f, '__qualname__', self.f)}, {len(self._all)} traces>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.current() is not None or active.get() or reading.noting:
            return self._inline(args, kwargs)
        if tape.watchers or runs:
            return self._watched(args, kwargs)
        if self._static:
            args, kwargs = self._marked(args, kwargs)
        latest = self._latest
        if (
            latest is not None and not kwargs and latest.signature.fits(args, len(args))
        ):  # without a look for trees in them
            gathered = latest.gather(args)
            if gathered is not None:
                return latest.run(args, gathered)
        leaves, rebuild, structure = _flattened(args, kwargs)
        if latest is not None and latest.signature.fits(leaves, structure):
            gathered = latest.gather(leaves)
            if gathered is not None:
                return latest.run(leaves, gathered)
        key = key_of(leaves, structure)
        for entry in self._entries.get(key, ()):
            gathered = entry.gather(leaves)
            if gathered is not None:
                self._latest = entry
                return entry.run(leaves, gathered)
        return self._trace(Signature(leaves, structure, key), leaves, rebuild)

    # --- without its program

    def _inline(self, args: Any, kwargs: Any) -> Any:
        """Inside of another compiled function, of vmap or of a checkpoint, the function becomes a part of that."""
        self._note("part of another compiled function, of vmap or of a checkpoint that ran")
        return self.f(*args, **kwargs)

    def _watched(self, args: Any, kwargs: Any) -> Any:
        if self._note("operations were watched"):
            warnings.warn(WATCHED.format(name=_name(self.f)), stacklevel=3)
        return self.f(*args, **kwargs)

    def _note(self, why: str) -> bool:
        """Remember why the function ran without its program. Returns whether that is the first time."""
        if any(said.startswith(why) for said in self._without):
            return False
        self._without.append(f"{why} ({user_line()})")
        return True

    # --- which trace

    def _marked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The arguments, with those of `static_argnames` in a Static."""
        places = self._static
        args = tuple([Static(arg) if i in places else arg for i, arg in enumerate(args)])
        return args, {name: Static(value) if name in places else value for name, value in kwargs.items()}

    def _trace(self, signature: Signature, leaves: list[Any], rebuild: Callable[[list[Any]], Any]) -> Any:
        key = signature.key
        with self._lock:
            for entry in self._entries.get(key, ()):  # another thread may have traced meanwhile
                gathered = entry.gather(leaves)
                if gathered is not None:
                    return entry.run(leaves, gathered)
            reason = self._reason(key)
            trace = Trace(_argument_names(self.f) if isinstance(key[0], int) else ())  # of flat arguments
            trace.run(self.f, leaves, lambda given: rebuild([x.value if type(x) is Static else x for x in given]))
            static = [x.value if type(x) is Static else x for x in leaves if not is_input(x)]
            entry = Entry(self.f, trace, signature, static, self.keep_grads, reason, user_line())
            entry.prepare(self.engine)
            self._entries[key] = [entry, *self._entries.get(key, ())]
            self._latest = entry
            self._all.append(entry)
            self._keys.append(key)
            if len(self._all) > MANY and len(self._all) % MANY == 1:  # not at each trace: that would fill the screen
                warnings.warn(self._many(), stacklevel=3)
            return entry.start(leaves)

    def _reason(self, key: Any) -> str:
        """Why no trace fits this call."""
        known = self._entries.get(key)
        if known:
            return known[0].change()
        return "the first call" if not self._keys else difference(self._keys[-1], key, _argument_names(self.f))

    def _many(self) -> str:
        latest = list(enumerate(self._all, 1))[-MANY:]
        reasons = "; ".join(f"{i}: {entry.reason}" for i, entry in latest)
        return (
            f"compile: {_name(self.f)} was traced {len(self._all)} times, which takes longer than it saves. "
            f"The latest reasons: {reasons}. Pass what changes as an array or a float, and give arrays one shape"
        )

    # --- looking

    @property
    def program(self) -> Program:
        """The program of the last trace. RuntimeError before the first call."""
        if not self._all:
            raise RuntimeError(f"compile: {_name(self.f)} has no program before its first call")
        found: Program = self._all[-1].program
        return found

    @property
    def programs(self) -> list[Program]:
        """The programs of all traces."""
        return [entry.program for entry in self._all]

    def explain(self, *, measure: bool = False) -> str:
        """What was compiled, as text: each trace with its reason and line, its engine, what it takes from outside, and what was
        not compiled.

        With `measure`, the last program runs for some tenths of a second on each engine that is installed, on numbers of its own,
        and the text says how long a run takes. Choose another engine by `xgrad.compile(f, engine="xla")`.
        """
        text = explained(_name(self.f), self._all, self._without)
        if measure and self._all:
            entry = self._all[-1]
            text += "".join(f"\n  measured, {line}" for line in measured(entry.program, entry.backend))
        return text


def compile(
    f: Callable[..., Any] | None = None,
    *,
    engine: str = "auto",
    static_argnames: str | Iterable[str] = (),
    keep_grads: bool = False,
) -> Any:
    """A function that does what `f` does, at the speed of a program that was made for it.

    The first call runs `f` and records what it computes. Later calls run that program, and not `f`: what `f` does besides
    computing with arrays, such as printing or appending to a list, happens at the first call only. Arrays and floats that are
    passed are inputs; other Python values, such as integers and strings, are static: each value has a program of its own.
    Tensors, modules, optimizers and random generators that `f` uses from outside are found and read anew at each call, and what
    it changes in them is written back. NumPy arrays and other Python values that it closes over are constants.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> optimizer = xg.optim.SGD([w], lr=0.25)
    >>> @xg.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = xg.sum((w - x) ** 2)
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> [step(xg.asarray([0.0, 0.0])).item() for _ in range(3)]
    [5.0, 1.25, 0.3125]

    Args:
        f: a function of arrays, numbers, and trees of them: a loss, a gradient, a whole step of training. None for a
            decorator with options.
        engine: "auto", "numpy", "xla", "cupy" or "replay"; `explain()` says what "auto" has chosen.
        static_argnames: names of arguments that are static even if they are floats.
        keep_grads: whether `.grad` is kept after a call that ran backward(). Otherwise reading it is an error.

    Returns:
        A function with the arguments of `f`. Its results are fresh arrays. It has `explain()`, `program` and `programs`. Where an
        argument or a tensor from outside requires a gradient, the result is on the tape, as one operation.

    Derivative:
        That of `f`, in both modes and of any order.

    Raises:
        ValueError: for an unknown engine, or a name in `static_argnames` that is no argument.
        TypeError: where `f` cannot be called.
        CompileError: in a call, for what a program cannot do: `if`, float() or printing of a value that is computed anew in each
            call, shapes that depend on values, writing into an argument. The message has the line, and what to write instead.
            Nothing has changed then.

    A tracer is described in https://docs.jax.dev/en/latest/jit-compilation.html
    """
    check_name(engine)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    if f is None:
        return lambda f: compile(f, engine=engine, static_argnames=names, keep_grads=keep_grads)
    if not callable(f):
        raise TypeError(f"compile: expected a function, got {type(f).__name__}")
    return Compiled(f, engine, names, keep_grads)


# --- arguments ----------------------------------------------------------------------------------------------


def _name(f: Any) -> str:
    return getattr(f, "__qualname__", None) or type(f).__name__


def _argument_names(f: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return ()


def _positions(f: Any, names: Sequence[str]) -> frozenset[Any]:
    """The positions and the names of static arguments."""
    known = _argument_names(f)
    for name in names:
        if name not in known:
            raise ValueError(
                f"compile: static_argnames has {name!r}, but the arguments are {', '.join(known) or 'none'}"
            )
    return frozenset([*names, *map(known.index, names)])


def _flattened(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Callable[[list[Any]], Any], Any]:
    """The leaves of the arguments, a function that gives (args, kwargs) from other leaves, and their structure."""
    if not kwargs and not any(isinstance(arg, tuple | list | dict) or arg is None for arg in args):
        return list(args), lambda leaves: (tuple(leaves), {}), len(args)
    import optree

    leaves, structure = optree.tree_flatten((args, kwargs))  # type: ignore[arg-type, var-annotated]
    return leaves, lambda new: optree.tree_unflatten(structure, new), structure
