"""Reading a config: a TOML file, its values, and the line of each."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from xgrad._words import shown
from xgrad.train.lines import Path as Place
from xgrad.train.lines import lines_of
from xgrad.train.problems import ConfigError

MOST_BYTES = 1_000_000
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Document(NamedTuple):
    """A config: the name of its file, its text, its values, and the line of each value."""

    path: str
    text: str
    values: dict[str, Any]
    lines: dict[Place, int]


def read(path: str | Path) -> Document:
    """Read a config. Raises ConfigError for a file that cannot be read, or that is not TOML; it names the line."""
    text = _text(path)
    try:
        values = tomllib.loads(text)
        return Document(str(path), text, values, lines_of(text))
    except RecursionError:
        raise ConfigError([f"{path} is nested too deeply"]) from None
    except ValueError as error:
        raise ConfigError([_of_syntax(path, text, error)]) from None


def _text(path: str | Path) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file"]) from None
    except IsADirectoryError:
        raise ConfigError([f"{path} is a folder; a config is needed: a TOML file"]) from None
    except OSError as error:
        raise ConfigError([f"{path} cannot be read: {error.strerror or error}"]) from None
    except ValueError as error:
        raise ConfigError([f"{path} cannot be the name of a file: {error}"]) from None
    if len(content) > MOST_BYTES:
        raise ConfigError([f"{path} is no config: it is larger than {MOST_BYTES} bytes"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            [f"{path}, line {line}: byte 0x{content[error.start]:02x} is not text in UTF-8, as TOML is"]
        ) from None


def _of_syntax(path: str | Path, text: str, error: ValueError) -> str:
    """What is wrong with a line that is not TOML."""
    found = _AT.search(str(error))
    if found is None:
        return f"{path} is not TOML: {error}"
    why = str(error)[: found.start()]
    lines = text.replace("\r\n", "\n").split("\n")
    number = int(found[1]) if found[1] else len(lines)
    line = lines[number - 1].strip()
    value = line.partition("=")[2].strip()
    hint = '; a text is in quotation marks: "..."' if re.match(r"[A-Za-z/.][^\"'\[{]*$", value) else ""
    at = f", column {found[2]}" if found[2] else ", the end"
    return f"{path}, line {number}{at}: {why}; the line reads {shown(line)}{hint}"
