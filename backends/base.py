"""What a backend says of its library's arrays, devices and memory. Its dtypes are in dtypes.py, the namespace itself in raw.py.

A backend overrides what its library does otherwise, or faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from operator import attrgetter
from typing import Any, ClassVar

from xgrad.backends.cofactors import cofactors, cofactors_jvp
from xgrad.backends.data import check, is_numeric
from xgrad.backends.dtypes import Dtypes
from xgrad.backends.errors import BackendError
from xgrad.backends.guarded import NO_GUARD
from xgrad.backends.host_data import is_host_data
from xgrad.backends.raw import Raw
from xgrad.backends.refusal import add, refuse, replace
from xgrad.backends.transfer_guard import report_move


class Layout:
    """What tensors of one shape, one real floating dtype and one backend have in common; see `xgrad.engine.tensor.layout_of`."""

    __slots__ = ("constants",)

    def __init__(self) -> None:
        self.constants: dict[float, Any] = {}


class Backend(Dtypes):
    """An array library on one of its devices. Get one with `xgrad.get_backend()`; there is one object for each device."""

    name: str
    install: ClassVar[str]  # what makes it usable, for error messages
    array_types: ClassVar[tuple[type, ...]] = ()
    raw_class: ClassVar[type[Raw]] = Raw
    checks_indices: ClassVar[bool] = True  # whether an index out of range is an error
    bind_device: ClassVar[bool] = True  # whether the library's creation functions must be told the device
    cannot: ClassVar[Mapping[str, str]] = {}  # functions ("linalg.eig") that it has no way to, each with the reason
    holds_host_data: ClassVar[bool] = False  # whether its arrays move to the backend of what they meet: NumPy's do
    arrays_stay: ClassVar[bool] = (
        False  # whether xgrad.asarray leaves its arrays here, whichever backend is the current one
    )
    asks_operands: ClassVar[bool] = False  # whether its arrays' `op=` leaves it to a tensor that is the operand
    is_temporary: ClassVar[bool] = (
        False  # whether it is one of many that come and go, and nothing should be kept for it
    )
    defers: ClassVar[bool] = False  # whether work is put off until a value is asked for
    guard: Any = NO_GUARD  # entered around what is done with this device's arrays, where another may be the current one
    make_view: ClassVar[Callable[[Backend], Any]]  # set by xgrad.namespace
    load: ClassVar[Callable[[str, Any], Backend]]  # set by registry.py: the backend of a name on a device

    def __init__(self, name: str, device: Any) -> None:
        self.name = name
        self.device = device
        self.library = self.namespace()
        self.xp = self.raw_class(self.library, device if self.bind_device else None)
        refuse(self.xp, name, self.cannot)
        self.complex_dtypes = self.xp.complex_dtypes = self._find_complex_dtypes()
        self.narrow_dtypes = self.xp.narrow_dtypes = self._find_narrow_dtypes()
        replace(self.xp, "linalg.vector_norm", self.xp._vector_norm)
        replace(self.xp, "std", self.xp._std)
        add(self.xp, "linalg.cofactors", partial(cofactors, self.xp))
        add(self.xp, "linalg.cofactors_jvp", partial(cofactors_jvp, self.xp))
        self.forget_default()
        self._ranks = {}
        self._layouts: dict[Any, Any] = {}
        self._ones: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"Backend({self.name}, {self.device_name})"

    def __reduce__(self) -> Any:
        return Backend.load, (self.name, self.device_name)

    # --- the library and its devices ---

    @classmethod
    def namespace(cls) -> Any:
        """The Array API namespace of the library."""
        raise NotImplementedError

    @classmethod
    def version(cls) -> str:
        return str(getattr(cls.namespace(), "__version__", "unknown"))

    @classmethod
    def remark(cls) -> str:
        """What else `xgrad info` says of the library; mostly nothing."""
        return ""

    @classmethod
    def devices(cls) -> list[str]:
        """The names of the usable devices. Raises BackendError where the library is missing or has none."""
        return ["cpu"]

    @classmethod
    def find_device(cls, device: Any) -> Any:
        """The library's device object for a name (or for one of its objects); None means the default device."""
        if device is None or str(device) == "cpu":
            return "cpu"
        raise cls.no_device(device)

    @classmethod
    def no_device(cls, device: Any) -> BackendError:
        return BackendError(f"backend {cls.name!r} has no device {str(device)!r}; it has {', '.join(cls.devices())}.")

    @classmethod
    def not_installed(cls, error: Exception) -> BackendError:
        return BackendError(f"backend {cls.name!r} is not usable: {error}. Install it with: {cls.install}.")

    @classmethod
    def device_of(cls, array: Any) -> Any:
        return getattr(array, "device", "cpu")

    @property
    def device_name(self) -> str:
        return str(self.device)

    def on_device(self, device: Any) -> Backend:
        """This library on another of its devices."""
        return Backend.load(self.name, device)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While the block runs, this device is the current one, where the library has such a thing."""
        yield

    def make_current(self) -> None:
        """As `entered`, for good."""

    @property
    def walking(self) -> Any:
        """Entered around a walk back over the tape."""
        return self.guard

    def memory(self) -> str:
        """The device's memory, in words."""
        return "unknown"

    # --- arrays ---

    @cached_property
    def view(self) -> Any:
        """xgrad's namespace, bound to this backend and device."""
        return Backend.make_view(self)

    def owns(self, value: Any) -> bool:
        """Whether this is an array of the library."""
        return isinstance(value, self.array_types)

    def accepts(self, value: Any) -> bool:
        """Whether `adopt` makes this an array of ours: it is one, or host data."""
        return self.owns(value) or is_host_data(value)

    def join(self, other: Backend) -> Backend | None:
        """The backend on which arrays of both can be operands, once `take_in` has had them; None if there is none."""
        return None

    def here(self) -> Backend:
        """This backend as what runs now has it: inside of a vmap, perhaps. (Set by xgrad.batching.)"""
        return self

    def bare(self, array: Any) -> tuple[Backend, Any]:
        """The library's own array, with all that is hidden in it, and the backend it is on."""
        return self, array

    def backend_of_array(self, array: Any) -> Backend:
        """The backend of an array that a walk from this one has come to: on another device, perhaps, or outside of a vmap."""
        known: Backend | None = getattr(array, "xgrad_backend", None)
        device = self.device_of(array)
        return known or (self if device == self.device else self.on_device(device))

    def take_in(self, tensor: Any) -> Any:
        """A tensor of another backend as one of this one, on the tape, where `join` says so."""
        raise NotImplementedError

    def asarray(self, obj: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        """A raw array on this device from a Python sequence or number, a NumPy array, or an array of the library.

        Python's floats are of the default dtype unless told otherwise.
        """
        return self.make_array(obj, self.default_for(obj) if dtype is None else dtype, copy)

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        """The same, where None stands for the dtype that the library chooses."""
        return self.xp.asarray(obj, dtype=dtype, copy=copy)

    # The shape of an array, as rules are given it. Where arrays are in chunks it says which, so that gradients come in the same.
    shape_of: ClassVar[Any] = attrgetter("shape")

    def one(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """A one to start a backward from, kept for the next. It must not be written to."""
        found = self._ones.get((shape, dtype))
        if found is None:
            found = self._ones[shape, dtype] = self.xp.ones(shape, dtype=dtype)
        return found

    def scalar_operand(self, value: float, like: Any, layout: Any = None) -> Any:
        """A Python number as an operand of `like`: itself, or what the library is quicker with. It must not be written to.

        What is the same each time may be left in `layout.constants`.
        """
        return value

    def number(self, value: Any) -> Any:
        """A scalar that is not one of Python's as an operand: as one of those, if the library knows no better."""
        return value.item() if hasattr(value, "item") else float(value)

    def adopt(self, array: Any) -> Any:
        """A user's raw array as ours: itself, cut off from what its library records; a NumPy array moves to this device.

        Raises TypeError for one that holds no numbers.
        """
        if not is_numeric(array.dtype):
            check("an operation", array)
        return self.cut_off(array) if self.owns(array) else self.move_in(array)

    def cut_off(self, array: Any) -> Any:
        """An array of the library that it does not record the use of: itself, where the library records nothing."""
        return array

    def move_in(self, array: Any) -> Any:
        """A NumPy array on this device, of the same dtype. The transfer guard hears of it."""
        from xgrad.backends.host import as_plain  # NumPy is only imported where there are such arrays

        report_move(array, self)
        return self.asarray(as_plain(array))

    def adopt_any(self, value: Any, dtype: Any = None) -> Any:
        """A raw array from a number, a sequence of numbers, an array of this backend or a NumPy array.

        `dtype` is for numbers. Raises TypeError for an array of another library.
        """
        check("asarray", value)
        if hasattr(value, "dtype") and self.accepts(value):
            return self.adopt(value)
        if not hasattr(value, "dtype") or not getattr(value, "shape", ()):
            return self.asarray(value, dtype=dtype)
        raise TypeError(f"an array of {type(value).__module__} met backend {self}: move it with xgrad.asarray first")

    @property
    def on_host(self) -> bool:
        """Whether its arrays lie in the host's memory, so that np.asarray of a tensor may copy them unasked."""
        return False

    def host(self) -> Backend | None:
        """This library in the host's memory; None where it has no such device."""
        return self if self.on_host else None

    def to_numpy(self, array: Any) -> Any:
        """A copy on the host."""
        raise NotImplementedError

    def copy(self, array: Any) -> Any:
        """A copy, laid out row by row where the library has such layouts: two orders in one operation are slow."""
        return self.xp.asarray(array, copy=True)

    def owned(self, array: Any, fresh: bool) -> Any:
        """The array, if it is fresh and surely shares its memory with no other; else a copy."""
        return self.copy(array)

    def exclusive(self, array: Any) -> bool:
        """Whether nobody but the caller's one reference holds the array, so that it may be written in place."""
        return False

    def exclusive_together(self, arrays: list[Any]) -> bool:
        """Whether these arrays are views of one memory that nobody else holds, each held once by the caller and in this list:
        then a write to the first of them, in place, is a write to all of them.
        """
        return False

    def lend(self, arrays: list[Any]) -> Any:
        """The first of these arrays for `np.asarray` to share, if it is the host's and `exclusive_together`; else None.

        Those to whom it was lent before, and who hold it still, do not count.
        """
        return None

    def write(self, array: Any, value: Any, key: Any) -> Any:
        """The array with `value` written at `key`, in place. It is asked for only where the array is `exclusive`."""
        return self.xp._put(array, value, key)

    def fused(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """An optimizer's elementwise `UpdateRule`, or what does the same in a single kernel."""
        return rule

    def kind_of(self, error: Exception) -> type[Exception]:
        """The built-in kind of an error of the library: ValueError for shapes that do not fit, TypeError for dtypes."""
        return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")

    def persist(self, arrays: list[Any]) -> list[Any]:
        """The same arrays, computed, where the library puts that off; all of them together."""
        return arrays

    def look_at(self, array: Any) -> None:
        """The program looks at an array: where work is put off, the time to notice that there is more of it each time."""

    def out_of_memory(self, doing: str, error: Exception) -> MemoryError | None:
        """What to raise for an error of the library that is about memory and was not explained yet; None for any other."""
        if type(error) is MemoryError or not issubclass(self.kind_of(error), MemoryError):
            return None
        return MemoryError(f"{doing}: {self.in_words(error)}")

    def in_words(self, error: Exception) -> str:
        """What an error of the library says; of one about memory also how much there is, and what to do."""
        return str(error) or f"the library raised {type(error).__name__}, and says no more"

    def synchronize(self) -> None:
        """Wait until the device has done what it was asked to do."""

    def format(self, array: Any) -> str:
        """The values as text. This brings them to the host."""
        import numpy as np

        return np.array2string(self.to_numpy(array), separator=", ", threshold=60, edgeitems=3)

    def layout(self, array: Any) -> Any:
        """One object for each shape and real floating dtype, for a quick comparison; None for 0-d arrays and other dtypes."""
        key = tuple(array.shape), array.dtype
        found = self._layouts.get(key)
        if found is None and key[0] and self.library.isdtype(key[1], "real floating"):
            if len(self._layouts) > 10_000:
                self._layouts.clear()  # layouts made before and after differ, which costs a comparison of shapes
            found = self._layouts[key] = Layout()
        return found
