"""The loader: batches in PyTorch's sizes, threads, errors, and going on where another loader was."""

import contextlib
import copy
import gc
import json
import threading
import time
import traceback
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from tests.support.processes import output
from xgrad.data import BatchSampler, DataLoader, Dataset, IterableDataset, RandomSampler, Sampler, TensorDataset
from xgrad.random import Generator


class Numbers(Dataset[int]):
    """The numbers 0 to n - 1, read one by one; `wrong` is an error."""

    def __init__(self, n, wrong=None, wait=0.0):
        self.n, self.wrong, self.wait = n, wrong, wait

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        time.sleep(self.wait)
        if i == self.wrong:
            raise OSError(f"sample {i} cannot be read")
        return i


class Stream(IterableDataset[int]):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


class StreamWithState(Stream):
    at = 0

    def __iter__(self):
        while self.at < self.n:
            self.at += 1
            yield self.at - 1
        self.at = 0

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.at = state["at"]


def values(batches):
    return [to_numpy(batch).tolist() for batch in batches]


def threads():
    return [each for each in threading.enumerate() if each.name.startswith("xgrad-DataLoader")]


def no_threads():
    """Whether all threads end: each does after the sample that it reads."""
    for _ in range(500):
        if not threads():
            return True
        time.sleep(0.01)
    return False


# --- the batches


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("n", "size"), [(0, 3), (2, 3), (3, 3), (7, 3), (7, 1)])
def test_batches_and_lengths_are_those_of_pytorch(n, size, drop_last, workers):
    torch = pytest.importorskip("torch")
    x = np.arange(n) * 10
    theirs = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.asarray(x)), size, drop_last=drop_last)
    data: Any
    for data in (TensorDataset(x), [(i,) for i in x.tolist()]):
        ours = DataLoader(data, size, drop_last=drop_last, num_workers=workers)
        assert [b.tolist() for (b,) in ours] == [b.tolist() for (b,) in theirs]
        assert len(ours) == len(theirs)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_tensors_of_the_backend(xp, workers):
    x, y = np.arange(10.0, dtype=np.float32).reshape(5, 2), np.arange(5)
    t = make(xp, x)
    loader = DataLoader(TensorDataset(x, y, t), batch_size=2, shuffle=True, num_workers=workers, generator=Generator(0))
    order: list[int] = []
    wanted: list[Any] = [x, y, x]
    for batch in loader:
        assert type(batch).__name__ == "tuple"
        rows = to_numpy(batch[1])
        for part, want in zip(batch, wanted, strict=True):
            assert_matches(part, want[rows], xp=xp)
        order += rows.tolist()
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order != sorted(order)


def test_the_order_is_the_same_read_one_by_one_and_at_once_and_by_threads(xp):
    def order(data, workers=0):
        loader = DataLoader(data, batch_size=3, shuffle=True, generator=Generator(1), num_workers=workers)
        return [[to_numpy(b[0]).tolist() for b in loader] for epoch in range(2)]

    arrays, samples = TensorDataset(np.arange(7)), [(i,) for i in range(7)]
    found = order(arrays)
    assert found == order(samples) == order(arrays, 2) == order(samples, 3)
    assert found[0] != found[1]


def test_a_shuffle_begins_with_the_default_generator():
    data = TensorDataset(np.arange(20))
    loader = DataLoader(data, batch_size=20, shuffle=True)
    xg.random.seed(1)
    first = [b[0].tolist() for _ in range(2) for b in loader]
    xg.random.seed(1)
    assert [b[0].tolist() for _ in range(2) for b in loader] == first


def test_single_samples():
    loader = DataLoader([np.ones(2), np.zeros(2)], batch_size=None)
    assert [x.tolist() for x in loader] == [[1.0, 1.0], [0.0, 0.0]]
    assert len(loader) == 2
    assert values(DataLoader(TensorDataset(np.arange(3)), batch_size=None, num_workers=2))[0] == [0]
    assert list(DataLoader(Stream(3), batch_size=None)) == [0, 1, 2]
    assert list(DataLoader(["a", "b"], batch_size=None, collate_fn=str.upper)) == ["A", "B"]


