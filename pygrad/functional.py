"""Every function of tensors, and those of values and lists of values, under one name each.

Where a name is PyTorch's, so is the meaning. A function that exists for both takes a `Tensor`, or a `Value` or a list
of them, and never both together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from . import (
    _value_functions,
    arithmetic,
    arrange,
    contraction,
    elementwise,
    in_place,
    indexing,
    linalg,
    logic,
    losses,
    normalization,
    ordering,
    pieces,
    predicates,
    reductions,
    shapes,
    statistics,
    writing,
)
from ._engine import Tensor
from ._value_functions import margin_loss as margin_loss
from ._value_functions import squared_error as squared_error
from .arithmetic import *  # noqa: F403
from .arrange import *  # noqa: F403
from .contraction import einsum as einsum
from .elementwise import *  # noqa: F403
from .in_place import *  # noqa: F403
from .indexing import *  # noqa: F403
from .linalg import addmm as addmm
from .linalg import baddbmm as baddbmm
from .linalg import bmm as bmm
from .linalg import linear as linear
from .linalg import matmul as matmul
from .linalg import mm as mm
from .linalg import mv as mv
from .linalg import outer as outer
from .logic import *  # noqa: F403
from .losses import binary_cross_entropy as binary_cross_entropy
from .losses import hinge_embedding_loss as hinge_embedding_loss
from .losses import hinge_loss as hinge_loss
from .losses import huber_loss as huber_loss
from .losses import kl_div as kl_div
from .losses import l1_loss as l1_loss
from .losses import mse_loss as mse_loss
from .losses import nll_loss as nll_loss
from .losses import smooth_l1_loss as smooth_l1_loss
from .normalization import *  # noqa: F403
from .ordering import *  # noqa: F403
from .pieces import *  # noqa: F403
from .predicates import *  # noqa: F403
from .reductions import all as all
from .reductions import amax as amax
from .reductions import amin as amin
from .reductions import any as any
from .reductions import argmax as argmax
from .reductions import argmin as argmin
from .reductions import max as max
from .reductions import mean as mean
from .reductions import min as min
from .shapes import *  # noqa: F403
from .statistics import *  # noqa: F403
from .writing import *  # noqa: F403

if not TYPE_CHECKING:  # which know what is defined here, and what the stars bring
    __all__ = sorted(
        {
            *arrange.__all__,
            *contraction.__all__,
            *arithmetic.__all__,
            *elementwise.__all__,
            *in_place.__all__,
            *indexing.__all__,
            *linalg.__all__,
            *logic.__all__,
            *losses.__all__,
            *normalization.__all__,
            *ordering.__all__,
            *pieces.__all__,
            *predicates.__all__,
            *reductions.__all__,
            *shapes.__all__,
            *statistics.__all__,
            *writing.__all__,
            *_value_functions.__all__,
        }
    )

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R", covariant=True)
_S = TypeVar("_S", covariant=True)


class _Both(Protocol[_P, _R, _Q, _S]):
    """A function of tensors and the one of values under one name."""

    @overload
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    @overload
    def __call__(self, *args: _Q.args, **kwargs: _Q.kwargs) -> _S: ...


def _for_both(of_tensors: Callable[_P, _R], of_values: Callable[_Q, _S]) -> _Both[_P, _R, _Q, _S]:
    @functools.wraps(of_tensors)
    def function(*args: Any, **kwargs: Any) -> Any:
        tensors = not args or isinstance(args[0], Tensor) or (len(args) > 1 and isinstance(args[1], Tensor))
        chosen: Callable[..., Any] = of_tensors if tensors else of_values
        return chosen(*args, **kwargs)

    if of_tensors.__doc__ and of_values.__doc__:  # stripped by -OO
        of_value = of_values.__doc__.splitlines()[0]
        function.__doc__ = f"{of_tensors.__doc__}\n    Of values\n    ---------\n    {of_value}\n"
    return function


dot = _for_both(linalg.dot, _value_functions.dot)
sum = _for_both(reductions.sum, _value_functions.sum)
logsumexp = _for_both(reductions.logsumexp, _value_functions.logsumexp)
softmax = _for_both(reductions.softmax, _value_functions.softmax)
log_softmax = _for_both(reductions.log_softmax, _value_functions.log_softmax)
cross_entropy = _for_both(losses.cross_entropy, _value_functions.cross_entropy)
binary_cross_entropy_with_logits = _for_both(
    losses.binary_cross_entropy_with_logits, _value_functions.binary_cross_entropy_with_logits
)
