"""xg.compile: a compiled function gives what the function gives, and says what it cannot do."""

from __future__ import annotations

import math
import threading
import warnings

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from xgrad import nn

HERE = __file__.rpartition("/")[2]


def asarray(values, dtype=None):
    return xg.asarray(np.asarray(values, dtype=float), dtype=dtype)


def refuses(f, *args, match=None):
    """The error that a compiled function raises. It names this file."""
    with pytest.raises(xg.CompileError, match=match) as caught:
        xg.compile(f)(*args)
    assert HERE in str(caught.value)
    return str(caught.value)


# --- results ------------------------------------------------------------------------------------------------


def test_results_are_those_of_the_function(backend):
    def f(tree, scale):
        return {"sum": tree["a"] + tree["b"][0] * scale, "none": None, "three": 3, "mean": xg.mean(tree["a"])}

    compiled = xg.compile(f)
    for scale in (2.0, 0.5):
        for shift in (0.0, 1.0):
            tree = {"a": asarray([1.0, 2.0]) + shift, "b": [asarray([3.0, 4.0])]}
            got, want = compiled(tree, scale), f(tree, scale)
            assert list(got) == list(want)
            assert (got["none"], got["three"]) == (None, 3)
            np.testing.assert_array_equal(to_numpy(got["sum"]), to_numpy(want["sum"]))
            np.testing.assert_array_equal(to_numpy(got["mean"]), to_numpy(want["mean"]))
            assert got["sum"].backend is backend
    assert len(compiled.programs) == 1


def test_numpy_arguments_are_tensors_inside(backend):
    compiled = xg.compile(lambda x: x.mT @ x)
    x = np.arange(6.0).reshape(2, 3)
    for _ in range(2):
        y = compiled(x)
        assert isinstance(y, xg.Tensor)
        assert y.backend is backend
        assert_close(to_numpy(y), x.T @ x, 1e-14)


def test_results_are_arrays_of_their_own(backend):
    w = asarray([1.0, 2.0])
    compiled = xg.compile(lambda x: (x, w, x + w, w[0:1]))
    x = asarray([5.0, 6.0])
    first, second, third = (compiled(x) for _ in range(3))
    for results in (first, second, third):
        for y in results:
            y[...] = -1.0
    assert x.tolist() == [5.0, 6.0]
    assert w.tolist() == [1.0, 2.0]
    assert [y.tolist() for y in compiled(x)] == [[5.0, 6.0], [1.0, 2.0], [6.0, 8.0], [1.0]]


def test_a_result_is_not_the_buffer_of_the_next_call():
    compiled = xg.compile(lambda x: xg.exp(x) * 2.0)
    kept = [compiled(np.full(3, float(i))) for i in range(5)]
    for i, y in enumerate(kept):
        assert_close(y.numpy(), np.full(3, 2 * math.exp(i)), 1e-14)


def test_a_function_without_arguments(backend):
    compiled = xg.compile(lambda: xg.ones(3) * 2.0)
    assert [compiled().tolist() for _ in range(3)] == [[2.0] * 3] * 3


def test_float32_stays_float32(backend):
    compiled = xg.compile(lambda x, lr: x * lr + 0.5)
    x = asarray([1.0, 2.0], dtype=xg.float32)
    assert [compiled(x, lr).dtype for lr in (0.1, 0.2, 0.3)] == [xg.float32] * 3


def test_a_decorator_with_options():
    @xg.compile(static_argnames=["power"])
    def f(x, power=2.0):
        """Text."""
        return x**power if power > 1 else x

    assert (f.__name__, f.__doc__) == ("f", "Text.")
    x = xg.asarray([3.0])
    assert [f(x).item(), f(x, 3.0).item(), f(x, power=0.5).item(), f(x, 3.0).item()] == [9.0, 27.0, 3.0, 27.0]
    assert len(f.programs) == 3


