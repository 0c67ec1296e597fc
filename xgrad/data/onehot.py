"""One-hot codes of categories, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import xgrad as xg
from xgrad._words import shown
from xgrad.backends.data import check, described
from xgrad.backends.host_batches import coded, flat, named
from xgrad.data.hostlike import applied, host_tensor, is_host
from xgrad.engine.tensor import Tensor
from xgrad.random.place import holds


class OneHot:
    """Categories, which are words or numbers, as rows with one 1, and back.

    >>> import xgrad as xg
    >>> code = xg.data.OneHot().fit(["dog", "cat", "dog"])
    >>> code.categories, code(["cat", "dog"]).tolist()
    (['cat', 'dog'], [[1.0, 0.0], [0.0, 1.0]])
    >>> code.inverse(xg.asarray([[0.2, 0.8], [0.9, 0.1]]))
    ['dog', 'cat']

    Args:
        categories: the categories in the order of the columns; None until `fit` finds them.
        dtype: the dtype of the codes; None means the default one of floats.
        unknown: "error", or "ignore", which codes a value that is no category as zeros.

    Attributes:
        categories: the categories, a list of strings, ints, floats or bools.

    Raises:
        TypeError: for values that are neither words nor real numbers, or both.
        ValueError: for no values, nan, a category that comes twice, and a value that is no category. The last is known without
            waiting for a device: on a device, it is coded as zeros.
        RuntimeError: from a call before `fit`.

    https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.OneHotEncoder.html
    """

    def __init__(self, categories: Iterable[Any] | None = None, *, dtype: Any = None, unknown: str = "error") -> None:
        if unknown not in ("error", "ignore"):
            raise ValueError(f'OneHot: unknown must be "error" or "ignore", not {unknown!r}')
        self.dtype = dtype
        self.unknown = unknown
        self.categories: list[Any] | None = None if categories is None else _distinct(categories, ordered=True)

    def fit(self, values: Any) -> OneHot:
        """Find the categories: the distinct values, in order. `values` is a list, a NumPy array or a tensor of any shape."""
        self.categories = _distinct(values, ordered=False)
        return self

    def transform(self, values: Any) -> Any:
        """The codes, of shape (*values.shape, len(categories)): a NumPy array for a NumPy array, and otherwise a tensor."""
        known = self._known()
        if isinstance(known[0], str):
            return self._of_words(values, known)
        return applied("OneHot", lambda t: self._of_numbers(t, known), values)

    __call__ = transform

    def fit_transform(self, values: Any) -> Any:
        """`fit(values)`, and then `transform(values)`."""
        return self.fit(values).transform(values)

    def inverse(self, codes: Any) -> Any:
        """The category of the largest number in each row of `codes`, such as the outputs of a network.

        The shape is that of `codes` without the last axis. Words are a NumPy array for a NumPy array, and else a nested list.
        """
        known = self._known()
        shape = tuple(getattr(codes, "shape", ()) or xg.asarray(codes).shape)
        if not shape or shape[-1] != len(known):
            raise ValueError(
                f"OneHot: the last axis must have length {len(known)}, one for each category; the shape is {shape}"
            )
        if not isinstance(known[0], str):
            return applied("OneHot", lambda t: _taken(t, known), codes)
        places = applied("OneHot", lambda t: xg.argmax(t, axis=-1), codes)
        names = named(known, places.numpy() if isinstance(places, Tensor) else places)
        return names if is_host(codes) else names.tolist()

    def _known(self) -> list[Any]:
        if self.categories is None:
            raise RuntimeError("OneHot: call fit(values) before this, or give categories")
        return self.categories

    def _of_numbers(self, t: Tensor, known: list[Any]) -> Tensor:
        found = xg.expand_dims(t, axis=-1) == _like(t, known)
        if self.unknown == "error" and holds(lambda t: xg.any(t, axis=-1), found) is False:
            raise ValueError(f"OneHot: there are values that are none of the categories {shown(known)}")
        return xg.astype(found, self.dtype or t.backend.default_dtype)

    def _of_words(self, values: Any, known: list[Any]) -> Any:
        words, shape = flat(values)
        places = {word: i for i, word in enumerate(known)}
        unknown = next((word for word in words if word not in places), None)
        if unknown is not None and self.unknown == "error":
            raise ValueError(f"OneHot: {shown(unknown)} is none of the categories {shown(known)}")
        codes = coded([places.get(word, -1) for word in words], len(known), (*shape, len(known)))
        if is_host(values):
            made = host_tensor(codes)
            return xg.astype(made, self.dtype or made.backend.default_dtype).numpy()
        made = xg.asarray(codes)
        return xg.astype(made, self.dtype or made.backend.default_dtype)

    def state_dict(self) -> dict[str, Any]:
        """The categories: a list, which JSON can hold."""
        return {"categories": list(self._known())}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the categories. Raises ValueError, and changes nothing, for what is not of `state_dict`."""
        if not isinstance(state_dict, Mapping) or "categories" not in state_dict:
            raise ValueError(f"OneHot.load_state_dict: categories are needed, got {described(state_dict)}")
        try:
            self.categories = _distinct(state_dict["categories"], ordered=True)
        except TypeError as error:
            raise ValueError(f"OneHot.load_state_dict: {error}") from error

    def __repr__(self) -> str:
        return f"OneHot({shown(self.categories)})"


def _taken(t: Tensor, known: list[Any]) -> Tensor:
    """The category of the largest number in each row."""
    base, _ = t.backend.bare(t.data)
    with xg.use_backend(base):
        categories = xg.asarray(known)
    places = xg.argmax(t, axis=-1)
    return xg.take(categories, xg.reshape(places, (-1,))).reshape(places.shape)


def _like(t: Tensor, known: list[Any]) -> Tensor:
    """The categories beside a tensor: where it is, and of a dtype that holds both."""
    base, _ = t.backend.bare(t.data)
    with xg.use_backend(base):
        found: Tensor = xg.asarray(known, dtype=t.dtype if isinstance(known[0], bool) or _fits(t, known) else None)
    return found


def _fits(t: Tensor, known: list[Any]) -> bool:
    """Whether numbers can be compared in the dtype of a tensor: integers with integers, or any with floats."""
    library = t.backend.library
    return bool(library.isdtype(t.dtype, "real floating")) or (
        bool(library.isdtype(t.dtype, "integral"))
        and all(isinstance(each, int) for each in known)
        and _in_range(t, known)
    )


def _in_range(t: Tensor, known: list[Any]) -> bool:
    limits = xg.iinfo(t.dtype)
    return all(limits.min <= each <= limits.max for each in known)


def _distinct(values: Any, ordered: bool) -> list[Any]:
    """The distinct values, as Python's strings or numbers: sorted, or in their order, in which none may come twice."""
    if not isinstance(values, Tensor) and not hasattr(values, "shape"):
        values = list(values)
    elif not is_host(values):
        values = xg.asarray(values).numpy()
    words, _ = flat(values)
    if not words:
        raise ValueError("OneHot: there are no values, so no categories")
    if not all(isinstance(each, str) for each in words):
        if any(isinstance(each, str) for each in words):
            raise TypeError("OneHot: the values must be all words or all numbers")
        check("OneHot", list(words))
        if any(isinstance(each, complex) or each != each for each in words):
            raise ValueError("OneHot: nan and complex numbers are no categories")
    found = list(dict.fromkeys(words))
    if ordered and len(found) != len(words):
        twice = next(each for i, each in enumerate(words) if each in words[:i])
        raise ValueError(f"OneHot: the category {shown(twice)} comes twice")
    return found if ordered else sorted(found)