def test_samplers():
    data = TensorDataset(np.arange(6))
    assert [b[0].tolist() for b in DataLoader(data, batch_size=2, sampler=[5, 0, 1])] == [[5, 0], [1]]
    batches = [[0, 5], [1], (2, 3, 4)]
    loader = DataLoader(data, batch_sampler=batches)
    assert [b[0].tolist() for b in loader] == [list(b) for b in batches]
    assert len(loader) == 3
    known = DataLoader(data, batch_sampler=BatchSampler(RandomSampler(data, generator=Generator(0)), 4, True))
    assert [len(b[0]) for b in known] == [4]
    assert (known.batch_size, known.drop_last, len(known)) == (4, True, 1)


def test_a_sampler_that_changes_its_iteration_is_heard():
    class Backwards(RandomSampler):
        def __iter__(self):
            return iter([2, 1, 0])

    assert values(DataLoader(range(3), batch_size=3, sampler=Backwards(range(3)))) == [[2, 1, 0]]


def test_collate_fn(xp):
    loader = DataLoader(range(5), batch_size=2, collate_fn=lambda samples: ("batch", samples), num_workers=1)
    assert list(loader) == [("batch", [0, 1]), ("batch", [2, 3]), ("batch", [4])]


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("drop_last", [False, True])
def test_streams(workers, drop_last):
    loader = DataLoader(Stream(8), batch_size=3, num_workers=workers, drop_last=drop_last)
    wanted = [[0, 1, 2], [3, 4, 5], *([] if drop_last else [[6, 7]])]
    assert values(loader) == values(loader) == wanted
    assert no_threads()
    with pytest.raises(TypeError):
        len(loader)


def test_threads_read_a_stream_one_after_another():
    class Slow(Stream):
        def __iter__(self):
            for i in range(self.n):
                time.sleep(0.002)
                yield i

    assert values(DataLoader(Slow(20), batch_size=3, num_workers=4))[:6] == np.arange(18).reshape(6, 3).tolist()


@pytest.mark.parametrize("workers", [0, 2])
def test_the_device_is_that_of_the_loader(workers):
    pytest.importorskip("array_api_strict")
    for data in (TensorDataset(np.arange(4.0)), [(0.5,), (1.5,)]):
        with xg.use_backend("strict", "device1"):
            (x,) = next(iter(DataLoader(data, batch_size=2, device="device2", num_workers=workers)))
            assert x.backend.device_name == "device2"
            zeros = DataLoader(data, device="device2", num_workers=workers, collate_fn=lambda samples: xg.zeros(2))
            assert next(iter(zeros)).backend.device_name == "device2"
            loader = iter(DataLoader(data, batch_size=2, num_workers=workers))
        assert next(loader)[0].backend.device_name == "device1"  # where the iteration began


def test_no_grad_holds_in_threads():
    w = xg.asarray([1.0], requires_grad=True)
    loader = DataLoader([0, 1], collate_fn=lambda samples: (w * 2.0).requires_grad, num_workers=1)
    with xg.no_grad():
        assert list(loader) == [False, False]
    assert list(loader) == [True, True]


WRONG = [
    ({"shuffle": True, "sampler": [0]}, ValueError, "sampler and shuffle exclude each other"),
    ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "batch_sampler and batch_size exclude"),
    ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "batch_sampler and shuffle exclude"),
    ({"batch_sampler": [[0]], "sampler": []}, ValueError, "batch_sampler and sampler exclude"),
    ({"batch_sampler": [[0]], "drop_last": True}, ValueError, "batch_sampler and drop_last exclude"),
    ({"batch_size": None, "drop_last": True}, ValueError, "batch_size is None"),
    ({"batch_size": 0}, ValueError, "batch_size must be 1 or more"),
    ({"num_workers": -1}, ValueError, "num_workers must be 0 or more"),
    ({"prefetch_factor": 2}, ValueError, "give num_workers too"),
]


