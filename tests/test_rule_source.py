"""The kernel for several parameters: a host compiler compiles its source, which gives the numbers of the rule itself.

Whether CUDA compiles it and it runs is tested on a device (tests/test_gpu.py).
"""

from __future__ import annotations

import ctypes
import subprocess
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

import xgrad as xg
from tests.cases.case import spread
from tests.support.arrays import to_numpy
from tests.support.cupy_traces import compiler
from tests.support.training import OPTIMIZERS_BY_OPTION
from xgrad import optim
from xgrad.backends import cupy_rules
from xgrad.backends.rule_source import PER_BLOCK, capacity, kernel_source

ELEMENTWISE = [(name, options) for name, options in OPTIMIZERS_BY_OPTION if getattr(optim, name).is_elementwise]
FLAGS = ("-O0", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Wno-unused-variable", "-Werror", "-x", "c++")
SHAPES = [(5, 7), (PER_BLOCK + 3,), (), (1,)]


class HostKernel:
    """Takes the place of cupy.RawKernel: the source, compiled for the host without fused multiply-add."""

    folder: Path
    launches: list[int]

    def __init__(self, source: str, name: str) -> None:
        self.source, self.name = source, name

    def compile(self) -> None:
        path = self.folder / f"kernel{len(list(self.folder.iterdir()))}"
        count = self.source.count(", const T n")
        numbers = "".join(f", numbers[{k}]" for k in range(count))
        unmarked = self.source.replace('extern "C" ', "")
        path.with_suffix(".cpp").write_text(
            "#include <cmath>\nusing namespace std;\n#define __global__ static\n"
            "struct { int x; } blockIdx, threadIdx, blockDim;\n"
            f"{unmarked}\n"
            f'extern "C" void run(const Table *table, int parameters, const T *numbers, int blocks, int threads) {{\n'
            "blockDim.x = threads;\nfor (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)\n"
            "for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x)\n"
            f"{self.name}(*table, parameters{numbers});\n}}\n"
        )
        library = path.with_suffix(".so")
        command = [compiler() or "c++", *FLAGS]
        subprocess.run([*command, str(path.with_suffix(".cpp")), "-o", str(library)], check=True, capture_output=True)
        self.run = ctypes.CDLL(str(library)).run

    def __call__(self, grid: tuple[int], block: tuple[int], arguments: tuple[Any, ...]) -> None:
        table, parameters, *numbers = arguments
        assert table.nbytes + 4 + sum(n.nbytes for n in numbers) < 4096
        assert len({n.dtype for n in numbers}) <= 1
        values = np.array(numbers)
        self.run(table.ctypes.data_as(ctypes.c_void_p), ctypes.c_int(int(parameters)),
                 values.ctypes.data_as(ctypes.c_void_p), ctypes.c_int(*grid), ctypes.c_int(*block))  # fmt: skip
        self.launches.append(int(parameters))


@pytest.fixture
def launches(monkeypatch, tmp_path):
    """NumPy with the kernels of CuPy, on the host: the number of parameters of each launch."""
    if compiler() is None:
        pytest.skip("there is no compiler")
    HostKernel.folder, HostKernel.launches = tmp_path, []
    fake = SimpleNamespace(RawKernel=HostKernel, fuse=lambda function: function)
    replaced = "xgrad.backends.cupy_rules.import_module"
    monkeypatch.setattr(replaced, lambda name: fake if name == "cupy" else import_module(name))
    monkeypatch.setattr(cupy_rules, "address", lambda array: array.ctypes.data)
    cupy_rules.fused.cache_clear()
    with xg.use_backend("numpy") as backend:
        monkeypatch.setattr(type(backend), "fused", lambda self, rule: cupy_rules.fused(rule))
        yield HostKernel.launches
    cupy_rules.fused.cache_clear()


def trained(name: str, options: dict[str, Any], shapes: Any, dtype: str = "float64", order: str = "C") -> list[Any]:
    """The parameters and their state after three steps."""
    params = [xg.nn.Parameter(np.array(spread(s, -2, 2, i).astype(dtype), order=order)) for i, s in enumerate(shapes)]  # type: ignore[call-overload]
    optimizer = getattr(optim, name)(params, lr=0.1, **options)
    for step in range(3):
        for i, p in enumerate(params):
            p.grad = xg.asarray(np.array(spread(p.shape, -2, 2, step + i + 2).astype(dtype), order=order))  # type: ignore[call-overload]
        optimizer.step()
    saved = optimizer.state_dict()["state"]
    state = [value for number in sorted(saved) for _, value in sorted(saved[number].items())]
    return [to_numpy(value) if isinstance(value, xg.Tensor) else value for value in [*params, *state]]


def plainly(monkeypatch: Any, *arguments: Any) -> list[Any]:
    """The same without kernels."""
    with monkeypatch.context() as patch, xg.use_backend("numpy") as backend:
        patch.setattr(type(backend), "fused", lambda self, rule: rule)
        return trained(*arguments)


def same(got: list[Any], want: list[Any]) -> None:
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("index", range(len(ELEMENTWISE)))
def test_one_launch_moves_all_parameters(launches, index, monkeypatch):
    (name, options), dtype = ELEMENTWISE[index], ("float32", "float64")[index % 2]
    got = trained(name, options, SHAPES, dtype)
    assert launches == [len(SHAPES)] * 3
    same(got, plainly(monkeypatch, name, options, SHAPES, dtype))


def test_many_parameters_take_several_launches(launches, monkeypatch):
    shapes = [(1 + i % 3,) for i in range(2 * capacity(4) + 1)]
    got = trained("Adam", {}, shapes)
    assert launches == [capacity(4), capacity(4), 1] * 3
    same(got, plainly(monkeypatch, "Adam", {}, shapes))


def test_a_single_parameter_takes_its_own_kernel(launches, monkeypatch):
    got = trained("Adam", {}, [(3,)])
    assert launches == []
    same(got, plainly(monkeypatch, "Adam", {}, [(3,)]))


@pytest.mark.parametrize("dtype", ["float16", "complex64"])
def test_half_precision_and_complex_parameters_take_their_own(launches, dtype, monkeypatch):
    got = trained("Adam", {}, [(3,), (2,)], dtype)
    assert launches == []
    same(got, plainly(monkeypatch, "Adam", {}, [(3,), (2,)], dtype))


def test_any_order_in_memory(launches, monkeypatch):
    """A matrix in Fortran's order is one row of memory, too. Of a view with gaps, and of mixed orders, it is not."""
    shapes = [(3, 4), (4, 3)]
    got = trained("Adam", {}, shapes, "float64", "F")
    assert launches == [2] * 3
    same(got, plainly(monkeypatch, "Adam", {}, shapes))
    square = np.ones((3, 4))
    assert cupy_rules.kind_of((square, square)) == "d"
    assert cupy_rules.kind_of((square.T, square.T)) == "d"
    assert cupy_rules.kind_of((square, np.asfortranarray(square))) is None
    assert cupy_rules.kind_of((square[:, ::2], square[:, ::2])) is None
    assert cupy_rules.kind_of((square, square.astype(np.float32))) is None
    assert cupy_rules.kind_of((np.ones(0), np.ones(0))) is None


def test_groups_and_steps_of_their_own(launches, monkeypatch):
    """Parameters of one group at one step move together; others have other numbers."""
    a, b, c, d = every = [xg.nn.Parameter(np.ones(3)) for _ in range(4)]
    groups: list[dict[str, Any]] = [{"params": [a, b, c]}, {"params": [d], "lr": 0.5}]
    optimizer = optim.Adam(groups, lr=0.25)
    for step in range(2):
        for p in every:
            p.grad = None if step == 0 and p is c else xg.ones_like(p)
        optimizer.step()
    assert launches == [2, 2]
    moved = [round(1 - to_numpy(p)[0], 6) for p in every]
    assert moved == [0.5, 0.5, 0.25, 1.0]


def test_an_error_in_between_leaves_no_update_waiting(launches, monkeypatch):
    a, b, c = (xg.nn.Parameter(np.ones(3)) for _ in range(3))
    optimizer = optim.SGD([a, b, c], lr=0.5)
    for p in (a, b, c):
        p.grad = xg.ones_like(p)
    update = optimizer.update

    def failing(xp: Any, p: Any, *rest: Any) -> Any:
        if p is c.data:
            raise MemoryError
        return update(xp, p, *rest)

    monkeypatch.setattr(optimizer, "update", failing)
    with pytest.raises(MemoryError):
        optimizer.step()
    assert [to_numpy(p)[0] for p in (a, b, c)] == [0.5, 0.5, 1.0]
    monkeypatch.setattr(optimizer, "update", update)
    optimizer.step()
    assert [to_numpy(p)[0] for p in (a, b, c)] == [0.5, 0.5, 0.5]


def test_a_rule_without_source_takes_a_kernel_for_each(launches, monkeypatch):
    class Odd(optim.Optimizer):  # type: ignore[misc]
        checks: ClassVar[Any] = {}

        @staticmethod
        def descend(xp: Any, n: Any, p: Any, g: Any) -> Any:
            p -= xp.sinh(g)
            return (p,)

    params = [xg.nn.Parameter(np.ones(3)) for _ in range(2)]
    optimizer = Odd(params, {})
    for p in params:
        p.grad = xg.ones_like(p)
    with pytest.warns(RuntimeWarning, match="a kernel of its own.*sinh"):
        optimizer.step()
    optimizer.step()  # warns no more
    assert launches == []
    np.testing.assert_allclose(to_numpy(params[1]), 1 - 2 * np.sinh(1.0))


def test_what_has_no_source_is_refused():
    def rule(function: Any) -> Any:
        return lambda xp, arrays, numbers, flags: (function(xp, *arrays),)

    for wrong, error in (
        (lambda xp, p, g: p if p else g, TypeError),
        (lambda xp, p, g: p * np.ones(3), TypeError),
        (lambda xp, p, g: p * float("inf"), TypeError),
        (lambda xp, p, g: xp.matmul(p, g), AttributeError),
        (lambda xp, p, g: p.shape, AttributeError),
    ):
        with pytest.raises(error):
            kernel_source(rule(wrong), 2, 0, None, "float")
    assert "a0 = a0 - a1;" in kernel_source(rule(lambda xp, p, g: p.__isub__(g)), 2, 0, None, "float")
