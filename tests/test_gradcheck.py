"""The gradient check: right derivatives pass, planted wrong ones are named, inputs come back as they were."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import pygrad
from pygrad import Value
from pygrad.check import GradcheckError, gradcheck


@pytest.fixture
def leaf():
    """Make a float64 leaf of a shape, with numbers away from zero and from each other."""

    def make(*shape, seed=1, **more):
        numbers = np.random.default_rng(seed).uniform(0.5, 2.0, shape)
        return pygrad.tensor(numbers, **{"requires_grad": True, **more})

    return make


def numbers(x):
    return x.detach().numpy().copy()


def quiet(fn, inputs, **more):
    return gradcheck(fn, inputs, raise_exception=False, **more)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2), (0,), (2, 0)])
def test_right_derivatives_pass_for_every_shape(leaf, shape):
    x, y = leaf(*shape), leaf(*shape, seed=2)
    report = gradcheck(lambda x, y: (x * y).tanh() + x.exp() / y, (x, y))
    assert report and report.verdict == "PASS"
    assert [p.name for p in report.parameters] == ["x", "y"]
    assert all(p.shape == shape and p.relative_error < 1e-9 for p in report.parameters)


def test_one_tensor_needs_no_tuple(leaf):
    assert gradcheck(lambda x: x.exp().sum(), leaf(3))


def test_a_planted_derivative_is_named_with_both_numbers(leaf):
    x, y = leaf(2, 2), leaf(2, 2, seed=2)

    def half(right, wrong):
        return (right * right + wrong * wrong.detach()).sum()  # the second derivative lacks a factor of 2

    report = quiet(half, (x, y))
    right, wrong = report.parameters
    assert not report and report.verdict == "FAIL"
    assert (right.name, right.verdict) == ("right", "PASS")
    assert (wrong.name, wrong.verdict) == ("wrong", "FAIL")
    # |y - 2y| / (|y| + |2y|), and the largest y is where they differ most.
    assert wrong.relative_error == pytest.approx(1 / 3, rel=1e-6)
    values = numbers(y)
    assert wrong.worst == np.unravel_index(values.argmax(), (2, 2))
    assert wrong.analytic == values.max()
    assert wrong.numeric == pytest.approx(2 * values.max(), rel=1e-8)


def test_one_wrong_element_is_found_where_it_is(leaf):
    x = leaf(3, 4)
    mask = np.zeros((3, 4))
    mask[1, 2] = 1.0
    wrong = pygrad.tensor(mask)

    def fn(x):
        y = x * x
        return y + (y.detach() - y) * wrong * 0.5

    report = quiet(fn, x)
    assert report.parameters[0].worst == (1, 2)
    assert report.verdict == "FAIL"


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1e-6, "PASS"), (1e-4, "SUSPICIOUS"), (1e-3, "SUSPICIOUS"), (1e-2, "FAIL"), (2.0, "FAIL")]
)
def test_verdicts_follow_the_relative_error_of_norms(leaf, factor, verdict):
    x = leaf(5)
    # The value is that of x*x, the derivative (1 + factor) times its: the relative error is factor / (2 + factor).
    report = quiet(lambda x: (x * x * (1 + factor) - (x * x).detach() * factor).sum(), x)
    assert report.parameters[0].relative_error == pytest.approx(factor / (2 + factor), rel=1e-2)
    assert report.verdict == verdict
    assert bool(report) == (verdict == "PASS")


@pytest.mark.parametrize("factor", [1e-4, 1.0])
def test_a_verdict_other_than_pass_raises_with_the_table(leaf, factor):
    with pytest.raises(GradcheckError, match=r"weight") as caught:
        gradcheck(lambda weight: (weight * (1 + factor) - weight.detach() * factor).sum(), leaf(2))
    assert isinstance(caught.value, RuntimeError)
    assert str(caught.value.report) in str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.report == caught.value.report


def test_the_report_is_a_table(leaf):
    table = str(quiet(lambda first, other: first.sum() * other.detach().sum(), (leaf(2), leaf(1))))
    head, first, other = table.splitlines()
    assert head.split() == ["name", "shape", "relative", "error", "verdict", "worst", "at", "analytic", "numeric"]
    assert first.startswith("first  (2,)") and "PASS" in first
    assert other.startswith("other  (1,)") and "FAIL" in other


def test_several_outputs_are_checked_in_one(leaf):
    x = leaf(3)
    assert gradcheck(lambda x: (x.exp(), x.sum(), x * 2), x)
    report = quiet(lambda x: (x.exp(), x * x.detach()), x)
    assert report.verdict == "FAIL"


def test_integer_outputs_are_passed_over(leaf):
    assert gradcheck(lambda x: (x.sum(), x.argmax()), leaf(3))


def test_an_input_that_does_not_matter_has_a_gradient_of_zero(leaf):
    report = gradcheck(lambda x, y: x.sum(), (leaf(2), leaf(3)))
    assert [(p.name, p.relative_error, p.analytic) for p in report.parameters][1] == ("y", 0.0, 0.0)


def test_an_output_cut_off_from_the_inputs_fails(leaf):
    assert quiet(lambda x: (x * x).detach().sum(), leaf(2)).verdict == "FAIL"


def test_a_gradient_of_zero_is_not_failed_for_rounding(leaf):
    # The sum of a softmax is 1 whatever x is: differences see only rounding, about 1e-11.
    assert gradcheck(lambda x: x.softmax(-1).sum(), leaf(50))
    assert gradcheck(lambda x: x - x + 1.0, leaf(50))


def test_inputs_without_gradient_are_passed_on(leaf):
    scale = pygrad.tensor([2.0, 3.0])
    report = gradcheck(lambda x, scale, power: (x * scale) ** power, (leaf(2), scale, 2))
    assert [p.name for p in report.parameters] == ["x"]


def test_an_input_may_be_the_output(leaf):
    assert gradcheck(lambda x: x, leaf(2))


def test_the_same_tensor_twice_counts_both_ways(leaf):
    x = leaf(2)
    report = gradcheck(lambda a, b: a * b, (x, x))
    assert [p.name for p in report.parameters] == ["a", "b"]


def test_a_transposed_leaf_is_moved_element_by_element():
    x = pygrad.tensor(np.arange(1.0, 7.0).reshape(2, 3)).t().detach()
    x.requires_grad_(True)
    report = quiet(lambda x: x * x * x.detach(), x)
    assert report.parameters[0].worst == (2, 1)  # of the largest number


def test_names_come_from_the_signature(leaf):
    def fn(first, *rest):
        return first * rest[0] * rest[1]

    report = gradcheck(fn, (leaf(2), leaf(2), leaf(2)))
    assert [p.name for p in report.parameters] == ["first", "inputs[1]", "inputs[2]"]


class Affine:
    """What a module is to the check."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def named_parameters(self):
        return iter([("weight", self.weight), ("bias", self.bias)])


