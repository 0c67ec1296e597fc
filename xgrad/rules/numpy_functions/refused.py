"""NumPy's functions that do not take tensors, and why."""

from __future__ import annotations

_HISTOGRAM = "counts have no derivative. Use t.detach().numpy(), or a smooth density of your own"
_BITS = "it is about the bits of integers on the host. Use t.numpy()"
_MEMORY = "views of a tensor share its elements, whatever their memory is. Ask it of t.data"
_DATES = "tensors hold numbers, not dates"

REFUSED: dict[str, str] = {
    "busday_count": _DATES,
    "busday_offset": _DATES,
    "datetime_as_string": _DATES,
    "histogram": _HISTOGRAM,
    "histogram2d": _HISTOGRAM,
    "histogram_bin_edges": _HISTOGRAM,
    "histogramdd": _HISTOGRAM,
    "is_busday": _DATES,
    "may_share_memory": _MEMORY,
    "packbits": _BITS,
    "shares_memory": _MEMORY,
    "sort_complex": "complex numbers have no order that a derivative could follow. Sort xgrad.abs(t)",
    "unpackbits": _BITS,
}