def test_a_method_and_a_module():
    class Line(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([2.0])

        def forward(self, x):
            return self.w * x

        @xg.compile
        def doubled(self, x):
            return self.w * x * 2.0

    line = Line()
    forward = xg.compile(line)
    assert [forward(np.ones(1)).item() for _ in range(2)] == [2.0, 2.0]
    assert [line.doubled(np.ones(1)).item() for _ in range(2)] == [4.0, 4.0]
    other = Line()
    other.w.data[...] = 5.0
    assert [other.doubled(np.ones(1)).item(), line.doubled(np.ones(1)).item()] == [10.0, 4.0]


def test_a_compiled_module_has_no_attributes_of_the_module():
    model = nn.Linear(2, 1)
    model.program, model._lock, model.engine = "p", "l", "e"
    compiled = xg.compile(model)
    assert [compiled(np.ones((1, 2))).shape for _ in range(2)] == [(1, 1)] * 2
    assert len(compiled.programs) == 1
    assert not hasattr(compiled, "weight")


# --- when it is traced anew ---------------------------------------------------------------------------------


def test_a_float_never_recompiles():
    compiled = xg.compile(lambda x, lr: x - lr * xg.sign(x))
    for lr in np.linspace(0.1, 2.0, 20).tolist():
        assert_close(compiled(np.asarray([3.0, -3.0]), lr).numpy(), [3.0 - lr, lr - 3.0], 1e-15)
    assert len(compiled.programs) == 1


def test_a_static_argument_has_a_program_for_each_value():
    compiled = xg.compile(lambda x, n, name: x**n if name == "a" else -x)
    x = np.asarray([2.0])
    got = [
        compiled(x, 2, "a").item(),
        compiled(x, 3, "a").item(),
        compiled(x, 3, name="b").item(),
        compiled(x, True, "a").item(),
    ]
    assert got == [4.0, 8.0, -2.0, 2.0]
    assert len(compiled.programs) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: ((a["x"][:1],), {}), "argument x is Tensor of shape"),
        (lambda a: ((xg.astype(a["x"], xg.float32),), {}), "dtype float32"),
        (lambda a: ((a["x"].numpy(),), {}), "ndarray"),
        (lambda a: ((xg.asarray([1.0, 2.0], requires_grad=True),), {}), "requires a gradient"),
        (lambda a: ((a["x"],), {"n": 3}), "structure"),
    ],
)
def test_why_it_was_traced_again(change, said):
    x = xg.asarray([1.0, 2.0])

    def f(x, n=2):
        return x**n

    compiled = xg.compile(f)
    compiled(x)
    args, kwargs = change({"x": x})
    compiled(*args, **kwargs)
    assert said in next(line for line in compiled.explain().splitlines() if line.startswith("trace 2"))


def test_recording_is_part_of_the_key():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    compiled = xg.compile(lambda: xg.sum(w * w))
    assert compiled().requires_grad
    with xg.no_grad():
        assert not compiled().requires_grad
    assert compiled().requires_grad
    assert "recording is False" in compiled.explain()


def test_more_than_eight_traces_are_reported_with_their_reasons():
    compiled = xg.compile(lambda x: x + 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(1, 9):
            compiled(np.ones(n))
    with pytest.warns(UserWarning, match=r"traced 9 times.*shape \(9,\)"):
        assert compiled(np.ones(9)).shape == (9,)
    with warnings.catch_warnings():  # then once in eight traces, with the reasons of the latest eight
        warnings.simplefilter("error")
        for n in range(10, 17):
            compiled(np.ones(n))
    with pytest.warns(UserWarning, match=r"traced 17 times.*latest reasons: 10: .*shape \(17,\)"):
        compiled(np.ones(17))


def test_use_backend_and_the_default_dtype_are_part_of_the_key():
    compiled = xg.compile(lambda: xg.ones(2) * 0.5)
    assert compiled().dtype == xg.float64
    xg.set_default_dtype("float32")
    try:
        assert compiled().dtype == xg.float32
    finally:
        xg.set_default_dtype(None)
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict") as strict:
        assert compiled().backend is strict
    assert compiled().dtype == xg.float64


# --- what it refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x if xg.sum(x) > 0 else -x,
        lambda x: float(xg.sum(x)),
        lambda x: int(xg.sum(x)),
        lambda x: xg.sum(x).item(),
        lambda x: x.tolist(),
        lambda x: x.numpy(),
        lambda x: np.asarray(x),
        lambda x: print(x),
        lambda x: f"{xg.sum(x):.3f}",
        lambda x: round(xg.sum(x), 2),
        lambda x: [1.0, 2.0, 3.0][xg.argmax(x)],
        lambda x: xg.all(x > 0) and x,
        lambda x: max(x[0], x[1]),
    ],
)
def test_looking_at_a_value_is_refused(f, backend):
    assert "xgrad.where" in refuses(f, asarray([1.0, 2.0])) or f.__code__.co_names == ("print",)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[x > 1.0],
        lambda x: xg.nonzero(x),
        lambda x: xg.unique_values(x),
        lambda x: xg.repeat(x, xg.astype(x, "int64")),
    ],
)
def test_shapes_that_depend_on_values_are_refused(f):
    refuses(f, xg.asarray([1.0, 2.0]), match="shape of the result of")


