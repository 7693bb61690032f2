"""The functions of one and of two values, each as its value and, beside it, its derivative.

A derivative is written as the chain rule uses it: what dL/dx gains, given g = dL/dy, the input x and the
output y. Where a function has no derivative, as relu at 0, the choice is PyTorch's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pygrad.reference import _ieee

if TYPE_CHECKING:
    from pygrad.reference.engine import Operand, Value


class Elementwise:
    """What `Value` can do beyond its operators.

    Examples
    --------
    >>> from pygrad.reference import Value
    >>> x = Value(0.75)
    >>> y = x.sigmoid()
    >>> y.backward()
    >>> round(y.data, 6), round(x.grad, 6)
    (0.679179, 0.217895)

    The parameter of `leaky_relu`, `elu` and `swish` may be a Value, and is then learnt:

    >>> x, alpha = Value(-3.0), Value(0.25)
    >>> x.leaky_relu(alpha).backward()
    >>> x.grad, alpha.grad
    (0.25, -3.0)
    """

    def _unary(self, op: str, value: Any, rule: Any) -> Value:
        raise NotImplementedError

    def _binary(self, op: str, other: Operand, value: Any, rule_a: Any, rule_b: Any) -> Value:
        raise NotImplementedError

    # One input.

    def neg(self) -> Value:
        """Negative, y = -x: dy/dx = -1."""
        return self._unary("neg", lambda x: -x, lambda g, x, y: -g)

    def exp(self) -> Value:
        """Exponential, y = e**x: dy/dx = y."""
        return self._unary("exp", _ieee.exp, lambda g, x, y: g * y)

    def expm1(self) -> Value:
        """Exponential minus one, exact near 0: dy/dx = y + 1."""
        return self._unary("expm1", _ieee.expm1, lambda g, x, y: g * (y + 1.0))

    def exp2(self) -> Value:
        """Power of two, y = 2**x: dy/dx = y log(2)."""
        return self._unary("exp2", _ieee.exp2, lambda g, x, y: g * (y * math.log(2.0)))

    def log(self) -> Value:
        """Natural logarithm: dy/dx = 1 / x."""
        return self._unary("log", _ieee.log, lambda g, x, y: _ieee.divide(g, x))

    def log2(self) -> Value:
        """Logarithm to base 2: dy/dx = 1 / (x log(2))."""
        return self._unary("log2", _ieee.log2, lambda g, x, y: _ieee.divide(g, x * math.log(2.0)))

    def log10(self) -> Value:
        """Logarithm to base 10: dy/dx = 1 / (x log(10))."""
        return self._unary("log10", _ieee.log10, lambda g, x, y: _ieee.divide(g, x * math.log(10.0)))

    def log1p(self) -> Value:
        """Logarithm of 1 + x, exact near 0: dy/dx = 1 / (1 + x)."""
        return self._unary("log1p", _ieee.log1p, lambda g, x, y: _ieee.divide(g, 1.0 + x))

    def sqrt(self) -> Value:
        """Square root: dy/dx = 1 / (2 y)."""
        return self._unary("sqrt", _ieee.sqrt, lambda g, x, y: _ieee.divide(g, 2.0 * y))

    def rsqrt(self) -> Value:
        """Inverse square root: dy/dx = -y**3 / 2."""
        return self._unary("rsqrt", lambda x: _ieee.divide(1.0, _ieee.sqrt(x)), lambda g, x, y: g * (-0.5 * y * y * y))

    def square(self) -> Value:
        """Square: dy/dx = 2 x."""
        return self._unary("square", lambda x: x * x, lambda g, x, y: g * (2.0 * x))

    def reciprocal(self) -> Value:
        """Inverse: dy/dx = -y**2."""
        return self._unary("reciprocal", lambda x: _ieee.divide(1.0, x), lambda g, x, y: -(g * (y * y)))

    def abs(self) -> Value:
        """Absolute value: dy/dx = sign(x), 0 at 0."""
        return self._unary("abs", math.fabs, lambda g, x, y: g * _ieee.sign(x))

    def sign(self) -> Value:
        """Sign, -1, 0 or 1: a step, whose derivative is 0."""
        return self._unary("sign", _ieee.sign, lambda g, x, y: 0.0)

    def floor(self) -> Value:
        """Next whole number below: a step, whose derivative is 0."""
        return self._unary("floor", lambda x: _ieee.whole(math.floor, x), lambda g, x, y: 0.0)

    def ceil(self) -> Value:
        """Next whole number above: a step, whose derivative is 0."""
        return self._unary("ceil", lambda x: _ieee.whole(math.ceil, x), lambda g, x, y: 0.0)

    def round(self) -> Value:
        """Nearest whole number, the even one of two: a step, whose derivative is 0."""
        return self._unary("round", lambda x: _ieee.whole(round, x), lambda g, x, y: 0.0)

    def trunc(self) -> Value:
        """Next whole number towards 0: a step, whose derivative is 0."""
        return self._unary("trunc", lambda x: _ieee.whole(math.trunc, x), lambda g, x, y: 0.0)

    def sin(self) -> Value:
        """Sine of x radians: dy/dx = cos(x)."""
        return self._unary("sin", _ieee.sin, lambda g, x, y: g * _ieee.cos(x))

    def cos(self) -> Value:
        """Cosine of x radians: dy/dx = -sin(x)."""
        return self._unary("cos", _ieee.cos, lambda g, x, y: -(g * _ieee.sin(x)))

    def tan(self) -> Value:
        """Tangent of x radians: dy/dx = 1 + y**2."""
        return self._unary("tan", _ieee.tan, lambda g, x, y: g * (1.0 + y * y))

    def asin(self) -> Value:
        """Inverse sine: dy/dx = 1 / sqrt(1 - x**2)."""
        return self._unary("asin", _ieee.asin, lambda g, x, y: _ieee.divide(g, _ieee.sqrt((1.0 - x) * (1.0 + x))))

    def acos(self) -> Value:
        """Inverse cosine: dy/dx = -1 / sqrt(1 - x**2)."""
        return self._unary("acos", _ieee.acos, lambda g, x, y: -_ieee.divide(g, _ieee.sqrt((1.0 - x) * (1.0 + x))))

    def atan(self) -> Value:
        """Inverse tangent: dy/dx = 1 / (1 + x**2)."""
        return self._unary("atan", math.atan, lambda g, x, y: g / (1.0 + x * x))

    def sinh(self) -> Value:
        """Hyperbolic sine: dy/dx = cosh(x)."""
        return self._unary("sinh", _ieee.sinh, lambda g, x, y: g * _ieee.cosh(x))

    def cosh(self) -> Value:
        """Hyperbolic cosine: dy/dx = sinh(x)."""
        return self._unary("cosh", _ieee.cosh, lambda g, x, y: g * _ieee.sinh(x))

    def erf(self) -> Value:
        """Error function: dy/dx = 2 / sqrt(pi) * e**(-x**2)."""
        return self._unary("erf", math.erf, lambda g, x, y: g * (_ERF_SLOPE * math.exp(-x * x)))

    def erfc(self) -> Value:
        """Complement 1 - erf(x), exact for large x: dy/dx = -2 / sqrt(pi) * e**(-x**2)."""
        return self._unary("erfc", math.erfc, lambda g, x, y: g * (-_ERF_SLOPE * math.exp(-x * x)))

    def tanh(self) -> Value:
        """Hyperbolic tangent: dy/dx = 1 - y**2, at most 1."""
        return self._unary("tanh", math.tanh, lambda g, x, y: g * (1.0 - y * y))

    def sigmoid(self) -> Value:
        """Logistic function, y = 1 / (1 + e**-x): dy/dx = y (1 - y), at most 1/4."""
        return self._unary("sigmoid", _ieee.sigmoid, lambda g, x, y: g * (y * (1.0 - y)))

    def relu6(self) -> Value:
        """Relu with a ceiling, y = min(max(0, x), 6): dy/dx = 1 strictly between 0 and 6, else 0."""

        def value(x: float) -> float:
            return 6.0 if x > 6.0 else 0.0 if x < 0.0 else x

        return self._unary("relu6", value, lambda g, x, y: 0.0 if x <= 0.0 or x >= 6.0 else g)

    def hardtanh(self) -> Value:
        """Cut x to [-1, 1]: dy/dx = 1 strictly between them, else 0."""

        def value(x: float) -> float:
            return -1.0 if x < -1.0 else 1.0 if x > 1.0 else x

        return self._unary("hardtanh", value, lambda g, x, y: 0.0 if x <= -1.0 or x >= 1.0 else g)

    def gelu(self, approximate: str = "none") -> Value:
        """Gaussian error linear unit, y = x Phi(x): dy/dx = Phi(x) + x phi(x).

        Phi is the standard normal distribution and phi its density; ``approximate="tanh"`` is `gelu_tanh`.
        """
        if approximate == "tanh":
            return self.gelu_tanh()
        if approximate != "none":
            raise ValueError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")
        return self._unary(
            "gelu",
            lambda x: x * _ieee.normal_cdf(x),
            lambda g, x, y: g * (_ieee.normal_cdf(x) + x * _ieee.normal_pdf(x)),
        )

    def gelu_tanh(self) -> Value:
        """Gelu with (1 + tanh(u)) / 2 for Phi(x), where u = sqrt(2 / pi) (x + 0.044715 x**3).

        With t = tanh(u), dy/dx = (1 + t + x (1 - t**2) du/dx) / 2.
        """
        c = math.sqrt(2.0 / math.pi)

        def tanh_u(x: float) -> float:
            return math.tanh(c * (x * (1.0 + 0.044715 * x * x)))

        def rule(g: float, x: float, y: float) -> float:
            t = tanh_u(x)
            du = c * (1.0 + 3.0 * 0.044715 * x * x)
            return g * (0.5 * (1.0 + t + x * (1.0 - t * t) * du))

        return self._unary("gelu_tanh", lambda x: 0.5 * x * (1.0 + tanh_u(x)), rule)

    def silu(self) -> Value:
        """Sigmoid linear unit, y = x s(x), s the sigmoid: dy/dx = s (1 + x (1 - s))."""

        def rule(g: float, x: float, y: float) -> float:
            s = _ieee.sigmoid(x)
            return g * (s * (1.0 + x * (1.0 - s)))

        return self._unary("silu", lambda x: x * _ieee.sigmoid(x), rule)

    def softplus(self) -> Value:
        """Smooth relu, y = log(1 + e**x): dy/dx = sigmoid(x)."""
        return self._unary("softplus", _ieee.softplus, lambda g, x, y: g if x > 20.0 else g * _ieee.sigmoid(x))

    def logsigmoid(self) -> Value:
        """Logarithm of the sigmoid, finite where sigmoid is 0: dy/dx = sigmoid(-x)."""

        def value(x: float) -> float:
            return (0.0 if x > 0.0 else x) - math.log1p(math.exp(-math.fabs(x)))

        return self._unary("logsigmoid", value, lambda g, x, y: g * _ieee.sigmoid(-x))

    def selu(self) -> Value:
        """Scaled elu, y = c x for x > 0, else c alpha (e**x - 1): dy/dx = c or c alpha e**x.

        The constants, of Klambauer et al. (2017), keep mean 0 and variance 1 through the layers.
        """
        c, c_alpha = 1.0507009873554805, 1.7580993408473769
        return self._unary(
            "selu",
            lambda x: c * x if x > 0.0 else c_alpha * _ieee.expm1(x),
            lambda g, x, y: g * (c_alpha * _ieee.exp(x) if x <= 0.0 else c),
        )

    def mish(self) -> Value:
        """Mish, y = x t with t = tanh(softplus(x)): dy/dx = t + x sigmoid(x) (1 - t**2)."""

        def rule(g: float, x: float, y: float) -> float:
            t = math.tanh(_ieee.softplus(x))
            return g * (t + x * _ieee.sigmoid(x) * (1.0 - t * t))

        return self._unary("mish", lambda x: x * math.tanh(_ieee.softplus(x)), rule)

    # Two inputs, of which the second may be a number.

    def maximum(self, other: Operand) -> Value:
        """Larger of a and b, which gets the gradient; equal inputs get half of it each. Nan travels."""
        return self._binary(
            "max",
            other,
            lambda a, b: b if a < b or math.isnan(b) else a,
            lambda g, a, b: 0.5 * g if a == b else 0.0 if a < b else g,
            lambda g, a, b: 0.5 * g if a == b else 0.0 if a > b else g,
        )

    def minimum(self, other: Operand) -> Value:
        """Smaller of a and b, which gets the gradient; equal inputs get half of it each. Nan travels."""
        return self._binary(
            "min",
            other,
            lambda a, b: b if a > b or math.isnan(b) else a,
            lambda g, a, b: 0.5 * g if a == b else 0.0 if a > b else g,
            lambda g, a, b: 0.5 * g if a == b else 0.0 if a < b else g,
        )

    def fmax(self, other: Operand) -> Value:
        """Larger of a and b, or the one that is not nan; it gets the gradient, and a does where they are equal."""
        return self._binary(
            "fmax",
            other,
            lambda a, b: b if a < b or math.isnan(a) else a,
            lambda g, a, b: g if a >= b or math.isnan(b) else 0.0,
            lambda g, a, b: 0.0 if a >= b or math.isnan(b) else g,
        )

    def fmin(self, other: Operand) -> Value:
        """Smaller of a and b, or the one that is not nan; it gets the gradient, and a does where they are equal."""
        return self._binary(
            "fmin",
            other,
            lambda a, b: b if a > b or math.isnan(a) else a,
            lambda g, a, b: g if a <= b or math.isnan(b) else 0.0,
            lambda g, a, b: 0.0 if a <= b or math.isnan(b) else g,
        )

    def floor_divide(self, other: Operand) -> Value:
        """Next whole number below a / b: a step, whose derivatives are 0."""
        return self._binary("//", other, _ieee.floor_divide, lambda g, a, b: 0.0, lambda g, a, b: 0.0)

    def remainder(self, other: Operand) -> Value:
        """Remainder a - b floor(a / b), with the sign of b: dy/da = 1, dy/db = -floor(a / b)."""
        return self._binary(
            "%", other, _ieee.remainder, lambda g, a, b: g, lambda g, a, b: -(g * _ieee.floor_divide(a, b))
        )

    def fmod(self, other: Operand) -> Value:
        """Remainder a - b trunc(a / b), with the sign of a: dy/da = 1, dy/db = -trunc(a / b)."""
        return self._binary(
            "fmod", other, _ieee.fmod, lambda g, a, b: g, lambda g, a, b: -(g * _ieee.trunc_divide(a, b))
        )

    def hypot(self, other: Operand) -> Value:
        """Length of the vector (a, b), y = sqrt(a**2 + b**2): dy/da = a / y, dy/db = b / y."""
        return self._binary(
            "hypot",
            other,
            math.hypot,
            lambda g, a, b: g * _ieee.divide(a, math.hypot(a, b)),
            lambda g, a, b: g * _ieee.divide(b, math.hypot(a, b)),
        )

    def atan2(self, other: Operand) -> Value:
        """Angle of the point (b, a): dy/da = b / r**2, dy/db = -a / r**2 with r**2 = a**2 + b**2; 0 at the origin."""

        def rule(g: float, a: float, b: float, leg: float) -> float:
            r = math.hypot(a, b)
            return g * (leg / r / r) if r != 0.0 else 0.0

        return self._binary(
            "atan2", other, math.atan2, lambda g, a, b: rule(g, a, b, b), lambda g, a, b: rule(g, a, b, -a)
        )

    def logaddexp(self, other: Operand) -> Value:
        """Logarithm of a sum, y = log(e**a + e**b): dy/da = sigmoid(a - b), dy/db = sigmoid(b - a)."""

        def value(a: float, b: float) -> float:
            return a + math.log(2.0) if a == b else (b if a < b else a) + math.log1p(math.exp(-math.fabs(a - b)))

        return self._binary(
            "logaddexp",
            other,
            value,
            lambda g, a, b: g * _ieee.sigmoid(a - b),
            lambda g, a, b: g * _ieee.sigmoid(b - a),
        )

    def leaky_relu(self, alpha: Operand = 0.01) -> Value:
        """Leaky relu, y = x for x > 0, else alpha x: dy/dx = 1 or alpha, dy/dalpha = 0 or x."""
        return self._binary(
            "leaky_relu",
            alpha,
            lambda x, alpha: x if x > 0.0 else x * alpha,
            lambda g, x, alpha: g if x > 0.0 else g * alpha,
            lambda g, x, alpha: 0.0 if x > 0.0 else g * x,
        )

    def elu(self, alpha: Operand = 1.0) -> Value:
        """Exponential linear unit, y = x for x > 0, else alpha (e**x - 1): dy/dx = 1 or alpha e**x."""
        return self._binary(
            "elu",
            alpha,
            lambda x, alpha: x if x > 0.0 else alpha * _ieee.expm1(x),
            lambda g, x, alpha: g * (alpha * _ieee.exp(x)) if x <= 0.0 else g,
            lambda g, x, alpha: 0.0 if x > 0.0 else g * _ieee.expm1(x),
        )

    def swish(self, beta: Operand = 1.0) -> Value:
        """Swish, y = x s with s = sigmoid(beta x).

        dy/dx = s (1 + beta x (1 - s)), dy/dbeta = x**2 s (1 - s).
        """

        def rule_x(g: float, x: float, beta: float) -> float:
            s = _ieee.sigmoid(beta * x)
            return g * (s * (1.0 + beta * x * (1.0 - s)))

        def rule_beta(g: float, x: float, beta: float) -> float:
            s = _ieee.sigmoid(beta * x)
            return g * (x * x * (s * (1.0 - s)))

        return self._binary("swish", beta, lambda x, beta: x * _ieee.sigmoid(beta * x), rule_x, rule_beta)

    def bce_with_logits(self, label: Operand) -> Value:
        """Binary cross-entropy of the label t in [0, 1] from the logit z, finite for every logit.

        With p = sigmoid(z), y = -t log(p) - (1 - t) log(1 - p) = max(z, 0) - z t + log(1 + e**-abs(z));
        dy/dz = p - t, dy/dt = -z.
        """

        def value(z: float, t: float) -> float:
            return ((0.0 if z < 0.0 else z) - z * t) + math.log1p(math.exp(-math.fabs(z)))

        return self._binary("bce", label, value, lambda g, z, t: g * (_ieee.sigmoid(z) - t), lambda g, z, t: -(g * z))


_ERF_SLOPE = 2.0 / math.sqrt(math.pi)
