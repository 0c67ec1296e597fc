"""The engine "xla": the numbers of bare NumPy, fresh results, state in its memory, and no memory read after a run."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import xgrad as xg
from bench.peers import build
from bench.problems import WORKLOADS
from tests.cases import CASES
from tests.support.processes import output
from tests.support.recorded_cases import programs
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.engines.choice import prepare
from xgrad.compile.errors import CompileError
from xgrad.compile.program import Instruction, Program, Ref, Spec
from xgrad.compile.recorder import Recorder, record
from xgrad.compile.traced import Traced

pytest.importorskip("jax")

NUMPY = load("numpy")
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def compiled(program):
    return prepare("xla", program, NUMPY)


def compile_function(f, *arrays, state=()):
    """The runner of `f(xp, *arrays)`."""
    program = record(f, *arrays, base=NUMPY)
    return compiled(
        Program(program.specs, program.inputs, program.constants, program.instructions, program.outputs, state)
    )


def rng():
    return np.random.default_rng(0)


def aligned(shape, offset=0):
    """float64 zeros whose memory starts `offset` bytes after a multiple of 64: JAX does not copy an array that starts at one."""
    size = int(np.prod(shape)) * 8
    memory = np.zeros(size + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    return memory[start : start + size].view(np.float64).reshape(shape)


def assert_near(got, want, dtype):
    """Equal shapes and dtypes; floats up to the tolerance, relative to the largest one, and everything else exactly."""
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    if want.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, want)
    elif want.size:
        largest = np.max(np.abs(want[np.isfinite(want)]), initial=0)
        np.testing.assert_allclose(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * largest)


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(WORKLOADS))
def test_three_steps_of_a_workload_are_those_of_bare_numpy(name, dtype):
    program, inputs = workload(name, tiny=True, dtype=dtype)
    runner = compiled(program)
    replaced = dict(program.state)
    case = build("naive", WORKLOADS[name], WORKLOADS[name].make(True, dtype))
    for _ in range(3):
        outputs = runner.run(inputs, [i in replaced for i in range(len(inputs))])
        for i, j in replaced.items():
            inputs[i] = outputs[j]
        loss = case.run()
    assert_near(outputs[0], np.asarray(loss, dtype), dtype)
    wanted = case.values()
    found = outputs if name == "w1" else outputs[1 : 1 + len(wanted)]
    for got, want in zip(found, wanted, strict=True):
        got = got.T if replaced and want.ndim == 2 else got  # layers keep their weights transposed
        assert_near(got, want, dtype)


def recorded_cases(name, dtype):
    """One program of all cases of a function, and its inputs. None if the shapes of its results depend on values."""
    recorder, inputs, outputs = Recorder(), [], []
    backend = recorder.backend(NUMPY)
    for case in CASES[name]:
        if "numpy" in case.without or (dtype == "float32" and not case.float32):
            continue
        arrays = case.inputs(dtype)
        traced = [recorder.input(x, NUMPY) for x in arrays]

        def fixed(x):
            return Traced(x.astype(dtype) if x.dtype == np.float64 else x, None, backend)

        results = case.run(backend.xp, case.arguments(traced, fixed), raw=True)
        inputs += arrays
        outputs += [recorder.number_of(y) for y in results]
    return recorder.program(outputs), inputs


OF_DATA = {"unique_all", "unique_counts", "unique_inverse", "unique_values"}  # no program has these
NOT_IN_JAX = set(load("jax").cannot) & set(CASES)


@pytest.mark.parametrize("name", sorted(NOT_IN_JAX - OF_DATA))
def test_what_jax_cannot_compute_is_refused(name):
    program, _ = recorded_cases(name, "float64")
    with pytest.raises(CompileError, match=f"cannot do {name}: the library has no"):
        compiled(program)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(set(CASES) - OF_DATA - NOT_IN_JAX))
def test_every_function_has_numpys_values(name, dtype):
    program, inputs = recorded_cases(name, dtype)
    wanted = prepare("replay", program, NUMPY).run(inputs)
    for got, want in zip(compiled(program).run(inputs), wanted, strict=True):
        assert_near(got, want, dtype)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(set(CASES) - OF_DATA - NOT_IN_JAX - {"arange"})
)  # arange's rule looks at a value
def test_every_derivative_has_numpys_values(name):
    case = next(case for case in CASES[name] if "numpy" not in case.without)
    for _, program, inputs in programs(case, NUMPY):
        wanted = prepare("replay", program, NUMPY).run(inputs)
        for got, want in zip(compiled(program).run(inputs), wanted, strict=True):
            assert_near(got, want, "float64")


def test_results_that_are_none():
    """The gradients of attention that are not needed, for example."""
    case = CASES["attention"][0]
    _, program, inputs = list(programs(case, NUMPY))[1]
    for got, want in zip(compiled(program).run(inputs), prepare("replay", program, NUMPY).run(inputs), strict=True):
        assert_near(got, want, "float64")


def test_a_constant_mask_may_say_places():
    mask = np.array([True, False, True])
    runner = compile_function(lambda xp, x: xp.getitem(x, xp.asarray(mask)), np.arange(3.0))
    np.testing.assert_array_equal(runner.run([np.array([5.0, 6.0, 7.0])])[0], [5.0, 7.0])


def test_float32_is_computed_in_float32_only():
    """Also with Python's floats as inputs, and 64-bit integers as labels."""
    for name in WORKLOADS:
        text = compiled(workload(name, tiny=True)[0]).source()
        assert "f64[" not in text
        assert "f32[" in text


