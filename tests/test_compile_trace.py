"""A trace finds what a function touches, writes back what it changes, and changes nothing if it fails."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from xgrad import nn
from xgrad.compile.capture import GRAD, SLOTS
from xgrad.engine.tape import Held

F = nn.functional


def asarray(values, **options):
    return xg.asarray(np.asarray(values, dtype=float), **options)


# --- what is written ----------------------------------------------------------------------------------------


def test_a_tensor_that_is_written_to_is_state(backend):
    total, count = asarray([0.0, 0.0]), asarray(0.0)

    def add(x):
        total[...] = total + x
        count[...] = count + 1.0
        return total / count

    compiled = xg.compile(add)
    means = [to_numpy(compiled(asarray([i, 2.0 * i]))).tolist() for i in range(4)]
    assert means == [[0.0, 0.0], [0.5, 1.0], [1.0, 2.0], [1.5, 3.0]]
    assert (to_numpy(total).tolist(), count.item()) == ([6.0, 12.0], 4.0)
    assert len(compiled.programs) == 1
    assert len(compiled.program.state) == 2


def test_views_follow(backend):
    table = asarray(np.zeros((2, 3)))
    row, column = table[0, ...], table[:, 1]

    def add(x):
        row[...] = row + x

    compiled = xg.compile(add)
    for _ in range(3):
        assert compiled(asarray([1.0, 2.0, 3.0])) is None
    assert to_numpy(table).tolist() == [[3.0, 6.0, 9.0], [0.0, 0.0, 0.0]]
    assert (to_numpy(row).tolist(), to_numpy(column).tolist()) == ([3.0, 6.0, 9.0], [6.0, 0.0])
    table[0, 1] = 50.0
    compiled(asarray([0.0, 1.0, 0.0]))
    assert to_numpy(column).tolist() == [51.0, 0.0]


def test_a_write_does_not_change_what_others_hold(backend):
    x = asarray([1.0, 2.0])
    compiled = xg.compile(lambda: x.__setitem__(0, x[1] * 2.0))
    kept, snapshot = x.data, x.detach()
    for _ in range(3):
        compiled()
    assert to_numpy(snapshot).tolist() == [1.0, 2.0]
    assert backend.to_numpy(kept).tolist() == [1.0, 2.0]
    assert to_numpy(x).tolist() == [4.0, 2.0]


def test_closed_over_tensors_are_read_anew(backend):
    w = asarray([1.0, 2.0])
    box = {"w": asarray([10.0, 20.0])}
    compiled = xg.compile(lambda x: x * w + box["w"])
    x = asarray([1.0, 1.0])
    assert to_numpy(compiled(x)).tolist() == [11.0, 22.0]
    w[...] = 3.0
    assert to_numpy(compiled(x)).tolist() == [13.0, 23.0]
    box["w"] = asarray([0.0, 1.0])
    assert to_numpy(compiled(x)).tolist() == [3.0, 4.0]
    w = asarray([5.0, 5.0])
    assert to_numpy(compiled(x)).tolist() == [5.0, 6.0]
    w.data = xg.asarray([7.0, 7.0]).data if backend.name == "numpy" else w.data * 0 + 7.0
    assert to_numpy(compiled(x)).tolist() == [7.0, 8.0]


def test_buffers_that_are_set_are_written(backend):
    class Counting(nn.Module):
        seen: xg.Tensor

        def __init__(self):
            self.register_buffer("seen", asarray(0.0))

        def forward(self, x):
            self.seen = self.seen + 1.0
            return x * self.seen

    module = Counting()
    compiled = xg.compile(module)
    assert [to_numpy(compiled(asarray([2.0]))).item() for _ in range(3)] == [2.0, 4.0, 6.0]
    assert module.seen.item() == 3.0


# --- gradients in `.grad` -----------------------------------------------------------------------------------


def test_grads_are_kept_on_request(backend):
    w = asarray([1.0, 2.0], requires_grad=True)

    def backward(x):
        w.grad = None
        xg.sum(w * w * x).backward()

    compiled = xg.compile(backward, keep_grads=True)
    for scale in (1.0, 2.0, 3.0):
        compiled(asarray([scale, 1.0]))
        assert to_numpy(w.grad).tolist() == [2.0 * scale, 4.0]


def test_grads_accumulate_if_kept(backend):
    w = asarray([1.0, 2.0], requires_grad=True)
    compiled = xg.compile(lambda x: xg.sum(w * x).backward(), keep_grads=True)
    for i in range(4):
        compiled(asarray([1.0, 10.0]))
        assert to_numpy(w.grad).tolist() == [1.0 + i, 10.0 + 10 * i]
    assert len(compiled.programs) == 2
    assert "the .grad of a parameter is there now" in compiled.explain()
    w.grad = None
    compiled(asarray([1.0, 10.0]))
    assert to_numpy(w.grad).tolist() == [1.0, 10.0]
    assert len(compiled.programs) == 2


def test_reading_a_grad_that_was_not_kept_is_an_error():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    optimizer = xg.optim.SGD([w], lr=0.1)

    def step():
        optimizer.zero_grad()
        xg.sum(w * w).backward()
        optimizer.step()

    compiled = xg.compile(step)
    for _ in range(3):
        compiled()
        with pytest.raises(xg.CompileError, match="keep_grads=True"):
            w.grad  # noqa: B018
    with pytest.raises(xg.CompileError, match="keep_grads=True"):
        xg.sum(w).backward()  # it would add to what is gone
    optimizer.zero_grad()
    xg.sum(w).backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_a_grad_that_another_compiled_step_has_used_up():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    adding = xg.compile(lambda: xg.sum(w * w).backward(), keep_grads=True)
    for _ in range(3):
        adding()

    @xg.compile
    def dropping():
        w.grad = None
        xg.sum(w).backward()

    dropping()
    with pytest.raises(xg.CompileError, match="keep_grads=True"):
        adding()
    w.grad = None
    adding()
    assert w.grad.tolist() == [2.0, 4.0]


# --- errors -------------------------------------------------------------------------------------------------


def test_an_error_while_tracing_changes_nothing(backend):
    xg.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    optimizer = xg.optim.Adam(model.parameters())
    x, y = xg.random.Generator(1).normal((5, 3)), xg.zeros((5, 1))
    buffer = xg.zeros(2)
    F.mse_loss(model(x), y).backward()
    optimizer.step()

    def step(fails):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        buffer[0] = loss.detach()
        if fails == "value":
            raise ValueError("no")
        return loss.item() if fails == "item" else loss

    def everything():
        tensors = [*model.parameters(), *model.buffers(), buffer, *(p.grad for p in model.parameters())]
        moments = [value for p in model.parameters() for value in optimizer.state[p].values()]
        moments = [backend.to_numpy(m) if backend.owns(m) else np.asarray(m) for m in moments]
        return [to_numpy(t) for t in tensors], moments, xg.random.get_rng_state()

    before = everything()
    for fails, error in (("value", ValueError), ("item", xg.CompileError)):
        with pytest.raises(error):
            xg.compile(step)(fails)
        after = everything()
        for one, other in zip((*before[0], *before[1]), (*after[0], *after[1]), strict=True):
            np.testing.assert_array_equal(one, other)
        assert before[2] == after[2]
        assert all(p.backend is backend for p in model.parameters())
    xg.compile(step)("")  # and a step can be taken
    assert not np.array_equal(to_numpy(buffer), [0.0, 0.0])


def test_after_a_trace_the_attributes_are_slots_again():
    with pytest.raises(ZeroDivisionError):
        xg.compile(lambda x: 1 / 0)(np.ones(1))
    xg.compile(lambda x: x)(np.ones(1))
    assert all(xg.Tensor.__dict__[name] is slot for name, slot in SLOTS.items())
    assert Held.__dict__["grad"] is GRAD


def test_another_thread_sees_the_tensors_themselves():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    seen = []

    def look():
        seen.append((type(w.data), w.backend.is_temporary, (w * 2.0).tolist()))

    def f(x):
        y = w * x
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return y

    xg.compile(f)(np.ones(2))
    assert seen == [(np.ndarray, False, [2.0, 4.0])]


def test_two_backends_are_refused():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict"):
        other = xg.ones(2)
    with pytest.raises(xg.CompileError, match="two backends"):
        xg.compile(lambda x: (x + 1.0, other + 1.0))(xg.ones(2))


# --- random numbers -----------------------------------------------------------------------------------------


def test_draws_are_those_of_the_function(backend):
    def f(x, rng):
        noise = rng.normal((3,)) + rng.uniform((3,), low=-1.0)
        kept = rng.bernoulli((3,), p=0.7)
        order = rng.permutation(3)
        return F.dropout(x, 0.4, rng=rng) * xg.where(kept, noise, 0.0) + xg.astype(order, x.dtype) + xg.random.rand(3)

    x, compiled = asarray([1.0, 2.0, 3.0]), xg.compile(f)
    results = []
    for function in (f, compiled):
        xg.random.seed(7)
        rng = xg.random.Generator(3)
        results.append([to_numpy(function(x, rng)) for _ in range(4)])
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[1][1], results[1][2])


def test_seeding_again_repeats_the_draws():
    compiled = xg.compile(lambda: xg.random.default_generator().normal((2,)))
    xg.random.seed(1)
    first = [compiled().tolist() for _ in range(3)]
    xg.random.seed(1)
    assert [compiled().tolist() for _ in range(3)] == first


def test_draws_that_are_looked_at_are_refused():
    rng = xg.random.Generator(0)
    for f in (
        lambda x: x * rng.host.normal(),
        lambda x: x if rng.host.random() > 0.5 else -x,
        lambda x: rng.shuffle([1, 2, 3]),
        lambda x: x * xg.random.seed(0).normal(),
        lambda x: x * xg.random.Generator().normal(),
    ):
        state = rng.get_state()
        with pytest.raises(xg.CompileError):
            xg.compile(f)(np.ones(2))
        assert rng.get_state() == state


# --- modules ------------------------------------------------------------------------------------------------


def test_train_and_eval(backend):
    xg.random.seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
    compiled = xg.compile(lambda x: model(x))
    x = xg.random.Generator(0).normal((6, 2))
    xg.random.seed(1)
    got = [to_numpy(compiled(x)) for _ in range(2)]
    model.eval()
    got += [to_numpy(compiled(x)) for _ in range(2)]
    model.train()
    got += [to_numpy(compiled(x))]
    after = [to_numpy(b) for b in model.buffers()]
    assert len(compiled.programs) == 2
    assert "is in evaluation now" in compiled.explain()
    xg.random.seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
    xg.random.seed(1)
    want = [to_numpy(model(x)) for _ in range(2)]
    model.eval()
    want += [to_numpy(model(x)) for _ in range(2)]
    model.train()
    want += [to_numpy(model(x))]
    np.testing.assert_array_equal(got, want)
    for one, other in zip(after, model.buffers(), strict=True):
        np.testing.assert_array_equal(one, to_numpy(other))


def test_a_layer_or_a_parameter_that_was_replaced_is_noticed():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    compiled = xg.compile(lambda x: model(x))
    x = np.asarray([[1.0, -2.0]])
    compiled(x)
    for replace in (
        lambda: setattr(model[0], "weight", nn.Parameter([[1.0, 0.0], [0.0, 1.0]])),
        lambda: model.__setitem__(2, nn.Linear(2, 1)),
        lambda: model.__setitem__(1, nn.Tanh()),
        lambda: model.append(nn.Sigmoid()),
        lambda: model[0].weight.data.__setitem__(0, 5.0),
        lambda: model.load_state_dict({name: 2 * value for name, value in model.state_dict().items()}),
        lambda: model.float(),
    ):
        replace()
        x = np.asarray(x, dtype=np.dtype(model[0].weight.dtype))
        for _ in range(2):
            assert_close(compiled(x).numpy(), model(x).numpy(), 1e-6)


def test_a_container_with_two_names_is_noticed_under_each():
    inner = {"w": xg.asarray([1.0, 2.0])}
    first, second = {"inner": inner}, {"inner": inner}
    compiled = xg.compile(lambda x: x * first["inner"]["w"] + second["inner"]["w"])
    x = np.ones(2)
    assert compiled(x).tolist() == [2.0, 4.0]
    first["inner"] = {"w": xg.asarray([10.0, 20.0])}
    assert compiled(x).tolist() == [11.0, 22.0]
    second["inner"] = {"w": xg.asarray([0.0, 0.0])}
    assert compiled(x).tolist() == [10.0, 20.0]


def test_a_parameter_that_is_frozen_or_moved_is_noticed():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    compiled = xg.compile(lambda x: xg.sum(w * x))
    assert compiled(np.ones(2)).requires_grad
    w.requires_grad_(False)
    assert not compiled(np.ones(2)).requires_grad
    assert "does not require a gradient now" in compiled.explain()
    w.data = np.asarray([1.0, 2.0], dtype=np.float32)
    assert compiled(np.ones(2, dtype=np.float32)).dtype == xg.float32


def test_a_compiled_function_does_not_look_at_itself():
    """A global of the name of a method, or the compiled function itself among the globals, is no reason to trace again."""
    source = """