@pytest.mark.parametrize(("options", "error", "said"), WRONG)
def test_wrong_arguments_as_pytorch_finds_them(options, error, said):
    with pytest.raises(error, match=said):
        DataLoader(range(3), **options)
    theirs = pytest.importorskip("torch").utils.data.DataLoader
    with pytest.raises(error):
        theirs(range(3), **options)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"batch_size": 1.5}, TypeError, "batch_size must be an integer or None"),
        ({"batch_size": True}, TypeError, "batch_size must be"),
        ({"num_workers": "2"}, TypeError, "num_workers must be an integer"),
        ({"num_workers": 1, "prefetch_factor": 0}, ValueError, "prefetch_factor must be 1 or more"),
        ({"shuffle": "yes"}, TypeError, "shuffle must be True or False"),
        ({"drop_last": 1}, TypeError, "drop_last must be True or False"),
        ({"generator": 0}, TypeError, "must be an xgrad.random.Generator"),
        ({"collate_fn": 3}, TypeError, "collate_fn must be a function"),
        ({"sampler": 3}, TypeError, "sampler must be iterable"),
        ({"dataset": 5}, TypeError, "a dataset has __getitem__ and __len__"),
        ({"dataset": Stream(3), "shuffle": True}, ValueError, "shuffle cannot be given for an iterable dataset"),
        ({"dataset": Stream(3), "sampler": [0]}, ValueError, "sampler cannot be given"),
    ],
)
def test_other_wrong_arguments(options, error, said):
    with pytest.raises(error, match=said):
        DataLoader(**{"dataset": range(3), **options})


def test_arguments_that_change_nothing():
    assert len(list(DataLoader(range(3), shuffle=None, pin_memory=True, persistent_workers=True))) == 3


# --- threads


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_an_error_comes_out_at_its_turn_and_says_where(workers):
    loader = DataLoader(Numbers(20, wrong=7), batch_size=3, num_workers=workers)
    found: list[Any] = []
    with pytest.raises(OSError, match="sample 7 cannot be read") as caught:
        found.extend(batch.tolist() for batch in loader)
    assert found == [[0, 1, 2], [3, 4, 5]]
    assert caught.value.__notes__ == ["This was in a DataLoader: batch 2, sample 7."]
    assert "__getitem__" in "".join(traceback.format_exception(caught.value))
    assert loader.state_dict()["position"] == 2
    assert no_threads()


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_elsewhere(workers):
    caught: Any

    def collate(samples):
        raise ArithmeticError("no")

    class Broken(Stream):
        def __iter__(self):
            yield 0
            raise LookupError("the stream ends here")

    with pytest.raises(ArithmeticError) as caught:
        list(DataLoader(range(3), collate_fn=collate, num_workers=workers))
    assert "batch 0, whose samples have been read" in caught.value.__notes__[0]
    with pytest.raises(LookupError) as caught:
        list(DataLoader(Broken(1), batch_size=2, num_workers=workers))
    assert "batch 0 of an iterable dataset" in caught.value.__notes__[0]
    with pytest.raises(IndexError) as caught:
        list(DataLoader(xg.data.Subset(TensorDataset(np.arange(3)), [0, 5]), batch_size=2, num_workers=workers))
    assert "batch 0" in caught.value.__notes__[0]

    def numbers():
        yield 0
        raise KeyError("of the sampler")

    with pytest.raises(KeyError, match="of the sampler"):
        list(DataLoader(range(3), sampler=numbers(), num_workers=workers))
    assert no_threads()


def test_batches_come_in_order_whichever_is_ready_first():
    class Uneven(Numbers):
        def __getitem__(self, i):
            time.sleep(0.02 if i % 4 == 0 else 0.0)
            return i

    assert values(DataLoader(Uneven(16), num_workers=4)) == [[i] for i in range(16)]


def test_threads_are_ahead_but_not_too_far():
    read = []

    class Noted(Numbers):
        def __getitem__(self, i):
            read.append(i)
            return i

    batches: Any = iter(DataLoader(Noted(100), num_workers=2, prefetch_factor=3))
    next(batches)
    for _ in range(500):
        if len(read) >= 6:
            break
        time.sleep(0.01)
    time.sleep(0.05)
    assert 6 <= len(read) <= 7
    batches.close()


def stopped_by_break(loader):
    for _ in loader:
        assert threads()
        break


def stopped_by_an_error(loader):
    with contextlib.suppress(KeyboardInterrupt):
        for _ in loader:
            raise KeyboardInterrupt


def stopped_by_collection(loader):
    batches = iter(loader)
    next(batches)
    circle = [batches]
    circle.append(circle)
    del batches, circle
    gc.collect()


