"""Programs in files: the same program afterwards, and ValueError for every other file before anything runs."""

from __future__ import annotations

import copy
import json
import os
import random
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES
from tests.support.compiled_programs import assert_equal_bits, random_program
from tests.support.recorded_cases import OF_VALUES, programs
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.program import FORMULAS, Instruction, Program, Spec, replay
from xgrad.compile.recorder import record
from xgrad.compile.saving import from_json, load_program, save, to_json
from xgrad.engine.registry import FUNCTIONS

NUMPY = load("numpy")


def assert_same(a: Program, b: Program) -> None:
    assert str(a) == str(b)
    used = {*a.inputs, *a.constants, *(number for i in a.instructions for number in i.results)}
    assert replace(a, constants={}, specs={n: a.specs[n] for n in used}) == replace(b, constants={})
    assert a.constants.keys() == b.constants.keys()
    assert_equal_bits(list(a.constants.values()), list(b.constants.values()))


@pytest.mark.parametrize("seed", range(100))
def test_random_programs(seed):
    program, inputs = random_program(seed)
    found = from_json(to_json(program))
    assert_same(program, found)
    with np.errstate(all="ignore"):
        assert_equal_bits(replay(found, NUMPY.xp, inputs), replay(program, NUMPY.xp, inputs))


@pytest.mark.parametrize("name", sorted(set(CASES) - set(OF_VALUES)))
def test_programs_of_all_functions(name):
    for case in CASES[name]:
        for _, program, inputs in programs(case, NUMPY):
            found = from_json(to_json(program))
            assert_same(program, found)
            assert_equal_bits(replay(found, NUMPY.xp, inputs), replay(program, NUMPY.xp, inputs))


def test_a_training_step_is_5_kb():
    program, inputs = workload("w3")
    text = to_json(program)
    assert len(text) < 5000
    assert text.count("\n") < len(program) + len(inputs) + 12  # an instruction a line
    assert_same(program, from_json(text))


def test_constants_of_all_dtypes():
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 2, 5).astype(bool), rng.normal(size=(2, 3)) + 1j, np.asarray(2**63, np.uint64)]
    arrays += [np.zeros((100, 100), np.float16), np.array([0.0, -0.0, np.nan, -np.inf], np.float32)]
    program = record(lambda xp, x: tuple(x * 0 + xp.sum(xp.asarray(a)) for a in arrays), np.ones(2), base=NUMPY)
    assert_same(program, from_json(to_json(program)))
    whole = Program(
        {i: Spec(a.shape, a.dtype.name) for i, a in enumerate(arrays)}, (), dict(enumerate(arrays)), (), (0, 1, 2, 3, 4)
    )
    assert_same(whole, from_json(to_json(whole)))
    assert_equal_bits(replay(from_json(to_json(whole)), NUMPY.xp, []), arrays)


@pytest.mark.parametrize("name", ["torch", "jax", "strict"])
def test_constants_of_other_libraries(name):
    pytest.importorskip({"strict": "array_api_strict"}.get(name, name))
    backend = load(name)
    x = backend.asarray(np.ones((2, 3), np.float32))
    fixed = backend.asarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    program = record(lambda xp, x: x * xp.asarray(fixed), x, base=backend)
    loaded = from_json(to_json(program))
    assert to_json(loaded) == to_json(program)
    with xg.use_backend(name):
        np.testing.assert_array_equal(loaded(x).numpy(), np.arange(6).reshape(2, 3))


# --- files --------------------------------------------------------------------------------------------------


def small():
    x, w, names = np.ones((2, 3)), np.ones((4, 3)), {0: "x", 1: "layer.weight", 2: "lr"}

    def f(xp, x, w, lr):
        h = xp.tanh(xp.linear(x, w)) * lr + xp.asarray([1.0, 2.0, 3.0, 4.0])
        return xp.sum(h), w - lr * 0.5 * xp.matmul(h.mT, x), h[:, 1:3], xp.where(h > -0.0, h, float("inf"))

    return replace(record(f, x, w, 0.1, base=NUMPY), state=((1, 1),), names=names), [x, w, 0.1]