def test_parameters_of_a_module_are_checked_by_name(leaf):
    model = Affine(leaf(3, 2), leaf(2))
    x = pygrad.tensor(np.linspace(-1, 1, 12).reshape(4, 3))
    assert gradcheck(lambda: (x @ model.weight + model.bias).tanh().mean(), model)
    report = quiet(lambda: (x @ model.weight + model.bias * model.bias.detach()).mean(), model)
    assert [(p.name, p.verdict) for p in report.parameters] == [("weight", "PASS"), ("bias", "FAIL")]
    model.bias.requires_grad_(False)
    report = gradcheck(lambda: (x @ model.weight + model.bias).mean(), model)
    assert [p.name for p in report.parameters] == ["weight"]


def test_a_network_is_checked_through_its_loss():
    nn = pygrad.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    x = pygrad.tensor(np.linspace(-1, 1, 15).reshape(5, 3))
    report = gradcheck(lambda: (model(x) ** 2).mean(), model)
    assert [p.name for p in report.parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_nan_in_either_gradient_fails(leaf):
    x = leaf(2)
    for fn in (
        lambda x: (x - x.detach() - 1).log().sum(),  # of a negative number: the value is nan
        lambda x: ((x - x.detach()) ** 2).sqrt().sum(),  # 0 * inf backward
    ):
        report = quiet(fn, x)
        assert report.verdict == "FAIL"
        assert not report.parameters[0].relative_error < math.inf or math.isnan(report.parameters[0].relative_error)
    x.detach().numpy()[0] = math.nan
    assert quiet(lambda x: x * 2, x).verdict == "FAIL"


def test_a_kink_does_not_pass():
    x = pygrad.tensor([0.0, 1.0], dtype=pygrad.float64, requires_grad=True)
    report = quiet(lambda x: x.relu(), x)
    assert report.verdict == "FAIL"
    assert report.parameters[0].worst == (0,)


def test_inputs_come_back_to_the_bit(leaf):
    x = leaf(2, 3)
    x.detach().numpy()[0, 0] = -0.0
    x.detach().numpy()[1, 1] = 0.1  # (0.1 + eps) - eps is another number
    before = numbers(x)
    for fn in (lambda x: x.exp(), lambda x: x * x.detach()):
        quiet(fn, x)
        assert numbers(x).tobytes() == before.tobytes()
    calls = []

    def breaks(x):
        calls.append(numbers(x))
        if len(calls) == 6:
            raise KeyError("in the middle")
        return x * 2

    with pytest.raises(KeyError, match="in the middle"):
        gradcheck(breaks, x)
    assert calls[5].tobytes() != before.tobytes()
    assert numbers(x).tobytes() == before.tobytes()


def test_gradients_that_are_there_stay(leaf):
    x, other = leaf(2), leaf(2)
    (x * other).sum().backward()
    before = x.grad, other.grad
    gradcheck(lambda x: x * other, x)
    assert (x.grad, other.grad) == before or all(a is b for a, b in zip((x.grad, other.grad), before, strict=True))
    np.testing.assert_array_equal(numbers(x.grad), numbers(other))


def test_the_weights_follow_the_seed(leaf):
    x = leaf(4)

    def analytic(seed):
        return quiet(lambda x: x * x.detach(), x, seed=seed).parameters[0].analytic

    assert analytic(3) == analytic(3) != analytic(4)


def test_what_cannot_be_checked_is_said(leaf):
    x = leaf(2)
    double = x * 2
    single = pygrad.tensor([1.0], requires_grad=True)
    calls = iter(range(100))
    expanded = leaf(1).detach().expand(3)
    expanded.requires_grad_(True)
    cases = [
        (ValueError, "x is float32.*double", lambda x: x, single),
        (ValueError, "y is not a leaf", lambda x, y: x * y, (x, double)),
        (TypeError, "nothing to check", lambda x: x, x.detach()),
        (TypeError, "nothing to check", lambda: x, ()),
        (TypeError, "nothing to check", lambda a: x, 1.0),
        (ValueError, "different results.*random", lambda x: x * next(calls), x),
        (TypeError, "output 0 is NoneType", lambda x: None, x),
        (TypeError, "output 1 is float", lambda x: (x, 1.0), x),
        (TypeError, "output 0 is ndarray", lambda x: numbers(x), x),
        (TypeError, "no floating-point output", lambda x: x > 0, x),
        (TypeError, "no floating-point output", lambda x: (), x),
        (ValueError, "output 0 is float32", lambda x: x.float(), x),
        (ValueError, "x share memory.*clone", lambda x: x, expanded),
        (TypeError, "not both", lambda x, v: x, (x, Value(1.0))),
        (TypeError, "not both", lambda x: Value(1.0), x),
        (TypeError, "not both", lambda v: x, Value(1.0)),
    ]
    for error, said, fn, inputs in cases:
        with pytest.raises(error, match=said):
            gradcheck(fn, inputs)


@pytest.mark.parametrize("eps", [0.0, -1e-5, math.inf, math.nan])
def test_eps_is_above_zero(eps):
    with pytest.raises(ValueError, match="eps"):
        gradcheck(lambda x: x, Value(1.0), eps=eps)


def test_values_are_checked_too():
    x, y = Value(0.5), Value(2.0)
    x.grad = 7.0
    report = gradcheck(lambda x, y: [x * y, (x + y).tanh()], [x, y])
    assert [p.name for p in report.parameters] == ["x", "y"]
    assert (x.data, y.data, x.grad, y.grad) == (0.5, 2.0, 7.0, 0.0)


def test_a_values_planted_derivative_is_named():
    def wrong(x, y):
        return x * Value(y.data**2, (y,), (y.data,))  # d(y*y)/dy is 2y

    report = quiet(wrong, [Value(0.5), Value(3.0)])
    assert [(p.name, p.verdict) for p in report.parameters] == [("x", "PASS"), ("y", "FAIL")]
    assert (report.parameters[1].analytic, report.parameters[1].worst) == (1.5, ())
    with pytest.raises(ValueError, match="x is not a leaf"):
        gradcheck(lambda x: x, Value(1.0) * 2)


def test_a_value_comes_back_when_the_function_raises():
    x = Value(0.1)

    def breaks(x):
        if x.data != 0.1:
            raise KeyError("moved")
        return x * 2

    with pytest.raises(KeyError, match="moved"):
        gradcheck(breaks, x)
    assert x.data == 0.1


def test_a_scalar_network_is_checked_through_its_parameters():
    model = pygrad.nn.MLP(2, [3, 1])
    parameters = model.parameters()
    report = gradcheck(lambda *_: model([0.3, -0.8]).tanh(), parameters)
    assert len(report.parameters) == len(parameters)


# ---- second derivatives ----------------------------------------------------------------------------------------------


def test_second_derivatives_of_right_functions_pass():
    rng = np.random.default_rng(5)
    x = pygrad.tensor(rng.standard_normal((2, 3)), requires_grad=True)
    w = pygrad.tensor(rng.standard_normal((4, 3)), requires_grad=True)
    report = pygrad.gradgradcheck(lambda x, w: (pygrad.tanh(x @ w.T), (x * x).sum()), [x, w])
    assert report and len(report.parameters) == 4
    assert pygrad.gradgradcheck(lambda x, n: x**n, [x, 3])


def test_wrong_second_derivative_is_named():
    class Square(pygrad.autograd.Function):
        """Its gradient is right, and loses its own history."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x.detach()

    x = pygrad.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    assert pygrad.gradcheck(Square.apply, x)
    with pytest.raises(pygrad.GradcheckError, match="FAIL"):
        pygrad.gradgradcheck(Square.apply, x)


def test_second_derivatives_need_an_input_that_wants_a_gradient():
    with pytest.raises(TypeError, match="gradgradcheck"):
        pygrad.gradgradcheck(lambda x: x, pygrad.ones(2, dtype="float64"))
