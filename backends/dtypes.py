"""The part of the base class `Backend` that is about dtypes: their names, their kinds, and the default dtype."""

from __future__ import annotations

from collections.abc import Set
from functools import cached_property
from typing import Any

from xgrad.backends.data import COMPLEX, RANKS, REAL, kind_of_numbers
from xgrad.backends.dtype_names import DTYPES, HALVES, chosen_name, name_of_dtype
from xgrad.backends.errors import BackendError

UNKNOWN = object()


class Dtypes:
    """The base class of `Backend`, with its methods for dtypes. A dtype here is the library's own object."""

    library: Any
    xp: Any
    device: Any
    changes_default: bool = True  # whether the default dtype differs, or may differ, from the library's own
    _ranks: dict[Any, int]

    def _find_complex_dtypes(self) -> frozenset[Any]:
        found = self.library.__array_namespace_info__().dtypes(device=self.device, kind="complex floating").values()
        kinds = [kind for kind in found if self.library.isdtype(kind, "complex floating")]  # ndonnx returns all kinds
        return frozenset(self.xp.empty((0,), dtype=kind).dtype for kind in kinds)

    def _find_narrow_dtypes(self) -> Set[Any]:
        """float16 and bfloat16, if the library has them. The standard has neither."""
        kinds = (getattr(self.library, name, None) for name in HALVES)
        return frozenset(self.xp.empty((0,), dtype=kind).dtype for kind in kinds if kind is not None)

    def as_dtype(self, dtype: Any) -> Any:
        """Return this library's dtype for a name, a Python type, or another library's dtype of the same name; None for None.

        Raises TypeError for the name of a dtype that the library lacks. An object that is not a dtype is returned as it is, and
        the library raises for it.
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
        """The names of dtypes that `as_dtype` accepts."""
        return {name for name in DTYPES if self.has_dtype(name)}

    @property
    def default_dtype(self) -> Any:
        """The dtype of Python's floats, an object of the library; see dtype_names.py.

        Raises BackendError if the chosen dtype does not exist on this backend.
        """
        if self._default is UNKNOWN:
            self._default = self._find_default(chosen_name())
            own = self.librarys_default
            self.changes_default = own is None or self._default != own  # (np.dtype("float64") == None is true)
        return self._default

    _default: Any = UNKNOWN

    def forget_default(self) -> None:
        """Forget the cached default dtype. Called when another one is chosen."""
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
        """Return whether this device has a dtype of that name."""
        kinds = self.library.__array_namespace_info__().dtypes(device=self.device)
        return name in kinds or (name in HALVES and hasattr(self.library, name))

    def prepare_dtype(self, name: str) -> None:
        """Called before a default dtype that was chosen by name is looked up. JAX turns its 64-bit numbers on here."""

    @property
    def default_complex(self) -> Any:
        """The dtype of Python's complex numbers, of the default dtype's precision."""
        kind = "complex128" if self.default_dtype == getattr(self.library, "float64", None) else "complex64"
        return getattr(self.library, kind)

    @cached_property
    def librarys_default(self) -> Any:
        """The dtype that the library itself gives to Python's floats; None if a setting can change it."""
        return self.xp.asarray(0.0).dtype

    def default_for(self, obj: Any) -> Any:
        """Return the default dtype for an object that consists of Python's floats or complex numbers.

        None for other objects, and if the library has the same default: then the library may choose.
        """
        dtype = self.default_dtype
        if not self.changes_default:
            return None
        kind = kind_of_numbers(obj)
        return dtype if kind is float else self.default_complex if kind is complex else None

    def default_dtypes(self) -> dict[str, Any]:
        """Return the default dtypes by kind: "real floating", "complex floating", "integral" and "indexing"."""
        found = dict(self.library.__array_namespace_info__().default_dtypes(device=self.device))
        return found | {"real floating": self.default_dtype, "complex floating": self.default_complex}

    def rank(self, dtype: Any) -> int:
        """Return the kind of a dtype: BOOL, INTEGRAL, REAL or COMPLEX of data.py, or a higher number if it is not numeric."""
        known = self._ranks.get(dtype)
        if known is None:
            found = (i for i, kind in enumerate(RANKS) if self.library.isdtype(dtype, kind))
            known = self._ranks[dtype] = next(found, len(RANKS))
        return known

    def is_inexact(self, dtype: Any) -> bool:
        """Return whether the dtype is a real or complex floating-point dtype."""
        rank = self._ranks.get(dtype)  # (looked up here first, because each operation calls this)
        return REAL <= (self.rank(dtype) if rank is None else rank) <= COMPLEX
