"""Exchanging attributes all at once."""

from types import SimpleNamespace

import pytest

from xgrad.engine.swap import Swap


def test_a_second_call_takes_back_the_first():
    x, y = SimpleNamespace(a=1), SimpleNamespace(a=2)
    swap = Swap([(x, "a", 3), (y, "a", 4), (x, "a", 5)])  # the last of several values counts
    swap()
    assert (x.a, y.a) == (5, 4)
    swap()
    assert (x.a, y.a) == (1, 2)
    swap()
    assert (x.a, y.a) == (5, 4)


def test_an_error_changes_nothing():
    class Fixed:
        a = property(lambda self: 0)

    x = SimpleNamespace(a=1)
    swap = Swap([(x, "a", 2), (Fixed(), "a", 3)])
    with pytest.raises(AttributeError):
        swap()
    assert x.a == 1
