"""The architecture: which module may import which, no circles, and a test for every source file."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import xgrad as xg
from tests.support import sources as sources_and_tests
from tests.support.sources import TESTED_IN, UNTESTED, is_listed, names_of, own_tests
from xgrad.engine.op import OPS
from xgrad.engine.registry import FUNCTIONS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "xgrad"
BACKENDS = ROOT / "backends"

# The floors of the house. A room imports from itself and from the floors above it in this list. `xgrad` is the face,
# `import xgrad as xg`; a room within a room may stand on a floor of its own.
FLOORS = (
    "_drawing _files _starting _streams _two_loops _version _words",
    "_interrupt",
    "backends",
    "engine",
    "rules",
    "namespace transforms",
    "fft linalg special diagnose.anomaly",
    "xgrad",
    "amp random optimize",
    "compile",
    "data distributions nn optim",
    "numpy scipy",
    "compat",
    "state",
    "diagnose onnx",
    "trainer",
    "fit",
    "train",
    "info",
    "cli",
    "__main__",
)
FLOOR = {name: floor for floor, line in enumerate(FLOORS) for name in line.split()}

ARRAY_LIBRARIES = {
    *("numpy", "cupy", "cupyx", "dpnp", "dpctl", "torch", "jax", "dask", "mlx", "ndonnx", "sparse", "mparray"),
    *("array_api_compat", "array_api_extra", "array_api_strict"),
}
ENGINES = PACKAGE / "compile" / "engines"  # each is a compiler for the arrays of one library
NUMPYS = (PACKAGE / "numpy", PACKAGE / "compat")  # they are NumPy's face, and another library's that is NumPy's
OPTIONAL_LIBRARIES = {"matplotlib", "onnx", "onnxruntime", "safetensors", "tensorboard", "tensorboardX", "tqdm"}


def modules() -> list[Path]:
    """The sources of xgrad, backends apart."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if BACKENDS not in path.resolve().parents]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each module imported anywhere in the source, and the name taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


def module_of(path: Path) -> str:
    """The name of a source within xgrad, such as `engine.tape`, or `xgrad` for the face."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "xgrad"


def reached(module: str, name: str) -> str:
    """The source that an import of xgrad reaches: `from xgrad.engine import tape` reaches engine.tape."""
    parts = [*module.split(".")[1:], *([name] if name else [])]
    for n in range(len(parts), 0, -1):
        place = PACKAGE.joinpath(*parts[:n])
        if place.with_suffix(".py").exists() or (place / "__init__.py").exists():
            return ".".join(parts[:n])
    return "xgrad"


def floor_of(module: str) -> int:
    parts = module.split(".")
    found = [FLOOR[room] for n in range(len(parts), 0, -1) if (room := ".".join(parts[:n])) in FLOOR]
    assert found, f"give {parts[0]} a place in FLOORS"
    return found[0]


# --- imports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", modules(), ids=names(modules()))
def test_imports_point_downward(path):
    here = module_of(path)
    for module, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        if module.split(".")[0] == "xgrad":
            there = reached(module, name)
            assert floor_of(there) <= floor_of(here), f"{here} imports {there}, which is above it"


@pytest.mark.parametrize("path", sorted(BACKENDS.glob("*.py")), ids=lambda path: path.name)
def test_backends_import_nothing_of_xgrad_but_themselves(path):
    for module, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        if module.split(".")[0] == "xgrad":
            assert reached(module, name).split(".")[0] == "backends"


@pytest.mark.parametrize("path", modules(), ids=names(modules()))
def test_nothing_outside_backends_imports_an_array_library(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if {ENGINES, *NUMPYS} & set(path.parents):
        return
    for module, _ in imported(tree):
        assert module.split(".")[0] not in ARRAY_LIBRARIES
    by_name = importers(tree)
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):  # import_module("numpy")
        if last_name(call.func) in by_name:
            words = [a.value for a in call.args if isinstance(a, ast.Constant)]
            assert not {str(word).split(".")[0] for word in words} & ARRAY_LIBRARIES


@pytest.mark.parametrize("path", modules(), ids=names(modules()))
def test_optional_libraries_are_imported_where_they_are_used(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for module, _ in imported(statement):
                assert module.split(".")[0] not in OPTIONAL_LIBRARIES


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_xgrad_imports_no_array_library():
    code = "import sys, xgrad; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = set(run(code).split())
    assert not loaded & (ARRAY_LIBRARIES | OPTIONAL_LIBRARIES)
    assert not loaded & {
        "ast",
        "dataclasses",
        "dis",
        "inspect",
        "linecache",
    }  # these take long, and nothing needs them yet


def test_importing_the_optimizers_imports_no_minimizer():
    """L-BFGS is in both, and what the two share is in neither."""
    assert run("import sys, xgrad.optim; print(*[n for n in sys.modules if n.startswith('xgrad.optimize')])") == ""


def test_a_backend_imports_its_own_library_only():
    code = "import sys, xgrad; xgrad.asarray(1.0); print(*{n.split('.')[0] for n in sys.modules})"
    loaded = set(run(code).split())
    assert loaded & ARRAY_LIBRARIES <= {"numpy", "array_api_compat"}


def test_backends_has_one_name():
    code = """
