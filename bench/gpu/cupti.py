"""Counts the calls of CUDA functions by name, with callbacks of CUPTI, NVIDIA's library for profilers.

Written from cupti_callbacks.h, with ctypes: nothing is compiled.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import site
from collections import Counter
from collections.abc import Callable
from glob import glob
from typing import Any

DRIVER, RUNTIME = 1, 2  # CUpti_CallbackDomain
ENTER = 0  # CUpti_ApiCallbackSite
KINDS = {1: "HtoD", 2: "DtoH", 3: "DtoD", 4: "Default"}  # cudaMemcpyKind
KIND_OFFSET = 24  # in the parameters of cudaMemcpy and cudaMemcpyAsync: void*, const void*, size_t, kind


class CallbackData(ctypes.Structure):
    """The beginning of CUpti_CallbackData."""

    _fields_ = (
        ("site", ctypes.c_int),
        ("function", ctypes.c_char_p),
        ("parameters", ctypes.c_void_p),
    )


CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32, ctypes.POINTER(CallbackData))


def find() -> str | None:
    """The path of the library, if it is in one of the usual places."""
    roots = [os.environ.get("CUDA_PATH", ""), "/usr/local/cuda"]
    places = [f"{root}/extras/CUPTI/lib64/libcupti.so*" for root in roots if root]
    places += [f"{packages}/nvidia/*/lib/libcupti.so*" for packages in site.getsitepackages()]
    for place in places:
        found = sorted(glob(place))
        if found:
            return found[0]
    return ctypes.util.find_library("cupti")


def name_of(data: CallbackData) -> str:
    name = (data.function or b"?").decode()
    if name.removesuffix("_ptsz") in ("cudaMemcpy", "cudaMemcpyAsync") and data.parameters:
        kind = ctypes.c_int.from_address(data.parameters + KIND_OFFSET).value
        return f"{name} {KINDS.get(kind, kind)}"
    return name


def calls(step: Callable[[], Any]) -> Counter[str]:
    """The number of calls of each function of the driver and of the runtime during the step."""
    path = find()
    if path is None:
        raise OSError("libcupti was not found")
    library = ctypes.CDLL(path)
    seen: Counter[str] = Counter()

    @CALLBACK
    def callback(_: Any, domain: int, number: int, data: Any) -> None:
        if data.contents.site == ENTER:
            seen[name_of(data.contents)] += 1

    subscriber = ctypes.c_void_p()
    _must(library.cuptiSubscribe(ctypes.byref(subscriber), callback, None), "cuptiSubscribe")
    try:
        for domain in (DRIVER, RUNTIME):
            _must(library.cuptiEnableDomain(ctypes.c_uint32(1), subscriber, domain), "cuptiEnableDomain")
        step()
    finally:
        library.cuptiUnsubscribe(subscriber)
    return seen


def _must(status: int, what: str) -> None:
    if status != 0:
        raise OSError(f"{what} gave {status}")
