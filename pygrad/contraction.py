"""Sums of products of tensors, written with letters: `einsum`."""

from __future__ import annotations

import operator
from collections import Counter
from math import prod
from typing import Any

from . import dtypes
from ._engine import DTypeError, ShapeError, Tensor, native

__all__ = ["einsum"]

# A letter, or the place from the right among the dimensions that an ellipsis stands for.
_Label = str | int
_ORDER = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


# ---- what was written -----------------------------------------------------------------------------------------------


def _terms(text: str, where: str) -> list[str]:
    """Return the letters of one operand or of the result, with "..." for an ellipsis."""
    terms: list[str] = []
    rest = text.replace(" ", "")
    while rest:
        term = "..." if rest.startswith("...") else rest[0]
        if term == "." or (term == "..." and term in terms):
            raise ShapeError(f"einsum: '.' in {text!r} for {where} is not part of one ellipsis '...'")
        if term != "..." and term not in _ORDER:
            raise ShapeError(
                f"einsum: invalid subscript {term!r} in {text!r} for {where}: letters a-z and A-Z, and '...'"
            )
        terms.append(term)
        rest = rest[len(term) :]
    return terms


def _terms_of_list(numbers: Any) -> str:
    """Return a list of numbers and Ellipsis as it would be written."""
    text = ""
    for number in numbers:
        at = -1 if number is Ellipsis else operator.index(number)
        if number is not Ellipsis and not 0 <= at < len(_ORDER):
            raise ValueError(f"einsum: subscript {at} is not within the valid range [0, {len(_ORDER)})")
        text += "..." if number is Ellipsis else _ORDER[at]
    return text


