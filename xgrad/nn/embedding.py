"""Tables of rows that are read by their indices."""

from __future__ import annotations

from typing import Any, Self

import xgrad as xg
from xgrad import random
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import size
from xgrad.nn.functional.embedding import MODES, not_sparse, row
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.random import Generator


class _Table(Module):
    """The base class: the table `weight`, and how rows are read."""

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        sparse: bool,
        weight: Any,
        freeze: bool,
        dtype: Any,
        device: Any,
        rng: Generator | None,
    ) -> None:
        name = type(self).__name__
        not_sparse(name, sparse)
        self.num_embeddings = n = size(name, "num_embeddings", num_embeddings)
        self.embedding_dim = d = size(name, "embedding_dim", embedding_dim)
        self.padding_idx = row(name, padding_idx, n)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse, self.rng = scale_grad_by_freq, sparse, rng
        if weight is None:
            self.weight = Parameter(self._drawn(dtype, device), not freeze)
            self._clear_padding()
        elif tuple(weight.shape) != (n, d):
            raise ValueError(f"{name}: the table must have the shape {(n, d)}, got {tuple(weight.shape)}")
        else:
            self.weight = Parameter(weight, not freeze)

    def _drawn(self, dtype: Any, device: Any) -> Tensor:
        draw = random.default_generator() if self.rng is None else self.rng
        return draw.normal((self.num_embeddings, self.embedding_dim), dtype=dtype, device=device)

    def _clear_padding(self) -> None:
        if self.padding_idx is not None:
            with xg.no_grad():
                self.weight[self.padding_idx] = 0.0

    def reset_parameters(self) -> None:
        """Draw the table anew. The row at `padding_idx` becomes zeros."""
        with xg.no_grad():
            self.weight[...] = self._drawn(self.weight.dtype, self.weight.device)
        self._clear_padding()

    def extra_repr(self) -> str:
        said = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, default in (
            ("padding_idx", None),
            ("max_norm", None),
            ("norm_type", 2.0),
            ("scale_grad_by_freq", False),
        ):
            if getattr(self, name) != default:
                said += f", {name}={getattr(self, name)}"
        return said


class Embedding(_Table):
    """A table of rows, which are read by their indices.

    Call it with an array of integers of any shape; the output has the columns as a further last axis. `weight`, of shape
    (num_embeddings, embedding_dim), is drawn from a normal distribution with mean 0 and standard deviation 1.

    Args:
        num_embeddings: the number of rows, an integer, 0 or more.
        embedding_dim: the number of columns, an integer, 0 or more.
        padding_idx: an index, negative from the end: its row is zeros at the start, and gets no gradient. None for none.
        max_norm: rows that are read and have a larger norm are first scaled to this norm, in place. None for none.
        norm_type: the order of that norm.
        scale_grad_by_freq: whether the gradient of a row is divided by the number of times that it is read.
        sparse: an argument of PyTorch's that can only be False: gradients are arrays of the shape of the table.
        dtype: that of the table; None means the default dtype.
        device: that of the table; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is not an integer, 0 or more, a `padding_idx` out of range, or `sparse=True`.
        TypeError: for an integer dtype; when called, for indices that are not integers.
        IndexError: when called, for an index out of range, where the library checks indices.

    >>> import xgrad as xg
    >>> layer = xg.nn.Embedding(10, 3, padding_idx=0, rng=xg.random.Generator(0))
    >>> layer(xg.asarray([[0, 4], [2, 0]])).shape
    (2, 2, 3)
    >>> layer(xg.asarray(0)).tolist()
    [0.0, 0.0, 0.0]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            _weight, _freeze, dtype, device, rng,
        )  # fmt: skip

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A layer whose table is a copy of `embeddings`, a matrix. It is not trained, unless `freeze` is False.

        Raises ValueError for an array that is no matrix.
        """
        rows, columns = _sizes("Embedding", embeddings)
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def forward(self, input: Any) -> Tensor:
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )


class EmbeddingBag(_Table):
    """Sums, means or maxima of the rows of a table at the indices of each bag.

    Call it with `(input, offsets=None, per_sample_weights=None)`: an array of integers of shape (bags, size), or (N,) with
    `offsets`, where each bag begins; and in the mode "sum" a factor for each index. The output has the shape (bags,
    embedding_dim). `weight`, of shape (num_embeddings, embedding_dim), is drawn from a normal distribution with mean 0 and
    standard deviation 1.

    Args:
        num_embeddings: the number of rows, an integer, 0 or more.
        embedding_dim: the number of columns, an integer, 0 or more.
        max_norm: rows that are read and have a larger norm are first scaled to this norm, in place. None for none.
        norm_type: the order of that norm.
        scale_grad_by_freq: whether the gradient of a row is divided by the number of times that it is read.
        mode: "sum", "mean" or "max". An empty bag gives zeros.
        sparse: an argument of PyTorch's that can only be False: gradients are arrays of the shape of the table.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: an index that is left out of the bags, negative from the end. Its row is zeros at the start. None for none.
        dtype: that of the table; None means the default dtype.
        device: that of the table; None means the current one.
        rng: the generator of the starting values; None means the one that `xgrad.random.seed` sets.

    Raises:
        ValueError: for a size that is not an integer, 0 or more, an unknown mode, a `padding_idx` out of range, or `sparse=True`;
            when called, for an input, offsets or factors of other shapes.
        TypeError: for an integer dtype; when called, for indices that are not integers.
        IndexError: when called, for an index out of range, where the library checks indices.

    >>> import xgrad as xg
    >>> layer = xg.nn.EmbeddingBag(10, 3, mode="sum", rng=xg.random.Generator(0))
    >>> layer(xg.asarray([1, 2, 4]), xg.asarray([0, 2])).shape
    (2, 3)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        dtype: Any = None,
        device: Any = None,
        rng: Generator | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"EmbeddingBag: mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")
        self.mode, self.include_last_offset = mode, include_last_offset
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            _weight, False, dtype, device, rng,
        )  # fmt: skip

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """A layer whose table is a copy of `embeddings`, a matrix. It is not trained, unless `freeze` is False.

        Raises ValueError for an array that is no matrix.
        """
        rows, columns = _sizes("EmbeddingBag", embeddings)
        made = cls(
            rows,
            columns,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            embeddings,
            include_last_offset,
            padding_idx,
        )
        made.weight.requires_grad_(not freeze)
        return made

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse,
            per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, mode={self.mode!r}"


def _sizes(layer: str, embeddings: Any) -> tuple[int, int]:
    shape = tuple(xg.asarray(embeddings).shape)
    if len(shape) != 2:
        raise ValueError(f"{layer}: embeddings must be a matrix of shape (rows, columns), got {shape}")
    return shape[0], shape[1]
