"""What a backend says of its library's dtypes: their names, their kinds, and the default one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from xgrad.backends.data import COMPLEX, RANKS, REAL, kind_of_numbers
from xgrad.backends.dtype_names import DTYPES, chosen_name, name_of_dtype
from xgrad.backends.errors import BackendError

UNKNOWN = object()


class Dtypes:
    """The part of `Backend` that is about dtypes."""

    library: Any
    xp: Any
    device: Any
    changes_default: bool = True  # whether the default dtype is, or may be, another one than the library's own
    _ranks: dict[Any, int]

    def _find_complex_dtypes(self) -> frozenset[Any]:
        found = self.library.__array_namespace_info__().dtypes(device=self.device, kind="complex floating").values()
        kinds = [kind for kind in found if self.library.isdtype(kind, "complex floating")]  # ndonnx answers with all
        return frozenset(self.xp.empty((0,), dtype=kind).dtype for kind in kinds)

    def _find_narrow_dtypes(self) -> frozenset[Any]:
        """float16 and bfloat16, where the library has them: the standard knows neither."""
        kinds = (getattr(self.library, name, None) for name in ("float16", "bfloat16"))
        return frozenset(self.xp.empty((0,), dtype=kind).dtype for kind in kinds if kind is not None)

    def as_dtype(self, dtype: Any) -> Any:
        """A dtype of this library for another library's of the same name, a name, or one of Python's types; None for None.

        Raises TypeError for a name that the library has no dtype of. An object that is no dtype is left to the library.
        """
        if dtype is None:
            return None
        if dtype is float or dtype is complex:
            return self.default_dtype if dtype is float else self.default_complex
        if dtype is int:
            return self.default_dtypes()["integral"]
        name = name_of_dtype(dtype)
        own = getattr(self.library, name, None) if name in DTYPES else None
        if own is None and isinstance(dtype, str):
            raise TypeError(f"{self} has no dtype {dtype!r}; it has {', '.join(sorted(self._names_of_dtypes()))}")
        return dtype if own is None or type(own) is type(dtype) else own

    def _names_of_dtypes(self) -> set[str]:
        """What may be given as a dtype's name."""
        return {name for name in DTYPES if self.has_dtype(name)}

    @property
    def default_dtype(self) -> Any:
        """The dtype of Python's floats, as the library represents it; see dtype_names.py.

        Raises BackendError for one that was chosen and is not there.
        """
        if self._default is UNKNOWN:
            self._default = self._find_default(chosen_name())
            own = self.librarys_default
            self.changes_default = own is None or self._default != own  # (NumPy's float64 equals None)
        return self._default

    _default: Any = UNKNOWN

    def forget_default(self) -> None:
        """Find the default dtype again when it is next asked for."""
        self._default, self.changes_default = UNKNOWN, True

    def _find_default(self, name: str | None) -> Any:
        if name is not None:
            self.prepare_dtype(name)
            if not self.has_dtype(name):
                raise BackendError(
                    f"the default dtype is {name}, which {self} does not have. Choose another with XGRAD_DTYPE or "
                    "xgrad.set_default_dtype."
                )
        name = name or ("float64" if self.has_dtype("float64") else "float32")
        return self.xp.empty((0,), dtype=getattr(self.library, name)).dtype

    def has_dtype(self, name: str) -> bool:
        """Whether there is a dtype of that name on this device."""
        kinds = self.library.__array_namespace_info__().dtypes(device=self.device)
        return name in kinds or (name in ("float16", "bfloat16") and hasattr(self.library, name))

    def prepare_dtype(self, name: str) -> None:
        """Called for a default dtype that was asked for by name, where the library has it only once it is told to."""

    @property
    def default_complex(self) -> Any:
        """The dtype of Python's complex numbers: of the same precision."""
        kind = "complex128" if self.default_dtype == getattr(self.library, "float64", None) else "complex64"
        return getattr(self.library, kind)

    @cached_property
    def librarys_default(self) -> Any:
        """The dtype that the library itself gives to Python's floats; None if that may change."""
        return self.xp.asarray(0.0).dtype

    def default_for(self, obj: Any) -> Any:
        """The default dtype for an object that is made of Python's floats or complex numbers alone.

        None for anything else, and where the library has the same default: it then knows the dtype.
        """
        dtype = self.default_dtype
        if not self.changes_default:
            return None
        kind = kind_of_numbers(obj)
        return dtype if kind is float else self.default_complex if kind is complex else None

    def default_dtypes(self) -> dict[str, Any]:
        """The default dtype of each kind: real floating, complex floating, integral, indexing."""
        found = dict(self.library.__array_namespace_info__().default_dtypes(device=self.device))
        return found | {"real floating": self.default_dtype, "complex floating": self.default_complex}

    def rank(self, dtype: Any) -> int:
        """The kind of a dtype: BOOL, INTEGRAL, REAL or COMPLEX of data.py, or a higher number for what has no numbers."""
        known = self._ranks.get(dtype)
        if known is None:
            found = (i for i, kind in enumerate(RANKS) if self.library.isdtype(dtype, kind))
            known = self._ranks[dtype] = next(found, len(RANKS))
        return known

    def is_inexact(self, dtype: Any) -> bool:
        """Whether the dtype is a real or complex floating-point one."""
        rank = self._ranks.get(dtype)  # (without a call, where it is known: this is asked at each operation)
        return REAL <= (self.rank(dtype) if rank is None else rank) <= COMPLEX
