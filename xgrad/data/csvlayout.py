"""Which columns of a CSV file are features, targets and categories, and what their words are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xgrad._words import shown
from xgrad.backends.data import described
from xgrad.backends.errors import DataError
from xgrad.backends.host_tables import dtype_of
from xgrad.data.csvcolumns import NUMBERS, WORDS, Column, Host
from xgrad.data.csvrows import number

Names = list[Any]  # of columns: names as strings, places as integers


class Layout:
    """What was asked of a file, and then what was found in it. The targets and `text` are names once a file is open."""

    def __init__(self) -> None:
        self.targets: Names = []
        self.is_list = False  # whether the target was given as a list
        self.columns: Names | None = None
        self.exclude: Names = []
        self.text: Names = []  # the columns that are said to be of categories
        self.one_hot = True
        self.dtype: Any = None
        self.target_dtype: Any = None
        self.features: list[str] = []
        self.categories: dict[str, list[str]] = {}
        self.codes: dict[str, Host] = {}
        self.is_known = False  # whether it is that of another file

    @classmethod
    def asked(
        cls,
        target: Any,
        columns: Any,
        exclude: Any,
        categories: Any,
        one_hot: Any,
        dtype: Any,
        target_dtype: Any,
        like: Any,
    ) -> Layout:
        """The layout that the arguments of read_csv ask for."""
        if like is not None:
            if target is not None or columns is not None or len(exclude) or len(categories) or target_dtype is not None:
                raise ValueError(
                    "read_csv: like gives the columns, so target, columns, exclude and categories exclude it"
                )
            return cls._of(getattr(like, "layout", like))
        self = cls()
        self.is_list = isinstance(target, list | tuple)
        self.targets = [] if target is None else _names("target", target if self.is_list else [target])
        self.columns = None if columns is None else _names("columns", columns)
        self.exclude, self.text = _names("exclude", exclude), _names("categories", categories)
        if not isinstance(one_hot, bool):
            raise TypeError(f"read_csv: one_hot must be True or False, not {described(one_hot)}")
        self.one_hot = one_hot
        self.dtype = _dtype("dtype", dtype, "f")
        self.target_dtype = None if target_dtype is None else _dtype("target_dtype", target_dtype, "fiu")
        return self

    @classmethod
    def _of(cls, known: Any) -> Layout:
        if not isinstance(known, Mapping) or not {"features", "targets", "categories", "dtype"} <= set(known):
            raise TypeError(f"read_csv: like must be a CSVDataset or its layout, not {described(known)}")
        self = cls()
        self.is_known = True
        self.targets, self.is_list = list(known["targets"]), bool(known.get("is_list"))
        self.columns = list(known["features"])
        self.categories = {name: list(words) for name, words in known["categories"].items()}
        self.text, self.one_hot = list(self.categories), bool(known.get("one_hot", True))
        self.dtype = _dtype("dtype", known["dtype"], "f")
        kind = known.get("target_dtype")
        self.target_dtype = None if kind is None else _dtype("target_dtype", kind, "fiu")
        return self

    def found(self, features: list[str], coded: dict[str, tuple[list[str], Host]]) -> Layout:
        """This layout, with what a file has."""
        self.features = features
        self.categories |= {name: words for name, (words, _) in coded.items()}
        self.codes = {name: codes for name, (_, codes) in coded.items()}
        return self

    def feature_names(self) -> list[str]:
        """The names of the columns of the features."""
        names = []
        for name in self.features:
            if name in self.categories and self.one_hot:
                names += [f"{name}={word}" for word in self.categories[name]]
            else:
                names.append(name)
        return names

    @property
    def classes(self) -> list[str] | None:
        return self.categories.get(self.targets[0]) if len(self.targets) == 1 else None

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold, and `like` takes."""
        return {
            "features": list(self.features),
            "targets": list(self.targets),
            "is_list": self.is_list,
            "categories": {name: list(words) for name, words in self.categories.items()},
            "one_hot": self.one_hot,
            "dtype": self.dtype.name,
            "target_dtype": None if self.target_dtype is None else self.target_dtype.name,
        }


def chosen(
    path: str, first: tuple[int, list[str]], asked: Layout, header: bool | None, names: Sequence[str] | None
) -> tuple[int, list[Column], bool]:
    """How many cells a row has, the columns that are wanted, and whether the first row is a header."""
    line, cells = first[0], [cell.strip() for cell in first[1]]
    is_header = any(cell and number(cell) is None for cell in cells) if header is None else bool(header)
    if names is None:
        known = cells if is_header else [str(i) for i in range(len(cells))]
    else:
        known = [str(name) for name in names]
        if len(known) != len(cells):
            raise DataError(f"{path}, line {line}: {len(cells)} columns, and names has {len(known)}")
    seen: dict[str, int] = {}
    for place, name in enumerate(known):
        if name and name in seen:
            raise DataError(f"{path}, line {line}: columns {seen[name]} and {place} are both called {shown(name, 24)}")
        seen[name] = place

    def at(column: Any, what: str) -> int:
        if isinstance(column, int) and -len(known) <= column < len(known):
            return column % len(known)
        if column in seen and column != "":
            return seen[column]
        hint = ""
        if len(cells) == 1 and any(separator in cells[0] for separator in ";\t|"):
            hint = "; are its columns separated by another character? Give delimiter"
        raise DataError(
            f"{path}, line {line}: there is no column {shown(column, 24)} for {what}; there are {shown(known, 200)}{hint}"
        )

    present = [name for name in asked.targets if not asked.is_known or name in seen]
    targets = [at(column, "the target") for column in present]
    excluded = {at(column, "exclude") for column in asked.exclude}
    asked.text = [known[at(c, "categories")] for c in asked.text if not asked.is_known or c in seen]
    if asked.columns is None:
        features = [place for place in range(len(known)) if place not in excluded and place not in targets]
    else:
        features = [at(column, "the features") for column in asked.columns]
    for place in (*features, *targets):
        if not known[place]:
            raise DataError(f"{path}, line {line}: column {place} has no name; give names, or exclude=[{place}]")
    twice = [known[place] for place in features if place in targets or features.count(place) > 1]
    if twice:
        raise DataError(f"{path}: column {shown(twice[0], 24)} is asked for twice")
    if not features:
        raise DataError(
            f"{path}, line {line}: there are no columns of features beside {shown([known[i] for i in targets])}"
        )
    if not asked.is_known:
        asked.targets = [known[place] for place in targets]
    found = []
    for place in (*features, *targets):
        name = known[place]
        words = asked.categories.get(name)
        numeric = asked.is_known or (place in targets and asked.target_dtype is not None)
        kind = WORDS if name in asked.text else NUMBERS if numeric else None
        found.append(Column(name, place, kind, words))
    return len(cells), found, is_header


def _names(what: str, given: Any) -> Names:
    found = [given] if isinstance(given, str | int) else list(given)
    for each in found:
        if not isinstance(each, str | int) or isinstance(each, bool):
            raise TypeError(f"read_csv: {what} must be names or places of columns, not {described(each)}")
    return found


def _dtype(what: str, given: Any, kinds: str) -> Any:
    found = dtype_of(given, kinds) or dtype_of(str(given).rpartition(".")[2], kinds)
    if found is None:
        allowed = "a floating-point dtype, such as 'float32'" if kinds == "f" else "a dtype of numbers, such as 'int64'"
        raise TypeError(f"read_csv: {what} must be {allowed}, not {described(given)}")
    return found