@pytest.mark.parametrize("stop", [stopped_by_break, stopped_by_an_error, stopped_by_collection, list])
@pytest.mark.parametrize("data", [Numbers(40, wait=0.001), Stream(40)], ids=["map", "stream"])
def test_no_threads_are_left(stop, data):
    stop(DataLoader(data, batch_size=2, num_workers=3))
    assert no_threads()


def test_ctrl_c_while_waiting_for_a_batch():
    out = output("""
import _thread, threading, time
import xgrad as xg

class Slow(xg.data.Dataset):
    def __len__(self): return 100
    def __getitem__(self, i):
        if i == 5:
            _thread.interrupt_main()
            time.sleep(0.3)
        return i

try:
    for batch in xg.data.DataLoader(Slow(), num_workers=2):
        pass
except KeyboardInterrupt:
    print("interrupted")
time.sleep(0.6)
print([t.name for t in threading.enumerate()])
""")
    assert out.split() == ["interrupted", "['MainThread']"]


def test_a_program_ends_while_a_loader_is_in_use():
    out = output("""
import xgrad as xg
batches = iter(xg.data.DataLoader(range(10**6), num_workers=2))
print(next(batches).tolist())
""")
    assert out.strip() == "[0]"


# --- going on where another loader was


class WithState(Sampler):
    """A sampler of one's own, with a random order and a state."""

    def __init__(self, n, seed=0):
        self.n, self.host = n, np.random.default_rng(seed)

    def __len__(self):
        return self.n

    def __iter__(self):
        return iter(self.host.permutation(self.n).tolist())

    def state_dict(self):
        return copy.deepcopy(self.host.bit_generator.state)

    def load_state_dict(self, state):
        self.host.bit_generator.state = state


class BatchesWithState(WithState):
    def __iter__(self):
        yield from ([a, b] for a, b in self.host.permutation(self.n - 1).reshape(-1, 2).tolist())


def loaders():
    arrays = TensorDataset(np.arange(11))
    return {
        "in order": lambda **o: DataLoader(arrays, batch_size=3, **o),
        "shuffled": lambda **o: DataLoader(arrays, batch_size=3, shuffle=True, **o),
        "with a generator": lambda **o: DataLoader(range(11), batch_size=3, shuffle=True, generator=Generator(4), **o),
        "with replacement": lambda **o: DataLoader(arrays, 3, sampler=RandomSampler(arrays, True, 8), **o),
        "weighted": lambda **o: DataLoader(arrays, 3, sampler=xg.data.WeightedRandomSampler(range(11), 9), **o),
        "in batches": lambda **o: DataLoader(arrays, batch_sampler=BatchSampler(RandomSampler(arrays), 4, True), **o),
        "a list": lambda **o: DataLoader(arrays, 2, sampler=[3, 1, 4, 1, 5], **o),
        "a sampler with a state": lambda **o: DataLoader(arrays, 2, sampler=WithState(11), **o),
        "batches of a sampler with a state": lambda **o: DataLoader(arrays, batch_sampler=BatchesWithState(11), **o),
        "single samples": lambda **o: DataLoader(range(5), batch_size=None, shuffle=True, **o),
        "a stream": lambda **o: DataLoader(Stream(11), batch_size=3, **o),
        "a stream that fills its batches": lambda **o: DataLoader(StreamWithState(12), batch_size=3, **o),
        "a stream with a state": lambda **o: DataLoader(StreamWithState(11), batch_size=3, **o),
    }


def run(loader, epochs):
    """The batches up to the end of an epoch, by epoch, as a training loop counts them."""
    found = []
    while loader.epoch < epochs:
        epoch = loader.epoch
        for batch in loader:
            batch = batch[0] if isinstance(batch, tuple) else batch
            found.append((epoch, batch if isinstance(batch, int) else to_numpy(batch).tolist()))
    return found


