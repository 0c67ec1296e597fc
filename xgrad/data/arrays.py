"""NumPy's files as datasets: NPY and NPZ, mapped into memory where they are large."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xgrad.backends import host_files
from xgrad.backends.errors import DataError
from xgrad.data.tensors import TensorDataset


def read_npy(path: str | Path, *, mmap: bool | None = None) -> Any:
    """The array in an NPY file.

    >>> import tempfile
    >>> import numpy as np
    >>> import xgrad as xg
    >>> file = tempfile.NamedTemporaryFile(suffix=".npy", delete=False)
    >>> np.save(file, np.arange(6.0).reshape(3, 2))
    >>> file.close()
    >>> xg.data.read_npy(file.name).tolist()
    [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    >>> mapped = xg.data.read_npy(file.name, mmap=True)
    >>> mapped.shape, mapped[1:].tolist()
    ((3, 2), [[2.0, 3.0], [4.0, 5.0]])

    Args:
        path: the file.
        mmap: whether the file is mapped into memory, so that only the rows that are used are read; None maps arrays of 256 MiB or
            more. So arrays may be larger than memory.

    Returns:
        A NumPy array. If it is mapped, an object with `shape`, `dtype`, `ndim`, `len`, indexing and `take`, which give copies.

    Raises:
        DataError: for a file that cannot be read, is cut off or no NPY file, or holds Python objects (nothing is unpickled) or
            anything else but numbers. A mapped file that has shrunk raises it when it is next used.

    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
    """
    return host_files.read_npy(str(path), _flag(mmap))


def read_npz(
    path: str | Path,
    names: Sequence[str] | None = None,
    *,
    mmap: bool | None = None,
    max_bytes: int = host_files.MOST_UNPACKED,
) -> dict[str, Any]:
    """The arrays in an NPZ file, by name.

    >>> import tempfile
    >>> import numpy as np
    >>> import xgrad as xg
    >>> file = tempfile.NamedTemporaryFile(suffix=".npz", delete=False)
    >>> np.savez(file, x=np.zeros((3, 2)), y=np.arange(3))
    >>> file.close()
    >>> {name: array.shape for name, array in xg.data.read_npz(file.name).items()}
    {'x': (3, 2), 'y': (3,)}

    Args:
        path: the file, of `numpy.savez` or `numpy.savez_compressed`.
        names: the arrays that are read, in that order; None means all.
        mmap: as for `read_npy`. Arrays of `numpy.savez_compressed` are always read whole.
        max_bytes: the largest compressed array that is read, in bytes without compression. A small file can hold a large one.

    Returns:
        A dict of arrays, as `read_npy` returns them.

    Raises:
        DataError: as `read_npy`; also for a name that the file does not have, and for a compressed array beyond `max_bytes`.

    https://numpy.org/doc/stable/reference/generated/numpy.savez.html
    """
    chosen = [names] if isinstance(names, str) else None if names is None else list(names)
    return host_files.read_npz(str(path), chosen, _flag(mmap), max_bytes)


class NPYDataset(TensorDataset):
    """NPY files as a dataset: sample i is the tuple of the parts i of their arrays.

    >>> import tempfile
    >>> import numpy as np
    >>> import xgrad as xg
    >>> file = tempfile.NamedTemporaryFile(suffix=".npy", delete=False)
    >>> np.save(file, np.arange(6.0).reshape(3, 2))
    >>> file.close()
    >>> data = xg.data.NPYDataset(file.name, mmap=True)
    >>> len(data), [x.tolist() for x, in xg.data.DataLoader(data, batch_size=2)]
    (3, [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0]]])

    Args:
        *paths: the files, each with an array of shape (N, ...).
        mmap: as for `read_npy`.

    Raises:
        DataError: as `read_npy`, and for arrays of several lengths.

    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
    """

    def __init__(self, *paths: str | Path, mmap: bool | None = None) -> None:
        _of_one_length(self, ", ".join(map(str, paths)), {str(path): read_npy(path, mmap=mmap) for path in paths})
        self.paths = [str(path) for path in paths]


class NPZDataset(TensorDataset):
    """An NPZ file as a dataset: sample i is the tuple of the parts i of its arrays.

    >>> import tempfile
    >>> import numpy as np
    >>> import xgrad as xg
    >>> file = tempfile.NamedTemporaryFile(suffix=".npz", delete=False)
    >>> np.savez(file, x=np.zeros((3, 2)), y=np.arange(3))
    >>> file.close()
    >>> data = xg.data.NPZDataset(file.name, ["x", "y"])
    >>> len(data), data[2]
    (3, (array([0., 0.]), np.int64(2)))

    Args:
        path: the file.
        names, mmap, max_bytes: as for `read_npz`.

    Attributes:
        names: the names of the arrays, in the order of a sample's parts.

    Raises:
        DataError: as `read_npz`, and for arrays of several lengths.

    https://numpy.org/doc/stable/reference/generated/numpy.savez.html
    """

    def __init__(
        self,
        path: str | Path,
        names: Sequence[str] | None = None,
        *,
        mmap: bool | None = None,
        max_bytes: int = host_files.MOST_UNPACKED,
    ) -> None:
        arrays = read_npz(path, names, mmap=mmap, max_bytes=max_bytes)
        _of_one_length(self, str(path), arrays)
        self.path, self.names = str(path), list(arrays)


def _of_one_length(dataset: TensorDataset, where: str, arrays: dict[str, Any]) -> None:
    """Give the dataset its arrays. Raises DataError, with the files' names, where they do not belong together."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(not shape for shape in shapes.values()) or len({shape[0] for shape in shapes.values()}) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise DataError(f"{where}: all arrays must have the same length along axis 0; their shapes are {listed}")
    TensorDataset.__init__(dataset, *arrays.values())


def _flag(mmap: Any) -> bool | None:
    if mmap is not None and not isinstance(mmap, bool):
        raise TypeError(f"mmap must be True, False or None, not {mmap!r}")
    return mmap