def test_products_of_transposed_matrices_copy_nothing():
    text = compiled(workload("w5", tiny=True)[0]).source()
    assert "dot(" in text or "__ynn" in text
    assert not {"transpose(", "copy("} & {word for line in text.splitlines() for word in line.split("%")[0].split()}
    assert " transpose(" not in text
    assert " copy(" not in text


def test_numbers_are_inputs_and_are_computed_in_python():
    def f(xp, x, a, b):
        return xp.multiply(x, a / b + a**b), xp.where(xp.greater(x, a), x, b)

    x = np.array([0.1, 0.7], np.float32)
    runner = compile_function(f, x, 0.3, 0.9)
    for a, b in ((0.3, 0.9), (0.05, 3.0)):
        y, z = runner.run([x, a, b])
        np.testing.assert_array_equal(y, x * np.float32(a / b + a**b))
        np.testing.assert_array_equal(z, np.where(x > np.float32(a), x, np.float32(b)))


def test_dtypes_are_promoted_as_in_numpy():
    n, x = np.array([3, 2**53 + 1]), np.array([0.1, 0.2], np.float32)
    runner = compile_function(lambda xp, n, x: (n + x, xp.sum(n), n * 2.5, n > x), n, x)
    for got, want in zip(runner.run([n, x]), (n + x, np.sum(n), n * 2.5, n > x), strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


# --- results ------------------------------------------------------------------------------------------------


def test_results_are_writeable_and_share_memory_with_nothing():
    constant = np.arange(4.0)

    def f(xp, x, y):
        z = xp.exp(x)
        c = xp.asarray(constant)
        return x, z, xp.reshape(x, (4,)), z, c, c + 0.0, xp.reshape(z, (2, 2)), xp.positive(y), xp.matrix_transpose(y)

    x, y = np.arange(4.0), np.arange(6.0).reshape(2, 3)
    found = compile_function(f, x, y).run([x, y])
    e = np.exp(x)
    wanted = [x, e, x, e, constant, constant, e.reshape(2, 2), y, y.T]
    arrays = [*found, x, y, constant]
    for i, (got, want) in enumerate(zip(found, wanted, strict=True)):
        np.testing.assert_allclose(got, want, rtol=1e-15)
        got[...] = -1.0
        assert not any(np.may_share_memory(got, other) for k, other in enumerate(arrays) if k != i)
    np.testing.assert_array_equal(x, np.arange(4.0))


def test_results_stay_as_they_are():
    runner = compile_function(lambda xp, x: xp.multiply(x, 2.0), np.zeros(5000))
    found = [runner.run([np.full(5000, float(k))])[0] for k in range(10)]
    for k, y in enumerate(found):
        np.testing.assert_array_equal(y, 2.0 * k)


def test_inputs_that_are_returned_only():
    runner = compile_function(lambda xp, x, a: (x, a), np.zeros(2), 1.5)
    x = np.ones(2)
    y, a = runner.run([x, 2.5])
    assert a == 2.5
    assert y is not x
    np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("offset", [0, 8])
def test_memory_that_is_overwritten_after_the_run_was_read_before(offset):
    """JAX would read an aligned array of NumPy where it is, while the call has long returned."""
    shape = (400, 400)
    x = aligned(shape, offset)
    x[...] = np.eye(400)
    runner = compile_function(lambda xp, x: xp.sum(xp.matmul(xp.matmul(x, x), xp.matmul(x, x)), axis=0), x)
    for k in range(1, 6):
        x[...] = np.eye(400) * k
        (y,) = runner.run([x])
        x[...] = np.nan
        np.testing.assert_array_equal(y, float(k) ** 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.asfortranarray(x),
        lambda x: np.stack([x, x], axis=-1)[..., 0],
        lambda x: x[::-1][::-1],
        lambda x: np.array(x)[:, :],
    ],
)
@pytest.mark.parametrize("n", [3, 100])  # packed with others, and alone
def test_inputs_of_any_order_in_memory(make, n):
    x = rng().normal(size=(n, n))
    runner = compile_function(lambda xp, x: xp.matmul(x, x) + 1.0, x)
    given = make(x)
    given.flags.writeable = False
    np.testing.assert_allclose(runner.run([given])[0], x @ x + 1.0, rtol=1e-12, atol=1e-12)


