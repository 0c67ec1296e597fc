"""Random draws of a function that is being compiled: each is an input of the program, drawn anew in each call.

While a function is recorded, a generator draws from a `Stream`, which draws from the generator's own and notes what was asked
for.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from xgrad.backends.remembered import remembering
from xgrad.compile.errors import refused, user_line
from xgrad.engine.reading import Notes
from xgrad.random import default_generator


class Draw:
    """One draw: `generator.host.method(*args, **options)`."""

    def __init__(self, generator: Any, method: str, args: Any, options: Any) -> None:
        self.generator, self.method, self.args, self.options = generator, method, args, options
        self.array: Any = None  # what was drawn while the function was recorded
        self.line = user_line()
        self.is_used = False
        self.is_default = False  # whether it is from the default generator of the moment

    def anew(self) -> Any:
        """Draw again."""
        generator = default_generator() if self.is_default else self.generator
        return getattr(generator.host, self.method)(*self.args, **self.options)


class Stream:
    """A stream that notes each draw. A copy repeats the draws that come after it, as a checkpointed function needs in its second
    run.
    """

    def __init__(self, drawing: Drawing, generator: Any, host: Any, repeats: int | None = None) -> None:
        self._drawing, self._generator, self._host, self._at = drawing, generator, host, repeats

    def __deepcopy__(self, memo: Any) -> Stream:
        at = len(self._drawing.of(self._generator)) if self._at is None else self._at
        return Stream(self._drawing, self._generator, self._host, at)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("__"):
            raise AttributeError(method)
        if method in ("bit_generator", "spawn"):
            raise refused("the state of a random generator is looked at", "Read it outside of the compiled function")

        def draw(*args: Any, **options: Any) -> Any:
            if self._at is not None:
                known = self._drawing.of(self._generator)[self._at]
                self._at += 1
                return known.array
            return self._drawing.draw(self._generator, self._host, method, args, options)

        return draw


class Drawing(Notes):
    """The draws of one trace. It is told of streams as a checkpoint is (engine/reading.py), and of nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.draws: list[Draw] = []
        self._default: Any = None
        self._before: dict[Any, Any] = {}  # the state of each stream before the trace

    def stream(self, generator: Any, host: Any) -> Any:
        return Stream(self, generator, host)

    def default_generator(self, generator: Any) -> Any:
        self._default = self._default or generator
        return generator

    def fresh_stream(self, host: Any) -> Any:
        raise refused("a random generator without a seed is made", "Make it outside of the compiled function")

    def reseed(self, generator: Any) -> bool:
        raise refused("the default generator is seeded", "Call xgrad.random.seed outside of the compiled function")

    def made(self, tensor: Any) -> None:
        pass

    def read(self, tensor: Any) -> None:
        pass

    def note(self, tensor: Any, value: Any, node: Any) -> None:
        pass

    # --- draws

    def of(self, generator: Any) -> list[Draw]:
        """The draws from one generator."""
        return [draw for draw in self.draws if draw.generator is generator]

    def draw(self, generator: Any, host: Any, method: str, args: Any, options: Any) -> Any:
        if generator not in self._before:
            self._before[generator] = copy.deepcopy(host.bit_generator.state)
        draw = Draw(generator, method, args, options)
        draw.is_default = generator is self._default
        draw.array = remembering(getattr(host, method)(*args, **options), draw)
        self.draws.append(draw)
        return draw.array

    def check(self) -> None:
        """Raise if a draw did not become a tensor: the program could not draw it anew."""
        for draw in self.draws:
            if not draw.is_used:
                raise refused(
                    f"the random numbers drawn in {draw.line or 'the function'} ({draw.method}) are computed with on the host",
                    "Draw them outside, and pass them as an argument",
                )

    def forget(self) -> None:
        """Drop the arrays that were drawn."""
        for draw in self.draws:
            draw.array = None

    def restore(self) -> None:
        """Put the streams back into the state before the trace."""
        for generator, state in self._before.items():
            generator._host.bit_generator.state = state
