"""Datasets: PyTorch's protocol, parts and sums of datasets, and random_split."""

import warnings
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from xgrad.data import ChainDataset, ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from xgrad.random import Generator


class Letters(Dataset[str]):
    def __init__(self, letters: str) -> None:
        self.letters = letters

    def __len__(self) -> int:
        return len(self.letters)

    def __getitem__(self, i: int) -> str:
        return self.letters[i]


class Counting(IterableDataset[int]):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self) -> int:
        return self.n


def test_a_dataset_without_its_methods_says_which_are_needed():
    with pytest.raises(NotImplementedError, match="Dataset must define __getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="IterableDataset must define __iter__"):
        iter(IterableDataset())


def test_concat():
    both = Letters("abc") + Letters("") + Letters("de")
    assert isinstance(both, ConcatDataset)
    assert len(both) == 5
    assert [both[i] for i in range(-5, 5)] == list("abcdeabcde")
    for i in (5, -6):
        with pytest.raises(IndexError, match=f"sample {i} of 5"):
            both[i]
    with pytest.raises(ValueError, match="one dataset or more"):
        ConcatDataset([])
    with pytest.raises(TypeError, match="use ChainDataset"):
        ConcatDataset([Counting(1)])
    assert [b for batch in DataLoader(both, batch_size=2) for b in batch] == list("abcde")


def test_chain():
    both = Counting(2) + Counting(3)
    assert isinstance(both, ChainDataset)
    assert list(both) == [0, 1, 0, 1, 2]
    assert len(both) == 5
    with pytest.raises(TypeError, match="an IterableDataset is needed"):
        ChainDataset([Letters("a")])


def test_subset():
    part = Subset(Letters("abcdef"), [5, 0, 5])
    assert [part[i] for i in range(3)] == ["f", "a", "f"]
    assert part.__getitems__([2, 1]) == ["f", "a"]
    assert Subset(part, [1])[0] == "a"


# --- arrays


def test_arrays_stay_as_they_are():
    x, y = np.arange(6.0).reshape(3, 2), np.arange(3)
    data = TensorDataset(x, y)
    assert data.tensors[0] is x
    assert isinstance(data[1][0], np.ndarray)
    assert [part.tolist() for part in data[1:]] == [[[2.0, 3.0], [4.0, 5.0]], [1, 2]]
    assert len(data) == 3


def test_tensors_stay_on_their_backend(xp):
    t = make(xp, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    data = TensorDataset(t, t.data)  # NumPy's arrays are host data, and stay as they are
    for part in data.tensors[: 1 if t.backend.holds_host_data else 2]:
        assert part.backend is t.backend
    for part in xg.data.default_convert(data[2]):
        assert_matches(part, np.array([5.0, 6.0]), xp=xp)


def test_nested_lists_become_tensors(xp):
    (x,) = TensorDataset([[1, 2], [3, 4]]).tensors
    assert x.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("arrays", "error", "said"),
    [
        ((), ValueError, "one array or more"),
        ((np.zeros(3), np.zeros((2, 3))), ValueError, r"the same length along axis 0, not \[3, 2\]"),
        ((np.zeros(3), np.zeros(())), ValueError, "argument 1 has no axis 0"),
        ((np.array(["a"]),), TypeError, "holds no numbers"),
        ((np.array([None]),), TypeError, "holds no numbers"),
        (("abc",), TypeError, "argument 0 is no array"),
        ((np.ma.array([1.0, 2.0], mask=[False, True]),), TypeError, "a masked array would lose its mask"),
        ((np.zeros(1), 5), TypeError, "argument 1 is no array"),
    ],
)
def test_what_is_no_dataset_of_tensors(arrays, error, said):
    with pytest.raises(error, match=said):
        TensorDataset(*arrays)


@pytest.mark.parametrize("wrap", ["alone", "subset", "subset of a subset"])
def test_batches_are_taken_by_one_indexing(xp, wrap, monkeypatch):
    data: Any = TensorDataset(np.arange(12.0).reshape(6, 2), np.arange(6), make(xp, np.arange(6.0)))
    calls: list[Any] = []
    monkeypatch.setattr(TensorDataset, "__getbatch__", counted(TensorDataset.__getbatch__, calls))
    order = list(range(6))
    if wrap != "alone":
        order = [4, 2, 0, 5]
        data = Subset(data, order)
    if wrap == "subset of a subset":
        order = [order[i] for i in (3, 0)]
        data = Subset(data, [3, 0])
    for sampler in (None, [1, 0]):
        calls.clear()
        x, y, z = next(iter(DataLoader(data, batch_size=2, sampler=sampler)))
        rows = np.array(order)[[0, 1] if sampler is None else sampler]
        assert_matches(x, np.arange(12.0).reshape(6, 2)[rows], xp=xp)
        assert_matches(y, rows, xp=xp)
        assert_matches(z, rows.astype(float), xp=xp)
        assert len(calls) == (sampler is None)


def counted(function, calls):
    def wrapped(*args):
        calls.append(args)
        return function(*args)

    return wrapped


def test_a_subclass_that_changes_samples_changes_batches():
    class Doubled(TensorDataset):
        def __getitem__(self, i):
            return tuple(2 * part for part in super().__getitem__(i))

    data = Doubled(np.arange(4.0))
    for dataset in (data, Subset(data, [0, 1, 2, 3])):
        assert [x.tolist() for (x,) in DataLoader(dataset, batch_size=2)] == [[0.0, 2.0], [4.0, 6.0]]


def test_the_batches_of_a_dataset_of_arrays_do_not_change_it(xp):
    for x in (np.zeros((4, 2)), make(xp, np.zeros((4, 2)))):
        for (batch,) in DataLoader(TensorDataset(x), batch_size=2):
            batch += 1.0
        assert not to_numpy(x).any()


def test_a_subset_whose_indices_are_replaced_has_the_new_samples(xp):
    subset = Subset(TensorDataset(np.arange(6)), [0, 1])
    loader = DataLoader(subset, batch_size=4)
    assert [batch.tolist() for (batch,) in loader] == [[0, 1]]
    subset.indices = [2, 3, 4]
    assert [batch.tolist() for (batch,) in DataLoader(subset, batch_size=4)] == [[2, 3, 4]]


def test_getitems_reads_several_samples_at_once():
    class Several(Letters):
        def __getitems__(self, numbers):
            asked.append(numbers)
            return [self.letters[i].upper() for i in numbers]

    class Lower(Several):
        def __getitem__(self, i):
            return self.letters[i]

    asked: list[Any] = []
    assert list(DataLoader(Several("abc"), batch_size=2)) == [["A", "B"], ["C"]]
    assert list(DataLoader(Subset(Several("abc"), [2, 0]), batch_size=2)) == [["C", "A"]]
    assert asked == [[0, 1], [2], [2, 0]]
    assert list(DataLoader(Lower("abc"), batch_size=3)) == [["a", "b", "c"]]


# --- random_split

split: Any = xg.data.random_split


LENGTHS = [
    [0.8, 0.2],
    [0.5, 0.5],
    [0.7, 0.2, 0.1],
    [1.0],
    [1],
    [0.3333, 0.3333, 0.3334],
    [0.25] * 4,
    [0.1] * 10,
    [2 / 3, 1 / 3],
]


@pytest.mark.parametrize("n", [1, 3, 7, 10, 101, 1797])
def test_the_lengths_of_fractions_are_those_of_pytorch(n):
    torch_split = pytest.importorskip("torch").utils.data.random_split
    for fractions in LENGTHS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [len(part) for part in split(range(n), fractions)]
            assert found == [len(part) for part in torch_split(range(n), fractions)]
        assert sum(found) == n


def test_the_parts_of_a_split_have_every_sample_once():
    parts = split(range(100), [0.5, 0.3, 0.2], Generator(0))
    assert sorted(i for part in parts for i in part) == list(range(100))
    again = split(range(100), [50, 30, 20], Generator(0))
    assert [list(part) for part in parts] == [list(part) for part in again]
    assert list(parts[0]) != sorted(parts[0])
    assert list(split(range(100), [50, 50], Generator(1))[0]) != list(again[0])


def test_fractions_whose_sum_is_above_one_by_rounding():
    fractions = [0.2, 0.4, 0.3, 0.1]
    assert sum(fractions) > 1  # PyTorch refuses these
    assert [len(part) for part in split(range(10), fractions)] == [2, 4, 3, 1]


def test_what_cannot_be_split():
    with pytest.raises(ValueError, match="must be 5, the samples of the dataset, or 1; it is 4"):
        split(range(5), [2, 2])
    with pytest.raises(ValueError, match="0 or more"):
        split(range(5), [6, -1])
    with pytest.raises(TypeError, match="integers or fractions"):
        split(range(5), ["all"])
    with pytest.raises(TypeError, match="integers or fractions"):
        split(range(3), [1.5, 1.5])
    with pytest.warns(UserWarning, match="part 1 has no samples"):
        split(range(1), [0.9, 0.1])
