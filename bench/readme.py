"""Writes the generated parts of the README files: maps of folders and tests, and tables of functions, backends and results.

`python -m bench.readme` rewrites every part between its two marker comments.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from bench import dask_parallel, minimizers, numpy_table, report
from bench.examples import table as examples
from bench.gpu import readme as gpu
from bench.libraries import table as libraries
from bench.programs import table as programs
from tests.support import onnx_layers, sources
from xgrad import rules
from xgrad.backends import BUILT_IN, backend_class
from xgrad.engine.registry import DERIVATIVES, FUNCTIONS
from xgrad.train.classes import NAMES, options_of
from xgrad.train.settings import SECTIONS

ROOT = Path(__file__).parent.parent
FOLDERS = {path.parent for path in (ROOT / "xgrad").rglob("README.md")} - {ROOT / "xgrad" / "backends"}
# The folders whose README begins with a map of their files.
MAPPED = (
    *sorted(str(folder.relative_to(ROOT)) for folder in FOLDERS),
    *("backends", "bench", "bench/examples", "tests", "tests/parity"),
)
READMES = (ROOT / "README.md", *(ROOT / folder / "README.md" for folder in MAPPED))
BEGIN, END = "<!-- functions:begin -->", "<!-- functions:end -->"
COLUMNS = ("with a rule", "made of others", "not differentiable")


def functions() -> str:
    """A row for each chapter or extension of the standard: its functions, grouped by where their derivatives come from."""
    chapters: dict[str, dict[str, list[str]]] = {}
    for name, derivative in DERIVATIVES.items():
        cells = chapters.setdefault(_chapter(name), {column: [] for column in COLUMNS})
        column, remark = _place(derivative)
        cells[column].append(name.rpartition(".")[2] + remark)
    rows = [[chapter, *(", ".join(cells[c]) for c in COLUMNS)] for chapter, cells in sorted(chapters.items())]
    return f"{BEGIN}\n{report.table(['', *COLUMNS], rows, numbers=False)}\n{END}"


def _chapter(name: str) -> str:
    """The extension of the standard that a function belongs to, or the name of its file of rules, as words."""
    extension, _, _ = name.rpartition(".")
    if extension:
        return extension
    modules = {chapter: import_module(f"xgrad.rules.{chapter}") for chapter in rules.__all__}
    written = [c for c, module in modules.items() if module.__name__ == FUNCTIONS[name].__module__]
    declared = [c for c, module in modules.items() if re.search(rf'\(\s*"{name}",', inspect.getsource(module))]
    return (written or declared)[0].replace("_", " ")


def _place(derivative: str) -> tuple[str, str]:
    """The column for an entry of the registry, and a remark to add to the function's name.

    >>> _place("rule for complex arrays; constant almost everywhere for real ones")
    ('with a rule', ' (for complex arrays)')
    """
    if derivative.startswith("not differentiable"):
        return COLUMNS[2], ""
    if derivative.startswith("rule"):
        remark = derivative.partition(";")[0].removeprefix("rule").strip()
        return COLUMNS[0], f" ({remark})" if remark else ""
    return COLUMNS[1], "" if derivative == "composition" else f" ({derivative})"


def refusals() -> str:
    """A row for each backend and reason: the functions that the library cannot compute."""
    rows = []
    for backend in BUILT_IN:
        by_reason: dict[str, list[str]] = {}
        for name, reason in backend_class(backend).cannot.items():
            by_reason.setdefault(reason, []).append(f"`{name}`")
        rows += [[f"`{backend}`", ", ".join(names), reason] for reason, names in by_reason.items()]
    table = report.table(["backend", "what it cannot do", "why"], rows, numbers=False)
    return f"<!-- cannot:begin -->\n{table}\n<!-- cannot:end -->"


def files(folder: Path) -> str:
    """The map of a folder: its folders and files, each with the first sentence of its docstring."""
    tests = list(folder.glob("test_*.py")) if folder.name == "tests" else []
    listed = [path for path in sorted(folder.glob("*.py")) if path not in tests and path.name != "__init__.py"]
    inner = [path for path in sorted(folder.glob("*/__init__.py")) if not path.parent.is_symlink()]
    rows = [[f"[`{path.parent.name}/`]({path.parent.name})", _first_sentence(path)] for path in inner]
    rows += [[f"[`{path.name}`]({path.name})", _first_sentence(path)] for path in listed]
    if tests:
        rows.append(["`test_*.py`", "The tests."])
    return f"<!-- files:begin -->\n{report.table(['file', 'what it is'], rows, numbers=False)}\n<!-- files:end -->"


def _first_sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    sentence = re.match(r".*?[.?](?= [A-Z`]|$)", paragraph)
    return (sentence[0] if sentence else paragraph).replace("|", "\\|")


def helpers() -> str:
    """A row for each helper of the tests."""
    rows = [
        [f"[`{path.name}`](support/{path.name})", _first_sentence(path)]
        for path in sorted(sources.TESTS.glob("support/*.py"))
        if path.name != "__init__.py"
    ]
    table = report.table(["in support/", "what it provides"], rows, numbers=False)
    return f"<!-- helpers:begin -->\n{table}\n<!-- helpers:end -->"


def settings() -> str:
    """The keys of each section of a config of `xgrad train`, with their defaults."""
    text = ["<!-- settings:begin -->"]
    for section, kind in SECTIONS.items():
        rows = [
            [f"`{each.name}`", f"{each.metadata['text']}", _default(each.default)] for each in dataclasses.fields(kind)
        ]
        about = (kind.__doc__ or "").partition(": ")[2]
        table = report.table(["key", "what it is", "default"], rows, numbers=False)
        text += [f"### [{section}]", f"{about[0].upper()}{about[1:]}", table]
    for section, names in NAMES.items():
        rows = [
            [f"`{name}`", f"`{made.__name__}`", ", ".join(f"`{option}`" for option in options_of(made))]
            for name, made in names.items()
        ]
        text += [f"### [{section}]", report.table(["name", "class", "options"], rows, numbers=False)]
    return "\n\n".join([*text, "<!-- settings:end -->"])


def _default(value: object) -> str:
    if value in (None, "", ()):
        return ""
    return (
        f"`{str(value).lower()}`"
        if isinstance(value, bool)
        else f'`"{value}"`'
        if isinstance(value, str)
        else f"`{value}`"
    )


def subjects() -> str:
    """A row for each test file that is named after a subject."""
    files = [sources.TESTS / f"test_{name}.py" for name in sources.subjects()]
    rows = [[f"[`{path.name}`]({path.name})", _first_sentence(path)] for path in files]
    table = report.table(["test of a subject", "what it tests"], rows, numbers=False)
    return f"<!-- subjects:begin -->\n{table}\n<!-- subjects:end -->"


def tested_in() -> str:
    """A row for each source file whose tests stand in files of other names."""
    rows = [
        [f"`{pattern}`", ", ".join(f"[`test_{name}.py`](test_{name}.py)" for name in tests.split())]
        for pattern, tests in sources.TESTED_IN.items()
    ]
    rows += [[f"`{source}`", f"none: it {reason}"] for source, reason in sources.UNTESTED.items()]
    table = report.table(["source", "its tests"], rows, numbers=False)
    return f"<!-- tested:begin -->\n{table}\n<!-- tested:end -->"


def parts(readme: Path) -> list[str]:
    """The generated parts of a README, in any order."""
    if readme == ROOT / "README.md":
        return []
    of_folder: dict[str, list[Callable[[], str]]] = {
        "rules": [functions] if readme.parent.parent.name == "xgrad" else [],
        "backends": [refusals],
        "bench": [libraries.readme, report.newest_readme, dask_parallel.readme, programs.readme, gpu.newest],
        "train": [settings],
        "examples": [examples.readme],
        "tests": [helpers, subjects, tested_in],
        "onnx": [onnx_layers.table],
        "numpy_functions": [numpy_table.table],
        "optimize": [minimizers.readme],
    }
    return [files(readme.parent), *(make() for make in of_folder.get(readme.parent.name, []))]


def renewed(text: str, readme: Path) -> str:
    """The text of a README with its generated parts renewed. Raises ValueError if their markers are missing."""
    for table in parts(readme):
        begin, end = table.splitlines()[0], table.splitlines()[-1]
        between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(between.findall(text)) != 1:
            raise ValueError(f"{readme.relative_to(ROOT)} needs {begin} and {end}, once each")
        text = between.sub(table.replace("\\", r"\\"), text)
    return text


def main() -> None:
    for readme in READMES:
        readme.write_text(renewed(readme.read_text(encoding="utf-8"), readme), encoding="utf-8")


if __name__ == "__main__":
    main()
