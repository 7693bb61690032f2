"""Mini-batches."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pygrad._engine import Tensor
from pygrad.creation import from_numpy
from pygrad.random import Generator
from pygrad.sampling import randperm

_DTYPES = tuple(map(np.dtype, ("float32", "float64", "int64", "int32", "uint8", "bool")))


class TensorDataset:
    """Samples and what belongs to them, side by side along their first axes.

    Parameters
    ----------
    *tensors : Tensor or ndarray, shape (n, ...)
        Such as samples and labels. They are shared, not copied (but for arrays in a foreign byte order).

    Raises
    ------
    TypeError
        One is neither tensor nor array, or of a dtype that no tensor has.
    ValueError
        There is none, they differ in length, are empty or single numbers, or a tensor requires a gradient, which
        batches would not give it.

    Examples
    --------
    >>> from pygrad.data import TensorDataset, moons
    >>> len(TensorDataset(*moons(100)))
    100
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset() needs at least one tensor")
        arrays = tuple(_as_array(tensor, position) for position, tensor in enumerate(tensors))
        lengths = [len(array) for array in arrays]
        if len(set(lengths)) != 1:
            raise ValueError(f"the tensors of a TensorDataset must have as many samples each, got {lengths}")
        if lengths[0] == 0:
            raise ValueError("a TensorDataset must have samples, got tensors of length 0")
        self._arrays = arrays
        self._given = tensors

    @property
    def tensors(self) -> tuple[Any, ...]:
        """The tensors; of an array, one that shares its memory."""
        return tuple(
            from_numpy(array) if isinstance(given, np.ndarray) else given
            for given, array in zip(self._given, self._arrays, strict=True)
        )

    def __len__(self) -> int:
        return len(self._arrays[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{array.dtype} {array.shape}" for array in self._arrays)
        return f"TensorDataset({shapes})"


class DataLoader:
    """Mini-batches of a data set, in order or shuffled anew for each epoch.

    Iterating gives one tuple of tensors per batch, each of shape (batch_size, ...), the last one shorter if the
    samples do not come out even. Batches are copies: changing one in place leaves the data as they are.

    Parameters
    ----------
    dataset : TensorDataset, or tuple of Tensor or ndarray
        What to take them from; of a tuple, a `TensorDataset` is made.
    batch_size : int, default 64
        How many samples make a batch.
    shuffle : bool, default False
        Whether each epoch, that is each ``iter(loader)``, has an order of its own.
    seed : int or Generator, optional
        Where the orders come from. The same seed gives the same sequence of orders on every machine, whatever the
        version of numpy; a Generator gives its own stream on; None is another sequence each time.
    drop_last : bool, default False
        Leave the shorter last batch out.

    Raises
    ------
    TypeError
        `dataset` is something else; see also `TensorDataset`.
    ValueError
        `batch_size` is not an integer of at least 1, or `seed` not from 0 to 2**64 - 1; see also `TensorDataset`.

    Examples
    --------
    >>> from pygrad.data import DataLoader, moons
    >>> loader = DataLoader(moons(100, seed=0), batch_size=32, shuffle=True, seed=0)
    >>> len(loader)
    4
    """

    def __init__(
        self,
        dataset: TensorDataset | tuple[Any, ...],
        batch_size: int = 64,
        shuffle: bool = False,
        *,
        seed: int | Generator | None = None,
        drop_last: bool = False,
    ) -> None:
        if isinstance(dataset, tuple):
            dataset = TensorDataset(*dataset)
        if not isinstance(dataset, TensorDataset):
            raise TypeError(
                f"DataLoader takes a TensorDataset or a tuple of tensors, such as (X, y), got {type(dataset).__name__}"
            )
        self.dataset = dataset
        self.batch_size = _check_batch_size(batch_size)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self._generator = Generator(seed)

    def __len__(self) -> int:
        n = len(self.dataset)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        # Drawn here and not at the first batch, so that orders follow the sequence of the calls.
        order = randperm(len(self.dataset), generator=self._generator).numpy() if self.shuffle else None
        return (tuple(map(from_numpy, arrays)) for arrays in self._batches(order))

    def _batches(self, order: NDArray[np.int64] | None) -> Iterator[list[NDArray[Any]]]:
        for batch in range(len(self)):
            part = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
            yield [_gather(array, part if order is None else order[part]) for array in self.dataset._arrays]


def _gather(array: NDArray[Any], index: slice | NDArray[np.int64]) -> NDArray[Any]:
    if isinstance(index, slice):
        return array[index].copy(order="C")
    # take() is the quicker one, but copies the whole of an array that is not contiguous, each time; indexing promises
    # no layout.
    return array.take(index, axis=0) if array.flags.c_contiguous else np.ascontiguousarray(array[index])


def _check_batch_size(batch_size: Any) -> int:
    try:
        size = operator.index(batch_size)
    except TypeError:
        raise ValueError(f"batch_size must be an integer of at least 1, got a {type(batch_size).__name__}") from None
    if isinstance(batch_size, bool) or size < 1:
        raise ValueError(f"batch_size must be an integer of at least 1, got {batch_size}")
    return size


def _as_array(tensor: Any, position: int) -> NDArray[Any]:
    if isinstance(tensor, np.ndarray):
        array = np.asarray(tensor)
    elif isinstance(tensor, Tensor):
        if tensor.requires_grad:
            raise ValueError(f"tensor {position} of a TensorDataset requires a gradient; give its detach()")
        array = tensor.numpy()
    else:
        raise TypeError(f"a TensorDataset takes tensors and arrays, got {type(tensor).__name__} at {position}")
    if array.ndim == 0:
        raise ValueError(f"tensor {position} of a TensorDataset has no first axis to take samples from")
    native = array.dtype.newbyteorder("=")
    if native not in _DTYPES:
        raise TypeError(f"tensors are {', '.join(map(str, _DTYPES))}; convert the {array.dtype} array at {position}")
    return array.astype(native, copy=False)