def test_broadcast_views_and_empty_and_0d_inputs():
    a, b, c = np.broadcast_to(2.0, (3, 2000)), np.zeros((0, 3)), np.array(4.0)
    runner = compile_function(lambda xp, a, b, c: (a * c, xp.sum(b, axis=0), b + 1.0), a, b, c)
    y, total, empty = runner.run([a, b, c])
    np.testing.assert_array_equal(y, np.full((3, 2000), 8.0))
    np.testing.assert_array_equal(total, np.zeros(3))
    assert empty.shape == (0, 3)


# --- state --------------------------------------------------------------------------------------------------


def momentum(n=1000):
    """A runner of p, v -> loss, p - v, v * 0.5 + p, with p and v state; and p and v."""
    p, v = rng().normal(size=n), rng().normal(size=n)

    def f(xp, p, v):
        return xp.sum(p * p), p - v, v * 0.5 + p

    return compile_function(f, p, v, state=((0, 1), (1, 2))), p, v


def by_hand(p, v):
    return np.sum(p * p), p - v, v * 0.5 + p


def test_state_is_given_up_and_stays_in_its_place():
    runner, p, v = momentum()
    want = p, v
    _, p, v = runner.run([p, v], [True, True])
    want = by_hand(*want)[1:]
    assert not p.flags.writeable
    place = p.ctypes.data, v.ctypes.data
    for _ in range(3):
        loss, p, v = runner.run([p, v], [True, True])
        wanted_loss, *want = by_hand(*want)
        assert (p.ctypes.data, v.ctypes.data) == place
        np.testing.assert_allclose(loss, wanted_loss, rtol=1e-12)
        np.testing.assert_allclose(p, want[0], rtol=1e-12)
        np.testing.assert_allclose(v, want[1], rtol=1e-12)


def test_what_a_tensor_alone_holds_is_exclusive():
    runner, p, v = momentum()
    held = [runner.run([p, v])[1], np.zeros(3)]
    alone = runner.exclusive(held[0])
    part = held[0][1:]
    with_a_view = runner.exclusive(held[0])
    del part
    of_numpy = runner.exclusive(held[1])  # its memory cannot be given to XLA
    assert (alone, with_a_view, of_numpy) == (True, False, False)


def test_a_training_step_gives_all_its_state_up(monkeypatch):
    """Through xgrad.compile: parameters and moments keep their places, and the numbers are those of eager steps."""
    from xgrad.compile.engines.xla import OnNumPy

    taken = []
    take = OnNumPy._take

    def noted(*args):
        taken.append(take(*args))
        return taken[-1]

    monkeypatch.setattr(OnNumPy, "_take", noted)
    found = []
    for is_compiled in (False, True):
        with xg.use_backend("numpy"):
            p = xg.asarray(np.arange(3.0), requires_grad=True)
            optimizer = xg.optim.Adam([p], lr=0.1)

            def train(x, p=p, optimizer=optimizer):
                optimizer.zero_grad()
                loss = xg.sum(xg.exp(p * x))
                loss.backward()
                optimizer.step()
                return loss

            f = xg.compile(train, engine="xla") if is_compiled else train
            losses = [f(xg.asarray([0.1, 0.2, 0.3])).item() for _ in range(6)]
            found.append((losses, p.numpy()))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-10)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-10)
    assert [len(each) for each in taken] == [0, 3, 3, 3]