def test_a_mask_that_is_the_same_in_each_call_is_taken():
    mask = xg.asarray([True, False, True])
    compiled = xg.compile(lambda x: x[np.asarray([True, False, True])])
    assert [compiled(np.arange(3.0) + i).tolist() for i in range(2)] == [[0.0, 2.0], [1.0, 3.0]]
    refuses(lambda x: x[mask], xg.asarray([1.0, 2.0, 3.0]), match="shape of the result")  # a tensor may change


def test_a_float_cannot_be_looked_at():
    for f in (
        lambda x, lr: x * lr if lr > 0 else x,
        lambda x, lr: x * math.sqrt(lr),
        lambda x, lr: f"{lr:.2f}",
        lambda x, lr: x if lr else -x,
        lambda x, lr: x if lr == 1.0 else -x,
    ):
        with pytest.raises(xg.CompileError, match="static_argnames"):
            xg.compile(f)(np.ones(2), 0.5)


@pytest.mark.parametrize("x", [np.ones(3), "tensor"])
def test_writing_into_an_argument_is_refused(x):
    x = xg.ones(3) if isinstance(x, str) else x

    def f(x):
        x[0] = 5.0
        return x

    refuses(f, x, match="writes into its argument x")
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_a_tensor_that_leaked_says_where_it_was_made():
    kept = []

    def f(x):
        kept.append(x * 2.0)
        return x

    assert xg.compile(f)(np.ones(2)).tolist() == [1.0, 1.0]
    line = f.__code__.co_firstlineno + 1
    for use in (lambda t: t + 1.0, lambda t: t.numpy(), print, lambda t: float(t[0]), lambda t: xg.sum(t)):
        with pytest.raises(xg.CompileError, match=f"{HERE}, line {line} is used outside"):
            use(kept[0])
    with pytest.raises(xg.CompileError, match="is used outside"):
        kept[0] * xg.ones(2)


def test_detect_anomaly_inside_is_refused():
    def f(x):
        with xg.detect_anomaly():
            return xg.exp(x)

    refuses(f, xg.asarray([1.0]), match="watched")


def test_an_unhashable_static_argument():
    with pytest.raises(xg.CompileError, match=r"set is static.*frozenset"):
        xg.compile(lambda x, names: x)(np.ones(1), {"a"})


def test_wrong_options():
    with pytest.raises(ValueError, match="engine"):
        xg.compile(lambda x: x, engine="fast")
    with pytest.raises(ValueError, match=r"static_argnames has 'y'.*x"):
        xg.compile(lambda x: x, static_argnames="y")
    with pytest.raises(TypeError, match="expected a function"):
        xg.compile(3)
    with pytest.raises(RuntimeError, match="before its first call"):
        xg.compile(lambda x: x).program  # noqa: B018


def test_errors_of_the_function_come_through():
    compiled = xg.compile(lambda x, y: x @ y)
    with pytest.raises(ValueError, match="matmul"):
        compiled(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ZeroDivisionError):
        xg.compile(lambda x: x + 1 / 0)(np.ones(2))


# --- without its program ------------------------------------------------------------------------------------


