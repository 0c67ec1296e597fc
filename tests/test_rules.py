"""Every derivative, on every backend: the laws of laws.py, on the cases in cases/."""

from __future__ import annotations

from functools import lru_cache

import pytest

import xgrad as xg
from tests.cases import CASES, SLOW, one
from tests.laws import LAWS, float32_stays_float32
from tests.point import Point
from xgrad.backends.base import Backend
from xgrad.backends.raw import Raw
from xgrad.engine.op import OPS
from xgrad.engine.registry import DERIVATIVES, FUNCTIONS

DIFFERENTIABLE = [name for name, how in DERIVATIVES.items() if not how.startswith("not differentiable")]


@lru_cache(maxsize=1)  # the laws of a function run one after another, and share what each compares with the others
def points(name: str, kind: str, backend: Backend) -> list[Point]:
    return [Point(case, backend) for case in (one(name, backend.name) if backend.name in SLOW else CASES[name])]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", sorted(CASES))
def test_law(backend, name, law, request):
    for point in points(name, request.node.callspec.params["backend"], backend):
        if name in backend.cannot:
            point.assert_cannot()
        elif backend.name not in point.case.without and (law is not float32_stays_float32 or point.case.float32):
            law(point)
        point.assert_inputs_unchanged()


# --- the registry is complete ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_differentiable_function_has_a_case(name):
    assert CASES.get(name), f"{name} is differentiable: give it a case in tests/cases"


def test_cases_and_operations_are_of_functions_in_the_registry():
    assert set(CASES) <= set(DIFFERENTIABLE)
    assert set(OPS) <= set(CASES)


def test_every_public_function_is_in_the_registry():
    assert set(FUNCTIONS) == set(DERIVATIVES)
    for face in (xg, xg.get_backend().view):
        for name in FUNCTIONS:
            extension, _, last = name.rpartition(".")
            assert last in dir(getattr(face, extension) if extension else face)


def test_every_extension_function_is_in_the_namespace():
    methods = {name: value for part in Raw.__mro__[:-1] for name, value in vars(part).items()}
    extensions = [name for name, value in methods.items() if callable(value) and not name.startswith("_")]
    assert set(extensions) <= set(FUNCTIONS)
