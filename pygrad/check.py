"""Derivatives compared with central differences: a verdict for each input, or each parameter of a module.

The gradient a that backward gives and the gradient n from differences are compared as wholes, by
``|a - n| / (|a| + |n| + 1e-8)`` with Euclidean norms: below 1e-5 is PASS, up to 1e-3 SUSPICIOUS, above FAIL.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ._engine import Tensor
from .autograd import grad
from .value import Value

__all__ = ["GradcheckError", "GradcheckReport", "ParameterCheck", "gradcheck"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Verdict = Literal["PASS", "SUSPICIOUS", "FAIL"]

PASS_BELOW = 1e-5
SUSPICIOUS_TO = 1e-3


@dataclass(frozen=True)
class ParameterCheck:
    """What was found out about one input.

    Attributes
    ----------
    name : str
        The name of the function's argument, or of the module's parameter.
    shape : tuple of int
        Its shape.
    relative_error : float
        ``|a - n| / (|a| + |n| + 1e-8)``; nan when either gradient has a nan.
    verdict : {'PASS', 'SUSPICIOUS', 'FAIL'}
        PASS below 1e-5, SUSPICIOUS up to 1e-3, FAIL above. PASS too where the difference is no more than the rounding
        of the outputs can make of a gradient of zero.
    worst : tuple of int or None
        Where the two differ most; None for an input without elements.
    analytic, numeric : float
        The two derivatives there: backward's, and the one from differences.
    """

    name: str
    shape: tuple[int, ...]
    relative_error: float
    verdict: Verdict
    worst: tuple[int, ...] | None
    analytic: float
    numeric: float


@dataclass(frozen=True)
class GradcheckReport:
    """All that a gradient check has found: true when every verdict is PASS, a table when printed.

    Attributes
    ----------
    parameters : tuple of ParameterCheck
        One for each input that was checked.
    """

    parameters: tuple[ParameterCheck, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        verdicts = {parameter.verdict for parameter in self.parameters}
        return "FAIL" if "FAIL" in verdicts else "SUSPICIOUS" if "SUSPICIOUS" in verdicts else "PASS"

    def __bool__(self) -> bool:
        return self.verdict == "PASS"

    def __str__(self) -> str:
        rows = [("name", "shape", "relative error", "verdict", "worst at", "analytic", "numeric")]
        for p in self.parameters:
            at = "" if p.worst is None else str(list(p.worst))
            rows.append(
                (
                    p.name,
                    str(p.shape),
                    f"{p.relative_error:.2e}",
                    p.verdict,
                    at,
                    f"{p.analytic:.9g}",
                    f"{p.numeric:.9g}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)


class GradcheckError(RuntimeError):
    """A derivative did not pass. `report` has the details, which are also the message."""

    def __init__(self, report: GradcheckReport) -> None:
        names = [p.name for p in report.parameters if p.verdict != "PASS"]
        super().__init__(f"gradcheck: {report.verdict}, see {', '.join(names)}\n{report}")
        self.report = report

    def __reduce__(self) -> tuple[type[GradcheckError], tuple[GradcheckReport]]:
        return GradcheckError, (self.report,)


def gradcheck(
    fn: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-5,
    raise_exception: bool = True,
    seed: int = 0,
) -> GradcheckReport:
    """Compare the derivatives of a function with central differences, ``(f(x + eps) - f(x - eps)) / (2 * eps)``.

    Parameters
    ----------
    fn : callable
        Called as ``fn(*inputs)``, or as ``fn()`` when `inputs` is a module. Returns a tensor of any shape, or several;
        or a Value, or several. It is called twice for each element of the inputs, and twice more.
    inputs : Tensor, Value, sequence, or Module
        What `fn` is called with; every tensor of it that requires a gradient, and every Value, is checked. Of a module,
        all parameters are.
    eps : float
        The step. 1e-5 balances truncation, which grows as its square, and rounding, which grows as its inverse.
    raise_exception : bool
        Whether a verdict other than PASS is an exception, as in PyTorch. Otherwise it is only in the report.
    seed : int
        For the weights by which outputs of more than one element are summed up before differentiation: one fixed
        random combination is checked. A single number is checked as it is.

    Returns
    -------
    GradcheckReport
        True when all passed; printed, a table.

    Raises
    ------
    GradcheckError
        A RuntimeError: a verdict was not PASS.
    TypeError
        Inputs or outputs are not of the kinds above, or nothing is to be checked.
    ValueError
        Inputs or outputs are not float64, inputs are not leaves or overlap themselves in memory, `fn` gives two
        results for the same inputs, or `eps` is not above 0.

    Notes
    -----
    All elements of the inputs are moved in place, one at a time, and put back exactly, also when `fn` raises. Gradients
    (`grad`) that tensors and checked values have are left as they are.

    At a kink, as relu's at 0, the two sides of a difference have different slopes, and no derivative passes: check
    elsewhere. Functions that draw random numbers, as dropout does, cannot be checked.

    Examples
    --------
    >>> from pygrad import Value
    >>> bool(gradcheck(lambda x, y: x * y + x.tanh(), [Value(0.5), Value(2.0)]))
    True

    An op whose derivative is wrong by a factor of two:

    >>> def square(x):
    ...     return Value(x.data**2, (x,), (x.data,))
    >>> print(gradcheck(square, Value(3.0), raise_exception=False))
    name  shape  relative error  verdict  worst at  analytic  numeric
    x     ()     3.33e-01        FAIL     []        3         6
    """
    if not 0 < eps < math.inf:
        raise ValueError(f"gradcheck: eps has to be above 0 and finite, not {eps!r}")
    call, checked = _named_inputs(fn, inputs)
    outputs = _outputs(call())
    if not all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(_read(outputs), _read(_outputs(call())), strict=True)
    ):
        raise ValueError("gradcheck: fn gives different results for the same inputs; does it draw random numbers?")
    weights = _weights(_read(outputs), seed)
    scale = sum(float(np.abs(w * y).sum()) for w, y in zip(weights, _read(outputs), strict=True))
    # A few roundings of the outputs, each half of 2**-52, on both sides of the difference.
    rounding = 8 * 2.0**-53 * scale / eps
    analytic = _analytic(outputs, [thing for _, thing in checked], weights)
    report = GradcheckReport(
        tuple(
            _compare(name, a, _numeric(call, thing, weights, eps), rounding)
            for (name, thing), a in zip(checked, analytic, strict=True)
        )
    )
    if raise_exception and not report:
        raise GradcheckError(report)
    return report


def _named_inputs(fn: Callable[..., Any], inputs: Any) -> tuple[Callable[[], Any], list[tuple[str, Any]]]:
    """Return how to compute the outputs, and what is to be checked, by name."""
    if hasattr(inputs, "named_parameters"):
        call: Callable[[], Any] = fn
        named = list(inputs.named_parameters())
    else:
        arguments = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
        named = list(zip(_argument_names(fn, len(arguments)), arguments, strict=True))

        def call() -> Any:
            return fn(*arguments)

    checked = [(name, x) for name, x in named if isinstance(x, Value) or getattr(x, "requires_grad", False)]
    if not checked:
        raise TypeError(
            "gradcheck: there is nothing to check, no input is a Value or a tensor that requires a gradient"
        )
    if len({isinstance(x, Value) for _, x in checked}) > 1:
        raise TypeError("gradcheck: inputs are tensors or Values, not both")
    for name, x in checked:
        _refuse_unfit(name, x)
    return call, checked


def _argument_names(fn: Callable[..., Any], n: int) -> list[str]:
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):  # some builtins have none
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:n]
    return names + [f"inputs[{i}]" for i in range(len(names), n)]


def _refuse_unfit(name: str, x: Any) -> None:
    """Raise unless an input can be moved, element by element, and has a gradient of its own."""
    if x._prev if isinstance(x, Value) else not x.is_leaf:
        raise ValueError(f"gradcheck: {name} is not a leaf but the result of a computation; check what it came from")
    if isinstance(x, Value):
        return
    memory = x.detach().numpy()
    if memory.dtype != np.float64:
        raise ValueError(f"gradcheck: {name} is {memory.dtype}, and differences need float64; convert it by .double()")
    if memory.size and any(stride == 0 and n > 1 for stride, n in zip(memory.strides, memory.shape, strict=True)):
        raise ValueError(f"gradcheck: elements of {name} share memory and cannot be moved one at a time; clone it")


def _outputs(result: Any) -> list[Any]:
    """Return the outputs that can have derivatives."""
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    for i, y in enumerate(results):
        if not isinstance(y, Value | Tensor):
            raise TypeError(f"gradcheck: fn has to return tensors or Values; output {i} is {type(y).__name__}")
    outputs = [y for y in results if isinstance(y, Value) or y.detach().numpy().dtype.kind == "f"]
    if not outputs:
        raise TypeError("gradcheck: fn returns no floating-point output")
    for i, y in enumerate(outputs):
        if not isinstance(y, Value) and y.detach().numpy().dtype != np.float64:
            raise ValueError(f"gradcheck: output {i} is {y.detach().numpy().dtype}, and differences need float64")
    return outputs


def _read(outputs: Sequence[Any]) -> list[Array]:
    """Return the numbers of outputs: copies, because an output may be an input's memory."""
    return [np.array(y.data if isinstance(y, Value) else y.detach().numpy(), dtype=np.float64) for y in outputs]