def test_it_runs_without_its_program_while_operations_are_watched():
    compiled = xg.compile(lambda x: xg.log(x))
    compiled(np.ones(2))
    with xg.detect_anomaly():
        with pytest.warns(UserWarning, match="without compile"):
            compiled(np.ones(2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled(np.ones(2))
        with pytest.raises(xg.AnomalyError, match="log"), np.errstate(all="ignore"):
            compiled(-np.ones(2))
    assert "not compiled: operations were watched" in compiled.explain()


def test_it_becomes_a_part_of_what_is_compiled_around_it():
    inner = xg.compile(lambda x: xg.sin(x) * 2.0)
    outer = xg.compile(lambda x: inner(x) + inner(x * 2.0))
    x = np.asarray([0.3, 0.4])
    for _ in range(2):
        assert_close(outer(x).numpy(), 2 * np.sin(x) + 2 * np.sin(2 * x), 1e-15)
    assert len(inner.programs) == 0
    assert sum(i.name == "sin" for i in outer.program.instructions) == 2
    assert "part of another" in inner.explain()


def test_vmap_and_checkpoint_around_and_inside(backend):
    weights = asarray([1.0, 10.0])
    rows = asarray([[1.0, 2.0], [3.0, 4.0]])
    loss = xg.compile(lambda w, x: xg.sum(w * x) ** 2)
    each = xg.vmap(loss, in_axes=(None, 0))
    want = [441.0, 1849.0]
    assert each(weights, rows).tolist() == want
    inside = xg.compile(xg.vmap(lambda w, x: xg.sum(w * x) ** 2, in_axes=(None, 0)))
    assert [inside(weights, rows).tolist() for _ in range(2)] == [want, want]
    gradient = xg.compile(xg.grad(xg.checkpoint(lambda w: xg.sum(xg.exp(w * rows)))))
    want = (to_numpy(rows) * np.exp(to_numpy(weights) * to_numpy(rows))).sum(axis=0)
    for _ in range(2):
        assert_close(to_numpy(gradient(weights)), want, 1e-13)


def test_threads_share_a_compiled_function():
    compiled = xg.compile(lambda x, y: xg.exp(x) @ y + xg.sum(x))
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(n, 4)), rng.normal(size=(4, 3))) for n in (3, 5) for _ in range(10)]
    wrong = []

    def work():
        for _ in range(10):
            for x, y in pairs:
                got = compiled(x, y).numpy()
                if not np.allclose(got, np.exp(x) @ y + x.sum(), rtol=1e-12, atol=1e-12):
                    wrong.append(got)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(compiled.programs) == 2


def test_explain_says_what_was_captured():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    total, scale = xg.zeros(2), np.asarray([3.0, 4.0])
    rng, half = xg.random.Generator(0), 0.5
    optimizer = xg.optim.Adam([w])

    def step(x):
        optimizer.zero_grad()
        total[...] = total + x
        loss = xg.sum(w * x * scale) * half + xg.sum(rng.normal((2,)))
        loss.backward()
        optimizer.step()
        return loss

    compiled = xg.compile(step, engine="replay")
    assert compiled.explain().endswith("not traced yet")
    for _ in range(3):
        compiled(np.ones(2))
    text = compiled.explain()
    for said in (
        "2 traces",
        f"{HERE}, line",
        "the first call",
        "the state of Adam has been made",
        "engine: replay",
        "read and written back: w, total",
        "state of optimizers: Adam",
        "beta1",
        "drawn anew in each call: normal",
        "constants: an array of shape (2,) and dtype float64",
        "half = 0.5 (",
        f"line {step.__code__.co_firstlineno + 3})",
        ".grad: not kept",
    ):
        assert said in text, text


def test_a_watched_run_is_told_and_found_wrong_as_ever():
    rng = xg.random.Generator(0)
    model = nn.Sequential(nn.Linear(1, 8, rng=rng), nn.Tanh(), nn.Linear(8, 1, rng=rng))
    x, loss_of = xg.linspace(-1, 1, 9)[:, None], nn.MSELoss()
    optimizer = xg.optim.SGD(model.parameters(), lr=100.0)

    @xg.compile
    def step(x):
        optimizer.zero_grad()
        loss = loss_of(model(x), x)
        loss.backward()
        optimizer.step()
        return loss

    watch = xg.diagnose.watch(model, optimizer, loss=loss_of, x=x, y=x)
    with pytest.warns(UserWarning, match="without compile"):
        watch.step(step(x))
    for _ in range(2):
        watch.step(step(x))
    assert watch.report().findings[0].rule == "STEP_UNSTABLE"
    watch.close()
    assert not step.programs
    step(x)
    assert len(step.programs) == 1


def test_hooks_of_an_optimizer_are_refused():
    w = xg.asarray([1.0], requires_grad=True)
    optimizer = xg.optim.SGD([w], lr=0.1)

    @xg.compile
    def step():
        optimizer.zero_grad()
        xg.sum(w).backward()
        optimizer.step()

    step()
    calls = []
    handle = optimizer.register_step_post_hook(lambda *args: calls.append(1))
    with pytest.raises(xg.CompileError, match="hooks"):
        step()
    handle.remove()
    step()
    assert not calls
