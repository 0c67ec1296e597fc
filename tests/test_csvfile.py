"""CSV files with columns x and y."""

from pathlib import Path

import pytest

from xgrad.fit import FitError
from xgrad.fit.csvfile import read_csv


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "points.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "x,y\n1,2\n3,4\n",
        "x,y\r\n1,2\r\n3,4\r\n",
        "1,2\n3,4",
        "\ufeffx,y\n1,2\n3,4\n",
        "Y, X\n2, 1\n\n  ,\n4,3\n",
        'name,"x",unit,y\na,1,m,2.0\nb,"3",m,4e0\n',
        "x,y\r1,2\r3,4\r",
        "\ufeff1,2\n\n\n3,4",
        "x,y\n+1.,.2e1\n 3 ,4.0\n",
        'x,y,note\n1,2,"two\nlines, \u4e2d"\n3,4\n',
    ],
)
def test_reads_columns(tmp_path: Path, content: str) -> None:
    assert read_csv(written(tmp_path, content)) == ([1.0, 3.0], [2.0, 4.0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("x,y\n", "no rows"),
        ("x,y\n1,2\n", "only one row"),
        ("a,b\n1,2\n3,4\n", "line 1: columns x and y are needed; the line reads 'a,b'"),
        ("x;y\n1;2\n", "separated by commas"),
        ("x,x,y\n1,1,2\n", "line 1: there are several columns x; the line reads 'x,x,y'"),
        ("\n\na,b\n1,2\n", "line 3: columns x and y are needed"),
        ("c" * 999 + "\n1\n", "ccc...ccc"),
        ("x,y\n1,2\n0x10,1_000\n", "line 3: x is '0x10', not a number"),
        ("x,y\n1,2\n3,1_000\n", "line 3: y is '1_000', not a number"),
        ("x,y\n1,2\n3,\u0663\n", "not a number"),
        ("x,y\n1,2\n3,1e400\n", "line 3: y is 1e400, not a finite number"),
        ("x,y\n1,2\n3,-Infinity\n", "line 3: y is -Infinity, not a finite number"),
        ("x,y\n1,2\n3," + "9" * 500 + "\n", "not a finite number"),
        ("x,y\n1,2\n3," + "a" * 500 + "\n", "line 3: y is 'aaa"),
        ("x,y\n1,2\n3,\x1b[31m\n", "line 3: y is '\\x1b[31m', not a number"),
        ("x,y\n1,2\n1,5,2,5\n", "line 3: 4 values where the first row has 2"),
        ("x,y\n1,2\n" + "1," * 5000 + "\n", "line 3: 5001 values where the first row has 2"),
        ('x,y\n1,2\n"3,4\n5,6\n', "line 3: a quotation mark opens here and is not closed"),
        ('x,y\n1,2\n"3"a,4\n', "line 3: "),
        ("x,y\n1,2\n3," + "a" * 200_000 + "4\n", "line 3: a cell has more than 131072 characters"),
        ("x,y\n1,2\n3," + " " * 2_000_000 + "4\n", "line 3: it has more than 1000000 characters"),
        ("\0" * 2_000_000, "line 1: it holds binary data"),
        ("x,y\n1,2\n".encode("utf-16-be"), "line 1: it holds binary data"),
        ("x,y\n1,2\n".encode("utf-16"), "line 1: it is text in UTF-16; save it in UTF-8"),
        (b"x,y\n1,2\n3,caf\xe9\n", "line 3: byte 0xe9 is not text in UTF-8"),
        ("1,2,3\n4,5,6\n", "line 1"),
        ("x,y\n1,2\nhello,4\n5,6\n", "1 bad row: line 3: x is 'hello', not a number"),
        ("x,y\n1,2\n\n3\n5,\n", "2 bad rows: line 4: y is missing; line 5: y is missing"),
        ("x,y\n1,nan\n2,inf\n3,1e999\n", "line 2: y is nan, not a finite number"),
        ("x,y\n1,2\n3,4,5\n", "line 3: 3 values where the first row has 2"),
        ("1,2\n3,oops\n", "line 2: y is 'oops'"),
        ("x,y\n" + "a,b\n" * 9, "9 bad rows"),
        ("x,y\n" + "a,b\n" * 9, "and 4 more"),
        ('x,y\n"1,2\n3,4\n', "not a CSV file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not text in UTF-8"),
        (b"x,y\n1,2\n\0\0,3\n", "binary data"),
        (b"x,y\n1,\xff\n", "not text in UTF-8"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(FitError) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 400


def test_line_numbers_count_lines_inside_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, 'note,x,y\n"two\nlines",1,2\nplain,3,bad\n')
    with pytest.raises(FitError, match="line 4: y is 'bad'"):
        read_csv(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="no such file"):
        read_csv(tmp_path / "absent.csv")
    with pytest.raises(FitError, match="is a folder"):
        read_csv(tmp_path)


def test_a_stream_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xgrad.fit.csvfile.MOST_ROWS", 10)
    for rows in ("1,2\n" * 11, "x,y\n" + "hello\n" * 11):
        with pytest.raises(FitError, match="more than 10 rows"):
            read_csv(written(tmp_path, rows))
    assert len(read_csv(written(tmp_path, "1,2\n" * 10))[0]) == 10


def test_what_is_no_name_of_a_file() -> None:
    for name in ("a\0b", "\ud800"):
        with pytest.raises(FitError, match="cannot be the name of a file"):
            read_csv(name)
    with pytest.raises(FitError, match="/dev/stdin is the standard input"):
        read_csv("-")