def _weights(values: Sequence[Array], seed: int) -> list[Array]:
    """Return what outputs are weighed with: random numbers, or 1 for a single one."""
    if sum(y.size for y in values) == 1:
        return [np.ones(y.shape) for y in values]
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(y.shape)) for y in values]


def _analytic(outputs: Sequence[Any], inputs: Sequence[Any], weights: Sequence[Array]) -> list[Array]:
    """Return the gradients of the weighted sum of the outputs, from one backward pass."""
    if any(isinstance(y, Value) != isinstance(inputs[0], Value) for y in outputs):
        raise TypeError("gradcheck: inputs and outputs are tensors or Values, not both")
    if isinstance(inputs[0], Value):
        return _analytic_of_values(outputs, inputs, weights)
    differentiable, cotangents = [], []
    for y, w in zip(outputs, weights, strict=True):
        if y.requires_grad:
            cotangent = y.detach().clone()
            cotangent.numpy()[...] = w
            differentiable.append(y)
            cotangents.append(cotangent)
    if not differentiable:
        return [np.zeros(tuple(x.shape)) for x in inputs]
    gradients = grad(differentiable, list(inputs), grad_outputs=cotangents, allow_unused=True)
    return [
        np.zeros(tuple(x.shape)) if g is None else np.array(g.detach().numpy())
        for x, g in zip(inputs, gradients, strict=True)
    ]


