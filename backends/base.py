"""The base class of all backends: an array library's arrays, devices and memory.

A new backend subclasses `Backend`. It must define `name`, `install`, `array_types`, `namespace` and `to_numpy`. It overrides
other methods where its library differs, or is faster. Dtypes are in dtypes.py, and what files need is in buffers.py. The
functions that rules call (`backend.xp`) are in raw.py. A backend of this folder also sets `BACKEND` to its class, and has a line
in registry.py.

A raw array is an array of the library, without a tape. "The host" is the memory that NumPy uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from functools import cached_property, partial
from operator import attrgetter
from typing import Any, ClassVar

from xgrad.backends.buffers import Buffers
from xgrad.backends.cofactors import cofactors, cofactors_jvp
from xgrad.backends.data import check, is_numeric
from xgrad.backends.dtypes import Dtypes
from xgrad.backends.errors import BackendError
from xgrad.backends.guarded import NO_GUARD
from xgrad.backends.host_data import is_host_data, is_table
from xgrad.backends.raw import Raw
from xgrad.backends.refusal import add, refuse, replace
from xgrad.backends.transfer_guard import report_move

# What PyTorch, JAX and NumPy say in an IndexError of an axis that an array does not have, or that is empty.
OF_AXES = re.compile(r"Dimension out of range|tuple index out of range|axis |.*Expected reduction dim")


class Layout:
    """What tensors of one shape, one real floating dtype and one backend share. Two of them are compared by identity.

    `constants` holds the arrays that `scalar_operand` made, by their value.
    """

    __slots__ = ("constants",)

    def __init__(self) -> None:
        self.constants: dict[float, Any] = {}


class Backend(Buffers, Dtypes):
    """An array library on one of its devices. Get one with `xgrad.get_backend()`; there is one object for each device."""

    name: str  # as XGRAD_BACKEND gives it
    install: ClassVar[str]  # the command that installs the library, for error messages
    array_types: ClassVar[tuple[type, ...]] = ()  # the classes of the library's arrays
    raw_class: ClassVar[type[Raw]] = Raw  # the class of the namespace `xp`
    # Whether the library raises for an index out of range. If not, xgrad.debug() checks indices.
    checks_indices: ClassVar[bool] = True
    # Whether the library's creation functions need `device=` to make arrays on this device.
    bind_device: ClassVar[bool] = True
    # The functions that the library cannot compute, as "linalg.eig", and why. Calling one raises NotImplementedError.
    cannot: ClassVar[Mapping[str, str]] = {}
    # Whether the library's arrays are host data: in an operation they move to the backend of the other operands. NumPy's are.
    holds_host_data: ClassVar[bool] = False
    # Whether xgrad.asarray keeps the library's arrays on this backend, also when another backend is the current one.
    arrays_stay: ClassVar[bool] = False
    # Whether the in-place operators of the library's arrays let a tensor on their right compute the result, as NumPy's do. Then
    # xgrad remembers which arrays are a tensor's `.data`, so that `t.data -= lr * t.grad` works.
    asks_operands: ClassVar[bool] = False
    # Whether a Python number may widen an array of the library, as it does bfloat16 on NumPy. `beside_numbers` prevents that.
    widens_by_numbers: ClassVar[bool] = False
    # Whether this object is short-lived, as a vmap's backend is. Then caches do not keep it as a key.
    is_temporary: ClassVar[bool] = False
    # Whether the library is lazy: it computes an array when a value is asked for. Then optimizer.step() computes the step.
    defers: ClassVar[bool] = False
    # A context manager in which this device is the library's current one. Functions that use raw arrays of a device which may
    # not be the current one enter it.
    guard: Any = NO_GUARD
    make_view: ClassVar[Callable[[Backend], Any]]  # set by xgrad.namespace: makes `view`
    load: ClassVar[Callable[[str, Any], Backend]]  # set by registry.py: the backend of a given name and device

    def __init__(self, name: str, device: Any) -> None:
        self.name = name
        self.device = device
        self.library = self.namespace()
        self.xp = self.raw_class(self.library, device if self.bind_device else None)
        refuse(self.xp, name, self.cannot)
        self.complex_dtypes = self.xp.complex_dtypes = self._find_complex_dtypes()
        # The dtypes whose tensors the fast path does not take: of more than one kind, or with numbers that are not weak.
        self.general_dtypes: Set[Any] = self.complex_dtypes
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
        """Return the Array API namespace of the library: the module itself, or array_api_compat's version of it."""
        raise NotImplementedError

    @classmethod
    def version(cls) -> str:
        """Return the library's version, for `xgrad info`."""
        return str(getattr(cls.namespace(), "__version__", "unknown"))

    @classmethod
    def remark(cls) -> str:
        """Return one more line for `xgrad info`; "" for none."""
        return ""

    @classmethod
    def devices(cls) -> list[str]:
        """Return the names of the usable devices. Raise BackendError if the library is missing or has no device."""
        return ["cpu"]

    @classmethod
    def find_device(cls, device: Any) -> Any:
        """Return the library's device object for a name or a device object. None means the default device.

        Raise `no_device(device)` if there is none of that name.
        """
        if device is None or str(device) == "cpu":
            return "cpu"
        raise cls.no_device(device)

    @classmethod
    def no_device(cls, device: Any) -> BackendError:
        """Return the error for a device that does not exist: it names those that do."""
        return BackendError(f"backend {cls.name!r} has no device {str(device)!r}; it has {', '.join(cls.devices())}.")

    @classmethod
    def not_installed(cls, error: Exception) -> BackendError:
        """Return the error for a library that cannot be imported: it says how to install it."""
        return BackendError(f"backend {cls.name!r} is not usable: {error}. Install it with: {cls.install}.")

    @classmethod
    def device_of(cls, array: Any) -> Any:
        """Return the device of a raw array, comparable by == with `self.device`."""
        return getattr(array, "device", "cpu")

    @property
    def device_name(self) -> str:
        """The device as a string that `find_device` accepts."""
        return str(self.device)

    def on_device(self, device: Any) -> Backend:
        """Return the backend of this library on another of its devices."""
        return Backend.load(self.name, device)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make this device the library's current one while the block runs. Used by xgrad.use_backend."""
        yield

    def make_current(self) -> None:
        """Make this device the library's current one from now on.

        Called by xgrad.set_backend, and by the reverse and forward passes before each rule of another backend's node.
        """

    @property
    def walking(self) -> Any:
        """A context manager that is entered around the reverse pass, by default `guard`.

        CuPy orders streams here, because backward may run on another stream than forward.
        """
        return self.guard

    def memory(self) -> str:
        """Return the device's total or free memory as words, for `xgrad info`."""
        return "unknown"

    # --- arrays ---

    @cached_property
    def view(self) -> Any:
        """xgrad's namespace bound to this backend: what a tensor's __array_namespace__() returns."""
        return Backend.make_view(self)

    def owns(self, value: Any) -> bool:
        """Return whether the value is an array of the library, on any of its devices."""
        return isinstance(value, self.array_types)

    arrays_are_plain = (
        False  # whether a user's array of the library is an operand as it is, without a graph to be cut off
    )

    def accepts(self, value: Any) -> bool:
        """Return whether an operation on this backend takes the value as an array: one of the library's, or a NumPy array."""
        return self.owns(value) or is_host_data(value)

    def join(self, other: Backend) -> Backend | None:
        """Return the backend for an operation on arrays of this backend and of another one; None if they do not mix.

        Only vmap overrides this: a batched and an unbatched backend of one library join to the batched one.
        """
        return None

    def here(self) -> Backend:
        """The backend to use now: this one, or its batched version while a vmap is running. (xgrad.transforms sets it.)"""
        return self

    def bare(self, array: Any) -> tuple[Backend, Any]:
        """Return the unbatched backend, and the library's array with the batch axes of running vmaps visible in its shape."""
        return self, array

    def backend_of_array(self, array: Any) -> Backend:
        """Return the backend of a gradient, a raw array, that reached a leaf from this backend's nodes.

        It is another one if the tape moved to another device, or out of a vmap.
        """
        known: Backend | None = getattr(array, "xgrad_backend", None)
        device = self.device_of(array)
        return known or (self if device == self.device else self.on_device(device))

    def take_in(self, tensor: Any) -> Any:
        """Return a tensor of another backend as a tensor of this one, recorded on the tape.

        Called for operands when `join` returned this backend. Only vmap needs it.
        """
        raise NotImplementedError

    def asarray(self, obj: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return a raw array on this device from a Python number or sequence, a NumPy array, or an array of the library.

        Python's floats get the default dtype unless `dtype` is given.
        """
        return self.make_array(obj, self.default_for(obj) if dtype is None else dtype, copy)

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        """Do the work of `asarray`. Here `dtype=None` leaves the choice to the library."""
        return self.xp.asarray(obj, dtype=dtype, copy=copy)

    def as_array(self, y: Any) -> Any:
        """Return the 0-d array for a scalar that the library has returned in its place."""
        return self.asarray(y)

    # A function from a raw array to its shape, saved for backward. dask's is a tuple that also knows the chunks, so that a
    # gradient gets the chunks of what it is the gradient of.
    shape_of: ClassVar[Any] = attrgetter("shape")

    def one(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return an array of ones, the gradient that backward() starts from. It is cached, so it must not be written to."""
        found = self._ones.get((shape, dtype))
        if found is None:
            found = self._ones[shape, dtype] = self.xp.ones(shape, dtype=dtype)
        return found

    def scalar_operand(self, value: float, like: Any, layout: Any = None) -> Any:
        """Return what to pass to the library for a Python number in an operation with the raw array `like`.

        The number itself, or a 0-d array of the dtype of `like` where the library computes faster with one. The fast path calls
        this and passes the layout of `like`: an array may be cached in `layout.constants[value]`. It must not be written to.
        """
        return value

    def beside_numbers(self, operands: list[Any]) -> list[Any]:
        """Return the operands of an operation with arrays in the place of numbers that would widen the result."""
        return operands

    def number(self, value: Any) -> Any:
        """Return what to pass to the library for a scalar that is not Python's, such as a NumPy scalar or a 0-d array.

        By default a Python number, which takes the dtype of the array that it meets.
        """
        return value.item() if hasattr(value, "item") else float(value)

    def adopt(self, array: Any) -> Any:
        """Return a user's array as a raw array of this backend that an operation can use.

        An array of the library is returned without its own autograd graph (`cut_off`). A NumPy array is moved to this device
        (`move_in`). Call it only if `accepts(array)`. Raises TypeError for an array that holds no numbers.
        """
        owned = self.owns(array)
        if not owned and is_table(type(array)):
            array = array.__array__()
        if not is_numeric(array.dtype):
            check("an operation", array)
        return self.cut_off(array) if owned else self.move_in(array)

    def cut_off(self, array: Any) -> Any:
        """Return the array without the library's own autograd graph: PyTorch's `detach()`. By default the array itself."""
        return array

    def move_in(self, array: Any) -> Any:
        """Return a NumPy array as a raw array of the same dtype on this device, and report the move to the transfer guard."""
        from xgrad.backends.host import as_plain  # NumPy is only imported where there are such arrays

        report_move(array, self)
        return self.asarray(as_plain(array))

    def adopt_any(self, value: Any, dtype: Any = None) -> Any:
        """Return a raw array from a number, a sequence of numbers, an array of this backend or a NumPy array.

        `dtype` is used for numbers and sequences only. Raises TypeError for an array of another library.
        """
        check("asarray", value)
        if hasattr(value, "dtype") and self.accepts(value):
            return self.adopt(value)
        if not hasattr(value, "dtype") or not getattr(value, "shape", ()):
            return self.asarray(value, dtype=dtype)
        raise TypeError(f"an array of {type(value).__module__} met backend {self}: move it with xgrad.asarray first")

    @property
    def on_host(self) -> bool:
        """Whether the arrays are in the host's memory. Only then does np.asarray(tensor) work without a call of .numpy()."""
        return False

    def not_on_host(self) -> Exception:
        """Return the error for np.asarray(tensor), where `on_host` is false."""
        return TypeError(
            f"a tensor on {self} does not turn into a NumPy array by itself: its values are not in the host's memory. "
            "Call t.numpy() for a copy there."
        )

    def host(self) -> Backend | None:
        """Return the backend of this library whose arrays are in the host's memory; None if there is none."""
        return self if self.on_host else None

    def to_numpy(self, array: Any) -> Any:
        """Return a copy of a raw array as a NumPy array of the same shape and dtype."""
        raise NotImplementedError

    def read(self, arrays: list[Any]) -> list[float]:
        """Return the real numbers in 0-d raw arrays as Python numbers. They come to the host in one transfer."""
        if self.on_host:
            return [self.to_numpy(array).item() for array in arrays]
        widest = self.xp.result_type(*arrays)
        together = self.xp.stack([self.xp.astype(array, widest) for array in arrays])
        numbers: list[float] = self.to_numpy(together).tolist()
        return numbers

    def copy(self, array: Any) -> Any:
        """Return a copy of a raw array in memory of its own.

        It is in row-major order where the library can choose, because an operation on arrays of two orders is slow.
        """
        return self.xp.asarray(array, copy=True)

    def owned(self, array: Any, fresh: bool) -> Any:
        """Return a gradient that may become a leaf's `.grad`: the array itself if it shares memory with no other, else a copy.

        `fresh` tells that the reverse pass made the array and gave it to one leaf only. The array may still be a view.
        """
        return self.copy(array)

    def is_read_only(self, array: Any) -> bool:
        """Return whether augmented assignment to an array would raise, as for a view of another library's memory."""
        return False

    def exclusive(self, array: Any) -> bool:
        """Return whether a tensor has the only reference to its array's memory, which may then be written in place.

        Call it as `backend.exclusive(x.data)`, without a local variable for the array: the implementations count references.
        False is always safe: xgrad then writes into a copy.
        """
        return False

    def exclusive_together(self, arrays: list[Any]) -> bool:
        """Return whether these arrays, a tensor's and its views', share one memory that nothing else refers to.

        Then a write to the first of them in place is seen in all of them. Each is held by its tensor and by this list. False is
        always safe.
        """
        return False

    def lend(self, arrays: list[Any]) -> Any:
        """Return a view of the first array, which np.asarray(tensor) gives to the user; None if it must copy instead.

        A view is returned if the memory is NumPy's and `exclusive_together(arrays)` holds. Views that were lent before do not
        count as references.
        """
        return None

    def write(self, array: Any, value: Any, key: Any) -> Any:
        """Write `value` at `key` into a raw array in place, and return the array. Called only where `exclusive` is true.

        A library whose arrays cannot be written to returns a new array.
        """
        return self.xp._put(array, value, key)

    def fused(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does what an optimizer's elementwise `UpdateRule` does: the rule, or one kernel made of it.

        If the function has a method `together(xp, several, numbers, flags)`, that is called instead, once for all parameters of a
        group. `several` holds the arrays of each, which it writes in place.
        """
        return rule

    def block_length(self, array: Any) -> int:
        """Return the number of elements that an optimizer updates at once in arrays like this one; 0 for all of them.

        Arrays that are longer are updated in blocks, which `flat` makes possible.
        """
        return 0

    def flat(self, arrays: list[Any]) -> list[Any] | None:
        """Return 1-d views of the arrays, with the elements in the same order; None where there are none."""
        return None

    def kind_of(self, error: Exception) -> type[Exception]:
        """Return the built-in exception class to raise for an error of the library.

        ValueError for shapes and axes, TypeError for dtypes, IndexError for indices, MemoryError for memory. By default the
        nearest built-in base class of the error's own, and ValueError for an IndexError that is about an axis.
        """
        kind = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
        return ValueError if kind is IndexError and OF_AXES.match(str(error)) else kind

    def persist(self, arrays: list[Any]) -> list[Any]:
        """Return the same raw arrays, computed if the library is lazy. All of them are computed together."""
        return arrays

    def look_at(self, array: Any) -> None:
        """Called when a program reads the values of an array. A lazy library can check here whether its graph grows in a loop."""

    def out_of_memory(self, doing: str, error: Exception) -> MemoryError | None:
        """Return the MemoryError to raise for an error of the library, which says what was done (`doing`); None to re-raise it.

        None for an error that is not about memory, and for one that this method made before.
        """
        if type(error) is MemoryError or not issubclass(self.kind_of(error), MemoryError):
            return None
        return MemoryError(f"{doing}: {self.in_words(error)}")

    def in_words(self, error: Exception) -> str:
        """Return the text of an error of the library. For memory errors, backends add how much there is, and what to do."""
        return str(error) or f"the library raised {type(error).__name__} without a message"

    def synchronize(self) -> None:
        """Wait until the device has finished all work that was queued on it."""

    def format(self, array: Any) -> str:
        """Return the values as text, for printing a tensor. This copies them to the host."""
        import numpy as np

        return np.array2string(self.to_numpy(array), separator=", ", threshold=60, edgeitems=3)

    def layout(self, array: Any) -> Any:
        """Return the `Layout` of a raw array: one object for each shape and real floating dtype.

        The fast path compares layouts by identity instead of shapes, dtypes and backends. None for 0-d arrays and other dtypes.
        """
        key = tuple(array.shape), array.dtype
        found = self._layouts.get(key)
        if found is None and key[0] and self.library.isdtype(key[1], "real floating"):
            if len(self._layouts) > 10_000:
                self._layouts.clear()  # equal layouts from before and after this are not identical: only the speed is lost
            found = self._layouts[key] = Layout()
        return found
