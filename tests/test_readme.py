"""README: its examples print what they say, its tables are what the sources say, and what it points to is there."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import tomllib

import pytest

import xgrad as xg
from bench import readme
from xgrad.cli import main

TEXT = readme.README.read_text(encoding="utf-8")
ROOT = readme.README.parent


def blocks(language: str) -> list[str]:
    """The fenced code blocks in a language, without the indent of a list's item."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", TEXT, re.DOTALL | re.MULTILINE)
    return [re.sub(f"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def announced(code: str) -> list[str]:
    """What the comments behind a block's prints say is printed."""
    return re.findall(r"^ *print\(.*\) +# (.*)$", code, re.MULTILINE)


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.splitlines()[-1])
def test_python_block_prints_what_it_says(code: str) -> None:
    if "import dask" in code:
        pytest.importorskip("dask.array")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert printed.getvalue().splitlines() == announced(code)
    assert len(announced(code)) == code.count("print(")


def test_the_first_two_bash_blocks_do_all_the_set_up() -> None:
    first, second = ([shlex.split(line) for line in block.splitlines()] for block in blocks("bash")[:2])
    for block, extra in ((first, "fit"), (second, "test")):
        make, install, run = block
        assert make[:3] == ["python3", "-m", "venv"]
        venv = make[3]
        assert install[0] == f"{venv}/bin/pip"
        assert install[-1] == f".[{extra}]"
        assert run[0].startswith(f"{venv}/bin/")
    assert first[-1][0].endswith("/xgrad")
    assert first[-1][1:] == ["fit"]
    assert second[-1][1:] == ["-m", "pytest"]


def test_tables_are_as_they_would_be_made_now() -> None:
    assert readme.renewed(TEXT) == TEXT, "run `python -m bench.readme`"


def test_a_missing_marker_is_named() -> None:
    with pytest.raises(ValueError, match="functions:begin"):
        readme.renewed(TEXT.replace(readme.BEGIN, ""))


def test_what_is_said_to_be_missing_is_missing() -> None:
    (sentence,) = re.findall(r"^Not there yet: (.*?)\.$", TEXT, re.MULTILINE | re.DOTALL)
    for name in re.findall(r"`xg\.(\w+)`", sentence):
        assert not hasattr(xg, name)


def test_what_is_said_to_be_complete_is_complete() -> None:
    strict = pytest.importorskip("array_api_strict")
    assert "All functions of the standard" in TEXT
    for mine, standard in ((xg, strict), (xg.linalg, strict.linalg), (xg.fft, strict.fft)):
        names = {name for name in standard.__all__ if "strict" not in name.lower()} - {"Device"}
        assert names <= set(dir(mine))


def test_what_is_linked_is_there() -> None:
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)]+)\)", prose)
    assert any(target.endswith(".png") for target in targets)
    anchors = {"#" + re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in re.findall(r"^#+ (.*)$", prose, re.M)}
    for target in targets:
        assert target.startswith("https://") or target in anchors or (ROOT / target).exists(), target


def test_the_quoted_rule_is_the_source_s() -> None:
    (quoted,) = blocks("py")
    assert quoted in (ROOT / "xgrad/rules/elementwise.py").read_text(encoding="utf-8")


def test_the_entry_point_is_toml_of_the_right_group() -> None:
    from xgrad.backends import ENTRY_POINT_GROUP

    (quoted,) = blocks("toml")
    assert list(tomllib.loads(quoted)["project"]["entry-points"]) == [ENTRY_POINT_GROUP]


@pytest.mark.parametrize("command", re.findall(r"^    xgrad (fit .*)$", TEXT, re.MULTILINE))
def test_the_story_s_commands_are_understood(command: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(command), "--steps", "1", "--out", "", "--quiet"]) == 0
