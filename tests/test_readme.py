"""Every README: its examples print what they say, its tables are what the sources say, and what it points to is there."""

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

ROOT = readme.ROOT
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in readme.READMES}
MAIN = TEXTS["README.md"]


def blocks(language: str, text: str) -> list[str]:
    """The fenced code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


EXAMPLES = {f"{name}: {code.splitlines()[-1]}": code for name, text in TEXTS.items() for code in blocks("python", text)}


def announced(code: str) -> list[str]:
    """What the comments behind a block's prints say is printed."""
    return re.findall(r"^ *print\(.*\) +# (.*)$", code, re.MULTILINE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_python_block_prints_what_it_says(name: str) -> None:
    code = EXAMPLES[name]
    if "import dask" in code:
        pytest.importorskip("dask.array")
    if "xg.save(" in code or "safetensors" in code:
        pytest.importorskip("safetensors")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert printed.getvalue().splitlines() == announced(code)
    assert len(announced(code)) == code.count("print(")


def test_the_first_two_bash_blocks_do_all_the_set_up() -> None:
    first, second = ([shlex.split(line) for line in block.splitlines()] for block in blocks("bash", MAIN)[:2])
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


@pytest.mark.parametrize("name", TEXTS)
def test_tables_are_as_they_would_be_made_now(name: str) -> None:
    assert readme.renewed(TEXTS[name], ROOT / name) == TEXTS[name], "run `python -m bench.readme`"


def test_a_missing_marker_is_named() -> None:
    name = "xgrad/rules/README.md"
    with pytest.raises(ValueError, match=r"xgrad/rules/README\.md needs <!-- functions:begin"):
        readme.renewed(TEXTS[name].replace(readme.BEGIN, ""), ROOT / name)


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "README.md"])
def test_a_folder_s_readme_begins_with_a_map_of_its_files(name: str) -> None:
    title, _, begin, *_ = TEXTS[name].splitlines()
    assert title.startswith("# ")
    assert begin == "<!-- files:begin -->"


def test_the_first_readme_is_short() -> None:
    assert len(MAIN.splitlines()) <= 165


def test_the_first_sentence_of_a_docstring() -> None:
    made = readme.files(ROOT / "xgrad" / "engine")
    assert "| [`path.py`](path.py) | The part of the tape between given inputs and outputs" in made
    assert "__init__" not in made


def test_what_is_said_to_be_complete_is_complete() -> None:
    strict = pytest.importorskip("array_api_strict")
    assert "All functions of the standard" in TEXTS["xgrad/rules/README.md"]
    for mine, standard in ((xg, strict), (xg.linalg, strict.linalg), (xg.fft, strict.fft)):
        names = {name for name in standard.__all__ if "strict" not in name.lower()} - {"Device"}
        assert names <= set(dir(mine))


def anchors(text: str) -> set[str]:
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.M)}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_linked_is_there(name: str) -> None:
    prose = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / name).parent / path if path else ROOT / name
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), target


def test_the_first_readme_shows_a_picture() -> None:
    assert re.search(r"!\[[^\]]+\]\([^)]+\.png\)", MAIN)


def test_the_quoted_rule_is_the_source_s() -> None:
    quoted = {code for text in TEXTS.values() for code in blocks("py", text)}
    assert len(quoted) == 1
    assert quoted.pop() in (ROOT / "xgrad/rules/elementwise.py").read_text(encoding="utf-8")


def test_the_entry_point_is_toml_of_the_right_group() -> None:
    from xgrad.backends import ENTRY_POINT_GROUP

    (quoted,) = blocks("toml", TEXTS["backends/README.md"])
    assert list(tomllib.loads(quoted)["project"]["entry-points"]) == [ENTRY_POINT_GROUP]


@pytest.mark.parametrize("command", re.findall(r"^    xgrad (fit .*)$", TEXTS["xgrad/fit/README.md"], re.MULTILINE))
def test_the_story_s_commands_are_understood(command: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(command), "--steps", "1", "--out", "", "--quiet"]) == 0


def test_every_readme_is_looked_at():
    there = {path for path in (ROOT / "xgrad").rglob("README.md") if ROOT / "backends" not in path.resolve().parents}
    assert there <= set(readme.READMES)
