"""CSV files as datasets: columns, categories, missing values, and the lines that errors name."""

import csv
import json

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches
from xgrad.data import CSVDataset, DataError, DataLoader, read_csv

PETS = "size,color,kind\n1.5,red,cat\n2,blue,dog\n4,red,dog\n"


@pytest.fixture
def write(tmp_path):
    def written(content, name="data.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return written


def features(path, *args, **options):
    return read_csv(path, *args, **options).features.tolist()


# --- what is read


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4\r",
        "1,2\n3,4",
        "\ufeff1,2\n\n  ,\n3,4\n",
        "\ufeffa,b\n1,2\n3,4",
        '"a", "b"\n"1", 2\n3,"4"\n',
        "a,b\n+1.,.2e1\n 3 ,4.0\n",
    ],
)
def test_numbers(write, content):
    data = read_csv(write(content))
    assert data.features.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data.features.dtype == "float32"
    assert (data.targets, data.target_names, data.classes, len(data), len(data[0])) == (None, [], None, 2, 1)


def test_batches(write, xp):
    data = read_csv(write(PETS), "kind")
    x, y = next(iter(DataLoader(data, batch_size=3)))
    assert_matches(x, np.array([[1.5, 0, 1], [2, 1, 0], [4, 0, 1]], np.float32), xp=xp)
    assert_matches(y, np.array([0, 1, 1]), xp=xp)


def test_words_become_categories(write):
    data = read_csv(write(PETS), target="kind")
    assert data.feature_names == ["size", "color=blue", "color=red"]
    assert data.categories == {"color": ["blue", "red"], "kind": ["cat", "dog"]}
    assert (data.classes, data.targets.dtype, data.target_names) == (["cat", "dog"], np.int64, ["kind"])
    codes = read_csv(write(PETS), target="kind", one_hot=False)
    assert codes.feature_names == ["size", "color"]
    assert codes.features.tolist() == [[1.5, 1.0], [2.0, 0.0], [4.0, 1.0]]


def test_columns_by_name_and_by_place(write):
    path = write("a,b,c,d\n1,2,3,4\n5,6,7,8\n")
    assert features(path, "a", columns=["c", "b"]) == [[3.0, 2.0], [7.0, 6.0]]
    assert features(path, -1, exclude=["a", 1]) == [[3.0], [7.0]]
    assert read_csv(path, -1).targets.tolist() == [4.0, 8.0]
    assert read_csv(path, ["d", "a"]).targets.tolist() == [[4.0, 1.0], [8.0, 5.0]]
    assert read_csv(path, ["d"]).targets.shape == (2, 1)
    assert read_csv(write("1,2\n3,4\n"), "1").feature_names == ["0"]
    assert read_csv(write("1,2\n3,4\n"), "y", names=["x", "y"]).targets.tolist() == [2.0, 4.0]
    assert read_csv(write("a,b\n3,4\n"), names=["x", "y"]).feature_names == ["x", "y"]
    assert read_csv(write("2001,2002\n3,4\n"), header=True).feature_names == ["2001", "2002"]
    assert read_csv(write("p,1\nq,4\n"), header=False).categories == {"0": ["p", "q"]}


def test_a_column_of_words_that_begins_with_numbers_in_others(write):
    data = read_csv(write("a,b\n1,\n2,x\n3,y\n4,x\n"), missing={"b": "none"})
    assert data.features.tolist() == [[1, 1, 0, 0], [2, 0, 1, 0], [3, 0, 0, 1], [4, 0, 1, 0]]
    assert features(write("a,b\n1,2\n3,\n5,6\n"), missing=0) == [[1.0, 2.0], [3.0, 0.0], [5.0, 6.0]]


def test_dtypes(write):
    path = write("x,y\n0.1,0\n0.2,1\n")
    data = read_csv(path, "y", dtype="float64", target_dtype="int64")
    assert data.features.tolist() == [[0.1], [0.2]]
    assert (data.targets.dtype, data.targets.tolist()) == (np.int64, [0, 1])
    assert read_csv(path, "y", dtype=xg.float64).targets.dtype == np.float64
    assert read_csv(path, "y", dtype=np.float16).features.dtype == np.float16


def test_numbers_that_are_categories(write):
    data = read_csv(write("zip,y\n10,1\n2,2\n10,3\n"), "y", categories=["zip"])
    assert data.feature_names == ["zip=10", "zip=2"]
    data = read_csv(write("x,label\n1,7\n2,3\n"), "label", categories="label")
    assert (data.classes, data.targets.tolist()) == (["3", "7"], [1, 0])


def test_quoted_cells_and_other_encodings(write):
    path = write('name;x\n"a;b";1\n"two\nlines";2\n"""c""";3\n'.replace("c", "\xe9"), encoding="latin-1")
    data = read_csv(path, delimiter=";", encoding="latin-1")
    assert data.categories == {"name": sorted(["a;b", "two\nlines", '"\xe9"'])}
    assert read_csv(write("a,b\n1,2\n", encoding="utf-16"), encoding="utf-16").features.tolist() == [[1.0, 2.0]]


