"""`autocast`: a block in which products are computed in half precision, while parameters and losses stay in float32."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ContextDecorator
from typing import Any

from xgrad.amp.policies import LOWERED, RAISED
from xgrad.backends import BackendError
from xgrad.backends.data import is_scalar
from xgrad.backends.dtype_names import HALVES, name_of_dtype, without
from xgrad.engine import casting, reading
from xgrad.engine.arguments import backend_of
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.data_type import cast


class Caster:
    """Casts the arguments of operations, as the lists in policies.py say. `key` is the name of the lower dtype."""

    def __init__(self, name: str) -> None:
        self.key = name

    def cast(self, op: Any, args: Sequence[Any]) -> Sequence[Any]:
        """The arguments of an operation in the dtype that it is computed in."""
        if op in LOWERED:
            backend = backend_of(op.name, [arg for arg in args if arg is not None])
            return [self.lowered(_lifted(backend, arg)) for arg in args]
        if op in RAISED:
            return [raised(arg) for arg in args]
        return args

    def lowered(self, x: Any) -> Any:
        """A floating-point tensor in the lower dtype. Anything else is returned as it is."""
        if not isinstance(x, Tensor):
            return x
        backend = x.backend
        if not backend.is_inexact(x.dtype) or x.dtype in backend.complex_dtypes:
            return x
        if not backend.has_dtype(self.key):
            raise BackendError(f"autocast: {without(self.key, backend)}")
        dtype = backend.as_dtype(self.key)
        return x if x.dtype == dtype else cast(x, dtype)


def _lifted(backend: Any, arg: Any) -> Any:
    """A raw array as a tensor. Anything else is returned as it is."""
    if isinstance(arg, Tensor) or is_scalar(arg) or not backend.accepts(arg):
        return arg
    if reading.noting:
        reading.operand(arg)  # a checkpoint compares raw arrays, and would only see the tensor
    return wrap(backend.adopt(arg), backend)


def raised(arg: Any) -> Any:
    """A tensor of half precision in float32. Anything else is returned as it is."""
    if isinstance(arg, Tensor) and arg.dtype in arg.backend.narrow_dtypes:
        return cast(arg, arg.backend.as_dtype("float32"))
    return arg


class autocast(ContextDecorator):  # noqa: N801 (PyTorch's name)
    """Compute the products in a block, or in the function that it decorates, in half precision.

    The parameters stay in their own dtype: they are the master weights, and their gradients have that dtype. Matrix products,
    layers, convolutions, attention and recurrent layers cast their arguments to `dtype`. Losses, softmax, exponentials,
    logarithms, sums and normalization cast half precision up to float32. Everything else takes what it gets. (The lists are in
    policies.py.)

    Call it around the forward pass and the loss. `backward()` belongs after the block; the gradient of each operation is computed
    in the dtype that the operation was computed in. With float16, small gradients become 0: see `GradScaler`.

    It holds for this thread and this asyncio task, and may be nested.

    >>> import xgrad as xg
    >>> layer = xg.nn.Linear(3, 2, dtype="float32", rng=xg.random.Generator(0))
    >>> x, target = xg.ones((4, 3), dtype="float32"), xg.zeros((4, 2), dtype="float32")
    >>> with xg.amp.autocast(dtype="float16"):
    ...     output = layer(x)
    ...     loss = xg.nn.functional.mse_loss(output, target)
    >>> loss.backward()
    >>> [str(t.dtype) for t in (output, loss, layer.weight, layer.weight.grad)]
    ['float16', 'float32', 'float32', 'float32']

    Args:
        dtype: float16 or bfloat16: a name, `xg.float16`, or the dtype of a library.
        enabled: False computes everything in the block as it would be computed outside of `autocast`.

    Raises:
        TypeError: for another dtype.
        BackendError: in the block, for a product of arrays whose library does not have the dtype.

    https://docs.pytorch.org/docs/stable/amp.html#torch.autocast
    """

    def __init__(self, dtype: Any = "float16", enabled: bool = True) -> None:
        name = name_of_dtype(dtype)
        if name not in HALVES:
            raise TypeError(_unfit(dtype))
        self.dtype, self.enabled = name, bool(enabled)
        self._blocks: list[
            casting.cast_by
        ] = []  # the blocks that are open: one object may be entered again inside itself

    def __enter__(self) -> None:
        block = casting.cast_by(_casters[self.dtype] if self.enabled else None)
        block.__enter__()
        self._blocks.append(block)

    def __exit__(self, *error: Any) -> None:
        self._blocks.pop().__exit__(*error)

    def _recreate_cm(self) -> autocast:
        return type(self)(self.dtype, self.enabled)


_casters = {name: Caster(name) for name in HALVES}


def _unfit(dtype: Any) -> str:
    if dtype in ("cuda", "cpu"):
        return (
            f"autocast: the first argument is the dtype, not the device {dtype!r}: it holds for arrays on every device"
        )
    return f"autocast: dtype must be one of {', '.join(HALVES)}, got {dtype!r} (enabled=False leaves the arrays as they are)"


def is_autocast_enabled() -> bool:
    """Whether a block of `autocast` holds here. Raises nothing.

    >>> import xgrad as xg
    >>> with xg.amp.autocast():
    ...     print(xg.amp.is_autocast_enabled())
    True

    Returns:
        A bool.

    https://docs.pytorch.org/docs/stable/amp.html
    """
    return casting.key() is not None


def get_autocast_dtype() -> str | None:
    """The dtype of the `autocast` block that holds here. Raises nothing.

    >>> import xgrad as xg
    >>> with xg.amp.autocast(dtype="float16"):
    ...     print(xg.amp.get_autocast_dtype())
    float16

    Returns:
        The name "float16" or "bfloat16"; None if there is no such block.

    https://docs.pytorch.org/docs/stable/amp.html
    """
    name: str | None = casting.key()
    return name
