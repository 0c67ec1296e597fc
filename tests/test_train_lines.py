"""The lines of the keys of a TOML document, compared with documents in which each value is the number of its line."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from xgrad.train.lines import Path, lines_of


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The values in a document that are neither tables nor arrays, with their paths."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        yield path, value
        return
    for key, inner in pairs:
        yield from leaves(inner, (*path, key))


def check(text: str) -> int:
    """Every value of the document begins with the number of its line. Returns how many there are."""
    lines = lines_of(text)
    found = list(leaves(tomllib.loads(text)))
    for path, value in found:
        number = int(value.split()[0]) if isinstance(value, str) else int(value)
        assert lines[path] == number, (path, value, text)
        for length in range(1, len(path)):
            assert lines[path[:length]] <= number
    return len(found)


def test_every_form_of_a_key_and_a_value() -> None:
    text = """# a comment with = and [brackets]
bare-key_1 = 2
"quoted \\u0041 = # ]" = 3   # behind a value
'literal . key' = '4 # is no comment'

a.b."c.d" = "6 \\" ] }"
   indented   =   7
[ table . "with space" ]
x = 9 # [x]
array = [ 10, "10 ]", [ 10, [] ],
  11, # a comment, with ] and ,
  QQQ12
  more ] } " linesQQQ, \'\'\'13 '' ]''\'\'\',

  15,
]
inline = { one = 17, "two" = [17, 17], three.four = '17', five = { six = 17 } }
text = QQQ18 ""QQQ
text2 = QQQ19
20 ""\\" QQQ # trailing
[[points]]
x = 22
[[points]]
x = 24
[points.inner]
y = 26
[[points.more]]
z = 28
[[points.more]]
z = 30
""".replace("QQQ", '"' * 3)
    assert check(text) == 25
    assert check(text.replace("\n", "\r\n")) == 25
    lines = lines_of(text)
    assert lines[("a", "b")] == 6
    assert lines[("table",)] == 8
    assert lines[("table", "with space", "array")] == 10
    assert lines[("points", 1)] == 23
    assert lines[("points", 1, "more", 1)] == 29


class Writer:
    """Writes a random document in which each value is the number of its line."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.text = ""
        self.count = 0

    def document(self) -> str:
        for _ in range(self.random.randrange(3)):
            self.pair()
        for _ in range(self.random.randrange(1, 5)):
            self.blank()
            name = self.key(dots=True)
            self.text += self.random.choice([f"[{name}]", f"[ {name} ]", f"[[{name}]]", f"[[ {name}]] # [x]"]) + "\n"
            for _ in range(self.random.randrange(4)):
                self.blank()
                self.pair()
        return self.text

    def blank(self) -> None:
        self.text += self.random.choice(["", "", "\n", "# a = 1 ]\n", "  \t", "\n\n  # '''\n"])

    def key(self, dots: bool) -> str:
        self.count += 1
        name = f"k{self.count}"
        name = self.random.choice([name, name, f'"{name} = #"', f"'{name}\"[.]'", f'"\\u0041{name}"'])
        return f"{name} . {self.key(dots=False)}" if dots and self.random.random() < 0.3 else name

    def pair(self) -> None:
        self.text += self.key(dots=True) + self.random.choice([" = ", "=", "  =\t"])
        self.value(3)
        self.text += self.random.choice(["\n", "  # ] } ,\n"])

    def value(self, depth: int, one_line: bool = False) -> None:
        kind = self.random.randrange(9 if depth else 6)
        line = self.text.count("\n") + 1
        if kind < 6 or (one_line and kind == 3):
            forms = [
                f"{line}",
                f"{line}.0",
                f'"{line} \\" # ]"',
                f"'{line} \\'",
                f'"""{line} ""x"""',
                f"'''{line} }}'''",
            ]
            self.text += forms[kind]
            if kind == 4 and not one_line:
                self.text = self.text[:-4] + '\\\n  " ]\n"""'
        elif kind < 8:
            self.text += "["
            for i in range(self.random.randrange(4)):
                if not one_line:
                    self.blank()
                self.value(depth - 1, one_line)
                self.text += self.random.choice([",", " , "])
                del i
            self.text += "]"
        else:
            self.text += "{"
            for i in range(self.random.randrange(3)):
                self.text += ", " if i else " "
                self.text += self.key(dots=True) + " = "
                self.value(depth - 1, one_line=True)
            self.text += " }"


@pytest.mark.parametrize("seed", range(8))
def test_random_documents(seed: int) -> None:
    found = sum(check(Writer(seed * 100 + i).document()) for i in range(50))
    assert found > 50


def test_an_empty_document() -> None:
    assert lines_of("") == {}
    assert lines_of("# nothing") == {}
