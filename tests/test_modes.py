"""no_grad: where it applies, and where it ends."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make
from xgrad.engine.tape import is_recording, set_recording


def test_nothing_is_recorded_in_the_block(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    with xg.no_grad():
        results = (x * x, x + 1.0, -x, xp.sum(x), x[0], xp.matmul(x, x), xp.linear(x, make(xp, [[1.0, 2.0]])))
        assert not any(y.requires_grad for y in results)
        assert x.requires_grad
    assert (x * x).requires_grad


def test_as_a_decorator(xp):
    @xg.no_grad()
    def f(x):
        return x * x

    x = make(xp, 2.0, requires_grad=True)
    assert not f(x).requires_grad
    assert not f(x).requires_grad
    assert (x * x).requires_grad


def test_it_ends_with_an_exception(xp):
    x = make(xp, 2.0, requires_grad=True)
    with pytest.raises(ZeroDivisionError), xg.no_grad():
        raise ZeroDivisionError
    assert is_recording()
    assert (x * x).requires_grad


def test_a_task_that_outlives_the_block_records_again(xp):
    """Also while another block, which is not this task's, is open."""
    x = make(xp, [[1.0, 2.0], [3.0, 5.0]], requires_grad=True)

    def results():
        one_row = xp.asarray([[1.0, 2.0]], dtype=x.dtype)
        made = [
            -x,
            x * x,
            x * 2.0,
            x @ x,
            xp.linear(x, one_row, one_row[0, :1]),
            xp.sum(x),
            xp.concat([x, x]),
            x[0, ...],
        ]
        return [y.requires_grad for y in made]

    async def outlive(ended):
        with set_recording(False):
            pass  # a block of the task's own, which ends before the other
        within = results()
        await ended.wait()
        alone = results()
        with xg.no_grad():
            elsewhere = contextvars.Context().run(results)
            return within, alone, elsewhere, results()

    async def start():
        ended = asyncio.Event()
        with xg.no_grad():
            task = asyncio.create_task(outlive(ended))
            await asyncio.sleep(0)
        ended.set()
        return await task

    within, alone, elsewhere, in_its_own = asyncio.run(start())
    assert set(alone) == set(elsewhere) == {True}
    assert set(within) == set(in_its_own) == {False}
    assert is_recording()


def test_blocks_nest():
    switch = xg.no_grad()
    with switch:
        with switch, xg.no_grad():
            assert not is_recording()
        with set_recording(True):
            assert is_recording()
        assert not is_recording()
    assert is_recording()


def test_a_value_from_the_block_is_a_constant(xp):
    x = make(xp, 3.0, requires_grad=True)
    with xg.no_grad():
        c = x * x
    (c * x).backward()
    assert_matches(x.grad, 9.0, xp=xp)


def test_backward_works_in_the_block(xp):
    x = make(xp, 3.0, requires_grad=True)
    y = x * x
    with xg.no_grad():
        y.backward()
        assert not is_recording()
    assert_matches(x.grad, 6.0, xp=xp)


def test_inside_a_function_that_is_differentiated(xp):
    """What is computed in the block does not count; the transform records all else, even if it was called in a block."""

    def f(x):
        with xg.no_grad():
            c = x * x
        return c * x

    with xg.no_grad():
        assert xg.grad(f)(make(xp, 3.0)).item() == 9.0
        assert xg.jvp(f, (make(xp, 3.0),), (make(xp, 1.0),))[1].item() == 9.0
        assert not is_recording()