import xgrad.backends
try:
    import backends
except ImportError as error:
    print(error)
"""
    assert "xgrad.backends" in run(code)


def test_backends_is_the_folder_at_the_top():
    assert (PACKAGE / "backends").resolve() == BACKENDS


# --- layers, optimizers and distributions use the public face -----------------------------------------

FACE_ONLY = ("nn", "optim", "distributions")
# The files that reach behind the face, and why. Folders end with a slash.
BEHIND_THE_FACE = {
    "nn/functional/cross_entropy.py": "asks for the kind of the targets, and counts those that are not ignored, on raw arrays",
    "nn/functional/floats.py": "asks for the kind of a dtype",
    "nn/functional/reduction.py": "asks for the kind of a dtype",
    "nn/padding.py": "asks whether a value is a number of any library",
    "nn/recurrent.py": "reads the data of a PackedSequence, which PyTorch calls so",
    "nn/utils/rnn.py": "a PackedSequence has data, as PyTorch's",
    "nn/parameter.py": "a parameter takes another array when it is moved to another backend or dtype",
    "nn/placement.py": "moves arrays between backends",
    "nn/saving.py": "checks and copies arrays of any backend",
    "optim/": "an update writes into arrays, and is one kernel where a backend can fuse it",
}


def behind_the_face(tree: ast.AST) -> set[str]:
    """What a source takes of the backends: their modules, and the arrays and backends of tensors."""
    modules = {module for module, _ in imported(tree) if module.startswith("xgrad.backends")}
    modules |= {f"{module}.{name}" for module, name in imported(tree) if (module, name) == ("xgrad", "backends")}
    words = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return modules | (words & {"backend", "backends", "data", "_data", "xp"})


@pytest.mark.parametrize(
    "path", [path for path in modules() if path.relative_to(PACKAGE).parts[0] in FACE_ONLY], ids=lambda path: path.stem
)
def test_layers_and_optimizers_use_the_public_face(path):
    place = path.relative_to(PACKAGE).as_posix()
    if not any(place == name or (name.endswith("/") and place.startswith(name)) for name in BEHIND_THE_FACE):
        assert behind_the_face(ast.parse(path.read_text(encoding="utf-8"))) == set()


def test_a_look_behind_the_face_is_found():
    for text in ("x.data", "t.backend.xp", "from xgrad.backends import load", "from xgrad import backends", "t._data"):
        assert behind_the_face(ast.parse(text))
    assert not behind_the_face(ast.parse("import xgrad as xg\nxg.sum(x.grad)"))


# --- circles --------------------------------------------------------------------------------------

# An import that may close a circle, and why.
EXCEPTIONS = {
    ("xgrad.diagnose.report", "xgrad.fit.page"): "Report.save draws what a fit keeps; save_page is called by name",
    ("xgrad.diagnose.log", "xgrad.trainer.history"): "a log is written as that of a trainer, which is imported for it",
    ("xgrad.diagnose.log", "xgrad.trainer.logs"): "a log is written as that of a trainer, which is imported for it",
    ("xgrad", "xgrad.diagnose.anomaly"): "the face re-exports detect_anomaly, whose file imports the engine only",
    ("xgrad", "xgrad.amp"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.compat"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.compile"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.data"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.diagnose"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.distributions"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.fit"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.nn"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.numpy"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.onnx"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.optim"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.optimize"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.random"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.scipy"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.state"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.train"): "the face gives its submodules on first use",
    ("xgrad", "xgrad.trainer"): "the face gives its submodules on first use",
}
Arrows = dict[str, set[str]]


def sources() -> dict[str, str]:
    """The text of each module of xgrad, backends included, by its full name."""
    paths = {f"xgrad.{module_of(path)}".removesuffix(".xgrad"): path for path in modules()}
    for path in BACKENDS.rglob("*.py"):
        parts = ("xgrad", *path.relative_to(ROOT).with_suffix("").parts)
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


def arrows(texts: dict[str, str]) -> Arrows:
    """Which module imports which: at the top, in a function, under TYPE_CHECKING, or by name through import_module."""
    found: Arrows = {}
    for here, text in texts.items():
        tree = ast.parse(text)
        by_name = importers(tree)
        there = {f"{module}.{name}" if f"{module}.{name}" in texts else module for module, name in imported(tree)}
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            if last_name(call.func) in by_name and call.args:
                there |= called_for(call.args[0], here, tree, texts)
        found[here] = {name for name in there if name in texts and name != here}
    return found


def importers(tree: ast.AST) -> set[str]:
    """What the functions that import by name are called in a source."""
    taken = [alias for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for alias in n.names]
    aliases = {alias.asname for alias in taken if alias.name == "import_module" and alias.asname}
    return {"import_module", "__import__", *aliases}


def called_for(name: ast.expr, here: str, tree: ast.AST, texts: dict[str, str]) -> set[str]:
    """The modules that import_module is called for: a string, or each module that an f-string and the file's strings make."""
    if isinstance(name, ast.Constant):
        return {str(name.value)}
    if not isinstance(name, ast.JoinedStr) or not isinstance(name.values[0], ast.Constant):
        return set()
    prefix = str(name.values[0].value)
    words = {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    return {prefix + word for word in words if prefix + word in texts and prefix + word != here}


def by_package(found: Arrows) -> Arrows:
    """The same between packages: `xgrad.nn.module` counts as `xgrad.nn`."""
    packages: Arrows = {}
    for here, there in found.items():
        own = package_of(here)
        packages.setdefault(own, set()).update(package_of(name) for name in there if package_of(name) != own)
    return packages


def package_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def circles(found: Arrows) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others."""
    reach = {here: set(there) for here, there in found.items()}
    for middle in reach:
        for here in reach:
            if middle in reach[here]:
                reach[here] |= reach[middle]
    groups = {
        tuple(sorted(other for other in reach[here] if here in reach.get(other, ())))
        for here in reach
        if here in reach[here]
    }
    return sorted(map(list, groups))


def without_exceptions(found: Arrows) -> Arrows:
    return {here: {name for name in there if (here, name) not in EXCEPTIONS} for here, there in found.items()}


@pytest.fixture(scope="module")
def house() -> Arrows:
    return arrows(sources())


def test_no_module_is_in_a_circle(house):
    assert circles(without_exceptions(house)) == []


def test_no_package_is_in_a_circle(house):
    assert circles(by_package(without_exceptions(house))) == []


@pytest.mark.parametrize("exception", EXCEPTIONS, ids="-".join)
def test_each_exception_is_an_import(house, exception):
    here, there = exception
    assert there in house[here]


PLANTED = {
    "at the top": "import xgrad.nn.b",
    "by its package": "from xgrad.nn import b",
    "lazily": "def f():\n    from xgrad.nn.b import name",
    "for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from xgrad.nn.b import Name",
    "by a string": "from importlib import import_module\nimport_module('xgrad.nn.b')",
    "by a string and an alias": "from importlib import import_module as load\nload('xgrad.nn.b')",
    "by a string that is made": "_MODULES = {'Name': 'b'}\ndef f(name):\n    return import_module(f'xgrad.nn.{name}')",
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_a_planted_circle_is_found(text):
    within = {"xgrad.nn.a": text, "xgrad.nn.b": "import xgrad.nn.c", "xgrad.nn.c": "import xgrad.nn.a"}
    assert circles(arrows(within)) == [["xgrad.nn.a", "xgrad.nn.b", "xgrad.nn.c"]]
    assert circles(arrows({**within, "xgrad.nn.c": ""})) == []


def test_a_planted_circle_of_packages_is_found():
    texts = {
        "xgrad.fit.a": "import xgrad.nn.b",
        "xgrad.nn.b": "",
        "xgrad.nn.c": "import xgrad.fit.d",
        "xgrad.fit.d": "",
    }
    assert circles(arrows(texts)) == []
    assert circles(by_package(arrows(texts))) == [["xgrad.fit", "xgrad.nn"]]


# --- the engine knows no operation --------------------------------------------------------------------


def names_used(source: str) -> set[str]:
    """What the source takes from xgrad or from a namespace, or says as a string: how an operation can be reached."""
    tree = ast.parse(source)
    taken = {name for module, name in imported(tree) if module.split(".")[0] == "xgrad"}
    strings = {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    attributes = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    of_namespaces = {n.attr for n in attributes if last_name(n.value) in ("xp", "view", "library")}
    return taken | strings | of_namespaces


def last_name(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


@pytest.mark.parametrize("name", ["engine/tape.py", "engine/tensor.py"])
def test_the_engine_names_no_operation_and_no_library(name):
    source = (PACKAGE / name).read_text(encoding="utf-8")
    assert not names_used(source) & set(OPS)
    tree = ast.parse(source)
    variables = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert not (names_used(source) | variables) & ARRAY_LIBRARIES


@pytest.mark.parametrize(
    "source",
    [
        "self.backend.xp.exp(x)",
        "xp.exp",
        "getattr(xp, 'exp')",
        "from xgrad.rules.elementwise import exp",
    ],
)
def test_the_check_above_finds_an_operation(source):
    assert "exp" in names_used(source)


# --- what may stand where --------------------------------------------------------------------------------


def test_the_top_holds_what_the_design_allows():
    try:
        listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    allowed = {"LICENSE", "README.md", "pyproject.toml", "backends", "bench", "tests", "xgrad"}
    assert visible <= allowed


# --- where the tests of a source are ---------------------------------------------------------------------


@pytest.mark.parametrize("source", sources_and_tests.sources())
def test_every_source_has_a_test_file_of_its_name_or_a_line_in_the_table(source):
    listed = [pattern for pattern in TESTED_IN if is_listed(source, pattern)]
    if source in own_tests():
        assert source not in TESTED_IN, f"{source} has tests/test_{own_tests()[source]}.py: take it off TESTED_IN"
        return
    places = len(listed) + (source in UNTESTED)
    assert places == 1, (
        f"{source} has {places} places in tests/support/sources.py. Name its tests tests/test_{names_of(source)[0]}.py, or say "
        "in TESTED_IN which file tests it"
    )


def test_the_table_names_sources_and_tests_that_exist():
    found = sources_and_tests.sources()
    for pattern, tests in TESTED_IN.items():
        assert any(is_listed(source, pattern) for source in found), f"no source is {pattern}"
        missing = set(tests.split()) - set(sources_and_tests.test_files())
        assert not missing, f"{pattern}: there is no test_{missing}.py"
    assert set(UNTESTED) <= set(found)


def test_a_name_that_two_sources_have_belongs_to_neither():
    assert "xgrad/rules/special.py" not in own_tests()
    assert own_tests()["xgrad/nn/init/__init__.py"] == "nn_init"
    assert own_tests()["xgrad/engine/tape.py"] == "tape"


# --- what is public ----------------------------------------------------------------------------------------


FACES = [
    xg,
    xg.fft,
    xg.linalg,
    xg.special,
    xg.nn,
    xg.nn.functional,
    xg.nn.init,
    xg.nn.utils,
    xg.onnx,
    xg.optim,
    xg.optimize,
    xg.random,
    xg.distributions,
    xg.data,
    xg.trainer,
]
PUBLIC = {
    f"{face.__name__}.{name}": value
    for face in FACES
    for name, value in vars(face).items()
    if callable(value) and name[0] != "_" and value.__module__.startswith("xgrad")
}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_and_class_has_a_docstring(name):
    assert PUBLIC[name].__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_namespace_has_a_docstring_and_a_signature(name):
    function = FUNCTIONS[name]
    assert function.__doc__
    assert inspect.signature(function).parameters