def test_reads_what_the_csv_module_writes(tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(200, 3)) * 10.0 ** rng.integers(-30, 30, size=(200, 3))
    words = rng.choice(["plain", 'with "quotes"', "a,b", "line\nbreak", " \u4e2d"], size=200)
    with open(tmp_path / "data.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "word"])
        writer.writerows([*row, word] for row, word in zip(numbers.tolist(), words.tolist(), strict=True))
    data = read_csv(tmp_path / "data.csv", "word", dtype="float64")
    assert (data.features == numbers).all()
    classes = data.classes or []
    assert [classes[i] for i in data.targets] == [word.strip() for word in words]


# --- missing values


MISSING = "a,b,word\n1,,x\n2,5,\nNaN,6,y\n4,7,x\n"


def test_missing_values_are_errors(write):
    with pytest.raises(
        DataError, match=r"3 bad rows: line 2: b is missing; line 3: word is missing, .*; line 4: a is missing"
    ):
        read_csv(write(MISSING))


def test_rows_with_missing_values_are_dropped(write):
    data = read_csv(write(MISSING), missing="drop")
    assert data.features.tolist() == [[4.0, 7.0, 1.0]]
    assert data.categories == {"word": ["x"]}  # words of dropped rows are no categories
    assert features(write(MISSING), missing="drop", columns=["a"]) == [[1.0], [2.0], [4.0]]
    with pytest.raises(DataError, match="no rows of data without missing values"):
        read_csv(write("a\nnan\n,\n".replace(",", "NA")), missing="drop")


def test_missing_values_are_filled(write):
    assert features(write(MISSING), columns=["a", "b"], missing=0) == [[1, 0], [2, 5], [0, 6], [4, 7]]
    data = read_csv(write(MISSING), missing={"a": -1.5, "b": 9, "word": "none"})
    assert data.features[:, :2].tolist() == [[1, 9], [2, 5], [-1.5, 6], [4, 7]]
    assert data.categories == {"word": ["none", "x", "y"]}
    with pytest.raises(DataError, match="line 3: word is missing, and its values are words"):
        read_csv(write(MISSING), missing=0)
    with pytest.raises(DataError, match="line 4: a is missing"):
        read_csv(write(MISSING), missing={"b": 9, "word": "none"})


def test_other_words_for_missing_values(write):
    assert features(write("a,b\n-999,2\n3,4\n"), missing=7, na_values=["-999"]) == [[7.0, 2.0], [3.0, 4.0]]
    path = write("a,b\n?,2\n3,4\n")
    assert features(path, missing="drop", na_values=["?"]) == [[3.0, 4.0]]
    assert read_csv(write("country,y\nNA,1\nDE,2\n"), "y", na_values=[]).categories == {"country": ["DE", "NA"]}


# --- another file like the first


def test_a_file_like_another(write):
    first = read_csv(write(PETS), "kind")
    for like in (first, json.loads(json.dumps(first.layout))):
        again = read_csv(write("kind,extra,color,size\ndog,0,blue,9\n", "b.csv"), like=like)
        assert again.features.tolist() == [[9.0, 1.0, 0.0]]
        assert again.targets.tolist() == [1]
        assert again.classes == ["cat", "dog"]
        without = read_csv(write("color,size\nred,9\n", "b.csv"), like=like)
        assert without.features.tolist() == [[9.0, 0.0, 1.0]]
        assert (without.targets, without.layout == first.layout) == (None, True)
    for content, said in {
        "size,color\n1,green\n": "line 2: color is 'green', which is none of ['blue', 'red']",
        "size,color\nx,red\n": "line 2: size is 'x', not a number",
        "color\nred\n": "there is no column 'size' for the features",
        "size,color,kind\n1,red,cow\n": "kind is 'cow', which is none of ['cat', 'dog']",
    }.items():
        with pytest.raises(DataError) as caught:
            read_csv(write(content, "b.csv"), like=first)
        assert said in str(caught.value)
    with pytest.raises(ValueError, match="like gives the columns"):
        read_csv(write(PETS), "kind", like=first)
    with pytest.raises(TypeError, match="like must be a CSVDataset or its layout"):
        read_csv(write(PETS), like=3)


# --- files that cannot be used


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("", {}, "is empty"),
        ("\n\n", {}, "is empty"),
        ("a,b\n", {}, "has no rows of data"),
        ("a,a\n1,2\n", {}, "line 1: columns 0 and 1 are both called 'a'"),
        (",a\n0,1\n", {}, "line 1: column 0 has no name; give names, or exclude=[0]"),
        ("a,b\n1,2\n3\n", {}, "1 bad row: line 3: 1 values where the first row has 2"),
        ("a,b\n1,2\n3,4,5\n", {}, "line 3: 3 values where the first row has 2"),
        ("a,b\n1,2\n3,x\n4,5\n", {}, "1 bad row: line 3: b is 'x', not a number; if b is a column of categories"),
        ("a,b\n" + "1,2\n" * 3 + "3,x\n" * 9, {}, "9 bad rows: line 5: b is 'x'"),
        ("a,b\n" + "1,2\n" * 3 + "3,x\n" * 9, {}, "; and 4 more"),
        ("a,b\n1,2\n0x10,1_000\n", {}, "line 3: a is '0x10', not a number; line 3: b is '1_000', not a number"),
        (
            "a,b\n1,inf\nx,2\n3,4\n",
            {},
            "2 bad rows: line 2: b is inf, not a finite number; line 3: a is 'x', not a number",
        ),
        ("a\n1\n\u0663\n", {}, "not a number"),
        ("a,b\n1,2\n3,inf\n", {}, "line 3: b is inf, not a finite number"),
        ("a,b\n1,2\n3,1e999\n", {}, "line 3: b is 1e999, not a finite number"),
        ("a,b\n1,2\n3,-1e39\n", {}, "line 3: b is -1e+39, which is beyond float32"),
        ("a,b\n1,2\n3,70000\n", {"dtype": "float16"}, "line 3: b is 70000.0, which is beyond float16"),
        (
            "a,b\n1,2\n3,1.5\n",
            {"target": "b", "target_dtype": "int64"},
            "line 3: b is 1.5, which is beyond int64, or no whole",
        ),
        ("a,b\n1,2\n3,300\n", {"target": "b", "target_dtype": "uint8"}, "line 3: b is 300.0, which is beyond uint8"),
        ("a,b\n1,x\n3,y\n", {"target": "b", "target_dtype": "int64"}, "line 2: b is 'x', not a number"),
        (
            "a,b\n1,9007199254740993\n",
            {"target": "b", "target_dtype": "int64"},
            "line 2: b is 9007199254740992.0, which is beyond int64",
        ),
        ("a,b,c\n1,x,y\n", {"target": ["b", "c"]}, "several targets must all be numbers"),
        ("a,b\n1,2\n", {"target": "y"}, "line 1: there is no column 'y' for the target; there are ['a', 'b']"),
        ("a;b\n1;2\n", {"target": "b"}, "are its columns separated by another character? Give delimiter"),
        ("a,b\n1,2\n", {"target": 2}, "there is no column 2 for the target"),
        ("a,b\n1,2\n", {"columns": ["a", "a"]}, "column 'a' is asked for twice"),
        ("a,b\n1,2\n", {"target": "a", "columns": ["a"]}, "column 'a' is asked for twice"),
        ("a\n1\n", {"target": "a"}, "there are no columns of features beside ['a']"),
        ("a,b\n1,2\n", {"names": ["x"]}, "2 columns, and names has 1"),
        (
            "name,y\n" + "".join(f"w{i},1\n" for i in range(1001)),
            {},
            "name has 1001 different words; give exclude=['name']",
        ),
        ('a,b\n1,2\n"3,4\n', {}, "line 3: a quotation mark opens here and is not closed"),
        ("a,b\n1,\0\n", {}, "line 2: it holds binary data"),
        ("a,b\n1,2\n".encode("utf-16"), {}, "it is text in UTF-16; save it in UTF-8"),
        (b"a,b\n1,caf\xe9\n", {}, "line 2: byte 0xe9 is not text in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", {}, "line 1: byte 0x89 is not text in UTF-8"),
        (b"a,b\n\xff,2\n", {"encoding": "ascii"}, "is not text in ascii, after line"),
        ("a,b\n1,2\n", {"encoding": "utf-99"}, "there is no text encoding 'utf-99'"),
    ],
)
def test_says_what_is_wrong_and_where(write, content, options, said):
    path = write(content)
    with pytest.raises(DataError) as caught:
        read_csv(path, **options)
    message = str(caught.value)
    assert said in message
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < len(str(path)) + 700


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_csv(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="is a folder; a CSV file is needed"):
        read_csv(tmp_path)
    with pytest.raises(DataError, match="cannot be the name of a file"):
        read_csv("a\0b")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"missing": "skip"}, ValueError, 'missing must be "error", "drop"'),
        ({"missing": True}, ValueError, "missing must be"),
        ({"delimiter": ";;"}, ValueError, "delimiter must be one character"),
        ({"dtype": "int32"}, TypeError, "dtype must be a floating-point dtype"),
        ({"dtype": "float33"}, TypeError, "dtype must be a floating-point dtype"),
        ({"target_dtype": "U1"}, TypeError, "target_dtype must be a dtype of numbers"),
        ({"one_hot": 1}, TypeError, "one_hot must be True or False"),
        ({"target": 1.5}, TypeError, "target must be names or places"),
        ({"columns": [None]}, TypeError, "columns must be names or places"),
    ],
)
def test_wrong_arguments(write, options, error, said):
    with pytest.raises(error, match=said):
        CSVDataset(write(PETS), **options)


def test_a_stream_that_never_ends_is_stopped(write, monkeypatch):
    monkeypatch.setattr("xgrad.data.csvdataset.MOST_CELLS", 10)
    for rows in ("1,2\n" * 6, "a,b\n" + "1,2,3\n" * 6, "a,b\n" + ",2\n" * 6):
        with pytest.raises(DataError, match="more than 10 cells"):
            read_csv(write(rows), missing="drop")
