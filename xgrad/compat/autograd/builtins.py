"""Python's types, as they see the values behind traced ones. Traced tuples, lists and dicts are Python's own here."""

from __future__ import annotations

import builtins
from typing import Any

from xgrad.compat.autograd.values import getval

SequenceBox: Any = builtins.tuple
DictBox: Any = builtins.dict
tuple, list, dict = builtins.tuple, builtins.list, builtins.dict
tuple_, list_, dict_, isinstance_, type_ = tuple, list, dict, builtins.isinstance, builtins.type


def isinstance(x: Any, kinds: Any) -> bool:
    """Whether the value is an instance of a type: an array, for a tensor."""
    return isinstance_(x, kinds) or isinstance_(getval(x), kinds)


def type(x: Any) -> Any:
    """The type of the value: NumPy's, for a tensor."""
    return type_(getval(x))