def test_save_and_load(tmp_path):
    program, _ = small()
    path = tmp_path / "p.json"
    program.save(path)
    program.save(str(path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.json"]
    loaded = xg.load_program(path)
    assert_same(program, loaded)
    assert path.read_text().isascii()


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    program, _ = small()
    path = tmp_path / "p.json"
    path.write_text("before")
    bad = replace(program, specs={**program.specs, 0: Spec((2, 3), "float128")})
    with pytest.raises(ValueError, match="float128"):
        save(bad, path)

    def fail(*args):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        save(program, path)
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.json"]


def test_a_saved_file_has_the_usual_permissions(tmp_path):
    program, _ = small()
    (tmp_path / "other").write_text("")
    program.save(tmp_path / "p.json")
    assert (tmp_path / "p.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_files_that_are_no_programs(tmp_path):
    text = to_json(small()[0])
    path = tmp_path / "p.json"
    for data in (
        b"",
        b"\xff\xfe",
        b"PK\x03\x04",
        b"[]",
        b"{}",
        b"null",
        b'"xgrad_program"',
        text.encode()[:-5],
        b"[" * 100_000,
    ):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=re.escape(str(path))):
            load_program(path)
    with pytest.raises(FileNotFoundError):
        load_program(tmp_path / "none.json")


# --- what is refused ----------------------------------------------------------------------------------------


def changed(change):
    """The text of the small program after a change of the document."""
    document = json.loads(to_json(small()[0]))
    change(document)
    return json.dumps(document)


def set_at(*keys):
    *path, last, value = keys

    def change(document):
        for key in path:
            document = document[key]
        document[last] = value

    return change


REFUSED = {
    "version": (set_at("xgrad_program", 2), "version 2"),
    "version as text": (set_at("xgrad_program", "1"), "version"),
    "version true": (set_at("xgrad_program", True), "version"),
    "unknown key": (set_at("code", ""), "code"),
    "missing key": (lambda d: d.pop("state"), "state"),
    "no list": (set_at("instructions", {}), "instructions"),
    "unknown function": (set_at("instructions", 1, 1, "eval"), "instructions, number 2: 'eval' is no function"),
    "attribute": (set_at("instructions", 1, 1, "linalg.__class__"), "no function"),
    "private": (set_at("instructions", 1, 1, "_put"), "no function"),
    "function as list": (set_at("instructions", 1, 1, ["add"]), "no function"),
    "overwriting": (set_at("instructions", 1, 1, "divide_into"), "no function"),
    "too many arguments": (set_at("instructions", 1, 2, ["v3", "v3", "v3"]), "tanh"),
    "unknown option": (set_at("instructions", 1, slice(3, 4), [{"out": "v0"}]), "out"),
    "not defined": (set_at("instructions", 1, 2, ["v99"]), "v99 is used and was not defined"),
    "defined later": (set_at("instructions", 1, 2, ["v6"]), "v6 is used and was not defined"),
    "defined twice": (set_at("instructions", 1, 0, "v0: float64[2, 4]"), "v0 is defined twice"),
    "input twice": (set_at("inputs", 1, "v0: float64[4, 3]"), "v0 is defined twice"),
    "input none": (set_at("inputs", 1, "v1: none"), "none"),
    "wrong dtype": (set_at("inputs", 0, "v0: object[2, 3]"), "dtype"),
    "wrong shape": (set_at("instructions", 1, 0, "v4: float64[2, 5]"), "shape"),
    "wrong size": (
        set_at("constants", 0, 0, "v6: float64[5]"),
        "constants, number 1: a constant float64\\[5\\]: has 32 bytes",
    ),
    "wrong constant dtype": (set_at("constants", 0, 0, "v6: int32[4]"), "32 bytes"),
    "huge": (set_at("inputs", 0, "v0: float64[4000000000000000000]"), "too large"),
    "result a float": (set_at("instructions", 1, 0, "v4: number"), "float"),
    "result none": (set_at("instructions", 1, 0, "v4: none"), "no result"),
    "no results": (set_at("instructions", 1, 0, []), "no result"),
    "output not defined": (set_at("outputs", 0, "v99"), "outputs, number 1: v99"),
    "output a number": (set_at("outputs", 0, 1), "outputs, number 1"),
    "state beyond": (set_at("state", 0, [5, 1]), "no input 5"),
    "state negative": (set_at("state", 0, [-1, 1]), "no input -1"),
    "state of another shape": (set_at("state", 0, [0, 1]), "cannot replace"),
    "state twice": (set_at("state", [[1, 1], [1, 1]]), "twice"),
    "state of floats": (set_at("state", 0, [1.0, 1]), "pair"),
    "name of nothing": (set_at("names", "v99", "x"), "names"),
    "name with a line": (set_at("names", "v0", "x\nimport"), "names"),
    "name no text": (set_at("names", "v0", 1), "names"),
    "names a list": (set_at("names", []), "names"),
    "deep": (set_at("instructions", 1, 2, json.loads("[" * 900 + "]" * 900)), "nested|no function|tanh|JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    change, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        from_json(changed(change))


def test_what_json_readers_let_pass():
    text = to_json(small()[0])
    for bad in (
        text.replace('"state"', '"state":[],"state"'),
        text.replace("0.5", "NaN"),
        text.replace("0.5", "Infinity"),
        text.replace("0.5", "9" * 5000),
        text + "{}",
        text.replace(",\n", ",\n,", 1),
    ):
        assert bad != text
        with pytest.raises(ValueError):  # noqa: PT011 (the text is what json or the reader says)
            from_json(bad)


@pytest.mark.parametrize("seed", range(8))
def test_changed_bytes_are_refused_or_another_program_of_named_functions(seed):
    rng = random.Random(seed)
    text = to_json(small()[0]).encode()
    for _ in range(250):
        data = bytearray(text)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data))
            kind = rng.randrange(4)
            if kind == 0:
                data[at] = rng.randrange(256)
            elif kind == 1:
                del data[at : at + rng.randrange(1, 20)]
            elif kind == 2:
                data[at:at] = bytes(rng.choice(text) for _ in range(rng.randrange(1, 5)))
            else:
                data[at] = rng.choice(b'0123456789v[]{},:."-')
        assert_refused_or_named(data.decode("utf-8", errors="replace"))


@pytest.mark.parametrize("seed", range(8))
def test_changed_parts_are_refused_or_another_program_of_named_functions(seed):
    rng = random.Random(seed)
    original = json.loads(to_json(small()[0]))
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        "",
        "v0",
        "v1",
        "v5",
        "...",
        "eval",
        [],
        {},
        [[]],
        {"dtype": "float32"},
        "v9: float64[2]",
    ]
    for _ in range(250):
        document = copy.deepcopy(original)
        for _ in range(rng.randrange(1, 3)):
            _change_a_part(rng, document, values)
        assert_refused_or_named(json.dumps(document))


def _change_a_part(rng, part, values):
    """Replace, remove or move something at a random depth."""
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    if not keys:
        return
    key = rng.choice(keys)
    if isinstance(part[key], dict | list) and part[key] and rng.random() < 0.8:
        _change_a_part(rng, part[key], values)
        return
    kind = rng.randrange(4)
    if kind == 0:
        del part[key]
    elif kind == 1 and isinstance(part, list):
        part.insert(rng.randrange(len(part) + 1), copy.deepcopy(part[key]))
    elif kind == 2:
        other = rng.choice(keys)
        part[key], part[other] = part[other], part[key]
    else:
        part[key] = copy.deepcopy(rng.choice(values))


def assert_refused_or_named(text):
    try:
        program = from_json(text)
    except ValueError:
        return
    assert all(i.name in FUNCTIONS or i.name in FORMULAS for i in program.instructions)
    assert_same(program, from_json(to_json(program)))
    defined = {*program.inputs, *program.constants}
    for instruction in program.instructions:
        assert type(instruction) is Instruction
        defined |= {*instruction.results}
    assert {*program.outputs} <= defined
    str(program)