def _analytic_of_values(outputs: Sequence[Value], inputs: Sequence[Value], weights: Sequence[Array]) -> list[Array]:
    before = [x.grad for x in inputs]
    try:
        for x in inputs:
            x.grad = 0.0
        total = Value(0.0)
        for y, w in zip(outputs, weights, strict=True):
            total = total + y * float(w)
        total.backward()
        return [np.array(x.grad, dtype=np.float64) for x in inputs]
    finally:
        for x, grad in zip(inputs, before, strict=True):
            x.grad = grad


@contextmanager
def _movable(x: Any) -> Iterator[tuple[Array, Callable[[tuple[int, ...], float], None]]]:
    """Lend a copy of an input's numbers and a function that changes one of the input; put all back at the end."""
    if isinstance(x, Value):
        original = np.array(x.data)

        def put(index: tuple[int, ...], number: float) -> None:
            x.data = number
    else:
        memory = x.detach().numpy()
        original, put = memory.copy(), memory.__setitem__
    try:
        yield original, put
    finally:
        for index in np.ndindex(original.shape):
            put(index, float(original[index]))


def _numeric(call: Callable[[], Any], x: Any, weights: Sequence[Array], eps: float) -> Array:
    """Return central differences of the weighted sum of the outputs, by each element of x."""
    with _movable(x) as (original, put), np.errstate(all="ignore"):
        slopes = np.empty(original.shape)
        for index in np.ndindex(original.shape):
            here = float(original[index])
            above, below = here + eps, here - eps
            put(index, above)
            upper = _read(_outputs(call()))
            put(index, below)
            lower = _read(_outputs(call()))
            put(index, here)
            # Element by element first: of the sums, more digits would cancel. The step is the one that rounding left.
            change = sum(float((w * (u - v)).sum()) for w, u, v in zip(weights, upper, lower, strict=True))
            slopes[index] = np.float64(change) / (above - below)
        return slopes


def _compare(name: str, analytic: Array, numeric: Array, rounding: float) -> ParameterCheck:
    """Return the verdict about one input; `rounding` is what may be wrong with each of the numeric derivatives."""
    shape = numeric.shape
    if numeric.size == 0:
        return ParameterCheck(name, shape, 0.0, "PASS", None, 0.0, 0.0)
    with np.errstate(all="ignore"):
        difference = np.abs(analytic - numeric)
        distance = float(np.sqrt(np.sum(difference**2)))
        norms = float(np.sqrt(np.sum(analytic**2)) + np.sqrt(np.sum(numeric**2)))
    error = distance / (norms + 1e-8)
    verdict: Verdict = "FAIL"  # nan is below nothing
    if error < PASS_BELOW or distance <= rounding * math.sqrt(numeric.size):
        verdict = "PASS"
    elif error <= SUSPICIOUS_TO:
        verdict = "SUSPICIOUS"
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(difference)), shape))
    return ParameterCheck(name, shape, error, verdict, worst, float(analytic[worst]), float(numeric[worst]))
