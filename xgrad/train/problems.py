"""What is wrong with a config: all of it, one line each, with the line in the file."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from xgrad._words import printable, shown
from xgrad.fit.errors import FitError
from xgrad.train.lines import Path


class ConfigError(FitError):
    """A config, or the data that it names, that cannot be used. Nothing has been written.

    Attributes:
        lines: a message for each thing that is wrong, in the order of the file.

    >>> import pathlib, tempfile
    >>> from xgrad.train import ConfigError, train
    >>> path = pathlib.Path(tempfile.mkdtemp(), "config.toml")
    >>> _ = path.write_text('[data]\\npath = "iris.csv"\\ntarget = "kind"\\n[training]\\nepochs = 0\\n')
    >>> try:
    ...     train(path)
    ... except ConfigError as error:
    ...     print(*[line.partition("config.toml, ")[2] for line in error.lines], sep="\\n")
    line 1: data.targets is missing: the column of what is to be learned
    line 2: data.path: there is no file iris.csv in the folder of the config
    line 3: data.target is unknown; did you mean "targets"?
    line 5: training.epochs must be a whole number, 1 or more; it is 0
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class Problems:
    """Collects what is wrong with a config.

    Args:
        file: the name of the config.
        lines: the line of each path, as of `lines_of`.
        options: the option of the command line that has set a path instead of the file.
    """

    def __init__(self, file: str, lines: dict[Path, int], options: dict[Path, str] | None = None) -> None:
        self.file, self.lines, self.options = printable(file), lines, options or {}
        self._found: list[tuple[int, str]] = []
        self._paths: set[Path] = set()

    def add(self, path: Path, message: str) -> None:
        """Add a message about the value at a path. A path that the file lacks is shown with the line of its section."""
        self._paths.add(path)
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        if path in self.options:
            self._found.append((0, f"{self.options[path]}: {message}"))
        elif line is None:
            self._found.append((0, f"{self.file}: {message}"))
        else:
            self._found.append((line, f"{self.file}, line {line}: {message}"))

    def has(self, path: Path) -> bool:
        """Whether there is something about this path, or about a part of it."""
        return any(each[: len(path)] == path for each in self._paths)

    def __len__(self) -> int:
        return len(self._found)

    def check(self) -> None:
        """Raise ConfigError if there is anything."""
        if self._found:
            raise ConfigError(message for _, message in sorted(self._found, key=lambda each: each[0]))


def place(path: Path) -> str:
    """A path as a person writes it.

    >>> place(("data", "inputs", 2))
    'data.inputs[2]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{printable(part)[:60]}" for part in path).removeprefix(
        "."
    )


def instead(word: object, known: Iterable[str], what: str = "there are") -> str:
    """What was probably meant, or what there is.

    >>> instead("lerning_rate", ["lr", "betas"]), instead("beta", ["lr", "betas"])
    ('there are lr, betas', 'did you mean "betas"?')
    """
    names = [str(name) for name in known]
    text = str(word)[:200]
    close = get_close_matches(text.lower(), [name.lower() for name in names], n=1, cutoff=0.6)
    if close:
        return f'did you mean "{next(name for name in names if name.lower() == close[0])}"?'
    listed = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
    return f"{what} {listed}" if len(listed) < 700 else f"{what} {shown(names, 700)}"