@pytest.mark.parametrize("workers", [0, 3])
@pytest.mark.parametrize("kind", loaders())
def test_a_run_that_is_resumed_sees_what_one_run_sees(kind, workers):
    make_loader = loaders()[kind]
    xg.random.seed(3)
    whole = run(make_loader(), 3)
    for cut in range(len(whole) + 1):
        xg.random.seed(3)
        loader: Any = make_loader(num_workers=workers)
        seen: list[Any] = []
        state = loader.state_dict()
        while loader.epoch < 3 and len(seen) < cut:
            epoch = loader.epoch
            for batch in loader:
                batch = batch[0] if isinstance(batch, tuple) else batch
                seen.append((epoch, batch if isinstance(batch, int) else to_numpy(batch).tolist()))
                state = json.loads(json.dumps(loader.state_dict()))
                if len(seen) == cut:
                    break
        xg.random.seed(99)
        other = make_loader(num_workers=workers)
        other.load_state_dict(state)
        assert other.state_dict() == state
        assert seen + run(other, 3) == whole, cut


@pytest.mark.parametrize("kind", loaders())
def test_a_state_between_two_passes(kind):
    xg.random.seed(3)
    loader = loaders()[kind]()
    assert (loader.epoch, loader.position) == (0, 0)
    first = run(loader, 1)
    assert (loader.epoch, loader.position) == (1, 0)
    state = json.loads(json.dumps(loader.state_dict()))
    rest = run(loader, 3)
    xg.random.seed(98)
    other = loaders()[kind]()
    other.load_state_dict(state)
    assert other.state_dict() == state
    xg.random.seed(99)
    assert run(other, 3) == rest
    assert other.epoch == 3
    assert first


def test_a_pass_that_was_left_is_over():
    loader = DataLoader(range(4), batch_size=1)
    for _ in loader:
        break
    assert (loader.epoch, loader.position) == (0, 1)
    assert len(list(loader)) == 4
    assert (loader.epoch, loader.position) == (1, 0)


def test_the_newest_pass_counts():
    loader = DataLoader(range(4))
    first, second = iter(loader), iter(loader)
    next(second)
    assert [next(first).tolist() for _ in range(3)] == [[0], [1], [2]]
    assert loader.position == 1
    assert (len(list(first)), loader.epoch) == (1, 0)
    assert (len(list(second)), loader.epoch) == (3, 1)


def test_a_generator_that_others_draw_from_too():
    def one(seed, cut=None, state=None):
        rng = Generator(seed)
        loader = DataLoader(range(8), batch_size=2, shuffle=True, generator=rng)
        if state is not None:
            loader.load_state_dict(state)
        found = []
        while loader.epoch < 2:
            for batch in loader:
                found.append((batch.tolist(), rng.integers(100).item()))
                if len(found) == cut:
                    return found, loader.state_dict()
        return found, None

    whole, _ = one(0)
    part, state = one(0, cut=3)
    assert part + one(1, state=state)[0] == whole


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (None, "expected what state_dict returned"),
        ({}, "expected what state_dict returned"),
        ({"position": -1}, "'position' must be an integer, 0 or more"),
        ({"position": 1.0}, "'position' must be an integer"),
        ({"epoch": True}, "'epoch' must be an integer"),
        ({"seed": "x"}, "'seed' must be an integer"),
        ({"seed": None}, "a pass that is not shuffled, and this loader is"),
        ({"size": [9, 2]}, "a pass over 9 samples in batches of 2, and this loader has 8 samples in batches of 2"),
        ({"size": None}, "expected what state_dict returned"),
        ({"sampler": {}}, "expected what state_dict returned"),
        ({"sampler": {"generator": {"bit_generator": "MT19937"}}}, "not what get_state returned"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(changed, said):
    loader = DataLoader(range(8), batch_size=2, shuffle=True)
    next(iter(loader))
    state = loader.state_dict()
    other = DataLoader(range(8), batch_size=2, shuffle=True)
    before = other.state_dict()
    with pytest.raises(ValueError, match=said):
        other.load_state_dict({**state, **changed} if changed else changed)
    assert other.state_dict() == before
    other.load_state_dict(state)
    assert other.state_dict() == state


def test_a_state_of_another_loader():
    loader = DataLoader(range(8), batch_size=2)
    next(iter(loader))
    with pytest.raises(ValueError, match="in batches of 2, and this loader has 8 samples in batches of 4"):
        DataLoader(range(8), batch_size=4).load_state_dict(loader.state_dict())
    with pytest.raises(ValueError, match="is not shuffled, and this loader is"):
        DataLoader(range(8), batch_size=2, shuffle=True).load_state_dict(loader.state_dict())
