"""The numpy engine: equal to eager bit for bit, fresh results, state in place, and inputs that stay as they were."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES, few
from tests.point import Point
from tests.support.random_functions import laid_out, random_function
from tests.support.recorded_cases import programs
from xgrad.backends import load
from xgrad.compile.engines import numpy_blocks
from xgrad.compile.engines.numpy import prepare
from xgrad.compile.recorder import record

BASE = load("numpy")
# Eager code inside a rule multiplies 0-d complex numbers as NumPy scalars, and powers by the operator: the last bit differs.
LAST_BIT = {"cos", "cosh", "sin", "sinh", "tanh", "linalg.vector_norm"}


class Eager:
    """NumPy's raw namespace, with 0-d arrays in the place of scalars, as eager code has them."""

    def __getattr__(self, name):
        function = getattr(BASE.xp, name)

        def call(*args, **options):
            found = function(*args, **options)
            return np.asarray(found) if isinstance(found, np.generic) else found

        return call


def bits(arrays):
    return [(y.shape, y.dtype, y.tobytes()) for y in map(np.asarray, arrays)]


def runs(program, inputs, times=3):
    """The outputs of several runs: the first goes call by call, the others by the code."""
    runner = prepare(program, BASE)
    return [runner.run(inputs) for _ in range(times)]


