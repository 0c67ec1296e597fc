"""Operands, specs and constants as JSON: exactly the same afterwards, and an error for anything else."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest

from tests.support.compiled_programs import equal_bits
from xgrad.compile.encoding import (
    Invalid,
    read_constant,
    read_operand,
    read_spec,
    write_constant,
    write_operand,
    write_spec,
)
from xgrad.compile.passes.common_subexpressions import exact
from xgrad.compile.passes.kinds import ITEMSIZES
from xgrad.compile.program import DType, Ref, Spec


def through_json(part):
    return json.loads(json.dumps(part, allow_nan=False))


A_NAN = struct.unpack(">d", bytes.fromhex("fff8000000000001"))[0]
OPERANDS = [
    *(None, True, False, 0, 1, -5, 2**63, -(2**63), 0.0, -0.0, 1.0, 0.1, 5e-324, 1.7976931348623157e308),
    *(math.inf, -math.inf, math.nan, -math.nan, A_NAN, 1j, complex(-0.0, math.nan), complex(math.inf, -0.0)),
    *(..., "nearest", "v1", "...", Ref(0), Ref(123456789), DType("float32"), DType("bfloat16")),
    *(
        (),
        [],
        (1,),
        [1],
        (Ref(1), [Ref(2), (None, 2.0)]),
        slice(None),
        slice(1, -1, 2),
        slice(Ref(3), None),
        (slice(2), ..., None),
    ),
]


@pytest.mark.parametrize("operand", OPERANDS, ids=repr)
def test_an_operand_is_the_same_afterwards(operand):
    assert exact(read_operand(through_json(write_operand(operand)))) == exact(operand)


@pytest.mark.parametrize("operand", [np.float64(1.0), np.ones(2), object(), {"a": 1}, range(3), 2**70, b"x"], ids=repr)
def test_other_operands_are_not_saved(operand):
    with pytest.raises(Invalid):
        write_operand(operand)


@pytest.mark.parametrize(
    "part",
    [
        *("", "v", "v01", "v-1", "x1", "v1 ", "v9999999999", "....", "float32", "v1\n"),
        *({}, {"float": "1"}, {"float": 1.0}, {"float": "NaN"}, {"float": "7ff80000"}, {"float": ["nan"]}, {"text": 1}),
        *(
            {"dtype": "object"},
            {"dtype": ["float32"]},
            {"dtype": "float32", "text": ""},
            {"complex": [1, 2]},
            {"complex": [1.0]},
        ),
        *({"slice": [1, 2]}, {"slice": [1.0, 2, 3]}, {"slice": 1}, {"list": {}}, {"call": "eval"}, 2**70, [["v-1"]]),
    ],
    ids=repr,
)
def test_other_parts_are_no_operands(part):
    with pytest.raises(Invalid):
        read_operand(part)


SPECS = [Spec((), "float32"), Spec((3,), "bool"), Spec((2, 0, 5), "complex128"), Spec((), "number"), Spec((), "none")]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_spec_is_the_same_afterwards(spec):
    assert read_spec(write_spec(7, spec)) == (7, spec)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "v1",
            "v1: float32",
            "v1: number[]",
            "v1: none[]",
            "v1: float32[2,3]",
            "v1: float32[2, ]",
            "v1: float32[-1]",
            "v1: x[]",
        ),
        *(
            "v1: float32[0x2]",
            "v1:float32[]",
            "v1: float32[] ",
            "v1: float32[1.0]",
            "v1: float32[²]",
            None,
            1,
            ["v1: float32[]"],
        ),
        *(f"v1: float32[{2**62}]", f"v1: float32[{2**30}, {2**30}]", f"v1: int8[{10**19}]", f"v1: bool[0, {2**60}]"),
        f"v1: int8[{', '.join('1' * 65)}]",
    ],
    ids=repr,
)
def test_other_texts_are_no_specs(text):
    with pytest.raises(Invalid):
        read_spec(text)


def test_a_dtype_of_a_library_alone_is_not_saved():
    with pytest.raises(Invalid, match="float128"):
        write_spec(1, Spec((), "float128"))


# --- constants ----------------------------------------------------------------------------------------------


def values(dtype, shape):
    """Random bits, so that there are infinities and nans of all kinds."""
    rng = np.random.default_rng(0)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    size = np.dtype(dtype).itemsize * int(np.prod(shape))
    return np.frombuffer(rng.bytes(size), dtype=np.uint8).view(dtype).reshape(shape)


def after(array):
    spec = Spec(array.shape, array.dtype.name)
    return read_constant(spec, through_json(write_constant(spec, array)))


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (0,), (2, 0, 3)], ids=str)
@pytest.mark.parametrize("dtype", ITEMSIZES)
def test_a_constant_is_the_same_afterwards(dtype, shape):
    array = values(dtype, shape)
    found = after(array)
    assert equal_bits(found, array)
    assert found.flags.writeable  # as an array of its own


@pytest.mark.parametrize("value", [0.0, -0.0, 1.5, math.nan, A_NAN, math.inf, True, 3, 1j], ids=repr)
def test_equal_elements_are_stored_once(value):
    array = np.full((300, 400), value)
    spec = Spec(array.shape, array.dtype.name)
    assert len(json.dumps(write_constant(spec, array))) < 60
    assert equal_bits(after(array), array)


def test_zeros_of_two_signs_are_not_equal_elements():
    assert equal_bits(after(np.array([0.0, -0.0])), np.array([0.0, -0.0]))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (1, 0, 2)])
def test_the_order_in_memory_stays(order):
    array = np.ascontiguousarray(np.arange(24.0).reshape(2, 3, 4).transpose(order)).transpose(np.argsort(order))
    found = after(array)
    assert found.strides == array.strides
    assert equal_bits(found, array)


def test_views_and_the_other_byte_order():
    array = np.arange(24.0).reshape(4, 6)
    for view in (
        array[::2, ::-1],
        array[:, 2],
        np.broadcast_to(array[0], (3, 6)),
        np.broadcast_to(array[0, 1], (3, 6)),
    ):
        assert equal_bits(after(view), view)
    assert equal_bits(after(array.astype(">f8")), array)


@pytest.mark.parametrize(
    "part",
    [
        *(
            {},
            [],
            None,
            {"base64": "AACAPwAA"},
            {"base64": "AACAPwAAgD8="},
            {"base64": "AACAPwAAgD"},
            {"base64": "!ACAPw=="},
        ),
        *({"base64": 1}, {"base64": ["AACAPw=="]}, {"base64": "AACAPw==", "repeated": "AACAPw=="}, {"order": [0]}),
        *(
            {"repeated": "AACA"},
            {"repeated": None},
            {"repeated": "AACAPw==", "order": [1]},
            {"repeated": "AACAPw==", "order": 0},
        ),
        *(
            {"repeated": "AACAPw==", "order": [0, 1]},
            {"repeated": "AACAPw==", "order": [0.0]},
            {"repeated": "AACAPw==", "x": 1},
        ),
    ],
    ids=repr,
)
def test_other_parts_are_no_constants(part):
    with pytest.raises(Invalid):
        read_constant(Spec((3,), "float32"), part)


def test_what_else_a_constant_cannot_be():
    one = {"base64": "AACAPw=="}
    assert read_constant(Spec((), "float32"), one) == 1.0
    for spec in (Spec((), "number"), Spec((), "none"), Spec((), "float64"), Spec((2,), "float32")):
        with pytest.raises(Invalid):
            read_constant(spec, one)
    for spec in (Spec((), "float32"), Spec((0,), "float32"), Spec((1 << 31,), "float32")):
        with pytest.raises(Invalid, match="repeated"):
            read_constant(spec, {"repeated": "AACAPw=="})
    with pytest.raises(Invalid, match="truth"):
        read_constant(Spec((3,), "bool"), {"base64": "AAEC"})
    with pytest.raises(Invalid):
        write_constant(Spec((3,), "float32"), np.ones(3))