def test_state_that_the_caller_keeps_does_not_change():
    runner, p, v = momentum()
    _, p1, v1 = runner.run([p, v], [True, True])
    before = p1.copy(), v1.copy()
    for owned in ([True, False], [False, True], None):
        _, p2, v2 = runner.run(
            [p1.copy() if owned and owned[0] else p1, v1.copy() if owned and owned[1] else v1], owned
        )
        np.testing.assert_array_equal(p1, before[0])
        np.testing.assert_array_equal(v1, before[1])
        np.testing.assert_allclose(p2, before[0] - before[1], rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(v2, before[1] * 0.5 + before[0], rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(p, rng().normal(size=1000))  # the user's own arrays are never given up


def test_what_was_given_up_cannot_come_in_again():
    runner, p, v = momentum()
    _, p, v = runner.run([p, v])
    memory = p.base
    memory.array = None  # as if another step had it now
    with pytest.raises(RuntimeError, match="given up"):
        runner.run([p, v], [True, True])


def test_state_that_was_replaced_is_read_anew():
    runner, p, v = momentum()
    _, p, v = runner.run([p, v], [True, True])
    p = np.ones(1000)
    _, p2, _ = runner.run([p, v.copy()], [True, True])
    np.testing.assert_allclose(p2, 1.0 - v, rtol=1e-12)


def test_one_array_in_two_places_is_not_given_up():
    runner, p, v = momentum()
    _, p, v = runner.run([p, v], [True, True])
    before = p.copy()
    _, p2, v2 = runner.run([p, p], [True, True])
    np.testing.assert_array_equal(p2, 0.0)
    np.testing.assert_allclose(v2, before * 1.5, rtol=1e-12)
    np.testing.assert_array_equal(p, before)


def test_settled_arrays_are_not_copied_and_are_seen_by_every_program():
    runner = compile_function(lambda xp, x: xp.multiply(x, 2.0), np.zeros(3000))
    x = runner.settled(np.arange(3000.0))
    assert not x.flags.writeable
    np.testing.assert_array_equal(runner.run([x])[0], 2 * np.arange(3000.0))
    (y,) = runner.run([x])
    y[...] = 1.0  # the result's memory is XLA's, and may be written to and passed in
    np.testing.assert_array_equal(compile_function(lambda xp, x: x + 1.0, y).run([y])[0], 2.0)


def test_a_matrix_that_cannot_be_used_is_an_error_and_leaves_state():
    a, p = np.eye(2), np.ones(2)
    runner = compile_function(lambda xp, a, p: xp.linalg.solve(a, p) + p, a, p, state=((1, 0),))
    (q,) = runner.run([a, p], [False, True])
    with pytest.raises(ValueError, match="singular"):
        runner.run([np.zeros((2, 2)), q], [False, True])
    np.testing.assert_array_equal(q, [2.0, 2.0])
    np.testing.assert_array_equal(runner.run([a, q], [False, True])[0], [4.0, 4.0])
    cholesky = compile_function(lambda xp, a: xp.linalg.cholesky(a), a)
    with pytest.raises(ValueError, match="not positive definite"):
        cholesky.run([-a])


# --- settings, threads and other backends -------------------------------------------------------------------


def test_jaxs_settings_stay_as_they_are():
    code = """
        import jax, numpy as np, xgrad as xg
        assert not jax.config.jax_enable_x64
        f = xg.compile(lambda x: xg.sum(x * x), engine="xla")
        for k in range(4):
            y = f(xg.asarray(np.arange(3.0) + 2.0**-40))
        assert y.dtype == xg.float64 and float(y) == float(np.sum((np.arange(3.0) + 2.0**-40) ** 2)), y
        assert not jax.config.jax_enable_x64
        assert jax.numpy.zeros(1).dtype == "float32"
        print("fine")
    """
    assert output(code, JAX_ENABLE_X64="0") == "fine"


def test_threads_share_one_program():
    runner = compile_function(lambda xp, x: xp.multiply(x, x), np.zeros(20_000))
    wrong = []

    def work(k):
        for n in range(30):
            (y,) = runner.run([np.full(20_000, float(k + n))])
            if not (y == float(k + n) ** 2).all():
                wrong.append((k, n))

    threads = [threading.Thread(target=work, args=(100 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_jaxs_own_arrays():
    base = load("jax")
    p, v = (base.asarray(np.asarray(x), copy=True) for x in ([1.0, 2.0], [3.0, 4.0]))
    program = record(lambda xp, p, v, a: (p, p - a * v, v * 0.5 + p), p, v, 0.5, base=base)
    program = Program(
        program.specs, program.inputs, program.constants, program.instructions, program.outputs, ((0, 1), (1, 2))
    )
    runner = prepare("xla", program, base)
    same, p1, v1 = runner.run([p, v, 0.25])
    assert same is not p
    np.testing.assert_array_equal(p1, [0.25, 1.0])
    np.testing.assert_array_equal(v1, [2.5, 4.0])
    np.testing.assert_array_equal(p, [1.0, 2.0])
    _, p2, v2 = runner.run([p1, v1, 1.0], [True, True, False])
    np.testing.assert_array_equal(p2, [-2.25, -3.0])
    np.testing.assert_array_equal(v2, [1.5, 3.0])


def test_what_jax_cannot_trace_is_said():
    specs = {0: Spec((2,), "float64"), 1: Spec((2,), "float64")}
    program = Program(specs, (0,), {}, (Instruction("no_such_function", (Ref(0),), {}, (1,)),), (1,))
    with pytest.raises(xg.CompileError, match=r"'xla' cannot compute no_such_function.*engine=\"replay\""):
        compiled(program)


def test_without_jax_the_error_says_what_to_install():
    code = """
        import sys
        sys.modules["jax"] = None
        import xgrad as xg
        try:
            xg.compile(lambda x: x + x, engine="xla")(xg.asarray([1.0]))
        except xg.CompileError as error:
            print(error)
    """
    assert 'pip install "xgrad[xla]"' in output(code)
