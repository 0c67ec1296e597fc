"""The text of an out-of-memory error: how a device's memory is used, and what can be done."""

from __future__ import annotations


def in_bytes(error: str, library: str, used: int, held: int, device: tuple[int, int], give_back: str) -> str:
    """The library's message, followed by the bytes in use, in its pool and on the device, and by what can be done.

    >>> print(in_bytes("Out of memory allocating 4,096 bytes.", "CuPy", 1000, 2000, (500, 8000), "free_all_blocks()"))
    Out of memory allocating 4,096 bytes. CuPy's pool holds 2,000 bytes, of which 1,000 are in use; of the device's 8,000 bytes,
    500 are free. No parameter, gradient or optimizer state was left half written. Free arrays (del t, optimizer.zero_grad()), or
    use a smaller batch or xgrad.checkpoint, and repeat the step outside of the `except` block, which keeps the failed step's
    arrays alive. free_all_blocks() returns the pool's unused memory to other programs.
    """
    free, total = device
    return (
        f"{error.rstrip('. ')}. {library}'s pool holds {held:,} bytes, of which {used:,} are in use; of the device's {total:,} "
        f"bytes, {free:,} are free. No parameter, gradient or optimizer state was left half written. Free arrays (del t, "
        "optimizer.zero_grad()), or use a smaller batch or xgrad.checkpoint, and repeat the step outside of the `except` block, "
        f"which keeps the failed step's arrays alive. {give_back} returns the pool's unused memory to other programs."
    )
