"""A CSV file as a dataset: its columns are features and targets."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xgrad._words import shown
from xgrad.backends import host_tables
from xgrad.backends.data import described
from xgrad.backends.errors import DataError
from xgrad.data.csvcolumns import WORDS, Column, Host
from xgrad.data.csvlayout import Layout, chosen
from xgrad.data.csvrows import UTF_8, BadRows, number, opened, rows
from xgrad.data.tensors import TensorDataset

NO_VALUE = (
    "nan",
    "na",
    "n/a",
    "null",
)  # cells that say that a value is missing, beside empty ones, in any case of letters
MOST_CELLS = 2**31  # of a file; a stream may never end
LONG = 20  # characters; a longer cell is a value
MOST_WORDS = 1000  # the largest number of categories that become columns unasked


class CSVDataset(TensorDataset):
    """The rows of a CSV file: sample i is `(features, target)`, or `(features,)` without a target.

    A column whose cells are all numbers is one of numbers, and a column with no number is one of categories. Anything between is
    an error that names the lines. Columns are given by name, or by place: 0 is the first and -1 the last.

    >>> import tempfile
    >>> import xgrad as xg
    >>> file = tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False)
    >>> _ = file.write("size,color,kind\\n1.5,red,cat\\n2,blue,dog\\n4,red,dog\\n")
    >>> file.close()
    >>> data = xg.data.CSVDataset(file.name, target="kind")
    >>> data.feature_names, data.classes
    (['size', 'color=blue', 'color=red'], ['cat', 'dog'])
    >>> data.features.tolist(), data.targets.tolist()
    ([[1.5, 0.0, 1.0], [2.0, 1.0, 0.0], [4.0, 0.0, 1.0]], [0, 1, 1])

    Args:
        path: the file.
        target: the column of the targets, or a list of columns; None for none.
        columns: the columns of the features; None means all but the target.
        exclude: columns that are left out.
        header: whether the first row has the names of the columns; None means that it has, unless all of its cells are numbers.
        names: the names of the columns, instead of those in the file. Without a header and names, they are "0", "1", ...
        categories: columns of categories, also where their cells are numbers.
        one_hot: whether a feature of categories becomes a column of 0 and 1 for each of its words, called "column=word". If not,
            it is the number of the word in the order of the alphabet.
        dtype: the dtype of the features and of targets that are numbers: float16, float32 or float64.
        target_dtype: the dtype of targets that are numbers, such as "int64" for numbers of classes; None means `dtype`. Targets
            of words are int64: the numbers of the words in `classes`.
        missing: "error"; "drop" leaves out rows with a missing value; a number takes the place of missing numbers; a dict gives a
            number or a word for each column by name.
        na_values: cells that count as missing, in any case of letters. Empty ones always do.
        delimiter: the character between two cells.
        encoding: the encoding of the text. UTF-8 may begin with a byte order mark.
        like: another CSVDataset, or its `layout`: this file must have the same columns, and words get the same numbers. The
            targets may be absent. Only `header`, `names`, `missing`, `na_values`, `delimiter` and `encoding` may be given then.

    Attributes:
        features: a NumPy array of shape (rows, columns).
        targets: a NumPy array of shape (rows,), or (rows, targets) where `target` was a list; None without a target.
        feature_names: the names of the columns of `features`.
        target_names: the names of the targets, a list.
        classes: the words that the targets' numbers stand for; None if the targets are numbers.
        lines: the line of each row in the file, a list; of a row that has several lines, the last one.
        categories: for each column of categories, its words in order.
        layout: all that `like` needs: strings, numbers, lists and dicts, which JSON can hold.

    Raises:
        DataError: for a file that cannot be read, is empty or no CSV file, lacks a column, or has rows that cannot be used: with
            too few or too many cells, a missing value, or a number that is not finite or beyond the dtype. The message is one
            line and names the lines of the first ones.
        TypeError, ValueError: for an argument that is wrong.

    https://docs.python.org/3/library/csv.html
    """

    features: Host
    targets: Any

    def __init__(
        self,
        path: str | Path,
        target: Any = None,
        *,
        columns: Sequence[Any] | None = None,
        exclude: Sequence[Any] = (),
        header: bool | None = None,
        names: Sequence[str] | None = None,
        categories: Sequence[Any] = (),
        one_hot: bool = True,
        dtype: Any = "float32",
        target_dtype: Any = None,
        missing: Any = "error",
        na_values: Sequence[str] = NO_VALUE,
        delimiter: str = ",",
        encoding: str = UTF_8,
        like: Any = None,
    ) -> None:
        asked = Layout.asked(target, columns, exclude, categories, one_hot, dtype, target_dtype, like)
        _check(missing, delimiter)
        no_value = {"", *(str(each).strip().lower() for each in na_values)}
        where = str(path)
        with opened(path, "a CSV file", encoding) as file:
            numbered = rows(where, file, delimiter)
            first = next(numbered, None)
            if first is None:
                raise DataError(f"{where} is empty; a row for each sample is needed")
            width, found, is_header = chosen(where, first, asked, header, names)
            table = _Table(where, width, found, missing == "drop", no_value)
            if not is_header:
                table.take(*first)
            for line, row in numbered:
                table.take(line, row)
        table.check(missing)
        layout, features, targets = _arrays(table, asked)
        super().__init__(features, *([] if targets is None else [targets]))
        self.path, self.lines = where, list(table.lines)
        self.features, self.targets = features, targets
        self.feature_names, self.target_names = layout.feature_names(), [] if targets is None else list(layout.targets)
        self.classes, self.categories = layout.classes, dict(layout.categories)
        self.layout = layout.as_dict()

    def __repr__(self) -> str:
        return (
            f"CSVDataset({self.path!r}, {len(self)} rows, features={self.feature_names}, targets={self.target_names})"
        )


def read_csv(path: str | Path, target: Any = None, **options: Any) -> CSVDataset:
    """Read a CSV file as a dataset, whose samples are `(features, target)`: the same as `CSVDataset(path, target, **options)`.

    >>> import tempfile
    >>> import xgrad as xg
    >>> file = tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False)
    >>> _ = file.write("a,b,y\\n1,2,3\\n4,,6\\n7,8,9\\n")
    >>> file.close()
    >>> x, y = xg.data.read_csv(file.name, target="y", missing="drop").tensors
    >>> x.tolist(), y.tolist()
    ([[1.0, 2.0], [7.0, 8.0]], [3.0, 9.0])
    >>> try:
    ...     xg.data.read_csv(file.name, target="y")
    ... except xg.data.DataError as error:
    ...     print(str(error).partition(" has ")[2])
    1 bad row: line 3: b is missing; missing="drop" leaves such rows out

    Args:
        path: the file.
        target: the column of the targets, or a list of columns; None for none.
        **options: as for `CSVDataset`.

    Returns:
        A `CSVDataset`.

    Raises:
        DataError, TypeError, ValueError: as `CSVDataset`.

    https://docs.python.org/3/library/csv.html
    """
    return CSVDataset(path, target, **options)


def _check(missing: Any, delimiter: Any) -> None:
    is_number = isinstance(missing, int | float) and not isinstance(missing, bool)
    if not (missing in ("error", "drop") if isinstance(missing, str) else is_number or isinstance(missing, Mapping)):
        raise ValueError(
            f'read_csv: missing must be "error", "drop", a number, or a dict from columns to values, not {missing!r}'
        )
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError(f"read_csv: delimiter must be one character, not {delimiter!r}")


class _Table:
    """The rows of a file, taken one after another into its columns."""

    def __init__(self, path: str, width: int, columns: list[Column], drop: bool, no_value: set[str]) -> None:
        self.path, self.width, self.columns = path, width, columns
        self.drop, self.no_value = drop, no_value
        self.bad = BadRows(path)
        self.lines = array("q")  # of each row
        self.taken = 0  # rows, also those that cannot be used
        self.places = [column.place for column in columns]
        # Whether all columns are of numbers so far. Then a row is converted at once, in a third of the time.
        self.is_plain = all(column.kind != WORDS for column in columns) and not any(map(_is_finite, no_value))

    def take(self, line: int, row: list[str]) -> None:
        self.taken += 1
        if self.taken * self.width > MOST_CELLS:
            raise DataError(f"{self.path} has more than {MOST_CELLS} cells")
        if len(row) != self.width:
            self.bad.add(line, f"{len(row)} values where the first row has {self.width}")
        elif (self.is_plain and self._take_numbers(row)) or self._take_cells(line, row):
            self.lines.append(line)

    def _take_numbers(self, row: list[str]) -> bool:
        """Take a row whose cells are all finite numbers. Otherwise take nothing, and return False."""
        try:
            numbers = [float(row[place]) for place in self.places]
        except ValueError:
            return False
        total, text = sum(numbers), "".join(row)
        if total - total != 0 or "_" in text or not text.isascii():
            return False
        for column, value in zip(self.columns, numbers, strict=True):
            column.numbers.append(value)
        return True

    def _take_cells(self, line: int, row: list[str]) -> bool:
        """Take a row cell by cell. Returns whether it was taken; if not, nothing of it is."""
        cells = [row[place].strip() for place in self.places]
        no_value = self.no_value
        absent = [not cell or (len(cell) < LONG and cell.lower() in no_value) for cell in cells]
        if self.drop and any(absent):
            return False
        for column, cell, is_absent in zip(self.columns, cells, absent, strict=True):
            if is_absent:
                column.take_missing()
            elif why := column.take(cell):
                for each in self.columns:
                    each.shorten(len(self.lines))
                self.bad.add(line, why)
                return False
        self.is_plain = self.is_plain and all(column.codes is None for column in self.columns)
        return True

    def check(self, missing: Any) -> None:
        """Fill what is missing. Raise DataError for rows that cannot be used, and for a file without rows."""
        mixed = [column for column in self.columns if column.is_mixed]
        for column in mixed:
            for row, cell in column.first_words:
                self.bad.add(self.lines[row], f"{column.name} is {shown(cell, 24)}, not a number")
            self.bad.count += column.word_count - len(column.first_words)
        name = mixed[0].name if mixed else ""
        self.bad.check(f"; if {name} is a column of categories, give categories=[{name!r}]" if mixed else "")
        for column in self.columns:
            column.fill(None if isinstance(missing, str) else missing, self.lines, self.bad)
        self.bad.check('; missing="drop" leaves such rows out' if missing == "error" else "")
        if not self.lines:
            raise DataError(f"{self.path} has no rows of data" + (" without missing values" if self.drop else ""))


def _is_finite(word: str) -> bool:
    """Whether a word for a missing value is a number, such as -999."""
    value = number(word)
    return value is not None and value - value == 0


def _arrays(table: _Table, asked: Layout) -> tuple[Layout, Host, Host | None]:
    """The layout that was found, the features, and the targets."""
    columns = {column.name: column for column in table.columns}
    feature_names = [name for name in columns if name not in asked.targets]
    layout = asked.found(feature_names, {name: column.coded() for name, column in columns.items() if column.has_words})
    lines, bad = table.lines, table.bad
    features = host_tables.empty(len(lines), len(layout.feature_names()), layout.dtype)
    place = 0
    for name in feature_names:
        column = columns[name]
        if not column.has_words:
            features[:, place] = column.as_numbers(layout.dtype, lines, bad)
            place += 1
        elif not layout.one_hot:
            features[:, place] = layout.codes[name]
            place += 1
        else:
            count = len(layout.categories[name])
            if count > MOST_WORDS and name not in asked.text:
                raise DataError(
                    f"{table.path}: {name} has {count} different words; give exclude=[{name!r}] to leave it out, or "
                    f"categories=[{name!r}] if each is to become a column"
                )
            host_tables.one_hot(layout.codes[name], count, features[:, place : place + count])
            place += count
    present = [columns[name] for name in asked.targets if name in columns]
    targets = _targets(present, layout, lines, bad) if present else None
    return layout, features, targets


def _targets(present: list[Column], layout: Layout, lines: Sequence[int], bad: BadRows) -> Host:
    are_words = {column.has_words for column in present}
    if len(are_words) > 1 or (len(present) > 1 and True in are_words):
        raise DataError(f"{bad.path}: several targets must all be numbers; {described([c.name for c in present])}")
    if True in are_words:
        found = layout.codes[present[0].name]
        return found.reshape(-1, 1) if layout.is_list else found
    dtype = layout.target_dtype or layout.dtype
    targets = host_tables.empty(len(lines), len(present), dtype)
    for i, column in enumerate(present):
        targets[:, i] = column.as_numbers(dtype, lines, bad)
    return targets if layout.is_list else targets.reshape(-1)