@pytest.fixture(autouse=True)
def _warnings_are_no_errors():
    """State is written in place only where no floating-point warning can raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def short_blocks(monkeypatch):
    """All chains in blocks, of few elements."""
    monkeypatch.setattr(numpy_blocks.grouped, "__defaults__", (0,))
    monkeypatch.setattr(numpy_blocks, "BLOCK_BYTES", 128)


# --- equal to eager -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("unique_") and name != "arange"])
def test_each_function_is_equal_to_eager(name):
    for case in few(name):
        for dtype in ("float64", "float32"):
            point = Point(case, BASE, dtype)
            try:
                found = list(programs(case, BASE, dtype))
            except xg.CompileError:  # the case makes tensors inside, which only a compiled function takes in
                continue
            wanted = {"value": point.function(*point.tensors(point.xs)), "vjp": point.gradients, "jvp": point.tangents}
            for what, program, inputs in found:
                want = [t.data for t in wanted[what]]
                for outputs in runs(program, inputs):
                    if name in LAST_BIT:
                        for got, w in zip(outputs, want, strict=True):
                            np.testing.assert_allclose(got, w, rtol=4 * np.finfo(w.dtype).eps)
                    else:
                        assert bits(outputs) == bits(want), f"{case}, {what}, {dtype}"


def random_arguments(seed):
    rng = np.random.default_rng(seed + 10**6)
    n, m = ((3, 4), (16, 16), (40, 7), (1, 5), (64, 33))[seed % 5]
    dtype = ("float32", "float64")[seed % 2]
    xs = [laid_out(rng, shape, dtype) for shape in ((n, m), (n, m), (m, n), (m,), (), (n, m), (n, m))]
    if seed % 3 == 0:
        xs[1] = xs[0][::-1]  # inputs that overlap
    return rng, [*xs, 0.75, 1.5]


def check_random(seed):
    rng, inputs = random_arguments(seed)
    f = random_function(seed, 10 + seed % 60)
    with np.errstate(all="ignore"):
        want = bits(f(Eager(), *inputs))
        program = record(f, *inputs, base=BASE)
        before = bits(inputs)
        outputs = runs(program, inputs)
        assert [bits(each) for each in outputs] == [want] * 3
        assert bits(inputs) == before
        all_arrays = [y for each in outputs for y in each]
        for i, y in enumerate(all_arrays):
            for other in (*all_arrays[i + 1 :], *inputs[:-2], *program.constants.values()):
                assert not np.shares_memory(y, other)
        # The same with outputs that take the place of inputs.
        specs = program.specs
        state, used = [], set()
        for i, number in enumerate(program.inputs[:-2]):
            alike = [j for j, out in enumerate(program.outputs) if specs[out] == specs[number] and j not in used]
            if alike and rng.random() < 0.7:
                state.append((i, alike[0]))
                used.add(alike[0])
        runner = prepare(dataclasses.replace(program, state=tuple(state)), BASE)
        owned = [any(i == k for k, _ in state) for i in range(len(inputs))]
        for _ in range(3):
            given = [np.array(x) if own else x for x, own in zip(inputs, owned, strict=True)]
            want = bits(f(Eager(), *given))
            assert bits(runner.run(given, owned)) == want


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_random_functions_are_equal_to_eager(first):
    for seed in range(first, first + 20):
        check_random(seed)


@pytest.mark.parametrize("first", range(200, 400, 20))
def test_random_functions_in_blocks_are_equal_to_eager(first, short_blocks):
    for seed in range(first, first + 20):
        check_random(seed)


# --- results ------------------------------------------------------------------------------------------------


def made(f, *arrays):
    return prepare(record(f, *arrays, base=BASE), BASE)


@pytest.fixture
def x():
    return np.linspace(-2, 2, 60, dtype=np.float32).reshape(6, 10)


def test_results_that_are_held_stay_as_they_are(x):
    runner = made(lambda xp, x: xp.tanh(xp.multiply(x, x)), x)
    held = [runner.run([x + k])[0] for k in range(6)]
    for k, y in enumerate(held):
        np.testing.assert_array_equal(y, np.tanh((x + k) * (x + k)))


def test_a_view_of_a_result_holds_it(x):
    runner = made(lambda xp, x: xp.tanh(x), x)
    runner.run([x])
    rows = [runner.run([x + k])[0][2:4] for k in range(6)]
    for k, y in enumerate(rows):
        np.testing.assert_array_equal(y, np.tanh(x + k)[2:4])


def test_results_that_were_dropped_are_used_again(x):
    runner = made(lambda xp, x: xp.tanh(x), x)
    runner.run([x])
    addresses = {runner.run([x])[0].ctypes.data for _ in range(5)}
    assert len(addresses) == 1
    two = [runner.run([x])[0]]
    for _ in range(5):  # the user holds the latest result while the next one is computed
        two = [two[-1], runner.run([x])[0]]
        addresses.add(two[-1].ctypes.data)
    assert len(addresses) <= 3


def test_outputs_that_are_inputs_constants_or_equal_are_copies(x):
    y = np.arange(10.0, dtype=np.float32)

    def f(xp, x):
        z = xp.exp(x)
        return x, z, z, xp.matrix_transpose(z), xp.asarray(y), xp.reshape(x, (-1,))

    runner = made(f, x)
    for _ in range(3):
        found = runner.run([x])
        want = [x, np.exp(x), np.exp(x), np.exp(x).T, y, x.reshape(-1)]
        assert bits(found) == bits(want)
        for i, one in enumerate(found):
            assert one.flags.writeable
            for other in (*found[i + 1 :], x, y):
                assert not np.shares_memory(one, other)


def test_a_result_of_a_sum_is_an_array(x):
    for found in runs(record(lambda xp, x: (xp.sum(x), xp.max(x)), x, base=BASE), [x]):
        assert [type(y) for y in found] == [np.ndarray] * 2


def test_inputs_of_another_layout_have_code_of_their_own(x):
    runner = made(lambda xp, x: (xp.sum(xp.exp(x)), xp.exp(x)), x)
    for layout in (x, np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x[::-1], np.broadcast_to(x[:1], x.shape)):
        for _ in range(3):
            assert bits(runner.run([layout])) == bits([np.add.reduce(np.exp(layout), axis=None), np.exp(layout)])


def test_few_layouts_have_code_at_a_time():
    runner = made(lambda xp, x: xp.exp(x), np.zeros((2, 2)))
    for k in range(1, 50):
        x = np.ones((2 * k, 2 * k))[::k, ::k]
        for _ in range(2):
            np.testing.assert_array_equal(runner.run([x])[0], np.exp(x))
    assert len(runner._variants) <= 32


def test_numbers_are_read_in_each_run(x):
    runner = made(lambda xp, x, a, b: xp.multiply(x, a * b + 1.0), x, 0.5, 2.0)
    runner.run([x, 0.5, 2.0])
    code = runner.source()
    for a, b in ((0.1, 3.0), (-2.5, 0.3), (1e30, 1e30)):
        with np.errstate(all="ignore"):
            want = x * np.float32(a * b + 1.0)
            assert bits(runner.run([x, a, b])) == bits([want])
    assert runner.source() == code


# --- state --------------------------------------------------------------------------------------------------


def momentum_step(x, y):
    """A step of linear regression: weights, velocity, data, targets and the learning rate."""

    def f(xp, w, v, x, y, lr):
        error = xp.subtract(xp.matmul(x, w), y)
        g = xp.matmul(xp.matrix_transpose(x), error)
        new_v = xp.add(xp.multiply(v, 0.9), g)
        return xp.mean(xp.multiply(error, error)), xp.subtract(w, xp.multiply(new_v, lr)), new_v

    w, v = np.zeros((x.shape[1], y.shape[1]), x.dtype), np.zeros((x.shape[1], y.shape[1]), x.dtype)
    program = record(f, w, v, x, y, 0.01, base=BASE)
    return dataclasses.replace(program, state=((0, 1), (1, 2))), w, v


def by_hand(w, v, x, y, lr):
    g = x.T.dot(x.dot(w) - y)
    v = v * np.float32(0.9) + g
    return w - v * np.float32(lr), v


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 5)).astype("float32"), rng.normal(size=(20, 3)).astype("float32")


GIVEN = [True, True, False, False, False]


def test_state_is_written_in_place(data):
    x, y = data
    program, w, v = momentum_step(x, y)
    runner = prepare(program, BASE)
    want = w.copy(), v.copy()
    for k in range(5):
        lr = 0.01 / (k + 1)
        want = by_hand(*want, x, y, lr)
        _, new_w, new_v = runner.run([w, v, x, y, lr], GIVEN)
        if k:
            assert new_w is w
            assert new_v is v
        w, v = new_w, new_v
        assert bits([w, v]) == bits(want)


def test_state_that_is_not_given_up_stays(data):
    x, y = data
    program, w, v = momentum_step(x, y)
    runner = prepare(program, BASE)
    for owned in (None, [False] * 5, [True, False, False, False, False]):
        for _ in range(3):
            _, new_w, new_v = runner.run([w, v, x, y, 0.01], owned)
            assert not w.any()
            assert not v.any()
            assert bits([new_w, new_v]) == bits(by_hand(w, v, x, y, 0.01))


def test_memory_that_cannot_be_written_or_is_shared_is_not_taken(data):
    x, y = data
    program, w, v = momentum_step(x, y)
    runner = prepare(program, BASE)
    runner.run([w, v, x, y, 0.01], GIVEN)
    fixed = w.copy()
    fixed.flags.writeable = False
    pair = np.zeros((2, *w.shape), w.dtype)
    foreign = np.frombuffer(bytearray(w.nbytes), w.dtype).reshape(w.shape)
    for a, b in ((fixed, v), (w, w), (pair[0], pair[1]), (foreign, v)):
        _, new_w, new_v = runner.run([a, b, x, y, 0.01], GIVEN)
        assert not a.any()
        assert not b.any()
        assert bits([new_w, new_v]) == bits(by_hand(np.zeros_like(w), np.zeros_like(w), x, y, 0.01))


@pytest.mark.parametrize("how", ["errstate", "warnings"])
def test_a_floating_point_error_leaves_state_as_it_was(data, how):
    x, y = data
    program, w, v = momentum_step(x, y)
    runner = prepare(program, BASE)
    for _ in range(3):
        runner.run([w.copy(), v.copy(), x, y, 0.01], GIVEN)
    before = bits([w, v])
    given = [w, v, 1000 * x, y, 3e38]  # the velocity is there when the learning rate overflows
    with warnings.catch_warnings():
        warnings.simplefilter("error" if how == "warnings" else "ignore")
        with (
            np.errstate(all="raise" if how == "errstate" else "warn"),
            pytest.raises((FloatingPointError, RuntimeWarning)),
        ):
            runner.run(given, GIVEN)
    assert bits([w, v]) == before


def test_memory_that_an_input_sees_through_a_buffer_is_not_taken(data):
    """Such a view has a base that is no array."""
    x, y = data
    program, w, v = momentum_step(x, y)
    runner = prepare(program, BASE)
    memory = np.zeros(x.size + y.size, "float32")
    w = memory[: w.size].reshape(w.shape)
    seen = np.lib.stride_tricks.as_strided(memory, x.shape, x.strides)
    for _ in range(2):
        _, new_w, _ = runner.run([w, v, seen, y, 0.01], GIVEN)
        assert new_w is not w
    assert not memory.any()


def test_an_error_of_a_call_leaves_state_as_it_was(data):
    """A class number that is too large is found after the parameter could have been written."""
    x, _ = data
    number = np.arange(20) % 3

    def f(xp, w, x, number):
        y = xp.matmul(x, w)
        new = xp.add(w, 1.0)
        return new, xp.sum(xp.softmax_cross_entropy(y, number, axis=1, ignore_index=-100))

    w = np.zeros((5, 3), "float32")
    program = dataclasses.replace(record(f, w, x, number, base=BASE), state=((0, 0),))
    runner = prepare(program, BASE)
    for _ in range(2):
        w = runner.run([w, x, number], [True, False, False])[0]
    before = bits([w])
    with pytest.raises(IndexError):
        runner.run([w, x, number + 1], [True, False, False])
    assert bits([w]) == before
    assert runner.run([w, x, number], [True, False, False])[0][0, 0] == 3  # and the runner still works