import numpy as np
import xgrad as xg
w = xg.asarray([1.0, 2.0], requires_grad=True)
optimizer = xg.optim.SGD([w], lr=0.1, momentum=0.9)
@xg.compile
def step(x):
    optimizer.zero_grad()
    loss = xg.sum((w - x) ** 2)
    loss.backward()
    optimizer.step()
    return loss
@xg.compile
def again(x):
    return step(x) + again.f.__code__.co_argcount
for _ in range(5):
    step(np.ones(2))
    again(np.ones(2))
"""
    space: dict[str, Any] = {"__name__": "program"}
    exec(source, space)
    assert len(space["step"].programs) == 2
    assert len(space["again"].programs) == 1


def test_what_a_compiled_function_uses_is_freed_with_it():
    def used():
        w = xg.asarray(np.ones(5), requires_grad=True)
        compiled = xg.compile(lambda x: xg.sum(w * x))
        for _ in range(3):
            compiled(np.ones(5)).backward()
        with pytest.raises(xg.CompileError):
            xg.compile(lambda x: xg.sum(w * x).item())(np.ones(5))
        return weakref.ref(w)

    reference = used()
    gc.collect()
    assert reference() is None


def test_calls_do_not_take_more_and_more_memory():
    w = xg.asarray(np.ones((50, 50)), requires_grad=True)
    optimizer = xg.optim.Adam([w])
    noise = xg.random.Generator(0)

    @xg.compile
    def step(x):
        optimizer.zero_grad()
        loss = xg.sum((w @ x + noise.normal((50, 50))) ** 2)
        loss.backward()
        optimizer.step()
        return loss

    x = np.ones((50, 50))
    for _ in range(5):
        step(x)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(5):
            step(x)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            step(x)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < w.data.nbytes
