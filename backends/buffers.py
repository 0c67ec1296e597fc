"""The part of the base class `Backend` that is about memory of others: arrays written to files, and arrays in mapped files."""

from __future__ import annotations

from typing import Any


class Buffers:
    """A base class of `Backend`."""

    def asarray(self, obj: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        raise NotImplementedError

    def to_numpy(self, array: Any) -> Any:
        raise NotImplementedError

    def host_view(self, array: Any) -> Any:
        """Return the values of a raw array as a NumPy array to read from, which shares its memory if it can.

        Where NumPy has no bfloat16, the elements are 16-bit integers with the same bits.
        """
        return self.to_numpy(array)

    def from_buffer(self, buffer: Any, offset: int, shape: tuple[int, ...], dtype: str) -> Any:
        """Return a raw array of the elements that are in a buffer, such as a mapped file, from the byte `offset` on.

        They are little-endian, row by row. The array shares the buffer's memory if it can, and is not written to.

        Raises ValueError or TypeError for a dtype that the library lacks, and for a shape that it cannot have.
        """
        from xgrad.backends.array_bytes import of_buffer

        return self.asarray(of_buffer(buffer, offset, shape, dtype))

    def in_order(self, array: Any, order: list[int]) -> Any:
        """Return a copy of a raw array that lies in memory in this order of its axes, outermost first.

        A sum or a product can depend on the order in its last bit. By default the array itself, for a library that chooses the
        order.
        """
        return array
