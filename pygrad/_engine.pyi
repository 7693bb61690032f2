from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .value import Value as Value

class _OpRow:
    name: Any
    symbol: Any
    doc: Any
    arity: int
    saves: int
    domain: Any

class _Native:
    def sum(self, values: Iterable[Value | float], /) -> Value: ...
    def logsumexp(self, values: Iterable[Value | float], /) -> Value: ...
    def dot(self, x: Iterable[Value | float], w: Iterable[Value | float], /) -> Value: ...
    def layer(self, neurons: list[Any], inputs: Iterable[Value | float], kind: type, /) -> list[Value]: ...
    def zero_grad(self, params: Iterable[Value], /) -> None: ...
    def sgd_step(
        self,
        params: list[Value],
        step: SupportsIndex,
        momentum_state: NDArray[np.float64] | None,
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        /,
    ) -> None: ...
    def adam_step(
        self,
        params: list[Value],
        step: SupportsIndex,
        m: NDArray[np.float64],
        v: NDArray[np.float64],
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        /,
    ) -> None: ...
    def set_helpers(
        self,
        read_operand: Callable[[object], object],
        elementwise: Callable[[str, object, object], object],
        /,
    ) -> None: ...

ffi: Any
lib: Any
native: _Native

def op_table() -> list[_OpRow]: ...
def find_op(name: str) -> int: ...