def _read(arguments: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Return the equation and the operands from either form of the call."""
    if arguments and isinstance(arguments[0], str):
        equation, operands = arguments[0], list(arguments[1:])
        if len(operands) == 1 and isinstance(operands[0], list | tuple):
            operands = list(operands[0])
    else:
        operands = list(arguments[: len(arguments) // 2 * 2 : 2])
        equation = ",".join(map(_terms_of_list, arguments[1::2]))
        if len(arguments) % 2:
            equation += "->" + _terms_of_list(arguments[-1])
    if not operands:
        raise ValueError("einsum: an equation and at least one operand are wanted, or operands and their subscripts")
    for i, x in enumerate(operands):
        if not isinstance(x, Tensor):
            raise TypeError(f"einsum: operand {i} has to be a Tensor, not {x!r} of type {type(x).__name__}")
    return equation, operands


def _labels(terms: list[str], ndim: int, i: int, shape: tuple[int, ...]) -> list[_Label]:
    """Return a label for each dimension of operand i."""
    hidden = ndim - (len(terms) - ("..." in terms))
    if hidden < 0 or (hidden > 0 and "..." not in terms):
        raise ShapeError(
            f"einsum: the number of subscripts {''.join(terms)!r} does not match the number of dimensions of operand "
            f"{i}, of shape {list(shape)}"
        )
    labels: list[_Label] = []
    for term in terms:
        labels += range(hidden)[::-1] if term == "..." else [term]
    return labels


def _result(explicit: str | None, inputs: list[list[_Label]]) -> list[_Label]:
    """Return the labels of the result."""
    counts = Counter(label for labels in inputs for label in labels)
    hidden = max((label + 1 for label in counts if isinstance(label, int)), default=0)
    ellipsis: list[_Label] = list(range(hidden)[::-1])
    if explicit is None:
        return ellipsis + [letter for letter in _ORDER if counts[letter] == 1]
    result: list[_Label] = []
    for term in _terms(explicit, "the output"):
        if term != "..." and term not in counts:
            raise ShapeError(f"einsum: output subscript {term} does not appear in the equation for any input operand")
        if term in result:
            raise ShapeError(f"einsum: output subscript {term} appears more than once in the output")
        result += ellipsis if term == "..." else [term]
    return result


# ---- operands with labels -------------------------------------------------------------------------------------------


def _without_repeats(x: Tensor, labels: list[_Label], i: int) -> tuple[Tensor, list[_Label]]:
    """Return the diagonals along which repeated labels lie."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            if x.shape[first] != x.shape[second]:
                raise ShapeError(
                    f"einsum: subscript {label} is repeated for operand {i} but the sizes don't match, "
                    f"{x.shape[first]} != {x.shape[second]}"
                )
            x = native.tensor_diagonal(x, 0, first, second)
            labels = [known for at, known in enumerate(labels) if at not in (first, second)] + [label]
    return x, labels


def _sizes(operands: list[tuple[Tensor, list[_Label]]]) -> dict[_Label, int]:
    sizes: dict[_Label, int] = {}
    for i, (x, labels) in enumerate(operands):
        for label, size in zip(labels, x.shape, strict=True):
            known = sizes.get(label, 1)
            if 1 not in (known, size) and known != size:
                raise ShapeError(
                    f"einsum: subscript {label if isinstance(label, str) else '...'} has size {size} for operand {i} "
                    f"which does not broadcast with previously seen size {known}"
                )
            sizes[label] = size if known == 1 else known
    return sizes


def _without_ones(x: Tensor, labels: list[_Label], sizes: dict[_Label, int]) -> tuple[Tensor, list[_Label]]:
    """Return x without the dimensions along which it is broadcast."""
    ones = [d for d, label in enumerate(labels) if x.shape[d] != sizes[label]]
    if not ones:
        return x, labels
    return native.tensor_squeeze(x, ones), [label for d, label in enumerate(labels) if d not in ones]


def _summed(x: Tensor, labels: list[_Label], kept: set[_Label]) -> tuple[Tensor, list[_Label]]:
    """Return the sum over all other labels."""
    gone = [d for d, label in enumerate(labels) if label not in kept]
    if not gone:
        return x, labels
    return native.tensor_sum(x, gone, False), [label for label in labels if label in kept]


def _in_order(x: Tensor, labels: list[_Label], wanted: list[_Label]) -> Tensor:
    return native.tensor_permute(x, [labels.index(label) for label in wanted])


def _product(
    a: Tensor, a_labels: list[_Label], b: Tensor, b_labels: list[_Label], kept: set[_Label]
) -> tuple[Tensor, list[_Label]]:
    """Return the sum of a * b over the labels that are not kept."""
    a, a_labels = _summed(a, a_labels, kept | set(b_labels))
    b, b_labels = _summed(b, b_labels, kept | set(a_labels))
    both = [label for label in a_labels if label in b_labels]
    stack, inner = [label for label in both if label in kept], [label for label in both if label not in kept]
    rows = [label for label in a_labels if label not in both]
    columns = [label for label in b_labels if label not in both]
    left, right = _in_order(a, a_labels, stack + rows + inner), _in_order(b, b_labels, stack + inner + columns)
    shape = [*left.shape[: len(stack) + len(rows)], *right.shape[len(stack) + len(inner) :]]
    labels = stack + rows + columns
    if not inner:
        # As many dimensions of size 1 as the other has of its own.
        ones = [1] * len(rows)
        left = native.tensor_reshape(left, [*left.shape, *[1] * len(columns)])
        return left * native.tensor_reshape(
            right, [*right.shape[: len(stack)], *ones, *right.shape[len(stack) :]]
        ), labels
    if dtypes.bool in (a.dtype, b.dtype):
        raise DTypeError("einsum: not defined for bool tensors")
    depth = prod(right.shape[len(stack) : len(stack) + len(inner)])
    outer, m, n = (
        shape[: len(stack)],
        prod(shape[len(stack) : len(stack) + len(rows)]),
        prod(right.shape[len(stack) + len(inner) :]),
    )
    stacks = [prod(outer)] if stack else []
    product = native.tensor_matmul(
        native.tensor_reshape(left, [*stacks, m, depth]), native.tensor_reshape(right, [*stacks, depth, n])
    )
    return native.tensor_reshape(product, shape), labels


# ---- the function ---------------------------------------------------------------------------------------------------


def einsum(*args: Any) -> Tensor:
    """Return a sum of products of elements, in Einstein's notation: ``einsum("ij,jk->ik", a, b)`` is ``a @ b``.

    Every dimension of an operand has a letter. What has the same letter is walked together; letters that are not in
    the result are summed over. Operands are taken two at a time from the left, each pair as one matrix product where a
    letter that both have is summed over.

    Parameters
    ----------
    args
        The equation, then the operands (or a list of them). The letters of each operand, with commas between them;
        then ``->`` and those of the result, or, without it, all that occur once, in alphabetical order, capitals first.
        ``...`` stands for the dimensions without a letter, which broadcast; they come first in a result that is left
        out. A letter that an operand has twice means its diagonal. Blanks do not count.

        Or each operand followed by a list of numbers from 0 to 51 and Ellipsis, and at the end one for the result.

    Raises
    ------
    ShapeError
        When the equation is none, or does not go with the operands' shapes.
    ValueError
        When there are no operands.
    RuntimeError
        When two operands of a matrix product differ in dtype.

    Examples
    --------
    >>> import pygrad
    >>> a = pygrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> pygrad.einsum("ij,j->i", a, pygrad.ones(2))
    tensor([3., 7.])
    >>> pygrad.einsum("ii", a), pygrad.einsum("...i,...i->...", a, a)
    (tensor(5.), tensor([ 5., 25.]))
    """
    equation, tensors = _read(args)
    written, arrow, explicit = equation.partition("->")
    parts = written.split(",")
    if len(parts) != len(tensors):
        raise ShapeError(f"einsum: the equation {equation!r} is for {len(parts)} operands, not for {len(tensors)}")
    terms = [_terms(part, f"operand {i}") for i, part in enumerate(parts)]
    inputs = [_labels(terms[i], x.ndim, i, x.shape) for i, x in enumerate(tensors)]
    result = _result(explicit if arrow else None, inputs)
    operands = [_without_repeats(x, inputs[i], i) for i, x in enumerate(tensors)]
    sizes = _sizes(operands)
    operands = [_without_ones(x, labels, sizes) for x, labels in operands]
    x, labels = operands[0]
    for i, (other, other_labels) in enumerate(operands[1:], start=2):
        later = {label for _, more in operands[i:] for label in more}
        x, labels = _product(x, labels, other, other_labels, later | set(result))
    x, labels = _summed(x, labels, set(result))
    return _in_order(x, labels, result)
